"""Servers that run for the client sessions that hold them, whether they are turned on or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from desktop.catalog.model import CatalogServer
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from desktop.servers.managed_server import ManagedServer

__all__ = ["Hold", "Holds", "NoListings"]


class Hold:
    """One server as some sessions hold it.

    Attributes:
        server: Its catalog entry.
        values: Its settings, those of the person's files or those a session has chosen.
        sessions: Ids of the sessions that hold it.
        managed: The running server; None while everything is paused.
    """

    def __init__(self, server: CatalogServer, values: Mapping[str, Any]) -> None:
        self.server = server
        self.values = values
        self.sessions: set[str] = set()
        self.managed: ManagedServer | None = None


class Holds:
    """All of them. Sessions that want the same server with the same settings share it; the last to leave stops it.

    Args:
        manage: Makes the running server; the flag says whether its settings are those of the person's files.
        stop: Stops one, later.
    """

    def __init__(
        self,
        manage: Callable[[CatalogServer, Mapping[str, Any], bool], ManagedServer],
        stop: Callable[[ManagedServer], None],
    ) -> None:
        self._manage = manage
        self._stop = stop
        self._paused = False
        self._holds: dict[tuple[str, str], tuple[Hold, bool]] = {}

    def take(self, server: CatalogServer, values: Mapping[str, Any], session: str, *, usual: bool) -> Hold:
        """Hold a server for a session.

        Args:
            server: Its catalog entry.
            values: Its settings.
            session: The session's id.
            usual: Whether the settings are those of the person's files, so that its listing may be kept.
        """
        key = (server.name, configuration_hash(server, values))
        found = self._holds.get(key)
        if found is None:
            found = self._holds[key] = (Hold(server, values), usual)
            if not self._paused:
                found[0].managed = self._manage(server, values, usual)
        found[0].sessions.add(session)
        return found[0]

    def leave(self, hold: Hold, session: str) -> None:
        """The session does not want it any more."""
        hold.sessions.discard(session)
        self._drop_unheld()

    def leave_all(self, session: str) -> None:
        """The session has ended."""
        for hold, _ in self._holds.values():
            hold.sessions.discard(session)
        self._drop_unheld()

    def pause(self, paused: bool) -> None:
        """Stop them all, or make them anew."""
        if paused is self._paused:
            return
        self._paused = paused
        for hold, usual in self._holds.values():
            if hold.managed is not None:
                self._stop(hold.managed)
            hold.managed = None if paused else self._manage(hold.server, hold.values, usual)

    def running(self) -> Iterator[ManagedServer]:
        """The servers themselves."""
        return (hold.managed for hold, _ in tuple(self._holds.values()) if hold.managed is not None)

    def _drop_unheld(self) -> None:
        for key, (hold, _) in tuple(self._holds.items()):
            if not hold.sessions:
                del self._holds[key]
                if hold.managed is not None:
                    self._stop(hold.managed)
                    hold.managed = None


class NoListings(ListingCache):
    """Keeps nothing: for settings that end with their session."""

    def __init__(self) -> None:
        """There is no folder."""

    def load(self, server: str, wanted_hash: str) -> Listing | None:
        """None."""
        return None

    async def store(self, server: str, of_hash: str, listing: Listing) -> None:
        """Nothing is written."""
