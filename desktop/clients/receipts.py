"""What we did to clients' files: a receipt for each entry, with the bytes that stood there before.

Both lie in our own state, readable by this person alone: the bytes are the client's file and may hold its secrets.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from desktop.clients.entry import EntryPath, Item, Origin
from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes, reason_of, write_bytes, write_text

__all__ = ["SCHEMA_VERSION", "Receipt", "Receipts", "digest"]

log = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
_BACKUPS_KEPT: Final = 5
_HINT: Final = "Take it away; what it stands for can then still be disconnected, without its former content."


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One entry of ours in one file.

    Attributes:
        client: Id of the client.
        file: The file as the client looks for it.
        target: The real file behind links.
        format: Value of `desktop.clients.document.Format`.
        path: Where the entry is.
        entry: Digest of the entry's value.
        written: Digests of the file's content with the entry in it; the last is of the last write.
        original: Name of the backup with the content without the entry; None when there was no file.
        folders: Folders made for the file, outermost first.
        origin: What stood in the entry's place.
        replaced: Entries that were taken out for ours: where each was, and its value.
        made_at: When (RFC 3339).
    """

    client: str
    file: str
    target: str
    format: str
    path: EntryPath
    entry: str
    written: tuple[str, ...]
    original: str | None
    folders: tuple[str, ...]
    origin: Origin
    made_at: str
    replaced: tuple[tuple[EntryPath, Any], ...] = ()

    def has_written(self, data: bytes) -> bool:
        """Whether the file is as we left it."""
        return digest(data) in self.written

    def is_of(self, value: Any) -> bool:
        """Whether an entry's value is what we have written last."""
        return entry_digest(value) == self.entry


def digest(data: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(data).hexdigest()


def entry_digest(value: Any) -> str:
    """SHA-256 of an entry's value; the order of keys doesn't count."""
    return digest(json.dumps(value, sort_keys=True, default=str).encode())


def now() -> str:
    """The present time (RFC 3339)."""
    return datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")


class Receipts:
    """The receipts and backups in a folder of ours.

    Args:
        folder: The folder; it may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._backups = folder / "backups"

    def find(self, target: Path, path: EntryPath) -> Receipt | None:
        """The receipt for the entry at ``path`` of the real file ``target``.

        Raises:
            StateFileError: It is broken or of a newer program.
        """
        return self._read(self._file(target, path))

    def all(self) -> tuple[Receipt, ...]:
        """Every receipt that can be read, oldest first.

        Raises:
            StateFileError: The folder can't be read.
        """
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError as error:
            raise StateFileError(str(self.folder), f"it can't be read ({reason_of(error)})") from error
        found: list[Receipt] = []
        for file in files:
            try:
                receipt = self._read(file)
            except StateFileError as error:  # the others are still good, and `find` tells of this one
                log.info("%s", error)
            else:
                found += [receipt] if receipt is not None else []
        return tuple(sorted(found, key=lambda receipt: receipt.made_at))

    def save(self, receipt: Receipt) -> None:
        """Write a receipt down."""
        data = {
            "schema_version": SCHEMA_VERSION,
            "client": receipt.client,
            "file": receipt.file,
            "target": receipt.target,
            "format": receipt.format,
            "path": _steps(receipt.path),
            "entry": receipt.entry,
            "written": list(receipt.written),
            "original": receipt.original,
            "folders": list(receipt.folders),
            "origin": {"created": receipt.origin.created, "source": receipt.origin.source},
            "made_at": receipt.made_at,
            "replaced": [{"path": _steps(path), "value": value} for path, value in receipt.replaced],
        }
        self._make_private()
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        write_text(self._file(Path(receipt.target), receipt.path), text, mode=0o600)

    def forget(self, receipt: Receipt) -> None:
        """Take a receipt away; its backups stay for a while."""
        self._file(Path(receipt.target), receipt.path).unlink(missing_ok=True)

    def keep(self, target: Path, path: EntryPath, content: bytes) -> str:
        """Keep a file's content, and say by what name; the oldest backups of the entry go."""
        key = _key(target, path)
        name = f"{key}-{digest(content)[:16]}.bak"
        self._make_private()
        write_bytes(self._backups / name, content, mode=0o600)
        with contextlib.suppress(OSError):  # tidying must never stop a connection
            old = sorted(self._backups.glob(f"{key}-*.bak"), key=lambda file: file.stat().st_mtime_ns)
            for file in old[:-_BACKUPS_KEPT]:
                file.unlink()
        return name

    def original(self, receipt: Receipt) -> bytes | None:
        """The content without the entry, or None when its backup is no longer there."""
        if receipt.original is None:
            return None
        file = self._backups / receipt.original
        return read_bytes(file) if file.is_file() else None

    def backups(self, target: Path, path: EntryPath) -> tuple[Path, ...]:
        """The kept contents of a file, newest first, for a restore by hand."""
        files = self._backups.glob(f"{_key(target, path)}-*.bak")
        return tuple(sorted(files, key=lambda file: file.stat().st_mtime_ns, reverse=True))

    def _file(self, target: Path, path: EntryPath) -> Path:
        return self.folder / f"{_key(target, path)}.json"

    def _make_private(self) -> None:
        try:
            self._backups.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise StateFileError(str(self._backups), f"it can't be made ({reason_of(error)})") from error

    def _read(self, file: Path) -> Receipt | None:
        content = read_bytes(file)
        if not content:
            return None
        try:
            data = json.loads(content)
            version = data["schema_version"]
            receipt = _receipt_of(data) if version == SCHEMA_VERSION else None
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise StateFileError(str(file), "this is not a receipt of ours", hint=_HINT) from error
        if receipt is None:
            raise StateFileError(str(file), f"its version {version} is of a newer program", hint="Update this one.")
        return receipt


def _key(target: Path, path: EntryPath) -> str:
    steps = [[step.key, step.value] if isinstance(step, Item) else step for step in path]
    return digest(os.fsencode(target) + b"\0" + json.dumps(steps).encode())[:24]


def _receipt_of(data: dict[str, Any]) -> Receipt:
    origin = data["origin"]
    return Receipt(
        client=str(data["client"]),
        file=str(data["file"]),
        target=str(data["target"]),
        format=str(data["format"]),
        path=_path(data["path"]),
        entry=str(data["entry"]),
        written=tuple(map(str, data["written"])),
        original=None if data["original"] is None else str(data["original"]),
        folders=tuple(map(str, data["folders"])),
        origin=Origin(
            created=int(origin["created"]), source=None if origin["source"] is None else str(origin["source"])
        ),
        made_at=str(data["made_at"]),
        replaced=tuple((_path(entry["path"]), entry["value"]) for entry in data.get("replaced", ())),
    )


def _steps(path: EntryPath) -> list[Any]:
    return [{"key": step.key, "value": step.value} if isinstance(step, Item) else step for step in path]


def _path(steps: list[Any]) -> EntryPath:
    return tuple(
        Item(key=str(step["key"]), value=str(step["value"])) if isinstance(step, dict) else str(step) for step in steps
    )
