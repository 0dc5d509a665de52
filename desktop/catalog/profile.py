"""A profile: a named set of servers, each as it was when it was chosen, with its settings and its tools (spec 1.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop.catalog.loading import read_entry
from desktop.catalog.model import CatalogServer
from desktop.catalog.tolerance import text_of
from desktop.errors import ProfileError
from desktop.state.profiles import VERSION

__all__ = ["Profile", "ProfileServer", "read_profile"]

_PLACES: Final = {"image": "image", "remote": "endpoint", "registry": "source"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileServer:
    """One server of a profile.

    Attributes:
        name: Its name.
        place: Its image, endpoint or address in a registry.
        type: ``image``, ``remote`` or ``registry``.
        index: Where it stands in the document's list.
        server: Its catalog entry.
        values: Its settings.
        tools: The tools that may be used, by their original names, in the document's order; None means all.
    """

    name: str
    place: str
    type: str
    index: int
    server: CatalogServer
    values: Mapping[str, Any]
    tools: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile as the program uses it.

    Attributes:
        id, name: What it is called in commands, and by people.
        servers: Its servers by name, in the document's order.
        problems: One sentence for each server that can't be understood; the others serve.
    """

    id: str
    name: str
    servers: Mapping[str, ProfileServer]
    problems: tuple[str, ...] = ()

    def server(self, name: str) -> ProfileServer:
        """One of its servers; raises `ProfileError`."""
        found = self.servers.get(name)
        if found is None:
            has = f"It has {', '.join(self.servers)}" if self.servers else "It has no servers"
            raise ProfileError(f"The profile {self.id} has no server {name}", has)
        return found

    def values_over(self, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """The settings in force: of its own servers what it says, and nothing else; of others what the files say."""
        own = {spelling for item in self.servers.values() for spelling in (item.name, item.server.canonical_name)}
        others = {name: values for name, values in files.items() if name not in own}
        return {**others, **{name: item.values for name, item in self.servers.items()}}

    def tools_over(self, files: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """The choice of tools in force, likewise."""
        others = {name: tools for name, tools in files.items() if name not in self.servers}
        limited = {name: item.tools for name, item in self.servers.items() if item.tools is not None}
        return {**others, **{name: frozenset(tools) for name, tools in limited.items()}}


def read_profile(document: Mapping[str, Any], id: str) -> Profile:
    """Understand a profile document.

    Args:
        document: The document.
        id: What it is called.

    Raises:
        ProfileError: It is of a newer program, or no profile at all.
    """
    version = document.get("version", VERSION)
    if version != VERSION:
        raise ProfileError(
            f"The profile {id} has the version {version}, which is of a newer program", "Update this one"
        )
    entries = document.get("servers")
    if entries is not None and not isinstance(entries, list):
        raise ProfileError(f"In the profile {id}, 'servers' should be a list")
    servers: dict[str, ProfileServer] = {}
    problems = []
    for index, entry in enumerate(entries or ()):
        try:
            server = _server(index, entry)
        except ValueError as error:
            problems.append(f"The server number {index + 1} of the profile {id} can't be understood ({error})")
            continue
        if server.name in servers:
            problems.append(f"The profile {id} has two servers {server.name}; the first one serves")
        else:
            servers[server.name] = server
    name = text_of(document.get("name")) or id
    return Profile(id=id, name=name, servers=servers, problems=tuple(problems))


def _server(index: int, entry: Any) -> ProfileServer:
    if not isinstance(entry, dict):
        raise ValueError("a map is expected")
    type = text_of(entry.get("type"))
    if type not in _PLACES:
        raise ValueError(f"its type is {type or 'missing'} and not one of {', '.join(_PLACES)}")
    place = text_of(entry.get(_PLACES[type]))
    server = _catalog_entry(type, place, entry.get("snapshot"))
    values, tools = entry.get("config"), entry.get("tools")
    if values is not None and not isinstance(values, dict):
        raise ValueError("its config should be a map")
    if tools is not None and not isinstance(tools, list):
        raise ValueError("its tools should be a list of names")
    return ProfileServer(
        name=server.name,
        place=place,
        type=type,
        index=index,
        server=server,
        values=values or {},
        tools=None if tools is None else tuple(map(text_of, tools)),
    )


def _catalog_entry(type: str, place: str, snapshot: Any) -> CatalogServer:
    """The snapshot; of an image or endpoint without one, the least that can be run."""
    entry = snapshot.get("server") if isinstance(snapshot, dict) else None
    if entry is not None:
        return read_entry(_plain_name(place), entry)
    if type == "registry":
        raise ValueError("it has no snapshot; remove it and add it again")
    if not place:
        raise ValueError(f"it has no {_PLACES[type]}")
    if type == "remote":
        return read_entry(_plain_name(place), {"type": "remote", "remote": {"url": place}})
    return read_entry(_plain_name(place), {"type": "server", "image": place})


def _plain_name(place: str) -> str:
    """``https://mcp.example.com/mcp`` is mcp.example.com, ``mcp/time:1@sha256:…`` is time."""
    if "://" in place:
        return place.partition("://")[2].partition("/")[0].rpartition("@")[2] or "server"
    return place.partition("@")[0].rpartition("/")[2].partition(":")[0] or "server"
