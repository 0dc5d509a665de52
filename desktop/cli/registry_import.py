"""``docker-mcp catalog import --mcp-registry``: servers of a community registry, kept in a catalog of the person's own."""

from __future__ import annotations

import asyncio
import sys
from typing import Final
from urllib.parse import urlsplit

from desktop.catalog.collection import CatalogCollection, refuse_official
from desktop.catalog.download import shown
from desktop.catalog.registry_client import RegistryServers, fetch_servers
from desktop.cli import output
from desktop.errors import CatalogError
from desktop.state import yaml_text
from desktop.state.paths import Paths

__all__ = ["import_registry"]

_NAMED: Final = 10


def import_registry(paths: Paths, name: str | None, url: str, *, is_dry: bool) -> int:
    """Bring the servers of a registry here.

    Args:
        paths: Where the catalogs are.
        name: The catalog they go to; None names it after the registry's host.
        url: The registry, or one of its servers.
        is_dry: Only say what would be imported.

    Raises:
        CatalogError: The registry can't be read, or none of its servers can be run.
    """
    refuse_official(name or "", "added to")
    found = _fetched(url)
    for sentence in found.skipped if len(found.skipped) <= _NAMED else ():
        output.remark(f"docker-mcp: {sentence}.")
    if not found.entries:
        raise CatalogError(f"{shown(url)} has no server that can be run", "Servers run from oci, pypi and npm packages")
    title = name or urlsplit(url).hostname or "registry"
    count = f"{len(found.entries)} server{'' if len(found.entries) == 1 else 's'}"
    left = f", {len(found.skipped)} can't be run from here" if found.skipped else ""
    if is_dry:
        sys.stdout.write(yaml_text.dump({"registry": found.entries}))
        output.remark(f'{count} would be imported into the catalog "{title}"{left}; nothing was changed.')
        return 0
    CatalogCollection(paths).merge(title, f"Servers of {urlsplit(url).hostname}", found.entries)
    output.remark(f'Imported {count} into the catalog "{title}"{left}.')
    return 0


def _fetched(url: str) -> RegistryServers:
    shown_count = 0

    def progress(count: int) -> None:
        nonlocal shown_count
        if sys.stderr.isatty():
            shown_count = count
            print(f"\rReading the registry: {count} servers ", end="", file=sys.stderr, flush=True)

    try:
        return asyncio.run(fetch_servers(url, progress=progress))
    finally:
        if shown_count:
            print(file=sys.stderr)
