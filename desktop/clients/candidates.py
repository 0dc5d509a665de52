"""What a person may see of the servers that clients have, before some are moved: no key is in any of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from desktop.clients.description import Client
from desktop.clients.draft import make_draft
from desktop.clients.roster import Roster, Wish
from desktop.clients.secret_signs import KeyFinder
from desktop.clients.survey import FoundServer

__all__ = ["Candidate", "MovePlan", "PlannedChange", "candidate", "entries_by_client", "plan_move"]

_SHORTEST: Final = 4
_HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A server that clients have.

    Attributes:
        name: What it would be called here.
        entry: What the first client calls it.
        about: How it is reached, and what.
        clients: Names of the clients that have it.
        keys: Variables and headers of it whose values are keys in plain text.
        differs: Whether another client has something else under the same name.
        reason: Why it can't be moved, half a sentence; empty when it can.
    """

    name: str
    entry: str
    about: str
    clients: tuple[str, ...]
    keys: tuple[str, ...] = ()
    differs: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What would change in a client's file, as a unified diff."""

    client: str
    file: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What moving would do.

    Attributes:
        servers: Names of the servers we would have.
        secrets: Names of the secrets that would be stored.
        changes: What would change in clients' files.
    """

    servers: tuple[str, ...]
    secrets: tuple[str, ...]
    changes: tuple[PlannedChange, ...]


def candidate(found: FoundServer, keys: KeyFinder) -> Candidate:
    """What may be shown of a server."""
    draft = make_draft(found.server, (), keys)
    secret = [value.name for value in draft.values if value.is_secret and value.value.strip()]
    return Candidate(
        name=found.name,
        entry=found.server.name,
        about=" ".join((draft.source, *draft.arguments)),
        clients=tuple(dict.fromkeys(place.client.name for place in found.places)),
        keys=tuple(dict.fromkeys((*found.keys, *secret))),
        differs=found.differs,
        reason=found.reason,
    )


def plan_move(
    roster: Roster, chosen: Sequence[FoundServer], others: Iterable[FoundServer], keys: KeyFinder
) -> MovePlan:
    """What moving servers would do; nothing is changed.

    Args:
        roster: The clients.
        chosen: The servers.
        others: Everything the clients have, since their files are shown in part.
        keys: Finds keys.

    Raises:
        GatewayError: A client's file can't be changed.
    """
    hidden = sorted({text for found in others for text in _keys_of(found, keys)}, key=len, reverse=True)
    changes = []
    for client, names in entries_by_client(chosen).values():
        plan = roster.plan_connect(client, wish=Wish(instead_of=names))
        diff = plan.diff
        for text in hidden:
            diff = diff.replace(text, _HIDDEN)
        changes.append(PlannedChange(client=client.name, file=str(plan.file.path), diff=diff))
    made = [found.converted for found in chosen if found.converted is not None]
    return MovePlan(
        servers=tuple(found.name for found in chosen),
        secrets=tuple(name for entry in made for name in entry.secrets),
        changes=tuple(changes),
    )


def entries_by_client(chosen: Iterable[FoundServer]) -> Mapping[str, tuple[Client, tuple[str, ...]]]:
    """Id of each client that has some of the servers -> the client and the names of their entries there."""
    found: dict[str, tuple[Client, tuple[str, ...]]] = {}
    for server in chosen:
        for place in server.places:
            names = found.get(place.client.id, (place.client, ()))[1]
            found[place.client.id] = (place.client, (*names, place.entry))
    return found


def _keys_of(found: FoundServer, keys: KeyFinder) -> Iterator[str]:
    """Keys of a server as they may stand in a file."""
    server, draft = found.server, make_draft(found.server, (), keys)
    texts = [value.value for value in draft.values if value.is_secret]
    texts += [value.partition(" ")[2] for value in texts]
    if keys.in_arguments(server):
        texts += [argument.partition("=")[2] or argument for argument in server.args if not argument.startswith("--")]
        texts += [argument.partition("=")[2] for argument in server.args]
    if keys.in_address(server.url):
        texts.append(server.url)
    for text in texts:
        if len(text.strip()) >= _SHORTEST:
            yield text
            yield json.dumps(text)[1:-1]
            yield json.dumps(text, ensure_ascii=False)[1:-1]
