"""TOML cut into its statements, with the place of each; the text has been found to be valid before."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["Inline", "InlineMember", "Key", "Statement", "inline_at", "statements"]

Key: TypeAlias = tuple[str | int, ...]

_STRING: Final = (
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
)
_VALUE_TOKEN: Final = re.compile(_STRING + r"|#[^\n]*|[\[\]{}]", re.DOTALL)
_STRING_TOKEN: Final = re.compile(_STRING, re.DOTALL)
_KEY_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_SCALAR: Final = re.compile(r"[^,\]}#\r\n]*[^,\]}#\r\n \t]")
_NOTHING: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS: Final = re.compile(r"[ \t]*")
_REST_OF_LINE: Final = re.compile(r"[^\n]*\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A table's header, or a key with its value.

    Attributes:
        is_header: Which of both.
        path: The table or value it stands for, from the root; members of arrays of tables by number.
        value: Where the value starts; the statement's own end for a header.
        end: Where the statement ends, without a comment after it.
        line: Where its first line starts.
        line_end: Where its last line ends, line end included.
    """

    is_header: bool
    path: Key
    value: int
    end: int
    line: int
    line_end: int

    def indent(self, text: str) -> str:
        """The blanks its first line starts with."""
        return text[self.line : _match_end(_BLANKS, text, self.line)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineMember:
    """One member of an inline table or an array."""

    path: Key
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """An inline table or an array: its brackets and what is between them."""

    opener: int
    closer: int
    members: tuple[InlineMember, ...]


def statements(text: str) -> list[Statement]:
    """The statements of a valid TOML text, in order."""
    found: list[Statement] = []
    table: Key = ()
    arrays: dict[Key, int] = {}
    here = _match_end(_NOTHING, text, 0)
    while here < len(text):
        line = max(text.rfind("\n", 0, here), -1) + 1
        if text[here] == "[":
            double = text.startswith("[[", here)
            names, end = _key_at(text, _match_end(_BLANKS, text, here + 1 + double))
            value = end = _match_end(_BLANKS, text, end) + 1 + double
            table = _table_of(names, double, arrays)
            path, is_header = table, True
        else:
            names, end = _key_at(text, here)
            value = _match_end(_BLANKS, text, _match_end(_BLANKS, text, end) + 1)
            end = _value_end(text, value)
            path, is_header = table + names, False
        line_end = _match_end(_REST_OF_LINE, text, end)
        found.append(Statement(is_header=is_header, path=path, value=value, end=end, line=line, line_end=line_end))
        here = _match_end(_NOTHING, text, line_end)
    return found


def inline_at(text: str, opener: int, path: Key) -> Inline:
    """The inline table or array that opens at ``opener`` and stands for ``path``."""
    members: list[InlineMember] = []
    here = _match_end(_NOTHING, text, opener + 1)
    while text[here] not in "}]":
        start = value = here
        names: Key = (len(members),)
        if text[opener] == "{":
            names, end = _key_at(text, here)
            value = _match_end(_BLANKS, text, _match_end(_BLANKS, text, end) + 1)
        end = _value_end(text, value)
        members.append(InlineMember(path=path + names, start=start, value=value, end=end))
        here = _match_end(_NOTHING, text, end)
        if text[here] == ",":
            here = _match_end(_NOTHING, text, here + 1)
    return Inline(opener=opener, closer=here, members=tuple(members))


def _table_of(names: Key, double: bool, arrays: dict[Key, int]) -> Key:
    path: Key = ()
    for depth, name in enumerate(names):
        path = (*path, name)
        if double and depth == len(names) - 1:
            arrays[path] = arrays.get(path, 0) + 1
        if path in arrays:
            path = (*path, arrays[path] - 1)
    return path


def _key_at(text: str, offset: int) -> tuple[Key, int]:
    """A key, dotted or not, and where it ends."""
    names: list[str] = []
    while True:
        end = _match_end(_KEY_PART, text, offset)
        part = text[offset:end]
        names.append(tomllib.loads(f"k = {part}")["k"] if part[0] in "\"'" else part)
        dot = _match_end(_BLANKS, text, end)
        if text[dot] != ".":
            return tuple(names), end
        offset = _match_end(_BLANKS, text, dot + 1)


def _value_end(text: str, offset: int) -> int:
    if text[offset] in "\"'":
        return _match_end(_STRING_TOKEN, text, offset)
    if text[offset] not in "[{":
        return _match_end(_SCALAR, text, offset)
    depth = 0
    for match in _VALUE_TOKEN.finditer(text, offset):
        token = match.group()
        if token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
            if not depth:
                return match.end()
    return len(text)


def _match_end(pattern: re.Pattern[str], text: str, offset: int) -> int:
    match = pattern.match(text, offset)
    return match.end() if match else offset
