"""Catalogs brought here from where they are from, with what the person sees of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.catalog.collection import CatalogCollection, read_source
from desktop.catalog.download import fetch, is_url, shown
from desktop.catalog.official import OFFICIAL_NAME, fetch_official, is_fresh, is_managed
from desktop.cli import output
from desktop.cli.progress import ProgressLine
from desktop.errors import CatalogError, GatewayError, StateFileError
from desktop.state.paths import Paths

__all__ = ["bring_up_to_date", "fetch_managed", "text_from", "update"]


def fetch_managed(paths: Paths, *, force: bool) -> bool:
    """Fetch the official catalog; returns whether it is new."""
    with _shown("Fetching the official catalog") as progress:
        return asyncio.run(fetch_official(paths, progress=progress, force=force))


def text_from(source: str) -> str:
    """The text of a catalog at an address or in a file.

    Raises:
        CatalogError: The address can't be fetched.
        StateFileError: The file can't be read, or what is there is not text.
    """
    if not is_url(source):
        return read_source(Path(source))
    with _shown(f"Fetching {shown(source)}") as progress:
        body = asyncio.run(fetch(source, progress=progress)).body or b""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StateFileError(shown(source), "this is not UTF-8 text") from error


def update(name: str, paths: Paths) -> bool:
    """Take a catalog again from where it is from; returns whether it is new.

    Raises:
        GatewayError: It isn't known, is not from anywhere, or can't be had; then it stays as it is.
    """
    collection = CatalogCollection(paths)
    record = collection.records().get(name)
    if name == OFFICIAL_NAME and (record is None or not record.url or is_managed(paths)):
        return fetch_managed(paths, force=True)
    if record is None:
        raise CatalogError(f'unknown catalog "{name}"', collection.unknown(name).hint)
    if not record.url:
        raise CatalogError(f'catalog "{name}" is from nowhere else, so there is nothing to update it from')
    before = collection.body(name).read_bytes() if collection.body(name).is_file() else None
    collection.refreshed(name, text_from(record.url), record.url)
    return before != collection.body(name).read_bytes()


def bring_up_to_date(name: str, paths: Paths) -> None:
    """What looking at a catalog does first: fetch the official one when it is old, any other when its file is missing.

    What can't be fetched is a remark, since there may be something to look at all the same.
    """
    collection = CatalogCollection(paths)
    try:
        if name == OFFICIAL_NAME and is_managed(paths):
            if not is_fresh(paths):
                fetch_managed(paths, force=False)
        elif (record := collection.records().get(name)) and record.url and not collection.body(name).is_file():
            update(name, paths)
    except GatewayError as error:
        output.remark(f"docker-mcp: {error.message}.")


@contextlib.contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a download is."""
    line = ProgressLine()
    try:
        yield lambda received, total: line.update(what, received, total)
    finally:
        line.finish(what)
