"""What kind of server a catalog entry describes."""

from __future__ import annotations

import re
from typing import Final, Literal

from desktop.catalog.model import CatalogServer
from desktop.sharing import Sharing

__all__ = ["Kind", "kind_of", "usual_sharing"]

Kind = Literal["container", "package", "remote", "poci"]

_RUNNERS: Final = frozenset({"uvx", "npx"})
_RUNNER_IMAGE: Final = re.compile(r"(?:ghcr\.io/astral-sh/uv|(?:docker\.io/)?(?:library/)?node)(?:[:@].*)?")


def kind_of(server: CatalogServer) -> Kind:
    """The server's kind, from its type where that is given and fits, else from what the entry holds.

    "package" is a container entry that runs a package by ``uvx`` or ``npx`` in the plain image made for it, so the same
    package can be run without a container too.
    """
    url = server.sseEndpoint or (server.remote.url if server.remote is not None else "")
    if server.type == "poci":
        return "poci"
    if server.type == "remote" or (url and (server.type != "server" or not server.image)):
        return "remote"
    if server.command and str(server.command[0]) in _RUNNERS:
        if not server.image or _RUNNER_IMAGE.fullmatch(server.image):
            return "package"
        return "container"
    return "container" if server.image or server.type == "server" else "poci"


def usual_sharing(server: CatalogServer) -> Sharing:
    """Who shares the server while nobody has chosen otherwise (docs/decisions/0002)."""
    match kind_of(server):
        case "poci":
            return Sharing.PER_CALL
        case "remote":
            return Sharing.PER_CLIENT
        case "container" if server.longLived:
            return Sharing.PER_CLIENT
        case _:  # of a package longLived only says that it is slow to start
            return Sharing.SHARED
