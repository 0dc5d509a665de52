"""The configuration in force: enabled servers, catalog entries, values and tool choice, as one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from desktop.catalog.model import CatalogServer
from desktop.catalog.profile import Profile
from desktop.state.server_choices import ServerChoice

__all__ = ["Configuration"]

_NO_CHOICE: Final = ServerChoice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One consistent reading of all files.

    Attributes:
        enabled: Names of enabled servers, sorted; a name no catalog knows is kept here.
        servers: Every catalog server by name, merged over the catalogs.
        values: config.yaml: server name -> nested map.
        tools: tools.yaml: server name -> the original tool names allowed; a server that isn't in it has all its tools.
        profiles: The profiles clients may see in place of the enabled servers, by id.
        choices: servers.yaml: server name -> what was chosen for it.
        problems: One sentence for each file or catalog entry that can't be read; its last good state is in force.
    """

    enabled: tuple[str, ...] = ()
    servers: Mapping[str, CatalogServer] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tools: Mapping[str, frozenset[str]] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    choices: Mapping[str, ServerChoice] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def values_of(self, server: CatalogServer) -> Mapping[str, Any]:
        """The server's values, found by its exact or its canonical name."""
        return self.values.get(server.name) or self.values.get(server.canonical_name) or {}

    def choice_of(self, name: str) -> ServerChoice:
        """What was chosen for a server."""
        return self.choices.get(name, _NO_CHOICE)
