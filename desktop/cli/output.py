"""How results look: tables, JSON, durations. Data goes to standard output, remarks to standard error."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, TextIO

from desktop.cli.program import as_typed

__all__ = [
    "bold",
    "clipped",
    "coloured",
    "columns_of",
    "duration",
    "is_styled",
    "is_watched",
    "one_line",
    "padded_to",
    "print_json",
    "print_rows",
    "print_table",
    "printable",
    "remark",
    "tip",
    "width",
]

_PIPED_WIDTH: Final = 120
_NARROWEST_CELL: Final = 16
_KEPT: Final = "\n\t"


def print_json(value: Any, *, compact: bool = False) -> None:
    """JSON on standard output, text in its own script."""
    if compact:
        print(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str))
    else:
        print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def remark(text: str) -> None:
    """A line for the person on standard error."""
    print(printable(as_typed(text), sys.stderr), file=sys.stderr)


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


def is_styled() -> bool:
    """Whether results may be bold or coloured: on a terminal that isn't dumb.

    NO_COLOR (no-color.org) forbids it, FORCE_COLOR and CLICOLOR_FORCE ask for it where there is no terminal.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def bold(text: str) -> str:
    """Bold, where results may be styled."""
    return f"\x1b[1m{text}\x1b[0m" if is_styled() else text


def coloured(text: str, colour: int) -> str:
    """The text in one of the terminal's colours (31 red, 32 green, 33 yellow), under the same conditions."""
    return f"\x1b[{colour}m{text}\x1b[0m" if is_styled() else text


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False) -> None:
    """Columns as wide as their widest cell.

    On a terminal the last one is cut where the line ends, or stands below the others where the terminal is narrow;
    other programs get it whole.

    Args:
        header: The columns' names.
        rows: Their cells.
        whole: The last column goes on in further lines instead of being cut.
    """
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(columns_of, column)) for column in columns[:-1]]
    room = width() - sum(widths) - 2 * len(widths)
    is_terminal = sys.stdout.isatty()
    is_below = is_terminal and room < _NARROWEST_CELL
    while is_below and sum(widths) + 2 * len(widths) - 2 > width() and max(widths) > _NARROWEST_CELL:
        widths[widths.index(max(widths))] -= 1

    def line(cells: Sequence[str]) -> str:
        shown = [clipped(cell, size) for cell, size in zip(cells, widths, strict=False)] if is_below else cells
        padded = "  ".join(padded_to(cell, size) for cell, size in zip(shown, widths, strict=False))
        if is_below:
            return f"{padded.rstrip()}\n  {last(cells[-1], width() - 2, 2)}".rstrip()
        return f"{padded}  {last(cells[-1], room, width() - room) if is_terminal else cells[-1]}".rstrip()

    def last(cell: str, columns: int, indent: int) -> str:
        lines = textwrap.wrap(cell, columns) if whole else [clipped(cell, columns)]
        return ("\n" + " " * indent).join(lines)

    print(bold(line(header)))
    for row in rows:
        print(printable(line(row)))


def columns_of(text: str) -> int:
    """How many columns of a terminal the text takes: characters of East Asia take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in text)


def padded_to(text: str, size: int) -> str:
    """The text with spaces up to this many columns of a terminal."""
    return text + " " * (size - columns_of(text))


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
