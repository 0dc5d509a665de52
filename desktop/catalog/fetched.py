"""Catalogs of the web: fetched once a run; while one can't be had, the copy of an earlier run stands in."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.catalog.download import fetch, shown
from desktop.catalog.loading import Catalog, parse_catalog
from desktop.errors import CatalogError, StateFileError
from desktop.state import yaml_text
from desktop.state.atomic_file import write_text

__all__ = ["RETRY_AFTER", "FetchedCatalogs"]

RETRY_AFTER: Final = 300.0


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A catalog of the web, or what stands in for it, why, and when to try again (monotonic seconds)."""

    catalog: Catalog
    problem: str = ""
    retry_at: float = 0.0


class FetchedCatalogs:
    """What was fetched in this run. Used from worker threads, one at a time.

    Args:
        folder: Where copies are kept.
        load: Reads a copy; a missing one is an empty catalog.
    """

    def __init__(self, folder: Path, load: Callable[[Path], Catalog]) -> None:
        self._folder = folder
        self._load = load
        self._fetched: dict[str, _Fetched] = {}

    def catalog(self, url: str, problems: list[str]) -> Catalog:
        """The catalog at an address; why it can't be had goes to ``problems``."""
        return self._get(url, "web-catalog", _catalog_text, problems)

    def registry_server(self, url: str, problems: list[str]) -> Catalog:
        """A catalog with the one server whose ``server.json`` is at an address (``--mcp-registry``)."""
        return self._get(url, "registry-server", _registry_text, problems)

    def _get(self, url: str, kind: str, obtain: Callable[[str], Awaitable[str]], problems: list[str]) -> Catalog:
        fetched = self._fetched.get(url)
        if fetched is None or (fetched.problem and time.monotonic() > fetched.retry_at):
            copy = self._folder / f"{kind}-{hashlib.sha256(url.encode()).hexdigest()[:24]}.yaml"
            try:
                text = _run(obtain, url)
                fetched = _Fetched(parse_catalog(text, where=shown(url)))
                write_text(copy, text)
            except (CatalogError, StateFileError) as error:
                catalog = fetched.catalog if fetched else self._load(copy)
                fetched = _Fetched(catalog, error.message, time.monotonic() + RETRY_AFTER)
            self._fetched[url] = fetched
        if fetched.problem:
            problems.append(fetched.problem)
        return fetched.catalog


def _run(obtain: Callable[[str], Awaitable[str]], url: str) -> str:
    # A loop of its own: this runs in a worker thread, and must not depend on the interface's loop.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(_awaited(obtain(url)))


async def _awaited(work: Awaitable[str]) -> str:
    return await work


async def _catalog_text(url: str) -> str:
    return ((await fetch(url)).body or b"").decode("utf-8-sig", "replace")


async def _registry_text(url: str) -> str:
    # Here, because they take long to import, and few configurations name a document.
    from desktop.catalog.registry_client import fetch_document
    from desktop.catalog.registry_conversion import catalog_entry
    from desktop.catalog.registry_document import read_document

    data, base = await fetch_document(url)
    entry = catalog_entry(read_document(data), base=base)
    return yaml_text.dump({"registry": {entry["name"]: entry}})
