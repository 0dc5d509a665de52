"""What is at stake when a server begins to run that the person has not turned on: phrases for the question they are asked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from desktop.catalog.model import CatalogServer
from desktop.policy.mounts import is_engine_socket
from desktop.servers import launch
from desktop.servers.status import ServerKind
from desktop.servers.templates import to_text

__all__ = ["ENGINE_SOCKET_MATTER", "folder_matter", "is_folder", "stakes", "uncontained"]

ENGINE_SOCKET_MATTER: Final = "control Docker itself, and through it this machine"
_SHOWN: Final = 60
_DIGEST: Final = 12
_HOST_PATH: Final = re.compile(r"(?:[A-Za-z]:)?[\\/]")


def stakes(
    server: CatalogServer, values: Mapping[str, Any], chosen: Mapping[str, Any], trusted: Iterable[CatalogServer]
) -> tuple[str, ...]:
    """What the server would run, be given and reach; empty when nothing of it is new and nothing of it is the person's.

    Reads the disk, since folders are resolved.

    Args:
        server: The catalog entry.
        values: The settings it would get.
        chosen: Those of them a client has chosen.
        trusted: The servers the person has turned on; what they run or reach is not new.

    Raises:
        ServerStartError: One of its folders may not be mounted at all.
    """
    matters = []
    if _identity(server) not in {_identity(other) for other in trusted}:
        matters.append(_what_runs(server))
    matters += [f"use the secret {secret.env or secret.name}" for secret in server.secrets]
    binds = [*launch.binds(server, values)]
    for tool in server.tools:
        if tool.container is not None:
            binds += launch.poci_binds(tool.container, {}).fixed
    matters += dict.fromkeys(folder_matter(bind) for bind in binds if is_folder(bind))
    if chosen:
        told = ", ".join(f"{name} = {_short(value)}" for name, value in sorted(chosen.items()))
        matters.append(f"run with settings the client has chosen ({told})")
    return tuple(matters)


def uncontained(server: CatalogServer) -> str:
    """What is agreed to when the server's package may run without a container: this command of this server, and no other."""
    return f"{server.name}: run {' '.join(map(to_text, server.command))} without a container"


def is_folder(bind: str) -> bool:
    """Whether a mount is a place of this machine's disk, not a named or an anonymous volume."""
    return _HOST_PATH.match(bind) is not None and ":" in bind[2:]


def folder_matter(bind: str) -> str:
    """The phrase for one checked mount."""
    if is_engine_socket(bind):
        return ENGINE_SOCKET_MATTER
    drive, rest = (bind[:2], bind[2:]) if bind[1:2] == ":" else ("", bind)
    folder, *more = rest.split(":")
    return f"{'read' if more[-1:] == ['ro'] else 'read and change'} the folder {drive}{folder}"


def _identity(server: CatalogServer) -> tuple[ServerKind, str]:
    kind = launch.server_kind(server)
    if kind is ServerKind.CONTAINER:
        return kind, _pinned(server.image)
    if kind is ServerKind.TOOLS:
        images = sorted({tool.container.image for tool in server.tools if tool.container is not None})
        return kind, ", ".join(map(_pinned, images))
    return kind, launch.source_of(server)


def _what_runs(server: CatalogServer) -> str:
    kind, source = _identity(server)
    if kind is ServerKind.REMOTE:
        return f"be reached at {urlsplit(source).hostname or source}"
    return f"run the {'package' if kind is ServerKind.PACKAGE else 'image'} {source}"


def _pinned(image: str) -> str:
    """The image with as much of its digest as tells it from others."""
    name, at, digest = image.partition("@")
    return name + at + digest[: len("sha256:") + _DIGEST]


def _short(value: Any) -> str:
    """The value for people, on one line; what is left out is represented, so that another value is another matter."""
    text = value if isinstance(value, str) and value.isprintable() else json.dumps(value, default=str)
    if len(text) <= _SHOWN:
        return text
    return f"{text[:_SHOWN]}… #{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"
