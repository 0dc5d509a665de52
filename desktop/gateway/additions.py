"""What one client session has made of the set of servers: added, hidden, left out, set up otherwise. It ends with the session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from desktop.servers.holds import Hold
from desktop.servers.managed_server import ManagedServer

__all__ = ["Additions", "server_of", "servers_of"]


class Additions:
    """One session's changes; nobody else sees them, and no file does.

    Attributes:
        holds: Servers that run for this session, by name; one that is turned on as well is replaced by the session's own.
        hidden: Names of those whose tools can be called but are not listed.
        left_out: Names of enabled servers this session does without.
        values: Settings the session has chosen, by server name, whether the server runs or not.
        tools: Its choice of tools, in place of the files'; None leaves that to them.
        has_own_tools: Whether the gateway's own tools are offered too.
    """

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}
        self.hidden: set[str] = set()
        self.left_out: set[str] = set()
        self.values: dict[str, Mapping[str, Any]] = {}
        self.tools: Mapping[str, frozenset[str]] | None = None
        self.has_own_tools = True

    def server(self, name: str, enabled: Mapping[str, ManagedServer]) -> ManagedServer | None:
        """The running server a name means to this session."""
        hold = self.holds.get(name)
        if hold is not None:
            return hold.managed
        return None if name in self.left_out else enabled.get(name)

    def servers_on(self, enabled: Mapping[str, ManagedServer]) -> set[str]:
        """Names of the enabled servers this session uses as they are."""
        return enabled.keys() - self.holds.keys() - self.left_out

    def servers(self, enabled: Mapping[str, ManagedServer]) -> Iterable[ManagedServer]:
        """Every running server there is to this session."""
        found = (self.server(name, enabled) for name in {**enabled, **self.holds})
        return [server for server in found if server is not None]


def server_of(additions: Additions | None, name: str, enabled: Mapping[str, ManagedServer]) -> ManagedServer | None:
    """The running server a name means to a session, which may have changed nothing."""
    return enabled.get(name) if additions is None else additions.server(name, enabled)


def servers_of(additions: Additions | None, enabled: Mapping[str, ManagedServer]) -> Iterable[ManagedServer]:
    """Every running server there is to a session, which may have changed nothing."""
    return enabled.values() if additions is None else additions.servers(enabled)
