"""The bytes of a client's file as text and back, and the manner it is written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from desktop.errors import ClientFileError

__all__ = ["BOM", "LINE_END", "SourceText", "decode", "fault", "indentation_at", "line_end_of", "place"]

BOM: Final = b"\xef\xbb\xbf"
LINE_END: Final = re.compile(r"\r\n|\n|\r")
_FOREIGN: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SAVE_AS_UTF8: Final = "Save it as UTF-8 and try again."


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text, and whether a byte order mark stood before it."""

    text: str
    bom: bool

    def encode(self, text: str) -> bytes:
        """The bytes of a changed text, with the mark where there was one."""
        return (BOM if self.bom else b"") + text.encode("utf-8")


def decode(data: bytes, where: str) -> SourceText:
    """The text of a file in UTF-8.

    Raises:
        ClientFileError: It is in another encoding, or not text at all.
    """
    for mark, name in _FOREIGN:
        if data.startswith(mark):
            raise ClientFileError(where, f"it is written in {name}", line=1, column=1, hint=_SAVE_AS_UTF8)
    bom = data.startswith(BOM)
    body = data[len(BOM) :] if bom else data
    zero = body.find(b"\0")
    if zero >= 0:
        line, column = _place_in_bytes(body, zero)
        raise ClientFileError(where, "it holds a zero byte, so it is not text", line=line, column=column)
    try:
        return SourceText(body.decode("utf-8"), bom)
    except UnicodeDecodeError as error:
        line, column = _place_in_bytes(body, error.start)
        raise ClientFileError(where, "it is not UTF-8 text", line=line, column=column, hint=_SAVE_AS_UTF8) from error


def place(text: str, offset: int) -> tuple[int, int]:
    """1-based line and column of an offset."""
    ends = [match.end() for match in LINE_END.finditer(text, 0, offset)]
    return len(ends) + 1, offset - (ends[-1] if ends else 0) + 1


def fault(text: str, offset: int, where: str, reason: str, hint: str = "") -> ClientFileError:
    """An error about what stands at ``offset``."""
    line, column = place(text, offset)
    return ClientFileError(where, reason, line=line, column=column, hint=hint)


def line_end_of(text: str) -> str:
    """The line end used most, a line feed where there is none."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    best = max(counts, key=lambda end: counts[end])
    return best if counts[best] else "\n"


def indentation_at(text: str, offset: int) -> str | None:
    """The blanks between the line's start and ``offset``, or None when something else stands there too."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    before = text[start:offset]
    return None if before.strip(" \t") else before


def _place_in_bytes(body: bytes, offset: int) -> tuple[int, int]:
    return place(body[:offset].decode("utf-8", "replace") + "?", len(body[:offset].decode("utf-8", "replace")))
