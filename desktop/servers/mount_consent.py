"""Places of this machine that a server may have only with the person's consent, given once for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from desktop.catalog.model import CatalogServer
from desktop.policy.consent import ConsentStore, separated
from desktop.policy.mounts import is_engine_socket
from desktop.policy.questions import Questions
from desktop.servers.stakes import folder_matter, is_folder

__all__ = ["MountConsent"]


class MountConsent:
    """Asks before a server gets a place it has not had before.

    Three cases: what the caller of a tool chooses, and the engine's socket, always need a consent. What stands in the person's
    own settings is asked about where somebody is there to answer; where no tray runs, having written it there is the consent.

    Args:
        questions: Where the person is asked.
        store: What they have agreed to.
    """

    def __init__(self, questions: Questions, store: ConsentStore) -> None:
        self._questions = questions
        self._store = store

    async def agreed(self, server: CatalogServer, settled: Iterable[str], chosen: Iterable[str] = ()) -> None:
        """Return when the person has agreed to every place.

        Args:
            server: Who gets them.
            settled: Checked mounts from the entry and the person's settings.
            chosen: Checked mounts the caller of a tool has chosen.

        Raises:
            ConsentRequiredError: They have not, or can't be asked.
            StateFileError: What was agreed to can't be read or written.
        """
        always = [bind for bind in chosen if is_folder(bind)]
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
                    instead=f"Allow it with: docker-mcp server enable {server.name} --docker-socket"
                    if is_engine_socket(bind)
                    else "Allow it when MCP Gateway asks in the tray",
                )

    def _known(self, server: str) -> frozenset[str]:
        """What was agreed to for the server, by itself or when a client added it."""
        known: set[str] = set()
        for consent in self._store.all():
            name, colon, matters = consent.subject.partition(": ")
            if colon and name == server and consent.kind in ("mount", "add-server"):
                known.update(separated(matters))
        return frozenset(known)
