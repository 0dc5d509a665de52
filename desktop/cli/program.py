"""How this program was called: by its own name, or by Docker's command line as the plugin behind ``docker mcp``."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

__all__ = ["NAME", "apply_docker_options", "as_typed", "plugin_arguments", "shows_hidden"]

NAME = "docker-mcp"
_AS_PLUGIN = "docker mcp"
# Docker's command line hands its own options on to its plugins, in front of the plugin's name.
_WITH_VALUE = {
    "--config": "DOCKER_CONFIG",
    "-c": "DOCKER_CONTEXT",
    "--context": "DOCKER_CONTEXT",
    "-H": "DOCKER_HOST",
    "--host": "DOCKER_HOST",
    "-l": "",
    "--log-level": "",
    "--tlscacert": "",
    "--tlscert": "",
    "--tlskey": "",
}
_BEFORE_NAME = ("help", "__complete", "__completeNoDesc")
_ALONE = frozenset({"-D", "--debug", "--tls", "--tlsverify"})


def plugin_arguments(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]] | None:
    """What Docker's command line hands over: variables that stand for its own options, and the arguments after ``mcp``.

    Nothing when the program was called by its own name.
    """
    variables: dict[str, str] = {}
    position = 0
    while position < len(arguments):
        word, equals, value = arguments[position].partition("=")
        if word == "mcp" and not equals:
            return variables, list(arguments[position + 1 :])
        if word in _BEFORE_NAME and list(arguments[position + 1 : position + 2]) == ["mcp"]:
            return variables, [word, *arguments[position + 2 :]]
        if word in _WITH_VALUE:
            if not equals:
                position += 1
                value = arguments[position] if position < len(arguments) else ""
            if _WITH_VALUE[word]:
                variables[_WITH_VALUE[word]] = value
        elif word not in _ALONE:
            return None
        position += 1
    return None


def apply_docker_options(variables: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Let options of Docker's command line (``docker --context work mcp …``) hold for this process."""
    if "DOCKER_CONTEXT" in variables and "DOCKER_HOST" not in variables:
        environ.pop("DOCKER_HOST", None)  # the option has precedence over the variable
    environ.update(variables)


def as_typed(text: str) -> str:
    """The text with commands the way this person types them."""
    return text.replace(f"{NAME} ", f"{_AS_PLUGIN} ") if plugin_arguments(sys.argv[1:]) is not None else text


def shows_hidden(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether help lists commands that are kept for other programs (``DOCKER_MCP_SHOW_HIDDEN=1``)."""
    return environ.get("DOCKER_MCP_SHOW_HIDDEN", "") not in ("", "0", "false")
