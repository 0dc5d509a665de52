"""Our entry in one file of a client: put there, changed, and taken away without a trace."""

from __future__ import annotations

import contextlib
import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from desktop.clients.document import Change, Format, entry_at, plan_put, plan_remove, read
from desktop.clients.entry import EntryPath, Origin, same
from desktop.clients.file_edit import ClientFile, Rewrite
from desktop.clients.receipts import Receipt, Receipts, digest, entry_digest, now
from desktop.clients.source_text import BOM
from desktop.errors import ClientFileError

__all__ = ["Connection", "Disconnected"]

_NOTHING_LEFT: Final = {b"", b"{}"}


class Disconnected(enum.Enum):
    """How an entry went."""

    RESTORED = "the file is what it was before"
    REMOVED = "the entry was taken out, what has changed since was kept"
    GONE = "the entry was not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A change, and what was or would be there without the entry."""

    change: Change
    original: bytes | None
    origin: Origin
    folders: tuple[str, ...]
    written: tuple[str, ...]
    replaced: tuple[tuple[EntryPath, Any], ...]


class Connection:
    """One entry of ours in one file.

    Args:
        client: Id of the client, for the receipt.
        file: The client's file.
        format: How the client reads it.
        path: Where our entry goes.
        receipts: What we remember of it.
    """

    def __init__(self, client: str, file: ClientFile, format: Format, path: EntryPath, receipts: Receipts) -> None:
        self.client = client
        self.file = file
        self.format = format
        self.path = path
        self._receipts = receipts

    def entry(self) -> Any:
        """The entry that is in the file now, or None.

        Raises:
            ClientFileError: The file can't be read or understood.
        """
        return entry_at(read(self.file.read() or b"", self.format, self.file.where), self.path)

    def receipt(self) -> Receipt | None:
        """What we did to the file for this entry, or None when we didn't."""
        return self._receipts.find(self.file.target(), self.path)

    def plan_connect(self, value: Any, *, instead_of: Sequence[EntryPath] = ()) -> Change:
        """What `connect` would change; nothing is written.

        Raises:
            ClientFileError: The file can't be read, understood or edited.
        """
        change, _ = self._put(self.file.read() or b"", value, instead_of)
        return change

    def plan_disconnect(self) -> Change:
        """What `disconnect` would change; nothing is written.

        Raises:
            ClientFileError: The file can't be read, understood or edited.
        """
        before = self.file.read()
        after, _ = self._without(before, self.receipt())
        return Change(before=before or b"", after=after or b"", origin=Origin())

    def connect(self, value: Any, *, private: bool = True, instead_of: Sequence[EntryPath] = ()) -> Change:
        """Put the entry into the file, or bring it up to date; nothing is written when it is right already.

        Args:
            value: The entry.
            private: Whether it holds a token: a new file is then for the person's eyes only.
            instead_of: Where entries stand that it takes the place of; they come back when it is taken out.

        Raises:
            ClientFileError: The file can't be read, understood, edited or written; it is as it was.
            StateFileError: The receipt can't be kept; the file is as it was.
        """
        target = self.file.target()
        plan: _Plan | None = None

        def decide(before: bytes | None) -> bytes | None:
            nonlocal plan
            plan = self._plan(before, value, instead_of)
            return plan.change.after if plan.change.is_needed else before

        def record(rewrite: Rewrite) -> None:
            if plan is not None:
                self._record(target, plan, rewrite, value)

        self.file.rewrite(decide, private=private, before_write=record)
        return plan.change if plan is not None else self.plan_connect(value, instead_of=instead_of)

    def disconnect(self) -> Disconnected:
        """Take the entry out. A file that is as we left it gets its former bytes back, or goes when we made it.

        Raises:
            ClientFileError: The file can't be read, understood, edited or written; it is as it was.
            StateFileError: The receipt can't be read.
        """
        outcome = Disconnected.GONE
        receipt: Receipt | None = None
        folders: tuple[str, ...] = ()

        def decide(before: bytes | None) -> bytes | None:
            nonlocal outcome, receipt
            receipt = self.receipt()
            after, outcome = self._without(before, receipt)
            return after

        def forget(rewrite: Rewrite) -> None:
            nonlocal folders
            if receipt is not None:
                folders = receipt.folders if rewrite.after is None else ()
                if not folders:
                    self._receipts.forget(receipt)

        def forget_last(_: Rewrite) -> None:
            if receipt is not None and receipt == self.receipt():
                self._receipts.forget(receipt)

        self.file.rewrite(decide, after_write=forget)
        if folders:
            _remove_empty(folders)  # only now, since a lock of the client's may have been in one
            self.file.rewrite(lambda content: content, after_write=forget_last)
        return outcome

    def _put(
        self, data: bytes, value: Any, instead_of: Sequence[EntryPath]
    ) -> tuple[Change, tuple[tuple[EntryPath, Any], ...]]:
        """The change, and the entries that go with it."""
        where = self.file.where
        found = read(data, self.format, where) if instead_of else None
        gone = tuple((path, entry) for path in instead_of if (entry := entry_at(found, path)) is not None)
        left = data
        for path, entry in gone:
            self._require_plain(entry)
            left = plan_remove(left, self.format, path, where).after
        put = plan_put(left, self.format, self.path, value, where)
        return Change(before=data, after=put.after, origin=put.origin), gone

    def _plan(self, before: bytes | None, value: Any, instead_of: Sequence[EntryPath]) -> _Plan:
        where = self.file.where
        data = before or b""
        change, gone = self._put(data, value, instead_of)
        receipt = self.receipt()
        fresh = _Plan(change=change, original=before, origin=change.origin, folders=(), written=(), replaced=gone)
        if receipt is None:
            return fresh
        if before is None:
            return replace(fresh, folders=receipt.folders)  # made by us, perhaps just before a crash
        replaced = receipt.replaced + tuple(entry for entry in gone if entry[0] not in dict(receipt.replaced))
        ours = replace(fresh, origin=receipt.origin, folders=receipt.folders, replaced=replaced)
        original = self._receipts.original(receipt)
        if receipt.has_written(before) and (original is not None or receipt.original is None):
            return replace(ours, original=original, written=receipt.written)
        removal = plan_remove(data, self.format, self.path, where, receipt.origin)
        if not removal.is_needed:
            return replace(fresh, replaced=replaced)
        made = receipt.original is None and _is_nothing(removal.after)
        return replace(ours, original=None if made else self._bring_back(removal.after, receipt))

    def _record(self, target: Path, plan: _Plan, rewrite: Rewrite, value: Any) -> None:
        after = rewrite.after or b""
        kept = None if plan.original is None else self._receipts.keep(target, self.path, plan.original)
        receipt = Receipt(
            client=self.client,
            file=self.file.where,
            target=str(target),
            format=self.format.value,
            path=self.path,
            entry=entry_digest(value),
            written=(*plan.written[-1:], digest(after)),
            original=kept,
            folders=tuple(dict.fromkeys([*plan.folders, *map(str, rewrite.folders)])),
            origin=plan.origin,
            made_at=now(),
            replaced=plan.replaced,
        )
        self._receipts.save(receipt)

    def _without(self, before: bytes | None, receipt: Receipt | None) -> tuple[bytes | None, Disconnected]:
        if before is None:
            return None, Disconnected.GONE
        if receipt is not None and receipt.has_written(before):
            original = self._receipts.original(receipt)
            if original is not None or receipt.original is None:
                return original, Disconnected.RESTORED
        origin = None if receipt is None else receipt.origin
        removal = plan_remove(before, self.format, self.path, self.file.where, origin)
        outcome = Disconnected.REMOVED if removal.is_needed else Disconnected.GONE
        if receipt is None:
            return removal.after, outcome
        if removal.is_needed and receipt.original is None and _is_nothing(removal.after):
            return None, outcome
        return self._bring_back(removal.after, receipt), outcome

    def _require_plain(self, entry: Any) -> None:
        """What is taken out has to come back the same from a receipt."""
        try:
            kept = json.loads(json.dumps(entry))
        except (TypeError, ValueError):
            kept = None
        if not same(kept, entry):
            raise ClientFileError(
                self.file.where,
                "the entry to be replaced holds a value that could not be brought back",
                hint="Take it out by hand.",
            )

    def _bring_back(self, data: bytes, receipt: Receipt) -> bytes:
        """The entries that ours took the place of, as far as nobody has put such a one there meanwhile."""
        where = self.file.where
        for path, value in receipt.replaced:
            if entry_at(read(data, self.format, where), path) is None:
                data = plan_put(data, self.format, path, value, where).after
        return data


def _is_nothing(data: bytes) -> bool:
    return data.removeprefix(BOM).strip() in _NOTHING_LEFT


def _remove_empty(folders: tuple[str, ...]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # something else lies in it, or it is gone already
            Path(folder).rmdir()
