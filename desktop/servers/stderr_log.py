"""The last lines a server wrote to standard error."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["StderrLog"]

_LINES: Final = 100_000
_SIZE: Final = 4_000_000
_OVERHEAD: Final = 60
"""Bytes a line takes besides its letters, so that a flood of empty lines is bounded as well."""


class StderrLog:
    """Keeps the newest lines, redacted before they are kept. Written on the event loop, read from any thread.

    Args:
        clean: Removes secrets from a line.
        limit: The most lines kept.
        size: The most bytes kept, about.
        echo: Called with each kept line, for ``--verbose``.
    """

    def __init__(
        self,
        clean: Callable[[str], str],
        limit: int = _LINES,
        size: int = _SIZE,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self._lines: deque[str] = deque()
        self._limit = limit
        self._most = size
        self._size = 0
        self._count = 0
        self._lock = threading.Lock()
        self._clean = clean
        self._echo = echo

    def add(self, line: bytes) -> None:
        """Keep one line; bytes that are not UTF-8 are replaced."""
        text = self._clean(line.decode("utf-8", "replace").rstrip())
        with self._lock:
            self._lines.append(text)
            self._size += len(text) + _OVERHEAD
            self._count += 1
            while len(self._lines) > self._limit or (self._size > self._most and len(self._lines) > 1):
                self._size -= len(self._lines.popleft()) + _OVERHEAD
        if self._echo is not None:
            self._echo(text)

    def note(self, text: str) -> None:
        """Keep a remark of our own, marked so that it is not taken for the server's."""
        self.add(f"[gateway] {text}".encode())

    def lines(self) -> tuple[str, ...]:
        """All kept lines, oldest first."""
        with self._lock:
            return tuple(self._lines)

    def lines_since(self, mark: int) -> tuple[tuple[str, ...], int]:
        """The kept lines after a mark, oldest first, and the mark after the last of them."""
        with self._lock:
            wanted = min(self._count - mark, len(self._lines))
            newest = list(itertools.islice(reversed(self._lines), max(wanted, 0)))
            return tuple(reversed(newest)), self._count

    @property
    def mark(self) -> int:
        """A place in the log, for `last` and `lines_since`."""
        return self._count

    def last(self, since: int = 0) -> str:
        """The newest line with text that the server wrote since a mark, or empty.

        It explains an end to every client, so it is never what is left of a message, which may be another client's.
        """
        for line in itertools.islice(reversed(self._lines), self._count - since):
            is_scrap = line.startswith("(stdout) ") and ("{" in line or "}" in line)
            if line.strip() and not is_scrap and not line.startswith("[gateway]"):
                return line.strip()
        return ""
