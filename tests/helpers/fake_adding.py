"""The fake host's part that adds servers: what was pasted is understood as it really is, and kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop.clients.draft import Draft, look_at
from desktop.clients.pasted import Understanding, understand
from desktop.clients.secret_signs import PlainKeys
from desktop.errors import GatewayError

__all__ = ["FakeAdding"]


class FakeAdding:
    """Adds servers to nothing.

    Args:
        names: The names there are.
        take: Is given what is added.
        drop: Is given the name of what is forgotten.

    Attributes:
        refusal: What the next `add` is refused with.
    """

    def __init__(
        self, names: Callable[[], Sequence[str]], take: Callable[[Draft], None], drop: Callable[[str], None]
    ) -> None:
        self._names = names
        self._drop = drop
        self._added: set[str] = set()
        self._take = take
        self._keys = PlainKeys()
        self.refusal: GatewayError | None = None

    async def understand(self, text: str) -> Understanding:
        found = understand(text, self._names(), self._keys)
        if found.wanted and found.wanted not in self._names():
            return Understanding(problem=f'No catalog has a server called "{found.wanted}"')
        return found

    async def look_at(self, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
        return tuple(look_at(draft, self._keys) for draft in drafts)

    async def add(self, drafts: Sequence[Draft]) -> None:
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error
        for draft in drafts:
            self._added.add(draft.name)
            self._take(draft)

    async def added(self) -> frozenset[str]:
        return frozenset(self._added)

    async def forget(self, name: str) -> None:
        self._added.remove(name)
        self._drop(name)
