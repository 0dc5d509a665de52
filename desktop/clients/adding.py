"""Servers the person adds by hand: into a catalog of their own, their keys into the secret store, and turned on."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from desktop.catalog.collection import CatalogCollection
from desktop.clients.draft import Draft, document_draft, entry_of
from desktop.clients.import_entry import with_free_names
from desktop.clients.secret_signs import KeyFinder
from desktop.errors import GatewayError, UsageError
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.yaml_document import YamlDocument
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["CATALOG", "Adder", "HandmadeServers", "draft_from_registry"]

CATALOG: Final = "my-servers"
_TITLE: Final = "My servers"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


async def draft_from_registry(address: str, taken: Iterable[str], keys: KeyFinder) -> Draft:
    """The form of a server that a registry describes at an address.

    Raises:
        CatalogError: It can't be had, or isn't understood.
    """
    from desktop.catalog.registry_client import fetch_document  # here: it brings a client for HTTP along
    from desktop.catalog.registry_document import read_document

    data, base = await fetch_document(address)
    return await asyncio.to_thread(document_draft, read_document(data), base, taken, keys)


class Secrets(Protocol):
    """Where keys go (`desktop.secrets.store.SecretStore`)."""

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        """Store several at once, all or none; None takes one away."""

    async def names(self) -> tuple[str, ...]:
        """The names of all."""


class HandmadeServers:
    """The catalog of the person's own.

    Args:
        paths: Where our files are.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._registry = RegistryFile(paths.registry, paths.lock_for(paths.registry))
        self._catalogs = CatalogCollection(paths)

    def put(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Write servers into it and turn them on; what was written is taken back when that fails."""
        try:
            self._catalogs.merge(CATALOG, _TITLE, entries)
            self._registry.add(entries)
        except BaseException:
            with contextlib.suppress(GatewayError):  # the first error says more
                self._take_out(entries)
            raise

    def added(self) -> frozenset[str]:
        """Names of the servers that were added by hand."""
        return frozenset(map(str, self._entries())) if CATALOG in self._catalogs.records() else frozenset()

    def forget(self, name: str) -> None:
        """Take a server out again that was added by hand; its secrets stay.

        Raises:
            UsageError: It was not added by hand.
            StateFileError: A file can't be written.
        """
        if name not in self.added():
            raise UsageError(f"{name} was not added by hand", "It can be turned off instead")
        self._registry.remove([name])
        self._take_out([name])

    def _entries(self) -> Mapping[str, Any]:
        return self._document().data().get("registry") or {}

    def _document(self) -> YamlDocument:
        body = self._catalogs.body(CATALOG)
        return YamlDocument(body, self._paths.lock_for(body))

    def _take_out(self, names: Iterable[str]) -> None:
        if CATALOG not in self._catalogs.records():
            return
        wanted = tuple(names)
        self._document().change(
            lambda data, text: [
                Change(("registry", name), REMOVED) for name in wanted if name in (data.get("registry") or {})
            ]
        )


class Adder:
    """Adds servers.

    Args:
        paths: Where our files are.
        secrets: Where keys go.
        keys: Finds keys.
    """

    def __init__(self, paths: Paths, secrets: Secrets, keys: KeyFinder) -> None:
        self._servers = HandmadeServers(paths)
        self._secrets = secrets
        self._keys = keys

    async def add(self, drafts: Sequence[Draft], taken: Iterable[str]) -> tuple[str, ...]:
        """Add servers; what was done is taken back when something fails.

        Args:
            drafts: The servers.
            taken: Names that others have.

        Returns:
            The names of their secrets that were stored.

        Raises:
            UsageError: A name can't be one, or is taken.
            GatewayError: One of them can't be run, or a file or the secret store can't be written.
        """
        entries: dict[str, dict[str, Any]] = {}
        values: dict[str, str] = {}
        used = set(taken)
        stored = set(await self._secrets.names())
        for draft in drafts:
            if _NAME.fullmatch(draft.name) is None:
                raise UsageError(
                    f'"{draft.name}" can\'t be the name of a server',
                    "Use letters, digits, dots, dashes and underscores",
                )
            if draft.name in used:
                raise UsageError(f"There is a server called {draft.name} already", "Choose another name")
            used.add(draft.name)
            try:
                made = with_free_names(entry_of(draft, self._keys), stored)
            except GatewayError as error:
                raise GatewayError(f"{draft.title or draft.name} can't be added: {error.message}") from error
            entries[draft.name] = made.entry
            values |= made.secrets
        if values:
            await self._secrets.set_many(values)
        try:
            self._servers.put(entries)
        except BaseException:
            with contextlib.suppress(GatewayError):  # the first error says more
                if values:
                    await self._secrets.set_many(dict.fromkeys(values))
            raise
        return tuple(values)
