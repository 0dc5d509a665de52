"""How a face has servers added: pasted by hand, or moved from where AI clients keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from desktop.clients.candidates import Candidate, MovePlan
    from desktop.clients.draft import Draft
    from desktop.clients.moving import Move
    from desktop.clients.pasted import Understanding

__all__ = ["Adding", "Importing"]


class Adding(Protocol):
    """Where servers are added by hand."""

    async def understand(self, text: str) -> Understanding:
        """What a pasted text means; a name is looked up in the catalogs."""

    async def look_at(self, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
        """What follows from what the person has changed in them."""

    async def add(self, drafts: Sequence[Draft]) -> None:
        """Write servers into the person's own catalog, their keys into the secret store, and turn them on.

        Raises:
            UsageError: A name can't be one, or is taken.
            GatewayError: One can't be run, or can't be written.
        """

    async def added(self) -> frozenset[str]:
        """Names of the servers that were added by hand."""

    async def forget(self, name: str) -> None:
        """Take a server out again that was added by hand; its secrets stay. Raises `UsageError` for another one."""


class Importing(Protocol):
    """Where servers that clients have are moved into our configuration, and back."""

    async def candidates(self) -> tuple[Candidate, ...]:
        """What clients have, by name; `plan` and `move` are about what this has shown."""

    async def plan(self, names: Sequence[str]) -> MovePlan:
        """What moving servers would do; raises `GatewayError` when a client's file can't be changed."""

    async def move(self, names: Sequence[str]) -> Move:
        """Move servers: their keys into the secret store, our one entry in their place; all or none.

        Raises:
            GatewayError: One can't be moved, has changed meanwhile, or a file or the secret store can't be written.
        """

    async def last(self) -> Move | None:
        """The last import that was not undone."""

    async def undo(self) -> Move:
        """Take the last import back; raises `GatewayError` for a part that can't be, which can be tried again."""
