"""How results look: tables, JSON, durations. Data goes to standard output, remarks to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, TextIO

__all__ = [
    "bold",
    "clipped",
    "coloured",
    "duration",
    "is_watched",
    "one_line",
    "print_json",
    "print_rows",
    "print_table",
    "printable",
    "remark",
    "tip",
    "width",
]

_PIPED_WIDTH: Final = 120
_KEPT: Final = "\n\t"


def print_json(value: Any, *, compact: bool = False) -> None:
    """JSON on standard output, text in its own script."""
    if compact:
        print(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str))
    else:
        print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def remark(text: str) -> None:
    """A line for the person on standard error."""
    print(printable(text, sys.stderr), file=sys.stderr)


def tip(text: str) -> None:
    """A line about what to do next on standard error, where a person sees it; other programs are told nothing."""
    if is_watched():
        remark(text)


def is_watched() -> bool:
    """Whether a person sees both what is printed and what is remarked."""
    return sys.stderr.isatty() and sys.stdout.isatty()


def printable(text: str, stream: TextIO | None = None) -> str:
    """Text of servers and catalogs as it may go to a terminal: without characters that would steer it."""
    if not (stream or sys.stdout).isatty():
        return text
    return "".join(character for character in text if character in _KEPT or character.isprintable())


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def clipped(text: str, length: int) -> str:
    """The text, cut with an ellipsis when it is longer."""
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"


def width() -> int:
    """Columns of the terminal; of a pipe, what reads well."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _PIPED_WIDTH
    except (OSError, ValueError):
        return _PIPED_WIDTH


def bold(text: str) -> str:
    """Bold on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\x1b[1m{text}\x1b[0m"


def coloured(text: str, colour: int) -> str:
    """The text in one of the terminal's colours (31 red, 32 green, 33 yellow), under the same conditions."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one is cut where the line ends."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns[:-1]]
    room = max(width() - sum(widths) - 2 * len(widths), 20)

    def line(cells: Sequence[str]) -> str:
        padded = [f"{cell:{size}}" for cell, size in zip(cells, widths, strict=False)]
        return "  ".join([*padded, clipped(cells[-1], room)]).rstrip()

    print(bold(line(header)))
    for row in rows:
        print(printable(line(row)))


def print_rows(rows: Sequence[Sequence[str]], limits: Sequence[int]) -> None:
    """The lists of the reference (spec 2.0): sorted by the first column, `` | `` between, no header, nothing for no rows.

    Args:
        rows: Their cells.
        limits: For each column how wide it may get; what is longer is cut.
    """
    shown = [[clipped(one_line(cell), limit) for cell, limit in zip(row, limits, strict=True)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in sorted(shown, key=lambda row: row[0].casefold()):
        print(printable(" | ".join(f"{cell:{size}}" for cell, size in zip(row, widths, strict=True)).rstrip()))


def duration(seconds: float) -> str:
    """A time as Go writes it: 850µs, 12.3ms, 1.2s, 2m5s."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    return f"{int(seconds) // 60}m{int(seconds) % 60}s"
