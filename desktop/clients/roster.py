"""Every client of this computer: how it stands, and our entry put into its file or taken out (docs/clients.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from desktop.clients.config_file import ConfigFile
from desktop.clients.configured import ConfiguredServer, bearer_token
from desktop.clients.connection import Connection, Disconnected
from desktop.clients.description import Client
from desktop.clients.detection import Presence, detect
from desktop.clients.document import Change, EntryPath
from desktop.clients.gateway_entry import NAME, Choice, GatewayEntry, Way, choose_way
from desktop.clients.inspection import Inspection, Sight
from desktop.clients.machine import Machine
from desktop.clients.processes import running_programs
from desktop.clients.shim_command import shim_command, shim_environment
from desktop.clients.status import ClientStatus
from desktop.state.paths import Paths

__all__ = ["Connected", "Plan", "Removed", "Roster", "Wish"]

_NO_TOKEN: Final = "a-token-of-its-own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person wants of a connection.

    Attributes:
        profile: The profile the client is to have, or empty.
        way: The way it is to reach us; None leaves that to us.
        replace: Whether the reference's entry goes, to come back when ours does.
        instead_of: Names of further entries that go with it.
    """

    profile: str = ""
    way: Way | None = None
    replace: bool = False
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What connecting or disconnecting would do.

    Attributes:
        file: The file.
        name: Our entry's name there.
        choice: The way and its reason; None where an entry goes.
        diff: The change as a unified diff, without tokens; empty when nothing changes.
    """

    file: ConfigFile
    name: str
    choice: Choice | None
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What connecting did.

    Attributes:
        file: The file.
        name: Our entry's name there.
        choice: The way and its reason.
        changed: Whether anything was written.
        remarks: What the person should know or do, sentences without full stops.
    """

    file: ConfigFile
    name: str
    choice: Choice
    changed: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What disconnecting did: the file, the entry's name, and how it went."""

    file: ConfigFile
    name: str
    outcome: Disconnected


class Roster:
    """The clients of one computer. Its methods read and write the disk, so they belong on a worker thread.

    Args:
        paths: Where our own state is.
        url: Where our gateway listens, or will.
        machine: The computer.
    """

    def __init__(self, paths: Paths, url: str, machine: Machine | None = None) -> None:
        self.machine = machine if machine is not None else Machine()
        self._inspection = Inspection(paths, url, self.machine)
        self._tokens = self._inspection.tokens
        self.url = url

    # How clients stand.

    def statuses(self, project: Path | None = None) -> tuple[ClientStatus, ...]:
        """Every client, or every client that has a file for a project, with that file."""
        return self._inspection.statuses(project)

    def status(self, client: Client, project: Path | None = None) -> ClientStatus:
        """One client; a file that can't be read is told in the status."""
        return self._inspection.status(client, project)

    def wish_in_force(self, client: Client) -> Wish:
        """What the entry that a client has now says of the person's wish: the profile and the way are kept."""
        status = self.status(client)
        return Wish(profile=status.profile if status.ours is not None else "", way=status.way)

    # Connecting.

    def plan_connect(self, client: Client, project: Path | None = None, wish: Wish | None = None) -> Plan:
        """What `connect` would write; no token is issued.

        Raises:
            GatewayError: As `connect`.
        """
        asked = wish if wish is not None else Wish()
        sight = self._target(client, project, asked)
        name, choice, path, gone = self._intended(sight, asked)
        connection = self._inspection.connection(sight.file, path)
        token = self._token_there(sight, connection) or _NO_TOKEN
        value = sight.file.value(self._entry(name, choice, asked, token), choice.way, sight.data)
        change = connection.plan_connect(value, instead_of=gone)
        return Plan(file=sight.file, name=name, choice=choice, diff=_diff(change, sight, token))

    def connect(self, client: Client, project: Path | None = None, wish: Wish | None = None) -> Connected:
        """Put our entry into a client's file, or bring it up to date; nothing is written when it is right already.

        Args:
            client: The client.
            project: The folder of the project whose file is meant; None for the user's own.
            wish: What the person wants of it.

        Raises:
            ClientFileError: The file can't be understood, edited or written; it is as it was.
            GatewayError: The client has no such file, or we can't be reached from one.
        """
        asked = wish if wish is not None else Wish()
        sight = self._target(client, project, asked)
        name, choice, path, gone = self._intended(sight, asked)
        connection = self._inspection.connection(sight.file, path)
        target = connection.file.target()
        token = self._token_there(sight, connection)
        issued = choice.way is Way.HTTP and not token
        if issued:
            connection.plan_connect(
                sight.file.value(self._entry(name, choice, asked, _NO_TOKEN), choice.way, sight.data)
            )
            token = self._tokens.issue(client.id, target)
        try:
            value = sight.file.value(self._entry(name, choice, asked, token), choice.way, sight.data)
            change = connection.connect(value, private=choice.way is Way.HTTP, instead_of=gone)
        except BaseException:
            if issued:
                self._tokens.revoke(client.id, target)
            raise
        if choice.way is not Way.HTTP:
            self._tokens.revoke(client.id, target)
        remarks = tuple(self._remarks(sight, choice, change, asked))
        return Connected(file=sight.file, name=name, choice=choice, changed=change.is_needed, remarks=remarks)

    # Disconnecting.

    def plan_disconnect(self, client: Client, project: Path | None = None) -> tuple[Plan, ...]:
        """What `disconnect` would change, file by file.

        Raises:
            GatewayError: As `disconnect`.
        """
        found = []
        for sight, entry in self._entries(client, project):
            connection = self._inspection.connection(sight.file, sight.file.entry_path(entry.name, sight.data))
            diff = _diff(connection.plan_disconnect(), sight)
            found.append(Plan(file=sight.file, name=entry.name, choice=None, diff=diff))
        return tuple(found)

    def disconnect(self, client: Client, project: Path | None = None, *, reference: bool = True) -> tuple[Removed, ...]:
        """Take our entry out of a client's files; its token is revoked.

        Args:
            client: The client.
            project: The folder of the project whose file is meant; None for the user's own.
            reference: Whether the reference's entry goes where there is none of ours.

        Returns:
            What went; empty when there was nothing.

        Raises:
            ClientFileError: A file can't be understood, edited or written; it is as it was.
            GatewayError: The client has no such file.
        """
        removed = []
        for sight, entry in self._entries(client, project):
            if entry is not sight.ours and not reference:
                continue
            connection = self._inspection.connection(sight.file, sight.file.entry_path(entry.name, sight.data))
            target = connection.file.target()
            outcome = connection.disconnect()
            self._tokens.revoke(client.id, target)
            removed.append(Removed(file=sight.file, name=entry.name, outcome=outcome))
        return tuple(removed)

    # Inner workings.

    def _target(self, client: Client, project: Path | None, wish: Wish) -> Sight:
        """The file that our entry goes into: where it is, or where the reference's is that it replaces, else the first."""
        sights = [self._inspection.look(file) for file in self._inspection.require_files(client, project)]
        for sight in sights:
            if sight.ours is not None:
                return sight
        if wish.instead_of:
            return max(sights, key=lambda sight: len(sight.file.names_in(sight.data) & set(wish.instead_of)))
        if wish.replace:
            for sight in sights:
                if sight.reference is not None:
                    return sight
        return sights[0]

    def _intended(self, sight: Sight, wish: Wish) -> tuple[str, Choice, EntryPath, tuple[EntryPath, ...]]:
        file, data = sight.file, sight.data
        choice = choose_way(file.client, in_project=file.in_project, profile=wish.profile, wished=wish.way)
        name = sight.ours.name if sight.ours is not None else _free_name(file.names_in(data))
        names = list(wish.instead_of)
        if wish.replace and sight.reference is not None:
            names.append(sight.reference.name)
        gone = tuple(file.entry_path(other, data) for other in names if other != name)
        return name, choice, file.entry_path(name, data), gone

    def _entries(self, client: Client, project: Path | None) -> Iterator[tuple[Sight, ConfiguredServer]]:
        """Our entries; where there are none, the reference's."""
        sights = [self._inspection.look(file) for file in self._inspection.require_files(client, project)]
        found = [(sight, sight.ours) for sight in sights if sight.ours is not None]
        if not found:
            found = [(sight, sight.reference) for sight in sights if sight.reference is not None]
        yield from found

    def _entry(self, name: str, choice: Choice, wish: Wish, token: str) -> GatewayEntry:
        if choice.way is Way.HTTP:
            url = f"{self.url}/{quote(wish.profile, safe='')}" if wish.profile else self.url
            return GatewayEntry(name=name, url=url, token=token)
        environ, platform = self.machine.environ, self.machine.platform
        command = shim_command(wish.profile, environ=environ, platform=platform)
        return GatewayEntry(name=name, command=command, env=shim_environment(environ, platform))

    def _token_there(self, sight: Sight, connection: Connection) -> str:
        """The token in our entry, when it is in force."""
        token = bearer_token(sight.ours) if sight.ours is not None else ""
        return token if token and self._tokens.holds(token, sight.file.client.id, connection.file.target()) else ""

    def _remarks(self, sight: Sight, choice: Choice, change: Change, wish: Wish) -> Iterator[str]:
        client, path = sight.file.client, sight.file.path
        if sight.reference is not None and not wish.replace:
            yield (
                f"Docker's own entry {sight.reference.name} is still there, so {client.name} may show tools twice;"
                " --replace takes it out until you disconnect"
            )
        if choice.way is Way.HTTP and _is_open(path):
            yield f"{path} can be read by other users of this computer, and it holds a token"
        if change.is_needed:
            presence = Presence() if sight.file.in_project else detect(client, self.machine, running_programs())
            if presence.running and client.quit_first:
                yield f"{client.name} is running and may write its file anew"
            yield from client.remarks


def _diff(change: Change, sight: Sight, token: str = "") -> str:
    return change.diff(str(sight.file.path), hide=(*((token,) if token else ()), *sight.confidential()))


def _free_name(taken: frozenset[str]) -> str:
    if NAME not in taken:
        return NAME
    number = 2
    while f"{NAME}-{number}" in taken:
        number += 1
    return f"{NAME}-{number}"


def _is_open(path: Path) -> bool:
    if os.name != "posix":
        return False
    try:
        return bool(path.stat().st_mode & 0o044)
    except OSError:
        return False
