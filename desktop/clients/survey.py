"""The servers that clients have, each once however many have it: duplicates, drift, keys in plain text, what can be moved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from desktop.clients.configured import ConfiguredServer, is_of_reference
from desktop.clients.description import Client
from desktop.clients.import_entry import ImportEntry, import_entry
from desktop.clients.secret_signs import PlainKeys
from desktop.clients.status import ClientStatus
from desktop.errors import GatewayError

__all__ = ["FoundServer", "Place", "survey"]

_NAME: Final = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server was found: the client, and the name of the entry there."""

    client: Client
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """One server.

    Attributes:
        name: What it is called here, and would be in our configuration.
        server: As the first client has it.
        places: Everybody who has it exactly so.
        keys: Names of variables and headers whose values are keys in plain text.
        differs: Whether another client has something else under the same name.
        converted: What it becomes; None when it can't be moved.
        reason: Why it can't, half a sentence.
    """

    name: str
    server: ConfiguredServer
    places: tuple[Place, ...]
    keys: tuple[str, ...] = ()
    differs: bool = False
    converted: ImportEntry | None = None
    reason: str = ""


def survey(statuses: Iterable[ClientStatus], taken: Iterable[str] = ()) -> tuple[FoundServer, ...]:
    """Sort what clients have.

    Args:
        statuses: The clients.
        taken: Names of servers that catalogs have, which are not to be hidden by ours.
    """
    groups: dict[object, FoundServer] = {}
    for status in statuses:
        for server in status.servers:
            if server is status.ours or is_of_reference(server) or not server.enabled:
                continue
            place = Place(client=status.client, entry=server.name)
            key = _same(server)
            known = groups.get(key)
            groups[key] = (
                FoundServer(name=server.name, server=server, places=(place,))
                if known is None
                else replace(known, places=(*known.places, place))
            )
    return tuple(_named(list(groups.values()), set(taken)))


def _named(found: list[FoundServer], used: set[str]) -> Iterable[FoundServer]:
    finder = PlainKeys()
    names = [server.name for server in found]
    for server in sorted(found, key=lambda found: (found.name.casefold(), found.places[0].client.id)):
        differs = names.count(server.name) > 1
        base = _NAME.sub("-", server.name.lower()).strip("-") or "server"
        name = _free(f"{base}-{server.places[0].client.id}" if differs else base, used)
        used.add(name)
        keys = (*finder.in_values(server.server.env), *finder.in_values(server.server.headers))
        try:
            converted, reason = import_entry(server.server, name, finder), ""
        except GatewayError as error:
            converted, reason = None, error.message
        yield replace(server, name=name, keys=keys, differs=differs, converted=converted, reason=reason)


def _free(name: str, used: set[str]) -> str:
    if name not in used:
        return name
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"


def _same(server: ConfiguredServer) -> object:
    """What makes two entries one server: everything but the name's spelling and whether it is on."""
    return (
        server.name.casefold(),
        server.transport,
        server.command,
        server.args,
        frozenset(server.env.items()),
        server.url,
        frozenset(server.headers.items()),
    )
