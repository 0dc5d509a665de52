# shellcheck shell=sh
# Sourced by the scripts beside it: telling things, and installing packages of the system.

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# debian (with Ubuntu and other descendants), fedora, or other
distribution() {
    if has apt-get && has dpkg; then
        echo debian
    elif has dnf; then
        echo fedora
    else
        echo other
    fi
}

# install_packages WHY PACKAGE... : as root at once; with a terminal after asking; else say what to run and give up.
install_packages() {
    why=$1
    shift
    case $(distribution) in
        debian) command="apt-get install --yes --no-install-recommends $*" ;;
        fedora) command="dnf install --assumeyes $*" ;;
        *) fail "$why Please install with your system's package manager what provides: $*" ;;
    esac
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif has sudo && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    elif has sudo && [ -t 0 ]; then
        as_root=sudo
        say "$why" "To be installed: $*"
        printf 'Run "sudo %s" now? [Y/n] ' "$command"
        read -r answer || answer=n
        case $answer in
            [Nn]*) fail "Nothing was installed; run it yourself and start again: sudo $command" ;;
        esac
    else
        fail "$why Run this and start again: sudo $command"
    fi
    say "$why Installing: $*"
    if [ "$(distribution)" = debian ]; then
        # a first try without fresh lists is quick where they are there; a machine without any needs them
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive $as_root $command >/dev/null 2>&1 && return
        for attempt in 1 2 3; do
            # shellcheck disable=SC2086
            $as_root apt-get update --quiet --quiet || say "apt-get update failed (try $attempt of 3)."
            # shellcheck disable=SC2086
            if $as_root env DEBIAN_FRONTEND=noninteractive $command --quiet >"${TMPDIR:-/tmp}/mcp-gateway-apt.$$" 2>&1; then
                rm -f "${TMPDIR:-/tmp}/mcp-gateway-apt.$$"
                return
            fi
            sleep 2
        done
        tail -n 15 "${TMPDIR:-/tmp}/mcp-gateway-apt.$$" >&2
        rm -f "${TMPDIR:-/tmp}/mcp-gateway-apt.$$"
        fail "The packages could not be installed; the last lines of apt-get are above."
    fi
    # shellcheck disable=SC2086
    $as_root $command || fail "The packages could not be installed."
}
