"""The official catalog: fetched when it is half a day old, and put in place only when it can be understood."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from desktop.catalog.download import Progress, fetch, shown
from desktop.catalog.loading import parse_catalog
from desktop.errors import CatalogError, GatewayError, StateFileError
from desktop.state.atomic_file import read_bytes, write_bytes, write_text
from desktop.state.catalog_index import CatalogIndex, CatalogRecord, catalog_file_name
from desktop.state.paths import Paths

__all__ = ["OFFICIAL_NAME", "OFFICIAL_URL", "fetch_official", "is_fresh", "is_managed", "keep_current"]

OFFICIAL_NAME: Final = "docker-mcp"
OFFICIAL_URL: Final = "https://desktop.docker.com/mcp/catalog/v3/catalog.yaml"
OFFICIAL_TITLE: Final = "Docker MCP Catalog"
FRESH_FOR: Final = timedelta(hours=12)
FIRST_LOOK: Final = 2.0
LOOK_AGAIN: Final = 3600.0
log = logging.getLogger(__name__)


async def fetch_official(
    paths: Paths, *, url: str = OFFICIAL_URL, progress: Progress | None = None, force: bool = False
) -> bool:
    """Bring catalogs/docker-mcp.yaml up to date.

    Args:
        paths: Where the catalogs are.
        url: The catalog's address.
        progress: Called with bytes received and bytes in all (0 when unknown).
        force: Ask the server even when the catalog is fresh.

    Returns:
        Whether the file is new.

    Raises:
        CatalogError: It can't be fetched, understood or stored; the old file stays.
    """
    try:
        if not force and await asyncio.to_thread(is_fresh, paths):
            return False
        etag = await asyncio.to_thread(_known_etag, paths, url)
        download = await fetch(url, etag=etag, progress=progress)
        return await asyncio.to_thread(_store, paths, url, download.body, download.etag)
    except StateFileError as error:
        raise CatalogError(f"The catalog {shown(url)} can't be put in place ({error.message})", error.hint) from error


async def keep_current(paths: Paths, *, url: str = OFFICIAL_URL) -> None:
    """Fetch the official catalog now and whenever it is no longer fresh, until cancelled.

    Without a network the catalog that is there serves on, or the starter catalog; that is logged and tried again later. A
    catalog of this name that a person put there is left alone.
    """
    await asyncio.sleep(FIRST_LOOK)
    while True:
        try:
            if await asyncio.to_thread(is_managed, paths, url):
                await fetch_official(paths, url=url)
        except GatewayError as error:
            log.info("the official catalog was not fetched: %s", error)
        await asyncio.sleep(LOOK_AGAIN)


def is_managed(paths: Paths, url: str = OFFICIAL_URL) -> bool:
    """Whether the catalog may be fetched over: there is none yet, or the one there came from the official host."""
    record = _index(paths).records().get(OFFICIAL_NAME)
    if record is None:
        return not (paths.catalogs / catalog_file_name(OFFICIAL_NAME)).exists()
    return urlsplit(record.url).netloc == urlsplit(url).netloc


def is_fresh(paths: Paths) -> bool:
    """Whether the official catalog is here and was fetched or confirmed in the last 12 hours."""
    record = _index(paths).records().get(OFFICIAL_NAME)
    if record is None or not (paths.catalogs / catalog_file_name(OFFICIAL_NAME)).is_file():
        return False
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(record.last_update).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return timedelta(minutes=-5) < age < FRESH_FOR


def _store(paths: Paths, url: str, body: bytes | None, etag: str) -> bool:
    if body is not None:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise StateFileError(shown(url), "this is not UTF-8 text") from error
        catalog = parse_catalog(text, where=shown(url))
        if not catalog.servers:
            raise StateFileError(shown(url), "this catalog has no server")
        write_text(paths.catalogs / catalog_file_name(OFFICIAL_NAME), text)
        write_bytes(_etag_file(paths), json.dumps({"url": url, "etag": etag}).encode())
    now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    record = _index(paths).records().get(OFFICIAL_NAME)
    title = record.display_name if record is not None and record.display_name else OFFICIAL_TITLE
    _index(paths).put(OFFICIAL_NAME, CatalogRecord(title, url, now))
    return body is not None


def _known_etag(paths: Paths, url: str) -> str:
    if not (paths.catalogs / catalog_file_name(OFFICIAL_NAME)).is_file():
        return ""
    try:
        known = json.loads(read_bytes(_etag_file(paths)) or b"{}")
    except (ValueError, StateFileError):  # a cache that can't be read is no cache
        return ""
    if not isinstance(known, dict) or known.get("url") != url:
        return ""
    return str(known.get("etag") or "")


def _etag_file(paths: Paths) -> Path:
    return paths.cache / "official-catalog.json"


def _index(paths: Paths) -> CatalogIndex:
    return CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index))
