"""How far pulls and downloads are: one line at the bottom of a terminal, and nothing where nobody watches."""

from __future__ import annotations

import os
import sys
import time
from typing import Final, TextIO

from desktop.cli import output

__all__ = ["ProgressLine"]

_EVERY: Final = 0.1
_BAR: Final = 24
_SHORTEST_BAR: Final = 8
_NARROWEST: Final = 30
_ERASE: Final = "\r\x1b[K"


class ProgressLine:
    """One line for everything that is under way at the same time.

    Args:
        stream: Where it is shown; by default standard error, as it is now.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self.is_watched = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._under_way: dict[str, tuple[int, int]] = {}
        self._is_shown = False
        self._drawn = 0.0

    def update(self, what: str, done: int, total: int) -> None:
        """Something got further.

        Args:
            what: Its name and what is done with it, such as ``Pulling mcp/time``.
            done: Bytes so far.
            total: Bytes in all; 0 where that isn't known.
        """
        is_new = what not in self._under_way
        self._under_way[what] = done, max(total, 0)
        now = time.monotonic()
        if self.is_watched and (is_new or now - self._drawn >= _EVERY):
            self._drawn = now
            self._draw()

    def finish(self, what: str) -> None:
        """Something has ended, well or not."""
        if self._under_way.pop(what, None) is None:
            return
        if self._under_way and self._is_shown:
            self._draw()
        else:
            self.erase()

    def erase(self) -> None:
        """Take the line away, so that something else can be printed; the next step forward brings it back."""
        if self._is_shown:
            self._write(_ERASE)
            self._is_shown = False

    def _draw(self) -> None:
        self._write(_ERASE + self.text(self._width()))
        self._is_shown = True

    def text(self, columns: int) -> str:
        """The line for a terminal of this width."""
        done, total = (sum(pair[index] for pair in self._under_way.values()) for index in (0, 1))
        first = next(iter(self._under_way))
        count = len(self._under_way)
        what = first if count == 1 else f"{first} and {count - 1} more"
        size = f"{_size(done)} MB" if done else ""
        if total:
            size = f"{min(done * 100 // total, 100):3} %  {_size(done)} of {_size(total)} MB"
        room = columns - len(size) - 2
        bar = min(_BAR, room - _NARROWEST - 2) if total else 0
        if bar >= _SHORTEST_BAR:
            full, empty = self._marks()
            filled = min(bar * done // total, bar)
            room -= bar + 2
            size = f"{full * filled}{empty * (bar - filled)}  {size}"
        return output.clipped(f"{output.clipped(what, max(room, 8))}  {size}".rstrip(), columns)

    def _marks(self) -> tuple[str, str]:
        try:
            "━─".encode(self._stream.encoding or "ascii")
        except UnicodeEncodeError:
            return "#", "-"
        return "━", "─"

    def _width(self) -> int:
        try:
            return (os.get_terminal_size(self._stream.fileno()).columns or 80) - 1
        except (OSError, ValueError):
            return 79

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f}"
