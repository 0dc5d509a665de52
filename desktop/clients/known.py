"""All clients we know, by id."""

from __future__ import annotations

from typing import Final

from desktop.clients.applications import APPLICATIONS
from desktop.clients.description import Client
from desktop.clients.editors import EDITORS
from desktop.clients.terminals import TERMINALS

__all__ = ["CLIENTS", "find_client", "introduced_as", "similar_id"]

CLIENTS: Final = tuple(sorted((*EDITORS, *TERMINALS, *APPLICATIONS), key=lambda client: client.id))
_BY_ID: Final = {id: client for client in CLIENTS for id in (client.id, *client.aliases)}


def find_client(id: str) -> Client | None:
    """The client with this id or alias, in upper or lower case."""
    return _BY_ID.get(id.lower())


def similar_id(typed: str) -> str:
    """The id that was probably meant, or empty."""
    from difflib import get_close_matches  # here: only a mistake needs it

    names = {client.name.lower(): client.id for client in CLIENTS}
    found = get_close_matches(typed.lower(), [*_BY_ID, *names], n=1, cutoff=0.6)
    return names.get(found[0], found[0]) if found else ""


def introduced_as(name: str) -> Client | None:
    """The client that calls itself so in ``initialize``; the longest beginning that fits decides."""
    said = name.lower()
    fitting = [(len(start), client) for client in CLIENTS for start in client.introduces if said.startswith(start)]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None
