"""The offer in force, and its variants for clients with other abilities."""

from __future__ import annotations

from desktop.catalog.model import CatalogServer
from desktop.gateway.offer import Offer, build_offer
from desktop.gateway.tool_filter import tool_filter
from desktop.servers.fleet import Fleet
from desktop.servers.listing import Listing

__all__ = ["Offers"]


class Offers:
    """Merges the servers' listings, once for all clients and once more for those to whom a server offers something else.

    Args:
        fleet: The servers.
        patterns: ``--tools``.

    Attributes:
        current: What is offered to a client with every ability.
    """

    def __init__(self, fleet: Fleet, patterns: tuple[str, ...]) -> None:
        self.current = Offer()
        self._fleet = fleet
        self._patterns = patterns
        self._variants: dict[str, Offer] = {}

    def of(self, abilities: str) -> Offer:
        """What a client with these abilities (`SessionPort.abilities`) is offered."""
        found = self._variants.get(abilities)
        if found is None:
            servers = self._fleet.servers.values()
            special = any(server.listing_for(abilities) is not server.listing for server in servers)
            found = self._variants[abilities] = self._merged(abilities) if special else self.current
        return found

    def renew(self, abilities: set[str]) -> dict[str, list[str]]:
        """Merge again.

        Args:
            abilities: Those of the clients that are there.

        Returns:
            For each of them the lists that are new (`Offer.differences`).
        """
        before, old = self.current, self._variants
        self.current, self._variants = self._merged(None), {}
        return {each: self.of(each).differences(old.get(each, before)) for each in abilities}

    def _merged(self, abilities: str | None) -> Offer:
        listed: list[tuple[CatalogServer, Listing]] = []
        for server in self._fleet.servers.values():
            listing = server.listing if abilities is None else server.listing_for(abilities)
            if listing is not None:
                listed.append((server.server, listing))
        return build_offer(listed, tool_filter(self._patterns, self._fleet.configuration.tools))
