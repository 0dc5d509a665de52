"""Variables that the engine never gets to know: the image's own shell reads them from standard input, then becomes the server.

What stands in a container's configuration is shown by ``docker inspect`` and lies on the engine's disk. So the container
is started with ``/bin/sh`` in front of the image's own command; the first lines of its input carry the variables (and, where
they hold a secret, the arguments), and the rest of the input is the server's. See docs/decisions/0012.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from desktop.engine.container import environment
from desktop.engine.ports import ContainerSpec

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["ImageCommand", "has_shell", "header", "image_command", "wrapped"]

SHELL: Final = "/bin/sh"
# A line per variable (".NAME=value") or argument ("-text"), further lines of the same ("+more"), an empty line at the end.
# `read` takes one byte at a time, so that what follows is left to the server. Only what every POSIX shell has.
_READER: Final = """\
mgd_k=; while IFS= read -r mgd_l; do
case $mgd_l in +*) mgd_v="$mgd_v
${mgd_l#+}"; continue;; esac
case $mgd_k in .) export "$mgd_v";; -) set -- "$@" "$mgd_v";; esac
case $mgd_l in .*) mgd_k=.;; -*) mgd_k=-;; *) break;; esac
mgd_v=${mgd_l#?}
done; unset mgd_k mgd_v mgd_l; exec "$@"\
"""
_NO_INPUT: Final = " </dev/null"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCommand:
    """What an image runs by itself.

    Attributes:
        image_id: Its content id.
        entrypoint: In front of every command.
        command: What follows when the container names no command.
        variables: Names of the variables it sets.
        is_linux: Whether it is for Linux.
    """

    image_id: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    is_linux: bool = True


def image_command(inspected: Mapping[str, Any]) -> ImageCommand:
    """From the engine's answer about the image."""
    config = inspected.get("Config") or {}
    return ImageCommand(
        image_id=str(inspected.get("Id", "")),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        variables=tuple(text.partition("=")[0] for text in config.get("Env") or ()),
        is_linux=str(inspected.get("Os", "linux")).lower() == "linux",
    )


def wrapped(body: Mapping[str, Any], spec: ContainerSpec, image: ImageCommand) -> dict[str, Any] | None:
    """The create request with the shell in front; None where a shell would lose something.

    Shells drop variables whose names aren't identifiers, and a container without any command has nothing to become.

    Args:
        body: The request without it.
        spec: What to run.
        image: Its image.
    """
    names = (*image.variables, *spec.env, *spec.hidden_env)
    command = (*image.entrypoint, *(spec.command or image.command))
    if not image.is_linux or not command or not all(map(_IDENTIFIER.fullmatch, names)):
        return None
    if any("\0" in text for text in (*spec.hidden_env.values(), *command)):
        return None
    reader = _READER if body["OpenStdin"] else _READER + _NO_INPUT
    shown = [] if spec.hides_command else list(command)
    # It has input in any case: the header comes over it.
    opened = {"OpenStdin": True, "StdinOnce": True, "AttachStdin": True}
    return {**body, **opened, "Env": environment(spec.env), "Entrypoint": [SHELL, "-c", reader, "sh"], "Cmd": shown}


def header(spec: ContainerSpec, image: ImageCommand) -> bytes:
    """What goes before everything else into the container's standard input."""
    items = [f".{name}={value}" for name, value in spec.hidden_env.items()]
    if spec.hides_command:
        items += [f"-{text}" for text in (*image.entrypoint, *(spec.command or image.command))]
    return "".join(_lines(items)).encode("utf-8", "surrogateescape") + b"\n"


def has_shell(client: APIClient, container_id: str) -> bool | None:
    """Whether a container that is created and not started has a shell that can be run; None where that can't be told. Blocks."""
    shell = _look(client, container_id, SHELL)
    if shell and shell.get("linkTarget"):
        shell = _look(client, container_id, shell["linkTarget"])
    return shell if shell is None else bool(int(shell.get("mode", 0)) & 0o111)


def _look(client: APIClient, container_id: str, path: str) -> dict[str, Any] | None:
    """What the engine says of a file: nothing when it isn't there, None when the engine doesn't say."""
    # docker-py offers the whole file alone; asking for what it is costs two milliseconds.
    url = f"{client.base_url}/v{client.api_version}/containers/{container_id}/archive"
    answer = client.head(url, params={"path": path}, timeout=client.timeout)
    if answer.status_code == 404:
        return {}
    if answer.status_code != 200:
        return None
    found: dict[str, Any] = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    return found


def _lines(items: Iterable[str]) -> Iterable[str]:
    for item in items:
        yield item.replace("\n", "\n+") + "\n"
