"""Watches the files our entry was written to, and says when a client has dropped or changed it.

Some clients write their file from a store of their own and lose what others have put there. The guardian never writes: a
restore is the person's click (`Connection.connect`), so that two programs can't chase each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.clients.document import Format, entry_at, read
from desktop.clients.file_edit import read_content
from desktop.clients.receipts import Receipt, Receipts
from desktop.errors import StateFileError
from desktop.state.watching import watch

__all__ = ["EntryState", "Guardian", "Sighting"]

_SHARE_OF_TIME: Final = 10


class EntryState(enum.Enum):
    """How our entry was found."""

    PRESENT = "as we left it"
    CHANGED = "changed"
    GONE = "gone"
    UNREADABLE = "in a file that can't be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A change in how an entry is found.

    Attributes:
        receipt: What we did.
        state: How the entry is now.
        times_gone: How many times it was found gone since the guardian began; from the second time on, writing it again
            alone won't help.
    """

    receipt: Receipt
    state: EntryState
    times_gone: int


class Guardian:
    """Tells how the entries of all receipts fare.

    Args:
        receipts: The receipts; new ones are seen at once.
        settle: How long a file is left alone after a change before it is looked at, in seconds.
    """

    def __init__(self, receipts: Receipts, *, settle: float = 1.5) -> None:
        self._receipts = receipts
        self._settle = settle
        self._seen: dict[tuple[str, str], EntryState] = {}
        self._times_gone: dict[tuple[str, str], int] = {}
        self._took = 0.0

    async def sightings(self) -> AsyncGenerator[Sighting, None]:
        """Yield every entry that is not as we left it, then each change, once. Ends when cancelled or closed.

        Raises:
            StateFileError: The folders can't be watched, or a receipt is broken.
        """
        while True:
            receipts = await asyncio.to_thread(self._receipts.all)
            folders = await asyncio.to_thread(self._folders, receipts)
            async with contextlib.aclosing(self._changes(folders)) as changes:
                async for changed in changes:
                    if changed is not None:
                        await asyncio.sleep(max(self._settle, _SHARE_OF_TIME * self._took))
                    receipts = await asyncio.to_thread(self._receipts.all)
                    for sighting in await asyncio.to_thread(self._look, receipts, changed):
                        yield sighting
                    if await asyncio.to_thread(self._folders, receipts) != folders:
                        break

    async def _changes(self, folders: tuple[Path, ...]) -> AsyncGenerator[frozenset[Path] | None, None]:
        """What changed since the last time this was asked; None at first, which stands for everything."""
        queue: asyncio.Queue[frozenset[Path] | None] = asyncio.Queue()
        task = asyncio.create_task(_pump(folders, queue))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            everything = True
            while (found := await queue.get()) is not None:
                changed = set(found)
                while not queue.empty() and (more := queue.get_nowait()) is not None:
                    changed |= more
                yield None if everything else frozenset(changed)
                everything = False
            if not task.cancelled() and (error := task.exception()) is not None and all(map(Path.is_dir, folders)):
                raise error
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, StateFileError):
                await task

    def _folders(self, receipts: Iterable[Receipt]) -> tuple[Path, ...]:
        """Where files of receipts and the receipts themselves are; for a folder that is missing, the one it would be in."""
        wanted = {self._receipts.folder, *(Path(name).parent for r in receipts for name in (r.file, r.target))}
        return tuple(sorted({_existing(folder) for folder in wanted}))

    def _look(self, receipts: tuple[Receipt, ...], changed: frozenset[Path] | None) -> list[Sighting]:
        started = time.monotonic()
        found: list[Sighting] = []
        keys = {_key(receipt) for receipt in receipts}
        self._seen = {key: state for key, state in self._seen.items() if key in keys}
        for receipt in receipts:
            key = _key(receipt)
            if changed is not None and key in self._seen and not _concerns(receipt, changed):
                continue
            state = state_of(receipt)
            if state is not self._seen.get(key, EntryState.PRESENT):
                if state is EntryState.GONE:
                    self._times_gone[key] = self._times_gone.get(key, 0) + 1
                found.append(Sighting(receipt=receipt, state=state, times_gone=self._times_gone.get(key, 0)))
            self._seen[key] = state
        self._took = time.monotonic() - started
        return found


def state_of(receipt: Receipt) -> EntryState:
    """How the entry of a receipt is now; reads the file."""
    try:
        data = read_content(Path(receipt.file), receipt.file)
        if data is None:
            return EntryState.GONE
        if receipt.has_written(data):
            return EntryState.PRESENT
        entry = entry_at(read(data, Format(receipt.format), receipt.file), receipt.path)
    except (StateFileError, ValueError):
        return EntryState.UNREADABLE
    if entry is None:
        return EntryState.GONE
    return EntryState.PRESENT if receipt.is_of(entry) else EntryState.CHANGED


async def _pump(folders: tuple[Path, ...], queue: asyncio.Queue[frozenset[Path] | None]) -> None:
    async with contextlib.aclosing(watch(folders, make=False)) as batches:
        async for batch in batches:
            queue.put_nowait(batch)


def _key(receipt: Receipt) -> tuple[str, str]:
    return receipt.target, repr(receipt.path)


def _concerns(receipt: Receipt, changed: frozenset[Path]) -> bool:
    for name in (receipt.file, receipt.target):
        path = Path(name)
        if path in changed or not changed.isdisjoint(path.parents):
            return True
    return False


def _existing(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder
