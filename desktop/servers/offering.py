"""What one server offers, as far as it is known: read when it was started or says that it changed, kept on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import msgspec

from desktop import jsonrpc
from desktop.errors import ServerGoneError, ServerStartError
from desktop.servers.connecting import Eras
from desktop.servers.listing import Listing, ListingCache, read_listing
from desktop.servers.upstream import Upstream

__all__ = ["ALL_ABILITIES", "Offering", "Reader"]

ALL_ABILITIES: Final = "elicitation,roots,sampling"


class Reader(Protocol):
    """On whose behalf listings are read."""

    def reading_failed(self, upstream: Upstream, error: ServerStartError) -> None:
        """The listing could not be read; the last one stays."""

    def listing_read(self, upstream: Upstream, *, new: bool) -> None:
        """The listing was read; ``new``: it differs from the last."""


class Offering:
    """The listing of one server and its readings.

    Args:
        server: Catalog name of the server.
        cache: Listings on disk.
        of_hash: `configuration_hash` of the server.
        time_limit: Seconds for one page.
        image_id: Gives the content id of the image last used.
        spawn: Runs a coroutine as a task of the server.
        reader: Told how a reading ended.

    Attributes:
        listing: What it offers; None until it was listed for the first time.
        interactive: Whether the server has ever asked something of a client.
        eras: Which eras of MCP it speaks, as far as that is known.
    """

    def __init__(
        self,
        server: str,
        *,
        cache: ListingCache,
        of_hash: str,
        time_limit: float,
        image_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
        reader: Reader,
    ) -> None:
        self._server = server
        self._cache = cache
        self._hash = of_hash
        self._time_limit = time_limit
        self._image_id = image_id
        self._spawn = spawn
        self._reader = reader
        self.listing: Listing | None = cache.load(server, of_hash)
        self.interactive = self.listing is not None and self.listing.interactive
        self.eras = self.listing.eras if self.listing is not None else Eras()
        self._refreshing: asyncio.Task[None] | None = None
        self._to_read: dict[Upstream, None] = {}

    def refresh_soon(self, upstream: Upstream) -> asyncio.Task[None]:
        """Read the listing; where that is going on already, once more afterwards, so that no change is missed."""
        self._to_read[upstream] = None
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = self._spawn(self._refresh())
        return self._refreshing

    async def refreshed(self, upstream: Upstream) -> None:
        """Wait for the reading under way, or begin one."""
        running = self._refreshing
        await asyncio.shield(self.refresh_soon(upstream) if running is None or running.done() else running)

    async def _refresh(self) -> None:
        while self._to_read:
            upstream = next(iter(self._to_read))
            del self._to_read[upstream]
            await self._read(upstream)

    async def _read(self, upstream: Upstream) -> None:
        try:
            listing = await read_listing(upstream, time_limit=self._time_limit)
        except TimeoutError:
            reason = f"{self._server} did not answer tools/list in time"
            self._reader.reading_failed(upstream, ServerStartError(reason))
        except (ServerGoneError, jsonrpc.MalformedMessageError) as error:
            reason = f"{self._server} can't be listed: {error}" if upstream.alive else str(error)
            self._reader.reading_failed(upstream, ServerStartError(reason))
        else:
            await self._take(listing, upstream)

    async def _take(self, listing: Listing, upstream: Upstream) -> None:
        old = self.listing
        listing = msgspec.structs.replace(
            listing, interactive=self.interactive, eras=self.eras, image_id=self._image_id()
        )
        variants = dict(old.variants) if old is not None else {}
        if old is not None and self.interactive and upstream.abilities != ALL_ABILITIES:
            variants[upstream.abilities] = msgspec.structs.replace(listing, variants={})
            listing = old
        self.listing = listing = msgspec.structs.replace(
            listing, interactive=self.interactive, eras=self.eras, variants=variants
        )
        new = old is None or jsonrpc.encode(old) != jsonrpc.encode(listing)
        self._reader.listing_read(upstream, new=new)
        if new:
            await self._cache.store(self._server, self._hash, listing)

    def remember_interactive(self) -> None:
        """The server has asked something of a client; that is kept with the listing."""
        if not self.interactive:
            self.interactive = True
            if self.listing is not None:
                self.listing = msgspec.structs.replace(self.listing, interactive=True)
                self._spawn(self._cache.store(self._server, self._hash, self.listing))

    def learned(self, eras: Eras) -> None:
        """Which eras the server speaks; kept with the listing, so that it is found out once."""
        if eras != self.eras:
            self.eras = eras
            if self.listing is not None:
                self.listing = msgspec.structs.replace(self.listing, eras=eras)
                self._spawn(self._cache.store(self._server, self._hash, self.listing))

    def for_abilities(self, abilities: str) -> Listing | None:
        """What a client with these abilities (`SessionPort.abilities`) is offered.

        A server that asks clients may offer less to one that can't be asked; that is known once it was started for such a one.
        """
        listing = self.listing
        return listing.variants.get(abilities, listing) if listing is not None and listing.variants else listing

    def lacks(self, abilities: str) -> bool:
        """Whether it is not known yet what clients with these abilities are offered, or the image is another by now."""
        listing = self.listing
        if listing is None or (self.interactive and abilities not in listing.variants):
            return True
        return listing.image_id != self._image_id()
