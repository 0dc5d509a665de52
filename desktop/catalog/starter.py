"""The catalog that comes with the program, so that there is something to enable before anything was fetched."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Final

from desktop.catalog.loading import Catalog, load_catalog
from desktop.errors import CatalogError

__all__ = ["STARTER_NAME", "load_starter", "starter_path"]

STARTER_NAME: Final = "starter"
FILE: Final = "starter-catalog.yaml"


@cache
def starter_path() -> Path:
    """Where the starter catalog lies: in a frozen application, in an installed package, or in the source tree.

    Raises:
        CatalogError: It is in none of these places, so the installation is damaged.
    """
    package = Path(__file__).parents[1]
    frozen = getattr(sys, "_MEIPASS", None)
    folders = [Path(frozen) / "resources"] if frozen else []
    folders += [
        package / "resources",
        package.parent / "resources",
        Path(sys.prefix) / "share" / "mcp-gateway-desktop" / "resources",
    ]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    raise CatalogError("The starter catalog is missing from this installation", hint="Install the program again.")


def load_starter(cache_dir: Path | None) -> Catalog:
    """The starter catalog."""
    return load_catalog(starter_path(), cache_dir)
