"""A client's file as bytes: one entry read, put in or taken out, with every other byte left as it is.

Nothing here touches the disk. Each edit is made by splicing the text, and its result is then read by a parser that had no
part in it: what comes out must be the old data plus the entry (or less it), else the edit is refused.
"""

from __future__ import annotations

import contextlib
import enum
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from desktop.clients import json_edit
from desktop.clients.entry import (
    EntryPath,
    Item,
    Origin,
    WrongKindError,
    entry_at,
    is_empty,
    same,
    with_entry,
    without_entry,
)
from desktop.clients.json_syntax import JsonText, numbers_kept
from desktop.clients.source_text import LINE_END, SourceText, decode
from desktop.errors import ClientFileError

__all__ = [
    "Change",
    "EntryPath",
    "Format",
    "Item",
    "Origin",
    "entry_at",
    "plan_put",
    "plan_remove",
    "put",
    "read",
    "remove",
]

_HIDDEN: Final = "***"
_UNREADABLE: Final = object()


class Format(enum.Enum):
    """The format a client's file is read in by the client."""

    JSON = "json"
    JSONC = "jsonc"
    TOML = "toml"
    YAML = "yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an edit makes of a file.

    Attributes:
        before: The bytes it started from.
        after: The bytes that should stand there instead; the same when there is nothing to do.
        origin: What a later `plan_remove` needs to bring back what stood where the entry is now.
    """

    before: bytes
    after: bytes
    origin: Origin

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after

    def splice(self) -> tuple[int, bytes, bytes]:
        """Where the change starts, the bytes that go, and the bytes that come."""
        shorter = min(len(self.before), len(self.after))
        start = _common(self.before, self.after, shorter)
        tail = _common(self.before[::-1], self.after[::-1], shorter - start)
        return start, self.before[start : len(self.before) - tail], self.after[start : len(self.after) - tail]

    def diff(self, name: str, *, hide: Sequence[str] = ()) -> str:
        """The change as a unified diff, empty when there is none.

        Args:
            name: The file, as shown to the person.
            hide: Texts, such as a token, that are shown as ``***``.
        """
        old, new = (data.decode("utf-8", "backslashreplace") for data in (self.before, self.after))
        for secret in filter(None, hide):
            old, new = old.replace(secret, _HIDDEN), new.replace(secret, _HIDDEN)
        return _unified(_lines(old), _lines(new), name)


def read(data: bytes, format: Format, where: str = "") -> Any:
    """The data of a file; an empty or blank one has an empty map.

    Raises:
        ClientFileError: It is not UTF-8 text of this format, with line and column.
    """
    source = decode(data, where)
    if format in {Format.JSON, Format.JSONC}:
        return JsonText(source.text, where, lenient=format is Format.JSONC).plain()
    value = _value(source.text, format, where)
    return {} if value is None else value


def put(data: bytes, format: Format, path: EntryPath, value: Any, where: str = "") -> bytes:
    """The bytes with ``value`` at ``path``; see `plan_put`."""
    return plan_put(data, format, path, value, where).after


def remove(data: bytes, format: Format, path: EntryPath, where: str = "", origin: Origin | None = None) -> bytes:
    """The bytes without the entry at ``path``; see `plan_remove`."""
    return plan_remove(data, format, path, where, origin).after


def plan_put(data: bytes, format: Format, path: EntryPath, value: Any, where: str = "") -> Change:
    """Put an entry in, or change the values inside of the one that is there; missing parents are made.

    Args:
        data: The file's bytes; empty for a file that isn't there.
        format: How the client reads it.
        path: Where the entry goes: keys of maps, and an `Item` for the member of a list.
        value: The entry: maps with text keys, lists, texts, numbers, true and false.
        where: The file, for errors.

    Raises:
        ClientFileError: The file can't be understood, holds something else where the entry goes, or is written in a way
            that can't be edited without losing something.
    """
    with _depth_limited(where):
        return _plan_put(data, format, path, value, where)


def _plan_put(data: bytes, format: Format, path: EntryPath, value: Any, where: str) -> Change:
    source = decode(data, where)
    old = _value(source.text, format, where)
    wished = _wished(old, path, value, source, format, where)
    if old is not None and same(old, wished):
        return Change(before=data, after=data, origin=Origin())
    try:
        text, origin = _put(source.text, format, path, value, where)
    except ClientFileError as error:  # a step in between made no sense any more
        raise _refusal(where) from error
    return Change(before=data, after=_checked(source, text, format, [wished], where), origin=origin)


def plan_remove(data: bytes, format: Format, path: EntryPath, where: str = "", origin: Origin | None = None) -> Change:
    """Take an entry out, and with ``origin`` also what was made for it, where nothing else has come into it.

    Raises:
        ClientFileError: As `plan_put`.
    """
    with _depth_limited(where):
        return _plan_remove(data, format, path, where, origin or Origin())


def _plan_remove(data: bytes, format: Format, path: EntryPath, where: str, origin: Origin) -> Change:
    source = decode(data, where)
    old = _value(source.text, format, where)
    try:
        left = without_entry(old, path)
    except WrongKindError:
        return Change(before=data, after=data, origin=origin)
    if same(old, left):
        return Change(before=data, after=data, origin=origin)
    try:
        text = _remove(source.text, format, path, where, origin)
    except ClientFileError as error:
        raise _refusal(where) from error
    after = _checked(source, text, format, _allowed_without(left, path, origin, format), where)
    return Change(before=data, after=after, origin=origin)


@contextlib.contextmanager
def _depth_limited(where: str) -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise ClientFileError(where, "it is nested too deeply", line=1, column=1) from error


def _value(text: str, format: Format, where: str) -> Any:
    """The data as the independent parser reads it; None for a blank document."""
    if format is Format.TOML:
        from desktop.clients import toml_edit

        return toml_edit.parse(text, where)
    if format is Format.YAML:
        from desktop.clients import yaml_splice

        return yaml_splice.parse(text, where)
    return JsonText(text, where, lenient=format is Format.JSONC).data


def _put(text: str, format: Format, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    if format is Format.TOML:
        from desktop.clients import toml_edit

        return toml_edit.put(text, path, value, where)
    if format is Format.YAML:
        from desktop.clients import yaml_splice

        return yaml_splice.put(text, path, value, where)
    return json_edit.put(text, path, value, where, lenient=format is Format.JSONC)


def _remove(text: str, format: Format, path: EntryPath, where: str, origin: Origin) -> str:
    if format is Format.TOML:
        from desktop.clients import toml_edit

        return toml_edit.remove(text, path, where, origin)
    if format is Format.YAML:
        from desktop.clients import yaml_splice

        return yaml_splice.remove(text, path, where, origin)
    return json_edit.remove(text, path, where, origin, lenient=format is Format.JSONC)


def _wished(old: Any, path: EntryPath, value: Any, source: SourceText, format: Format, where: str) -> Any:
    if format in {Format.JSON, Format.JSONC}:
        value = numbers_kept(json.dumps(value, allow_nan=False))
    try:
        return with_entry(old, path, value)
    except WrongKindError as error:
        wanted = "a list" if isinstance(path[error.depth], Item) else "a map"
        line, column = _place_of(source.text, format, path[: error.depth], where)
        what = f"the value of '{_shown(path[: error.depth])}'" if error.depth else "its content"
        hint = "Correct it or take it out, then try again."
        raise ClientFileError(where, f"{what} should be {wanted}", line=line, column=column, hint=hint) from error


def _checked(source: SourceText, text: str, format: Format, wished: Sequence[Any], where: str) -> bytes:
    try:
        got = _value(text, format, where)
    except ClientFileError:
        got = _UNREADABLE
    if not any(same(got, data) for data in wished):
        raise _refusal(where)
    return source.encode(text)


def _refusal(where: str) -> ClientFileError:
    reason = "it is written in a way that can't be edited without losing something"
    return ClientFileError(where, reason, hint="Change it by hand; nothing was written.")


def _allowed_without(left: Any, path: EntryPath, origin: Origin, format: Format) -> list[Any]:
    """What may remain: the data without the entry, and without parents of it that were made for it and are empty.

    In TOML a parent is often there only through what is below it, and goes with that.
    """
    allowed = [left]
    created = len(path) - 1 if format is Format.TOML else origin.created
    for length in range(len(path) - 1, len(path) - 1 - created, -1):
        if not is_empty(entry_at(left, path[:length])):
            return allowed
        left = without_entry(left, path[:length]) if length else None
        allowed.append(left)
    above = path[: max(len(path) - 1 - origin.created, 0)]
    if origin.source is not None and is_empty(entry_at(left, above)):
        allowed.append(with_entry(left, above, None))
    return allowed


def _place_of(text: str, format: Format, path: EntryPath, where: str) -> tuple[int, int]:
    if format is Format.TOML:
        from desktop.clients import toml_edit

        return toml_edit.place_of(text, path, where)
    if format is Format.YAML:
        from desktop.clients import yaml_splice

        return yaml_splice.place_of(text, path, where)
    return json_edit.place_of(text, path, where, lenient=format is Format.JSONC)


def _shown(path: EntryPath) -> str:
    return ".".join(step.value if isinstance(step, Item) else step for step in path)


def _common(one: bytes, other: bytes, limit: int) -> int:
    """How many bytes both start with."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _lines(text: str) -> list[str]:
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def _unified(old: list[str], new: list[str], name: str) -> str:
    """Only the part that differs is compared: the files can be megabytes long."""
    import difflib  # here: only what is shown needs it

    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    head, tail = max(head - 3, 0), max(tail - 3, 0)
    lines = difflib.unified_diff(
        [""] * head + old[head : len(old) - tail], [""] * head + new[head : len(new) - tail], name, name, lineterm=""
    )
    return "\n".join(lines)
