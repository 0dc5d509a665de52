"""Rows of figures, printed as tables that fit into a Markdown file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Row", "as_text", "number", "ratio"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was measured of one thing; rows of a group stand in one table."""

    group: str
    name: str
    cells: Mapping[str, str]


def number(value: float) -> str:
    """A figure with as many digits as mean something."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(value: float, base: float) -> str:
    """How many times the baseline."""
    return f"{number(value / base)}x" if base else ""


def as_text(rows: Sequence[Row]) -> str:
    """One table a group."""
    groups = dict.fromkeys(row.group for row in rows)
    return "\n\n".join(_table(group, [row for row in rows if row.group == group]) for group in groups)


def _table(group: str, rows: Sequence[Row]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row.cells))
    lines = [[group, *columns], *([row.name, *(row.cells.get(column, "") for column in columns)] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns) + 1)]
    text = [
        "| "
        + " | ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    ]
    rule = "| " + " | ".join(
        "-" * width if not index else "-" * (width - 1) + ":" for index, width in enumerate(widths)
    )
    return "\n".join([text[0], rule + " |", *text[1:]])
