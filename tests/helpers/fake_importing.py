"""The fake host's part that moves servers of clients, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.clients.candidates import Candidate, MovePlan, PlannedChange
from desktop.clients.moving import Move
from desktop.errors import GatewayError

__all__ = ["FakeImporting", "some_candidates"]


class FakeImporting:
    """Moves nothing.

    Args:
        note: Is told what was asked.

    Attributes:
        found: What clients have.
        moved: The imports that were not undone.
        refusal: What the next request is refused with.
    """

    def __init__(self, note: Callable[..., None]) -> None:
        self._note = note
        self.found = some_candidates()
        self.moved: list[Move] = []
        self.refusal: GatewayError | None = None

    async def candidates(self) -> tuple[Candidate, ...]:
        gone = {name for move in self.moved for name in move.servers}
        return tuple(each for each in self.found if each.name not in gone)

    async def plan(self, names: Sequence[str]) -> MovePlan:
        self._note("plan_import", tuple(names))
        self._refuse()
        diff = '--- ~/.cursor/mcp.json\n+++ ~/.cursor/mcp.json\n-    "github": {},\n+    "mcp-gateway": {}\n'
        changes = (PlannedChange(client="Cursor", file="~/.cursor/mcp.json", diff=diff),)
        return MovePlan(servers=tuple(names), secrets=("github.token",), changes=changes)

    async def move(self, names: Sequence[str]) -> Move:
        self._note("import", tuple(names))
        self._refuse()
        move = Move(at="", servers=tuple(names), secrets=("github.token",), clients=("cursor",), connected=())
        self.moved.append(move)
        return move

    async def last(self) -> Move | None:
        return self.moved[-1] if self.moved else None

    async def undo(self) -> Move:
        self._note("undo_import")
        self._refuse()
        return self.moved.pop()

    def _refuse(self) -> None:
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error


def some_candidates() -> tuple[Candidate, ...]:
    """Servers of every sort."""
    return (
        Candidate(
            name="github",
            entry="GitHub",
            about="ghcr.io/github/github-mcp-server stdio",
            clients=("Cursor", "VS Code"),
            keys=("GITHUB_PERSONAL_ACCESS_TOKEN",),
        ),
        Candidate(name="filesystem", entry="filesystem", about="npx files /home/ada", clients=("Cursor", "Codex")),
        Candidate(
            name="sentry", entry="sentry", about="https://mcp.sentry.dev/mcp", clients=("Claude Code",), differs=True
        ),
        Candidate(name="fetch", entry="fetch", about="uvx mcp-server-fetch", clients=("Zed",)),
        Candidate(
            name="own",
            entry="own",
            about="python",
            clients=("Windsurf",),
            reason="it starts the program python, which the gateway does not run",
        ),
    )
