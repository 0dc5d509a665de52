"""What a face may see of the servers of the catalogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from desktop.servers.status import ServerKind

__all__ = ["CatalogDetails", "CatalogEntry", "CatalogTool", "Catalogs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A server of the catalogs on one card.

    Attributes:
        name, title, description: The server, and what it does on one line.
        kind: How it is reached.
        category: The catalog's word for its subject, or empty.
        source: Image, package or URL.
        enabled: Whether it is on.
        needs_key: It wants a secret.
        needs_settings: It wants settings that have no default.
        needs_sign_in: It wants a sign-in.
        pinned: Its image is named by its digest, so that it can't be exchanged.
        tools: How many tools the catalog knows of.
    """

    name: str
    title: str
    description: str = ""
    kind: ServerKind = ServerKind.CONTAINER
    category: str = ""
    source: str = ""
    enabled: bool = False
    needs_key: bool = False
    needs_settings: bool = False
    needs_sign_in: bool = False
    pinned: bool = False
    tools: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTool:
    """A tool as the catalog describes it."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDetails:
    """More of one server: its tools, what turning it on gives it (a phrase each), who made it, and where to read on."""

    name: str
    tools: tuple[CatalogTool, ...] = ()
    permissions: tuple[str, ...] = ()
    owner: str = ""
    license: str = ""
    source: str = ""
    readme: str = ""


class Catalogs(Protocol):
    """The servers of the catalogs."""

    def entries(self) -> tuple[CatalogEntry, ...]:
        """Every server, by title; the same objects as long as nothing has changed."""

    def details(self, name: str) -> CatalogDetails | None:
        """All that is known of one; None for one no catalog knows."""

    async def suggested(self, count: int) -> tuple[str, ...]:
        """Names of servers to begin with, most fetched first: they can run here, and want nothing from the person."""
