"""Places of this machine that a server may have only with the person's consent, given once for each of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from desktop.catalog.loading import read_entry
from desktop.catalog.model import CatalogServer
from desktop.errors import ServerStartError
from desktop.policy.consent import ConsentStore, separated
from desktop.policy.mounts import is_engine_socket
from desktop.policy.questions import Questions
from desktop.servers import launch
from desktop.servers.stakes import folder_matter, is_folder

__all__ = ["MountConsent", "agree_to_added", "agree_to_named"]


class MountConsent:
    """Asks before a server gets a place it has not had before.

    What an entry names, what the caller of a tool chooses, and the engine's socket always need a consent. What stands in the
    person's own settings is asked about where somebody is there to answer; where no tray runs, having written it there is the
    consent.

    Args:
        questions: Where the person is asked.
        store: What they have agreed to.
    """

    def __init__(self, questions: Questions, store: ConsentStore) -> None:
        self._questions = questions
        self._store = store

    async def agreed(
        self, server: CatalogServer, settled: Iterable[str], *, named: Iterable[str] = (), chosen: Iterable[str] = ()
    ) -> None:
        """Return when the person has agreed to every place.

        Args:
            server: Who gets them.
            settled: Checked mounts of the person's settings.
            named: Checked mounts that the entry names; they may be among ``settled`` too.
            chosen: Checked mounts the caller of a tool has chosen.

        Raises:
            ConsentRequiredError: They have not, or can't be asked.
            StateFileError: What was agreed to can't be read or written.
        """
        of_entry = {bind for bind in named if is_folder(bind)}
        always = [*of_entry, *(bind for bind in chosen if is_folder(bind))]
        where_asked = []
        for bind in settled:
            if is_engine_socket(bind):
                always.append(bind)
            elif is_folder(bind):
                where_asked.append(bind)
        if where_asked and self._questions.attended:
            always += where_asked
        known = await asyncio.to_thread(self._known, server.name) if always else frozenset()
        for bind in dict.fromkeys(always):
            matter = folder_matter(bind)
            if matter not in known:
                await self._questions.ask(
                    "mount",
                    server=server.name,
                    title=server.title or server.name,
                    asker="",
                    matters=[matter],
                    instead=_instead(server.name, bind, is_named=bind in of_entry),
                )

    def _known(self, server: str) -> frozenset[str]:
        """What was agreed to for the server, by itself or when a client added it."""
        known: set[str] = set()
        for consent in self._store.all():
            name, colon, matters = consent.subject.partition(": ")
            if colon and name == server and consent.kind in ("mount", "add-server"):
                known.update(separated(matters))
        return frozenset(known)


def agree_to_named(store: ConsentStore, server: CatalogServer, values: Mapping[str, Any]) -> None:
    """Remember that the person lets a server have the folders its entry names; not the engine's socket.

    Raises:
        ServerStartError: One of them may not be mounted at all.
        StateFileError: The consent can't be kept.
    """
    named = list(launch.binds_of_entry(server, values))
    for tool in server.tools:
        if tool.container is not None:
            named += launch.poci_binds(tool.container, {}).fixed
    for bind in named:
        if is_folder(bind) and not is_engine_socket(bind):
            store.grant("mount", f"{server.name}: {folder_matter(bind)}")


def agree_to_added(store: ConsentStore, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Remember that the person lets servers have the folders of entries they have written themselves, by the servers' names.

    A folder that may not be mounted at all is left for the server's start to refuse.
    """
    for name, entry in entries.items():
        with contextlib.suppress(ServerStartError):
            agree_to_named(store, read_entry(name, {**entry, "name": name}), {})


def _instead(server: str, bind: str, *, is_named: bool) -> str:
    if is_engine_socket(bind):
        return f"Allow it with: docker-mcp server enable {server} --docker-socket"
    if is_named:
        return f"Allow it with: docker-mcp server enable {server} --folders"
    return "Allow it when MCP Gateway asks in the tray"
