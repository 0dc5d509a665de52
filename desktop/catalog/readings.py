"""Files that are read again only when they have changed; a broken one keeps its last good state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from desktop.errors import StateFileError

__all__ = ["Readings"]

T = TypeVar("T")
Stamp = tuple[int, int, int, int]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    """What a file said last time: its stamp then, its last good content, and what was wrong with it, or nothing."""

    stamp: Stamp | None
    content: T
    problem: str


class Readings(Generic[T]):
    """Files of one format, read again only when they have changed.

    Args:
        read: Reads one; a missing one too. Raises `StateFileError`.
        empty: What stands for a file that was never read well.
    """

    def __init__(self, read: Callable[[Path], T], empty: T) -> None:
        self._read = read
        self._empty = empty
        self._readings: dict[Path, _Reading[T]] = {}

    def get(self, path: Path, problems: list[str] | None = None, *, expected: bool = False) -> T:
        """The file's last good content; a missing file is empty, and a problem only when it was ``expected``."""
        stamp = _stamp(path)
        reading = self._readings.get(path)
        if reading is None or reading.stamp != stamp:
            reading = self._readings[path] = self._read_again(path, stamp, reading)
        if problems is not None:
            if reading.problem:
                problems.append(reading.problem)
            elif stamp is None and expected:
                problems.append(f"{path}: there is no such file")
        return reading.content

    def _read_again(self, path: Path, stamp: Stamp | None, before: _Reading[T] | None) -> _Reading[T]:
        try:
            return _Reading(stamp, self._read(path), "")
        except StateFileError as error:
            kept = before is not None and before.stamp is not None and before.content is not self._empty
            log.info("%s", error.message)
            problem = f"{error.message}; what it said before stays in force" if kept else error.message
            return _Reading(stamp, self._empty if before is None else before.content, problem)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns
