"""The offer in force, and its variants: for clients with other abilities, and for sessions that have changed their servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from desktop.catalog.model import CatalogServer
from desktop.gateway.offer import Offer, build_offer
from desktop.gateway.own_tools import OwnTools
from desktop.gateway.session import Session
from desktop.gateway.tool_filter import ToolFilter, tool_filter
from desktop.policy.rules import Policy
from desktop.servers.fleet import Fleet
from desktop.servers.listing import Listing

__all__ = ["Offers"]

_NONE: Final = OwnTools()


class Offers:
    """Merges the servers' listings, once for all clients and once more for those to whom something else is offered.

    Args:
        fleet: The servers.
        patterns: ``--tools``.
        policy: The policy in force.
        with_server_names: Every tool is offered with its server's name in front.

    Attributes:
        current: What is offered to a client with every ability.
        own: The gateway's own tools; set before the first `renew`.
    """

    def __init__(
        self,
        fleet: Fleet,
        patterns: tuple[str, ...],
        policy: Callable[[], Policy],
        *,
        with_server_names: bool = False,
    ) -> None:
        self.current = Offer()
        self.own = OwnTools()
        self._fleet = fleet
        self._patterns = patterns
        self._policy = policy
        self._with_server_names = with_server_names
        self._variants: dict[str, Offer] = {}
        self._of_sessions: dict[str, Offer] = {}

    def of(self, session: Session) -> Offer:
        """What the session is offered."""
        if session.additions is not None:
            found = self._of_sessions.get(session.id)
            if found is None:
                found = self._of_sessions[session.id] = self._merged_for(session)
            return found
        abilities = session.abilities
        found = self._variants.get(abilities)
        if found is None:
            servers = self._fleet.servers.values()
            special = any(server.listing_for(abilities) is not server.listing for server in servers)
            found = self._variants[abilities] = self._merged(abilities) if special else self.current
        return found

    def renew(self, sessions: Iterable[Session]) -> dict[str, list[str]]:
        """Merge again.

        Args:
            sessions: Those that are there.

        Returns:
            For each of them, by its id, the lists that are new (`Offer.differences`).
        """
        before, old, old_of_sessions = self.current, self._variants, self._of_sessions
        self.current, self._variants, self._of_sessions = self._merged(None), {}, {}
        found: dict[str, list[str]] = {}
        shared: dict[str, list[str]] = {}
        for session in sessions:
            earlier = old.get(session.abilities, before)
            if session.additions is not None:
                found[session.id] = self.of(session).differences(old_of_sessions.get(session.id, earlier))
                continue
            if session.abilities not in shared:
                shared[session.abilities] = self.of(session).differences(earlier)
            found[session.id] = shared[session.abilities]
        return found

    def renew_for(self, session: Session) -> list[str]:
        """Merge again for a session that has changed its servers; the lists that are new to it."""
        before = self._of_sessions.pop(session.id, None)
        if before is None:
            before = self._variants.get(session.abilities, self.current)
        return self.of(session).differences(before)

    def own_of(self, session: Session) -> OwnTools:
        """The gateway's own tools, as far as they are offered to the session."""
        return self.own if session.additions is None or session.additions.has_own_tools else _NONE

    def _merged(self, abilities: str | None) -> Offer:
        listed: list[tuple[CatalogServer, Listing]] = []
        for server in self._fleet.servers.values():
            listing = server.listing if abilities is None else server.listing_for(abilities)
            if listing is not None:
                listed.append((server.server, listing))
        allowed = tool_filter(self._patterns, self._fleet.configuration.tools)
        return self._built(listed, allowed, (), self.own)

    def _merged_for(self, session: Session) -> Offer:
        additions = session.additions
        assert additions is not None
        listed = [
            (server.server, listing)
            for server in additions.servers(self._fleet.servers)
            if (listing := server.listing_for(session.abilities)) is not None
        ]
        tools = self._fleet.configuration.tools if additions.tools is None else additions.tools
        allowed = tool_filter(self._patterns, tools)
        return self._built(listed, allowed, frozenset(additions.hidden), self.own_of(session))

    def _built(
        self,
        listed: list[tuple[CatalogServer, Listing]],
        allowed: ToolFilter,
        hidden: Collection[str],
        own: OwnTools,
    ) -> Offer:
        return build_offer(
            listed,
            allowed,
            policy=self._policy(),
            own=own,
            hidden=hidden,
            with_server_names=self._with_server_names,
        )
