"""Servers moved out of clients' files into our configuration: keys into the secret store, our one entry instead; and back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from desktop.catalog.collection import CatalogCollection
from desktop.clients.description import Client
from desktop.clients.import_entry import with_free_names
from desktop.clients.known import find_client
from desktop.clients.roster import Roster, Wish
from desktop.clients.survey import FoundServer
from desktop.errors import GatewayError, StateFileError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.yaml_document import YamlDocument
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["CATALOG", "Move", "Mover"]

CATALOG: Final = "imported"
_TITLE: Final = "Imported from AI clients"
_VERSION: Final = 1


class Secrets(Protocol):
    """Where keys go (`desktop.secrets.store.SecretStore`)."""

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        """Store several at once, all or none; None takes one away."""

    async def names(self) -> tuple[str, ...]:
        """The names of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One import, as it is noted down for its undoing.

    Attributes:
        at: When (RFC 3339).
        servers: Names of the servers in our catalog.
        secrets: Names of the secrets.
        clients: Ids of the clients whose files were changed.
        connected: Those of them that were connected before.
    """

    at: str
    servers: tuple[str, ...]
    secrets: tuple[str, ...]
    clients: tuple[str, ...]
    connected: tuple[str, ...]


class Mover:
    """Moves servers.

    Args:
        paths: Where our files are.
        roster: The clients.
        secrets: Where keys go.
    """

    def __init__(self, paths: Paths, roster: Roster, secrets: Secrets) -> None:
        self._roster = roster
        self._secrets = secrets
        self._paths = paths
        self._record = paths.client_imports
        self._registry = RegistryFile(paths.registry, paths.lock_for(paths.registry))
        self._catalogs = CatalogCollection(paths)

    async def move(self, chosen: Sequence[FoundServer]) -> Move:
        """Move servers; what was done is taken back when something fails.

        Raises:
            GatewayError: One of them can't be moved, or a file can't be written.
        """
        for found in chosen:
            if found.converted is None:
                raise GatewayError(f"{found.name} can't be moved: {found.reason}")
        taken = set(await self._secrets.names())
        converted = {
            found.name: with_free_names(found.converted, taken) for found in chosen if found.converted is not None
        }
        entries = {name: item.entry for name, item in converted.items()}
        keys = {name: key for item in converted.values() for name, key in item.secrets.items()}
        by_client: dict[str, list[str]] = {}
        for found in chosen:
            for place in found.places:
                by_client.setdefault(place.client.id, []).append(place.entry)
        wishes = {id: Wish(instead_of=tuple(names)) for id, names in by_client.items()}
        for id, wish in wishes.items():
            self._roster.plan_connect(_client(id), wish=wish)  # what can't be done is known before anything is
        connected = tuple(id for id in by_client if self._roster.status(_client(id)).ours is not None)
        move = Move(
            at=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            servers=tuple(entries),
            secrets=tuple(keys),
            clients=tuple(by_client),
            connected=connected,
        )
        self._note(move)
        try:
            if keys:
                await self._secrets.set_many(keys)
            self._catalogs.merge(CATALOG, _TITLE, entries)
            self._registry.add(entries)
            for id, wish in wishes.items():
                self._roster.connect(_client(id), wish=wish)
        except BaseException:
            with contextlib.suppress(GatewayError):  # the first error says more; what is left can be undone later
                await self.undo()
            raise
        return move

    def last(self) -> Move | None:
        """The last import that was not undone."""
        moves = self._moves()
        return moves[-1] if moves else None

    async def undo(self) -> Move:
        """Take the last import back: the clients' entries, our configuration, the keys.

        Raises:
            GatewayError: There is none, or a part of it can't be taken back; the rest is, and this part can be tried again.
        """
        move = self.last()
        if move is None:
            raise GatewayError("Nothing was imported that could be taken back")
        failures: list[GatewayError] = []
        left = {id: error for id in move.clients if (error := self._give_back(id, was_connected=id in move.connected))}
        failures += left.values()
        servers, secrets = move.servers, move.secrets
        try:
            self._registry.remove(servers)
            self._take_out(servers)
            servers = ()
        except GatewayError as error:
            failures.append(error)
        try:
            if secrets:
                await self._secrets.set_many(dict.fromkeys(secrets))
            secrets = ()
        except GatewayError as error:
            failures.append(error)
        rest = replace(move, clients=tuple(left), servers=servers, secrets=secrets)
        self._settle(move, rest if failures else None)
        if failures:
            raise failures[0]
        return move

    def _give_back(self, id: str, *, was_connected: bool) -> GatewayError | None:
        """Bring a client's own entries back; the error when that fails."""
        client = _client(id)
        try:
            self._roster.disconnect(client, reference=False)
            if was_connected:
                self._roster.connect(client)
        except GatewayError as error:
            return error
        return None

    def _take_out(self, servers: Sequence[str]) -> None:
        """From our catalog, which goes when nothing is left in it."""
        if CATALOG not in self._catalogs.records():
            return
        body = self._catalogs.body(CATALOG)
        document = YamlDocument(body, self._paths.lock_for(body))
        document.change(
            lambda data, text: [
                Change(("registry", name), REMOVED) for name in servers if name in (data.get("registry") or {})
            ]
        )
        if not document.data().get("registry"):
            self._catalogs.remove(CATALOG)

    # The record.

    def _note(self, move: Move) -> None:
        with file_lock(self._paths.lock_for(self._record)):
            self._write([*self._moves(), move])

    def _settle(self, move: Move, rest: Move | None) -> None:
        """A move was taken back; ``rest`` is what is left of it."""
        with file_lock(self._paths.lock_for(self._record)):
            others = [other for other in self._moves() if other != move]
            self._write([*others, rest] if rest is not None else others)

    def _write(self, moves: Sequence[Move]) -> None:
        document = {"version": _VERSION, "imports": [asdict(move) for move in moves]}
        write_text(self._record, json.dumps(document, indent=2) + "\n", mode=0o600)

    def _moves(self) -> list[Move]:
        data = read_bytes(self._record)
        if not data.strip():
            return []
        try:
            document: dict[str, Any] = json.loads(data)
            if document["version"] > _VERSION:
                raise StateFileError(str(self._record), "a newer version of this program wrote it")
            return [
                Move(at=str(move["at"]), **{key: tuple(map(str, move[key])) for key in _LISTS})
                for move in document["imports"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise StateFileError(
                str(self._record), "it does not hold what was imported", hint="Move it away to import again."
            ) from error


_LISTS: Final = ("servers", "secrets", "clients", "connected")


def _client(id: str) -> Client:
    client = find_client(id)
    if client is None:
        raise GatewayError(f"There is no client {id}")
    return client
