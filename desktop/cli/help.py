"""How help looks: as wide as the terminal allows, readable down to 40 columns."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from typing import Any, Final

from desktop.cli.program import as_typed

__all__ = ["HelpFormatter", "columns", "document", "examples", "listing", "paragraph", "usage"]

_WIDEST: Final = 100
_NARROWEST: Final = 30
_NARROW: Final = 70
_INDENT: Final = 6
_TABLE_ROW: Final = re.compile(r" {1,8}(\S(?:.*?\S)?) {2,}(\S.*)")
_SHELL_WORD: Final = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def columns() -> int:
    """How wide help may be: the terminal's width, or COLUMNS; 80 where there is neither."""
    return max(_NARROWEST, min(shutil.get_terminal_size().columns - 1, _WIDEST))


def paragraph(text: str) -> str:
    """Flowing text."""
    return textwrap.fill(as_typed(text), columns(), break_on_hyphens=False, break_long_words=False)


def document(text: str) -> str:
    """Paragraphs, and between them tables whose lines are indented: a name, two spaces or more, what it means."""
    width = columns()
    shown: list[str] = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if not block.startswith(" "):
            shown.append(paragraph(" ".join(lines)))
        elif max(map(len, lines)) <= width:
            shown.append(as_typed(block))
        else:
            rows = [_TABLE_ROW.fullmatch(line) for line in lines]
            shown.append("\n".join(_row(row, line, width) for row, line in zip(rows, lines, strict=True)))
    return "\n\n".join(shown)


def _row(row: re.Match[str] | None, line: str, width: int) -> str:
    if row is None:  # the text of the row above goes on
        return _filled(line.strip(), width, _INDENT)
    return f"  {as_typed(row[1])}\n{_filled(row[2], width, _INDENT)}"


def usage(text: str) -> str:
    """The line that says how a command is typed."""
    return textwrap.fill(
        as_typed(text), columns(), subsequent_indent=" " * 4, break_on_hyphens=False, break_long_words=False
    )


def listing(items: dict[str, str]) -> str:
    """Names with what they mean: beside one another, or below one another where that would be too narrow."""
    width = columns()
    indent = max(map(len, items), default=0) + 4
    if width < _NARROW or indent > width // 2:
        return "\n".join(f"  {name}\n{_filled(text, width, _INDENT)}" for name, text in items.items())
    return "\n".join(
        f"  {name:{indent - 2}}{_filled(text, width, indent).lstrip()}".rstrip() for name, text in items.items()
    )


def _filled(text: str, width: int, indent: int) -> str:
    space = " " * indent
    return textwrap.fill(as_typed(text), width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


def examples(lines: list[str]) -> str:
    """Commands to copy; a long one goes on in the next line the way a shell understands."""
    shown = "\n".join(_continued(as_typed(line)) for line in lines)
    return f"example{'s' if len(lines) > 1 else ''}:\n{shown}"


def _continued(line: str) -> str:
    if sys.platform == "win32" or len(line) + 2 <= columns():
        return f"  {line}"
    lines = [""]
    for word in _SHELL_WORD.findall(line):
        if lines[-1] and len(lines[-1]) + len(word) > columns() - 8:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "  " + " \\\n      ".join(lines)


class HelpFormatter(argparse.HelpFormatter):
    """Help of one command."""

    def __init__(self, prog: str, **settings: Any) -> None:
        width = columns()
        settings["width"] = width
        settings["max_help_position"] = 28 if width >= _NARROW else _INDENT
        super().__init__(prog, **settings)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return document(text)

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return action.dest.upper().replace("_", "-")

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
