"""What servers wrote to standard error, as faces show and export it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from desktop.host import HostPart
from desktop.servers.fleet import Fleet
from desktop.state.atomic_file import write_text

__all__ = ["ServerLogsView"]


class ServerLogsView(HostPart):
    """Implements `desktop.facets.server.ServerLogs`.

    Args:
        fleet: The servers.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def lines(self, name: str, since: int = 0) -> tuple[tuple[str, ...], int]:
        """The kept lines after a place in the log, and the place after the last of them."""
        return self._fleet.log_of(name).lines_since(since)

    async def export(self, name: str, path: Path) -> int:
        """Write the kept lines to a file; returns how many."""
        lines = self._fleet.log_of(name).lines()
        await asyncio.to_thread(write_text, path, "".join(f"{line}\n" for line in lines))
        return len(lines)
