"""``docker-mcp completion SHELL``: prints what a shell needs, so that the tab key completes commands and names."""

from __future__ import annotations

from typing import Final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SHELLS", "run"]

_BASH: Final = r"""# Completes docker-mcp in bash. Put this into ~/.bashrc:
#   source <(docker-mcp completion bash)
_docker_mcp() {
    local typed=${COMP_LINE:0:COMP_POINT} word words=() current='' line lines=() directive=4
    # bash splits words at = and : too; what has no space between belongs together.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ $typed == [[:space:]]* && -n $current ]]; then words+=("$current"); current=''; fi
        while [[ $typed == [[:space:]]* ]]; do typed=${typed:1}; done
        [[ ${typed:0:${#word}} == "$word" ]] || word=$typed
        current+=$word
        typed=${typed:${#word}}
    done
    while IFS= read -r line; do
        lines+=("$line")
    done < <("${words[0]:-docker-mcp}" __completeNoDesc "${words[@]:1}" "$current" 2>/dev/null)
    (( ${#lines[@]} )) || return
    directive=${lines[${#lines[@]} - 1]#:}
    unset "lines[${#lines[@]} - 1]"
    COMPREPLY=("${lines[@]}")
    if (( directive & 2 )); then compopt -o nospace 2>/dev/null; fi
    if (( ! (directive & 4) && ! ${#COMPREPLY[@]} )); then compopt -o default 2>/dev/null; fi
    # What stands before the last = or : is there already.
    if [[ $current == *[=:]* ]]; then
        local kept=${current%"${current##*[=:]}"} index
        for index in "${!COMPREPLY[@]}"; do COMPREPLY[index]=${COMPREPLY[index]#"$kept"}; done
    fi
}
complete -F _docker_mcp docker-mcp
"""

_ZSH: Final = r"""#compdef docker-mcp
# Completes docker-mcp in zsh. Put this into ~/.zshrc, behind compinit:
#   source <(docker-mcp completion zsh)
_docker_mcp() {
    local -a lines plain open
    local line directive
    lines=("${(@f)$("${(Q)words[1]}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    directive=${lines[-1]#:}
    lines[-1]=()
    for line in $lines; do
        line=${line//:/\\:}
        line=${line/$'\t'/:}
        if [[ ${line%%:*} == *= ]]; then open+=("$line"); else plain+=("$line"); fi
    done
    if (( ! ${#lines} )); then
        (( directive & 4 )) || _files
        return
    fi
    if (( directive & 2 )); then
        plain+=($open)
        _describe -V docker-mcp plain -S ''
    else
        _describe -V docker-mcp plain
    fi
}
if [[ $funcstack[1] == _docker_mcp ]]; then
    _docker_mcp "$@"
else
    compdef _docker_mcp docker-mcp
fi
"""

_FISH: Final = r"""# Completes docker-mcp in fish. Put this into ~/.config/fish/completions/docker-mcp.fish:
#   docker-mcp completion fish > ~/.config/fish/completions/docker-mcp.fish
function __docker_mcp_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    set -l directive (string replace -r '^:' '' -- $lines[-1])
    set -e lines[-1]
    if test (count $lines) -gt 0
        printf '%s\n' $lines
    else if test "$directive" = 0
        __fish_complete_path "$current"
    end
end
complete -c docker-mcp -e
complete -c docker-mcp -f -a '(__docker_mcp_complete)'
"""

_POWERSHELL: Final = r"""# Completes docker-mcp in PowerShell. Put this into the file that $PROFILE names:
#   docker-mcp completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'docker-mcp' -ScriptBlock {
    param($current, $command, $position)
    $program = $command.CommandElements[0].Extent.Text
    $words = @($command.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $position } |
        Select-Object -Skip 1 |
        ForEach-Object { $_.Extent.Text.Trim("'").Trim('"') })
    # Older versions drop an empty argument on the way to a program.
    $last = if ("$current" -eq '' -and $PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { "$current" }
    $lines = @(& $program __complete @words $last 2>$null)
    if ($lines.Count -lt 2) { return }
    $lines[0..($lines.Count - 2)] | ForEach-Object {
        $word, $meaning = $_ -split "`t", 2
        if (-not $meaning) { $meaning = $word }
        $shown = if ($word -match '\s') { "'" + $word.Replace("'", "''") + "'" } else { $word }
        [System.Management.Automation.CompletionResult]::new($shown, $word, 'ParameterValue', $meaning)
    }
}
"""

SHELLS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}
_EXAMPLES: Final = """\
source <(docker-mcp completion bash)
source <(docker-mcp completion zsh)
docker-mcp completion fish > ~/.config/fish/completions/docker-mcp.fish
docker-mcp completion powershell | Out-String | Invoke-Expression"""


def run(arguments: Sequence[str]) -> int:
    """Print the script of the shell that is named; returns the exit code."""
    from desktop.cli.parser import Parser

    parser = Parser(
        "docker-mcp completion",
        "Print what a shell needs to complete commands, options and names (servers, tools, catalogs, secrets, …). "
        "Docker's own completion serves docker mcp.",
        _EXAMPLES,
    )
    parser.add_argument("shell", metavar="SHELL", choices=list(SHELLS), help="bash, zsh, fish or powershell")
    print(SHELLS[parser.read(arguments).shell], end="")
    return 0
