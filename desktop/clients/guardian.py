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
from dataclasses import dataclass, replace
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
    DISCONNECTED = "taken out by us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How an entry is found.

    Attributes:
        receipt: What we did.
        state: How the entry is now; at first that of each entry, from then on what has changed.
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
        self._seen: dict[tuple[str, str], Sighting] = {}
        self._took = 0.0

    async def sightings(self) -> AsyncGenerator[tuple[Sighting, ...], None]:
        """Yield how every entry is found, then what has changed, once each. Ends when cancelled or closed.

        Raises:
            StateFileError: The folders can't be watched.
        """
        while True:
            receipts = await asyncio.to_thread(self._receipts.all)
            folders = await asyncio.to_thread(self._folders, receipts)
            async with contextlib.aclosing(self._changes(folders)) as changes:
                async for changed in changes:
                    if changed is not None:
                        await asyncio.sleep(max(self._settle, _SHARE_OF_TIME * self._took))
                    receipts = await asyncio.to_thread(self._receipts.all)
                    if found := await asyncio.to_thread(self._look, receipts, changed):
                        yield tuple(found)
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
            error = None if task.cancelled() else task.exception()
            if error is not None and await asyncio.to_thread(lambda: all(folder.is_dir() for folder in folders)):
                raise error  # else a folder went just then, and others will be watched
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
        before, self._seen = self._seen, {}
        for receipt in receipts:
            old = before.get(_key(receipt))
            if old is not None and changed is not None and not _concerns(receipt, changed):
                state = old.state
            else:
                state = state_of(receipt)
            self._seen[_key(receipt)] = Sighting(receipt=receipt, state=state, times_gone=_times_gone(old, state))
        gone = [replace(old, state=EntryState.DISCONNECTED) for key, old in before.items() if key not in self._seen]
        self._took = time.monotonic() - started
        return gone + [
            new for key, new in self._seen.items() if key not in before or before[key].state is not new.state
        ]


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


def _times_gone(old: Sighting | None, state: EntryState) -> int:
    times = 0 if old is None else old.times_gone
    is_news = state is EntryState.GONE and (old is None or old.state is not EntryState.GONE)
    return times + 1 if is_news else times


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
