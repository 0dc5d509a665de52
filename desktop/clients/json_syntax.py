"""JSON as clients' files have it, with or without comments and trailing commas: its data, and where each part stands.

Comments and trailing commas are overwritten by blanks first. What remains is strict JSON of the same length, which the
standard library judges; the places found in it are those of the original.
"""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from desktop.clients.source_text import fault
from desktop.errors import ClientFileError

__all__ = ["Container", "JsonText", "Member", "numbers_kept"]

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
_COMMA: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|,(?=[ \t\r\n]*[}\]])', re.DOTALL)
_BRACKET: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_CONSTANT: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN', re.DOTALL)
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR: Final = re.compile(r"[^ \t\r\n,\]}]+")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_NOT_LINE_END: Final = re.compile(r"[^\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a map or a list; ``key`` is None in a list, where it starts with its value."""

    key: str | None
    start: int
    key_end: int
    value: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A map or a list: its brackets and what is between them."""

    opener: int
    closer: int
    members: tuple[Member, ...]


class JsonText:
    """A JSON text and its parts.

    Args:
        text: The text, without a byte order mark.
        where: The file, for errors.
        lenient: Whether comments and trailing commas are allowed (JSONC).

    Raises:
        ClientFileError: It is not JSON, with line and column.
    """

    def __init__(self, text: str, where: str, *, lenient: bool) -> None:
        self.text = text
        self._where = where
        self.comments: list[tuple[int, int]] = []
        self.bare = self._without_comments() if lenient else text
        self._strict = _without_trailing_commas(self.bare) if lenient else text
        self.root = self._after_blanks(0)
        self.is_blank = self.root == len(text)
        self._lenient = lenient
        self.data = None if self.is_blank else self._judge()

    def plain(self) -> Any:
        """The data as the standard library gives it; a blank text is an empty map."""
        return {} if self.is_blank else json.loads(self._strict, parse_int=_integer)

    def container(self, opener: int) -> Container:
        """The map or list that opens at ``opener``."""
        strict = self._strict
        members: list[Member] = []
        here = self._after_blanks(opener + 1)
        while strict[here] not in "}]":
            start, key = here, None
            key_end = value = here
            if strict[opener] == "{":
                key_end = _string_end(strict, here)
                key = json.loads(strict[here:key_end])
                value = self._after_blanks(self._after_blanks(key_end) + 1)
            end = self._value_end(value)
            members.append(Member(key=key, start=start, key_end=key_end, value=value, end=end))
            here = self._after_blanks(end)
            if strict[here] == ",":
                here = self._after_blanks(here + 1)
        return Container(opener=opener, closer=here, members=tuple(members))

    def kind(self, offset: int) -> str:
        """The first character of the value at ``offset``."""
        return self._strict[offset]

    def value_at(self, member: Member) -> Any:
        """A member's value."""
        return json.loads(self._strict[member.value : member.end], parse_int=_integer)

    def has_duplicates(self, member: Member) -> bool:
        """Whether some key inside of a member's value is written several times."""
        return _has_duplicates(numbers_kept(self._strict[member.value : member.end]))

    def content_end(self, container: Container) -> int:
        """Where the last thing before the closing bracket ends, comments included."""
        end = container.closer
        while self.text[end - 1] in " \t\r\n":
            end -= 1
        comment = self._line_comment_around(end)
        return comment if comment is not None else end

    def content_start(self, offset: int) -> int:
        """Where the thing before ``offset`` ends: `offset` less the blanks before it."""
        start = offset
        while start and self.text[start - 1] in " \t\r\n":
            start -= 1
        comment = self._line_comment_around(start)
        return comment if comment is not None else start

    def ends_line_comment(self, offset: int) -> bool:
        """Whether a comment that lasts to the end of its line ends at ``offset``."""
        return self._line_comment_around(offset) is not None

    def comma_after(self, offset: int) -> int | None:
        """The comma that follows a value, over blanks and comments."""
        found = self._after_blanks(offset, self.bare)
        return found if found < len(self.bare) and self.bare[found] == "," else None

    def comma_before(self, offset: int) -> int:
        """The comma before a member."""
        return self.bare.rindex(",", 0, offset)

    def _without_comments(self) -> str:
        pieces: list[str] = []
        done = 0
        for match in _TOKEN.finditer(self.text):
            start, end = match.span()
            if self.text[start] == '"':
                continue
            self.comments.append((start, end))
            pieces += [self.text[done:start], _NOT_LINE_END.sub(" ", match.group())]
            done = end
        return "".join([*pieces, self.text[done:]])

    def _judge(self) -> Any:
        try:
            return numbers_kept(self._strict)
        except json.JSONDecodeError as error:
            raise self._fault(error) from error
        except RecursionError as error:
            raise fault(self.text, self.root, self._where, "it is nested too deeply") from error

    def _fault(self, error: json.JSONDecodeError) -> ClientFileError:
        at = error.pos
        two = self.text[at : at + 2]
        if two in {"//", "/*"}:
            if self._lenient:
                return fault(self.text, at, self._where, "this comment is not closed", "Close it with '*/'.")
            reason = "comments are not allowed here, the client could not read the file"
            return fault(self.text, at, self._where, reason, "Take the comment out.")
        comma = self.content_start(at) - 1 if two[:1] in {"}", "]"} else at  # Python before 3.13 points behind it
        if self.text[comma : comma + 1] == ",":
            reason = "a comma too many, the client could not read the file"
            return fault(self.text, comma, self._where, reason, "Take the comma out.")
        words = error.msg if error.msg.startswith(("NaN", "Infinity")) else error.msg[:1].lower() + error.msg[1:]
        reason = f"this is not valid JSON ({words})"
        return fault(self.text, at, self._where, reason, "Correct it there and try again.")

    def _line_comment_around(self, offset: int) -> int | None:
        found = bisect.bisect_left(self.comments, (offset, 0)) - 1
        if found < 0:
            return None
        start, end = self.comments[found]
        return end if start < offset <= end and self.text.startswith("//", start) else None

    def _after_blanks(self, offset: int, text: str | None = None) -> int:
        match = _BLANKS.match(self._strict if text is None else text, offset)
        return match.end() if match else offset

    def _value_end(self, offset: int) -> int:
        strict = self._strict
        first = strict[offset]
        if first == '"':
            return _string_end(strict, offset)
        if first not in "[{":
            scalar = _SCALAR.match(strict, offset)
            return scalar.end() if scalar else offset
        depth = 0
        for match in _BRACKET.finditer(strict, offset):
            character = strict[match.start()]
            if character in "[{":
                depth += 1
            elif character in "]}":
                depth -= 1
                if not depth:
                    return match.end()
        return len(strict)


def numbers_kept(text: str) -> Any:
    """The data of strict JSON: numbers in their own spelling, and a key written several times once for each time.

    Raises:
        json.JSONDecodeError: It is not JSON.
    """

    def refuse(name: str) -> Any:
        at = next(match.start() for match in _CONSTANT.finditer(text) if match.group() == name)
        raise json.JSONDecodeError(f"{name} is not a value", text, at)

    return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=refuse, object_pairs_hook=_map_of)


class _Number(str):
    """A number as it is written, so that 1e400 and long ones stay what they are."""

    __slots__ = ()


def _integer(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:  # more digits than Python turns into an integer
        return float(text)


def _map_of(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    times: dict[str, int] = {}
    for key, value in pairs:
        times[key] = times.get(key, 0) + 1
        if key in found:
            found[key, times[key]] = found.pop(key)
        found[key] = value
    return found


def _has_duplicates(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(key, tuple) or _has_duplicates(below) for key, below in value.items())
    return isinstance(value, list) and any(map(_has_duplicates, value))


def _string_end(text: str, offset: int) -> int:
    match = _STRING.match(text, offset)
    return match.end() if match else len(text)


def _without_trailing_commas(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for match in _COMMA.finditer(text):
        start = match.start()
        if text[start] == '"' or _before(text, start) in "[{,:":
            continue
        pieces += [text[done:start], " "]
        done = start + 1
    return "".join([*pieces, text[done:]])


def _before(text: str, offset: int) -> str:
    while offset and text[offset - 1] in " \t\r\n":
        offset -= 1
    return text[offset - 1 : offset]
