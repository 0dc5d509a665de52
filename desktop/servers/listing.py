"""What a server offers: its tools, prompts, resources and templates, read page by page and kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.model import CatalogServer
from desktop.errors import GatewayError, ServerGoneError
from desktop.servers.connecting import Eras
from desktop.servers.upstream import Upstream
from desktop.state.atomic_file import write_bytes

__all__ = ["Listing", "ListingCache", "configuration_hash", "read_listing"]

_PAGES: Final = 1000
_FORMAT: Final = 3
log = logging.getLogger(__name__)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a server's offer; every entry is the JSON the server sent.

    Attributes:
        capabilities: The server's capabilities as JSON.
        instructions: Its instructions, may be empty.
        interactive: Whether it has ever asked something of a client (sampling, elicitation, roots).
        image_id: For containers, the content id of the image that was listed.
        eras: Which eras of MCP it speaks, as far as that is known.
        variants: What a server offers to clients with other abilities than all, by `SessionPort.abilities`.
    """

    tools: list[Raw] = []
    prompts: list[Raw] = []
    resources: list[Raw] = []
    templates: list[Raw] = []
    capabilities: Raw = Raw(b"{}")
    instructions: str = ""
    interactive: bool = False
    image_id: str = ""
    eras: Eras = Eras()
    variants: dict[str, Listing] = {}


class _Stored(msgspec.Struct):
    format: int
    hash: str
    listing: Listing


async def read_listing(upstream: Upstream, *, time_limit: float) -> Listing:
    """Read all pages of all lists the server declares.

    Args:
        upstream: An open connection.
        time_limit: Seconds for each page.

    Raises:
        ServerGoneError: The server ended, or its tools can't be listed: an error, or pages that never end.
        TimeoutError: A page of its tools took too long.
    """

    async def pages(capability: str, method: str, member: str, key: str) -> list[Raw]:
        if capability not in upstream.capabilities:
            return []
        entries: list[Raw] = []
        cursor: Raw | None = None
        seen: set[bytes] = set()
        for _ in range(_PAGES):
            params = None if cursor is None else b'{"cursor":%b}' % bytes(cursor)
            result = jsonrpc.fields(await upstream.request(method, params, time_limit=time_limit))
            try:
                page = msgspec.json.decode(result.get(member, Raw(b"[]")), type=list[Raw])
            except msgspec.MsgspecError:
                raise ServerGoneError(f"{upstream.server} answered {method} without a list") from None
            entries.extend(entry.copy() for entry in page if _has_text(entry, key))
            cursor = result.get("nextCursor")
            if cursor is None or bytes(cursor) in (b"null", b'""'):
                return entries
            if bytes(cursor) in seen:
                break
            seen.add(bytes(cursor))
        raise ServerGoneError(f"{upstream.server} answers {method} with pages that never end")

    async def optional(capability: str, method: str, member: str, key: str) -> list[Raw]:
        try:
            return await pages(capability, method, member, key)
        except (ServerGoneError, TimeoutError, jsonrpc.MalformedMessageError) as error:
            if not upstream.alive:
                raise
            # Many servers declare what they don't have; that must not hide their tools.
            log.info("%s can't be asked for %s: %s", upstream.server, method, error)
            return []

    tools, prompts, resources, templates = await asyncio.gather(
        pages("tools", "tools/list", "tools", "name"),
        optional("prompts", "prompts/list", "prompts", "name"),
        optional("resources", "resources/list", "resources", "uri"),
        optional("resources", "resources/templates/list", "resourceTemplates", "uriTemplate"),
    )
    return Listing(
        tools=[tool for tool in tools if upstream.takes(tool)],
        prompts=prompts,
        resources=resources,
        templates=templates,
        capabilities=Raw(jsonrpc.encode(upstream.capabilities)),
        instructions=upstream.instructions,
    )


def configuration_hash(server: CatalogServer, values: Mapping[str, Any]) -> str:
    """Stands for everything but secrets that decides what a server offers; equal means a stored listing may be served."""
    parts = [msgspec.to_builtins(server), values]
    return hashlib.sha256(msgspec.json.encode(parts, enc_hook=str, order="deterministic")).hexdigest()[:32]


class ListingCache:
    """Listings on disk, one file a server.

    Args:
        directory: Where the files are; made when the first listing is stored.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._decoder = msgspec.json.Decoder(_Stored)
        self._fresh: dict[str, _Stored] = {}

    def load(self, server: str, wanted_hash: str) -> Listing | None:
        """The stored listing, or None when there is none, it is of another configuration, or it can't be read."""
        fresh = self._fresh.get(server)
        if fresh is not None and fresh.hash == wanted_hash:
            return fresh.listing
        try:
            data = self._file(server).read_bytes()
            stored = self._decoder.decode(data)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # a cache: what can't be read is listed anew
        usable = stored.format == _FORMAT and stored.hash == wanted_hash and _is_sound(stored.listing)
        return stored.listing if usable else None

    async def store(self, server: str, of_hash: str, listing: Listing) -> None:
        """Write a listing; a disk that refuses is logged only, the listing is in memory anyway."""
        stored = self._fresh[server] = _Stored(format=_FORMAT, hash=of_hash, listing=listing)
        data = msgspec.json.encode(stored)
        try:
            await asyncio.to_thread(write_bytes, self._file(server), data)
        except GatewayError as error:
            log.warning("the listing of %s is not kept: %s", server, error)

    def _file(self, server: str) -> Path:
        safe = "".join(char if char.isalnum() or char in "-_." else "_" for char in server)[:80]
        return self._directory / f"{safe}-{hashlib.sha256(server.encode()).hexdigest()[:8]}.json"


def _is_sound(listing: Listing) -> bool:
    lists = ((listing.tools, "name"), (listing.prompts, "name"), (listing.resources, "uri"))
    return (
        all(_has_text(entry, key) for entries, key in (*lists, (listing.templates, "uriTemplate")) for entry in entries)
        and bytes(listing.capabilities)[:1] == b"{"
        and all(map(_is_sound, listing.variants.values()))
    )


def _has_text(entry: Raw, key: str) -> bool:
    try:
        value = jsonrpc.fields(entry).get(key)
        return value is not None and bool(jsonrpc.decode(value)) and bytes(value)[:1] == b'"'
    except jsonrpc.MalformedMessageError:
        return False
