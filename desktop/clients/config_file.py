"""The files in which a client looks for MCP servers: the user's, a project's, and what else it may have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from desktop.clients.configured import ConfiguredServer, configured_servers
from desktop.clients.description import Client, Shape
from desktop.clients.document import EntryPath, Format, Item, entry_at
from desktop.clients.gateway_entry import GatewayEntry, Way
from desktop.clients.machine import Machine, is_there

__all__ = ["ConfigFile", "other_file", "project_file", "user_file"]

_SIGNS_OF_AN_ENTRY: Final = ("type", "command", "url")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One file of a client.

    Attributes:
        client: Whose it is.
        path: Where the client looks for it.
        format: What it is written in.
        container: Keys that lead to the entries.
        stdio, http: Shapes of entries.
        in_project: Whether it belongs to a project.
        is_list: Whether the entries are a list, each with its name inside.
        home: Out of this folder no link may lead; None where any may.
    """

    client: Client
    path: Path
    format: Format
    container: tuple[str, ...]
    stdio: Shape
    http: Shape | None
    in_project: bool = False
    is_list: bool = False
    home: Path | None = None

    def entries_in(self, data: Any) -> Any:
        """The container of entries in the file's data; None where there is none."""
        return entry_at(data, self._container_in(data))

    def servers_in(self, data: Any) -> tuple[ConfiguredServer, ...]:
        """The servers in the file's data."""
        return configured_servers(self.entries_in(data))

    def entry_path(self, name: str, data: Any) -> EntryPath:
        """Where the entry with this name is, or would be."""
        return (*self._container_in(data), Item(name) if self.is_list else name)

    def names_in(self, data: Any) -> frozenset[str]:
        """Names that are taken."""
        entries = self.entries_in(data)
        if isinstance(entries, dict):
            return frozenset(map(str, entries))
        listed = entries if isinstance(entries, list) else ()
        return frozenset(str(entry["name"]) for entry in listed if isinstance(entry, dict) and "name" in entry)

    def value(self, entry: GatewayEntry, way: Way, data: Any) -> dict[str, Any]:
        """What our entry has to be here."""
        shape = self.http if way is Way.HTTP and self.http is not None else self.stdio
        value = entry.value(shape)
        if len(self._container_in(data)) > len(self.container):
            value.pop("enabled", None)  # the second form says only that one is disabled
        return value

    def _container_in(self, data: Any) -> tuple[str, ...]:
        nested = self.client.nested
        if nested and not self.is_list:
            inner = entry_at(data, (*self.container, nested))
            if isinstance(inner, dict) and not any(isinstance(inner.get(key), str) for key in _SIGNS_OF_AN_ENTRY):
                return (*self.container, nested)
        return self.container


def user_file(client: Client, machine: Machine) -> ConfigFile | None:
    """The file for everything this user does; None where the client does not exist for this system."""
    path = machine.choose(client.places)
    if path is None:
        return None
    return ConfigFile(
        client=client,
        path=path,
        format=client.format,
        container=client.container,
        stdio=client.stdio,
        http=client.http,
        home=machine.home,
    )


def project_file(client: Client, folder: Path) -> ConfigFile | None:
    """The file for one project; None for a client that has none."""
    if client.project is None:
        return None
    return ConfigFile(
        client=client,
        path=folder / client.project.path,
        format=client.format,
        container=client.project.container or client.container,
        stdio=client.project.stdio or client.stdio,
        http=client.http,
        in_project=True,
    )


def other_file(client: Client, machine: Machine) -> ConfigFile | None:
    """Another file of the user's with servers; None for a client that has none, or where it isn't there."""
    other = client.other
    path = machine.choose(other.places) if other is not None else None
    if other is None or path is None or not is_there(path):
        return None
    return ConfigFile(
        client=client,
        path=path,
        format=other.format,
        container=other.container,
        stdio=other.stdio,
        http=other.http,
        is_list=True,
        home=machine.home,
    )
