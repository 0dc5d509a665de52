"""What the reference's command line has, and where ours differs: the data behind docs/cli.md.

Eras: S is June 2025, M the rest of 2025, N is 2026; a flag or command is marked with the first era that has it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["ENVIRONMENT", "EXPLAINED", "REFERENCE", "Reference"]


class Reference(NamedTuple):
    """One command of the reference.

    Attributes:
        command: As it is typed behind ``docker mcp``.
        era: The first one that has it.
        meaning: What it does there.
        flags: Its flags and their eras.
    """

    command: str
    era: str
    meaning: str
    flags: dict[str, str] = {}


def _flags(text: str) -> dict[str, str]:
    """``--a:S --b:M`` as a dictionary."""
    return dict(word.rsplit(":", 1) for word in text.split())


_TOOLS: Final = _flags("--version:S --verbose:S --format:S --gatewayArg:S --gateway-arg:N")

REFERENCE: Final = (
    Reference("version", "S", "the version"),
    Reference("-v", "S", "the version"),
    Reference("--version", "S", "the version"),
    Reference("docker-cli-plugin-metadata", "S", "what Docker asks of a plugin"),
    Reference("catalog ls", "S", "known catalogs", _flags("--json:S --format:M")),
    Reference("catalog list", "N", "known catalogs", _flags("--format:N")),
    Reference("catalog show", "S", "servers of a catalog", _flags("--format:S --pull:N")),
    Reference(
        "catalog import", "S", "take a catalog from an address or a file", _flags("--mcp-registry:M --dry-run:M")
    ),
    Reference("catalog export", "M", "write one's own catalog into a file"),
    Reference("catalog fork", "S", "copy a catalog under a new name"),
    Reference(
        "catalog create",
        "S",
        "an empty catalog; in 2026 one in an image",
        _flags("--title:N --from-profile:N --from-legacy-catalog:N --from-community-registry:N --server:N"),
    ),
    Reference("catalog add", "S", "copy a server into a catalog", _flags("--force:S")),
    Reference("catalog rm", "S", "forget a catalog"),
    Reference("catalog remove", "N", "forget a catalog"),
    Reference("catalog reset", "S", "forget every catalog"),
    Reference("catalog empty", "S", "the same as reset"),
    Reference("catalog update", "S", "fetch catalogs again"),
    Reference("catalog init", "S", "fetch the official catalog"),
    Reference("catalog bootstrap", "M", "write a sample catalog"),
    Reference("catalog push", "N", "put a catalog into an image registry"),
    Reference("catalog pull", "N", "take a catalog from an image registry"),
    Reference("catalog tag", "N", "another name for a catalog in an image"),
    Reference("catalog server ls", "N", "servers of a catalog in an image"),
    Reference("catalog server inspect", "N", "one of them"),
    Reference("catalog server add", "N", "put one in"),
    Reference("catalog server remove", "N", "take one out"),
    Reference("server list", "S", "enabled servers", _flags("--json:S")),
    Reference("server ls", "S", "the same as list", _flags("--json:S")),
    Reference("server enable", "S", "enable servers"),
    Reference("server add", "S", "the same as enable"),
    Reference("server disable", "S", "disable servers"),
    Reference("server remove", "S", "the same as disable"),
    Reference("server rm", "S", "the same as disable"),
    Reference("server inspect", "S", "what is known of a server"),
    Reference("server reset", "S", "disable every server"),
    Reference("server init", "M", "begin a server of one's own", _flags("--template:M --language:M")),
    Reference("config read", "S", "print config.yaml"),
    Reference("config write", "S", "replace config.yaml"),
    Reference("config reset", "S", "empty config.yaml"),
    Reference("config dump", "S", "everything as one document"),
    Reference("config restore", "S", "write everything back"),
    Reference("secret set", "S", "store a secret", _flags("--provider:S")),
    Reference("secret ls", "S", "names of stored secrets", _flags("--json:S")),
    Reference("secret rm", "S", "delete secrets", _flags("--all:S")),
    Reference("secret export", "S", "secrets of servers as an .env file"),
    Reference("oauth ls", "S", "what can be signed in to", _flags("--json:S")),
    Reference("oauth authorize", "S", "sign in", _flags("--scopes:S --open-browser:S")),
    Reference("oauth revoke", "S", "sign out"),
    Reference("policy set", "S", "replace the policy"),
    Reference("policy dump", "S", "print the policy"),
    Reference("tools ls", "S", "tools that are offered", _TOOLS),
    Reference("tools list", "S", "the same as ls", _TOOLS),
    Reference("tools count", "S", "how many there are", _TOOLS),
    Reference("tools inspect", "S", "one tool and its arguments", _TOOLS),
    Reference("tools call", "S", "call a tool", _TOOLS),
    Reference("tools enable", "M", "allow tools of a server", _flags("--server:M")),
    Reference("tools disable", "M", "leave tools of a server out", _flags("--server:M")),
    Reference("client ls", "S", "AI clients and whether they are connected", _flags("--global:S -g:S --json:S")),
    Reference(
        "client connect",
        "S",
        "write the gateway into a client's file",
        _flags("--global:S -g:S --quiet:S -q:S --profile:N -p:N"),
    ),
    Reference("client disconnect", "S", "take it out again", _flags("--global:S -g:S --quiet:S -q:S")),
    Reference("client manual-instructions", "S", "the command a client has to start", _flags("--json:S")),
    Reference("feature enable", "M", "turn a feature on"),
    Reference("feature disable", "M", "turn a feature off"),
    Reference("feature ls", "M", "features and whether they are on"),
    Reference(
        "profile create", "N", "a new profile", _flags("--name:N --id:N --server:N --connect:N --from-template:N")
    ),
    Reference("profile list", "N", "profiles"),
    Reference("profile ls", "N", "the same as list"),
    Reference("profile show", "N", "one profile", _flags("--format:N --clients:N --yq:N")),
    Reference("profile remove", "N", "delete a profile"),
    Reference("profile rm", "N", "the same as remove"),
    Reference("profile export", "N", "write a profile into a file"),
    Reference("profile import", "N", "take a profile from a file"),
    Reference("profile push", "N", "put a profile into an image registry"),
    Reference("profile pull", "N", "take a profile from an image registry"),
    Reference("profile server ls", "N", "servers of profiles", _flags("--filter:N --format:N")),
    Reference("profile server add", "N", "add servers", _flags("--server:N --catalog:N --catalog-server:N")),
    Reference("profile server remove", "N", "take servers out", _flags("--name:N")),
    Reference(
        "profile config", "N", "settings of its servers", _flags("--set:N --get:N --get-all:N --del:N --format:N")
    ),
    Reference(
        "profile tools",
        "N",
        "tools of its servers",
        _flags("--enable:N --disable:N --enable-all:N --disable-all:N"),
    ),
    Reference("profile manual-instructions", "N", "the command a client has to start"),
    Reference("template list", "N", "templates of profiles"),
    Reference("template use", "N", "a profile from a template", _flags("--name:N")),
    Reference("registry convert", "N", "a community registry's document as a catalog entry", _flags("--file:N")),
    Reference(
        "gateway run",
        "S",
        "run the gateway",
        _flags(
            "--servers:S --enable-all-servers:M --profile:N --catalog:S --additional-catalog:M --additional-registry:M"
            " --additional-config:M --additional-tools-config:M --registry:S --config:S --tools-config:M --secrets:S"
            " --tools:S --interceptor:S --oci-ref:M --mcp-registry:M --port:S --host:N --transport:S"
            " --allow-unauthenticated:N --log-calls:S --block-secrets:S --block-network:S --verify-signatures:S"
            " --dry-run:S --verbose:S --keep:S --long-lived:M --debug-dns:M --watch:S --cpus:M --memory:M --static:M"
            " --central:M --log:M"
        ),
    ),
)

ENVIRONMENT: Final = {
    "DOCKER_MCP_SHOW_HIDDEN": ("works", "help lists commands that are meant for other programs"),
    "DOCKER_MCP_IN_CONTAINER": (
        "differs",
        "nothing depends on it: no check needs Docker Desktop, and flags have the same defaults everywhere",
    ),
    "MCP_GATEWAY_AUTH_TOKEN": ("works", "the bearer token clients have to send"),
    "DOCKER_CONFIG": ("works", "where Docker's own settings and plugins are"),
    "NO_COLOR": (
        "more",
        "nothing is bold or coloured; FORCE_COLOR and CLICOLOR_FORCE ask for it where there is no terminal",
    ),
}

_IN_IMAGES: Final = (
    "catalogs are files here, and none are kept in images; catalog import takes one from an address or a file"
)

# Where ours differs on purpose: (what it is: differs, refused; why). A flag is named with its command.
EXPLAINED: Final[dict[str, tuple[str, str]]] = {
    "docker-cli-plugin-metadata": ("differs", "the vendor named is this program's"),
    "catalog ls": ("differs", "sorted by name"),
    "catalog show --pull": ("refused", _IN_IMAGES),
    "catalog create": ("differs", "a file, as in June 2025"),
    "catalog create --title": ("refused", _IN_IMAGES),
    "catalog create --from-profile": ("refused", _IN_IMAGES),
    "catalog create --from-legacy-catalog": ("refused", "catalog fork and catalog import do this"),
    "catalog create --from-community-registry": ("refused", "catalog import --mcp-registry does this"),
    "catalog create --server": ("refused", "catalog add does this"),
    "server list": ("differs", "always the table with what each server needs, and JSON objects"),
    "server ls": ("differs", "the same as list"),
    "server inspect": (
        "differs",
        "the whole catalog entry beside readme and tools; tools as the server itself has listed them, where it has run; "
        "what can't be fetched is a remark",
    ),
    "server init": ("differs", "the server is written in Python, with its image and a catalog"),
    "server init --template": ("differs", "basic"),
    "server init --language": ("differs", "python"),
    "policy set": ("differs", "beside the reference's lines there are rules for tools: allow, ask, deny"),
    "config write": ("differs", "refuses what isn't a map of maps and keeps the former text in config.yaml.bak"),
    "config dump": ("differs", "secrets are left out unless --secrets asks for them"),
    "secret set": ("differs", "kept in a file that is sealed by a key in the system's keychain; a value may contain ="),
    "tools call": ("differs", "values become what the tool's input schema asks for; --json gives them whole"),
    "profile show --yq": ("refused", "pipe --format json or yaml into jq or yq"),
    "gateway run --host": ("differs", "127.0.0.1 by default; the reference listens on every address"),
    "gateway run --port": ("differs", "8811 by default for sse and streaming"),
    "gateway run --block-secrets": ("differs", "may also redact: the secret is taken out and the call goes on"),
}
for _name in ("ls", "list", "count", "inspect", "call"):
    EXPLAINED[f"tools {_name} --version"] = ("differs", "accepted and without effect: there is one way to connect")
    EXPLAINED[f"tools {_name}"] = EXPLAINED.get(
        f"tools {_name}", ("differs", "asks the running gateway; starts one only where none runs")
    )
