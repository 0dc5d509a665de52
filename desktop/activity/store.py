"""Where calls are kept: an SQLite file of our own, as long as the person wants. Its methods block; they belong on a thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Outcome, Span
from desktop.errors import StateFileError
from desktop.state.atomic_file import make_directory, reason_of

__all__ = ["ActivityStore"]

SCHEMA_VERSION: Final = 1
_BUSY: Final = 5.0
_SCHEMA: Final = """
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    client TEXT NOT NULL,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    seconds REAL NOT NULL,
    sent INTEGER NOT NULL,
    received INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    arguments TEXT NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX calls_at ON calls (at);
"""
_COLUMNS: Final = "id, at, client, server, tool, seconds, sent, received, outcome, reason"


class ActivityStore:
    """The calls on disk. A file that can't be used (damaged, of a newer program) is set aside, since it is only a record.

    Args:
        path: The file; made when the first call is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, calls: Sequence[tuple[CallRecord, CallDetails]]) -> list[CallRecord]:
        """Keep calls; returns them with their ids.

        Raises:
            StateFileError: The file can't be written.
        """
        with self._using() as connection, connection:
            kept = []
            for record, details in calls:
                cursor = connection.execute(
                    "INSERT INTO calls (at, client, server, tool, seconds, sent, received, outcome, reason, arguments, result)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        record.at,
                        record.client,
                        record.server,
                        record.tool,
                        record.seconds,
                        record.sent,
                        record.received,
                        record.outcome.value,
                        record.reason,
                        details.arguments,
                        details.result,
                    ),
                )
                kept.append(_with_id(record, int(cursor.lastrowid or 0)))
            return kept

    def find(self, wanted: CallFilter, *, limit: int, before: int | None = None) -> tuple[CallRecord, ...]:
        """Calls, newest first.

        Args:
            wanted: Which.
            limit: How many at most.
            before: Only those with a smaller id, for the next page.

        Raises:
            StateFileError: The file can't be read.
        """
        where, values = _condition(wanted)
        if before is not None:
            where.append("id < ?")
            values.append(before)
        clause = f" WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT {_COLUMNS} FROM calls{clause} ORDER BY id DESC LIMIT ?"  # only our own words are put together
        with self._using() as connection:
            return tuple(_record(row) for row in connection.execute(query, (*values, limit)))

    def details(self, id: int) -> CallDetails | None:
        """Arguments and result of one call; None when it is not kept any more."""
        with self._using() as connection:
            row = connection.execute("SELECT arguments, result FROM calls WHERE id = ?", (id,)).fetchone()
        return CallDetails(arguments=row[0], result=row[1]) if row is not None else None

    def spans(self, *, since: float, until: float, count: int) -> tuple[Span, ...]:
        """The time between two moments in equal pieces, each with what happened in it."""
        width = max((until - since) / count, 0.001)
        found: list[list[tuple[float, str]]] = [[] for _ in range(count)]
        with self._using() as connection:
            query = "SELECT at, seconds, outcome FROM calls WHERE at >= ? AND at < ?"
            for at, seconds, outcome in connection.execute(query, (since, until)):
                found[min(int((at - since) / width), count - 1)].append((seconds, outcome))
        return tuple(_span(since + number * width, calls) for number, calls in enumerate(found))

    def forget(self, *, older_than: float, most: int) -> int:
        """Drop calls that ended before ``older_than``, and the oldest beyond ``most``; returns how many."""
        with self._using() as connection, connection:
            dropped = connection.execute("DELETE FROM calls WHERE at < ?", (older_than,)).rowcount
            dropped += connection.execute(
                "DELETE FROM calls WHERE id <= (SELECT id FROM calls ORDER BY id DESC LIMIT 1 OFFSET ?)", (most,)
            ).rowcount
        return dropped

    def clear(self) -> None:
        """Forget every call, and give the room on disk back."""
        with self._using() as connection:
            with connection:
                connection.execute("DELETE FROM calls")
            connection.execute("VACUUM")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._opened()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                reason = reason_of(error) if isinstance(error, OSError) else str(error)
                raise StateFileError(
                    str(self._path),
                    f"calls can't be kept ({reason})",
                    hint="See that the disk isn't full and the folder is yours.",
                ) from error

    def _opened(self) -> sqlite3.Connection:
        make_directory(self._path.parent)
        try:
            return self._connected()
        except _UnusableError:
            self._path.replace(self._path.with_name(f"{self._path.name}.unusable"))
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY, check_same_thread=False)
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version not in (0, SCHEMA_VERSION):
                raise _UnusableError
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if version == 0:
                connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        except (_UnusableError, sqlite3.DatabaseError) as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise _UnusableError from error
        return connection


class _UnusableError(Exception):
    """The file is no record of calls that this program can go on with."""


def _condition(wanted: CallFilter) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for word in wanted.text.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = ("client", "server", "tool", "reason")
        where.append("(" + " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in columns) + ")")
        values += [pattern] * len(columns)
    for column, value in (("server", wanted.server), ("client", wanted.client)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if wanted.failed:
        where.append("outcome != ?")
        values.append(Outcome.OK.value)
    return where, values


def _record(row: tuple[Any, ...]) -> CallRecord:
    id, at, client, server, tool, seconds, sent, received, outcome, reason = row
    return CallRecord(
        id=id,
        at=at,
        client=client,
        server=server,
        tool=tool,
        seconds=seconds,
        sent=sent,
        received=received,
        outcome=Outcome(outcome),
        reason=reason,
    )


def _with_id(record: CallRecord, id: int) -> CallRecord:
    return replace(record, id=id)


def _span(at: float, calls: list[tuple[float, str]]) -> Span:
    if not calls:
        return Span(at=at)
    times = sorted(seconds for seconds, _ in calls)
    errors = sum(outcome in (Outcome.ERROR.value, Outcome.TOOL_ERROR.value) for _, outcome in calls)
    slow = times[min(int(len(times) * 0.95), len(times) - 1)]
    return Span(at=at, calls=len(times), errors=errors, median=times[len(times) // 2], slow=slow)
