"""What the command line has chosen instead of the usual files, and the rules that turn its words into paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.catalog.download import is_url
from desktop.catalog.model import CatalogServer
from desktop.state.catalog_index import catalog_file_name
from desktop.state.paths import Paths

__all__ = ["Selection", "catalog_place", "file_place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The choice; empty means the usual files.

    Attributes:
        profile: The profile whose servers, settings and choice of tools are in force in place of the files'; empty: none.
        all_profiles: Read all profiles, so that clients may choose among them.
        servers: Enabled servers in place of the registry; None leaves it in force.
        enable_all: Every server of every catalog is enabled.
        catalogs: Paths, URLs or names in place of the usual catalogs.
        additional_catalogs: Such on top of them.
        registries: Files whose servers are enabled, all together.
        configs: Files of values; of a server in several, the later file's entry serves.
        tools_configs: Files of allowed tools; likewise.
        registry_documents: Addresses of single servers in a community registry, enabled besides the others.
        described_images: Images that say in a label what server is in them, likewise; they become ``further`` before a run.
        further: Entries enabled besides the others, wherever they are from.
    """

    profile: str = ""
    all_profiles: bool = False
    servers: tuple[str, ...] | None = None
    enable_all: bool = False
    catalogs: tuple[str, ...] = ()
    additional_catalogs: tuple[str, ...] = ()
    registries: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    tools_configs: tuple[str, ...] = ()
    registry_documents: tuple[str, ...] = ()
    described_images: tuple[str, ...] = ()
    further: tuple[CatalogServer, ...] = ()


def file_place(text: str, paths: Paths, cwd: Path) -> Path:
    """Where a file argument points: absolute as it is, ``./`` below ``cwd``, else below ``~/.docker/mcp``."""
    return _relative(text, cwd) or paths.docker_mcp / text


def catalog_place(text: str, paths: Paths, cwd: Path) -> Path | str:
    """Where a catalog argument points: a URL as it is, else a path; a bare name means the catalog of that name."""
    if is_url(text):
        return text
    if (place := _relative(text, cwd)) is not None:
        return place
    if not Path(text).suffix and not (paths.catalogs / text).is_file():
        return paths.catalogs / catalog_file_name(text)
    return paths.catalogs / text


def _relative(text: str, cwd: Path) -> Path | None:
    if text.startswith(("~/", "~\\")):
        return Path(text).expanduser()
    if text in (".", "..") or text.startswith(("./", "../", ".\\", "..\\")):
        return cwd / text
    return Path(text) if Path(text).is_absolute() else None
