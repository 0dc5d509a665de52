"""TOML: one entry put into a text as a table of its own at the end, or taken out of it, wherever it stands."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

from desktop.clients.entry import EntryPath, Item, Origin, WrongKindError, entry_at, is_empty, nested, position, same
from desktop.clients.source_text import fault, line_end_of, place
from desktop.clients.toml_syntax import Inline, InlineMember, Key, Statement, inline_at, statements
from desktop.clients.toml_written import dotted, key, written
from desktop.errors import ClientFileError

__all__ = ["parse", "place_of", "put", "remove"]

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse(text: str, where: str) -> Any:
    """The data of a TOML text.

    Raises:
        ClientFileError: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also an integer of thousands of digits
        said = str(error)
        found = _PLACE.search(said)
        words = said[: found.start()] if found else said
        reason = f"this is not valid TOML ({words[:1].lower()}{words[1:]})"
        if found is None or found.group(1) is None:
            raise fault(text, len(text), where, reason) from error
        # tomllib counts lines by line feeds alone, and so does this
        line, column = int(found.group(1)), int(found.group(2))
        raise ClientFileError(where, reason, line=line, column=column) from error
    except RecursionError as error:
        raise ClientFileError(where, "it is nested too deeply", line=1, column=1) from error


def put(text: str, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    """The text with ``value`` at ``path``, and what stood there before.

    Raises:
        ClientFileError: It is not TOML.
    """
    data = parse(text, where)
    known = _known(data, path)
    if len(known) == len(path):
        return _change(text, path, known, entry_at(data, path), value, where), Origin()
    depth = len(known)
    below = nested(path[depth + 1 :], value)
    found = _inline(text, known)
    created = len(path) - 1 - depth
    if found is not None:
        source = None if found.members else text[found.opener : found.closer + 1]
        return _put_inline(text, found, path[depth], below), Origin(created=created, source=source)
    if isinstance(value, dict):
        return _put_block(text, known, path[depth:], value), Origin(created=created)
    if created and isinstance(path[-1], str) and isinstance(path[-2], str):
        return _put_block(text, known, path[depth:-1], {path[-1]: value}), Origin(created=created)
    has_lines = _last_line_of(text, known) is not None
    return _put_pair(text, known, path[depth], below), Origin(created=created, source=None if has_lines else "")


def remove(text: str, path: EntryPath, where: str, origin: Origin) -> str:
    """The text without what is at ``path``; parents that were made for it go too when nothing else is in them.

    Raises:
        ClientFileError: It is not TOML.
    """
    text = _without(text, _known(parse(text, where), path))
    for length in range(len(path) - 1, len(path) - 1 - origin.created, -1):
        data = parse(text, where)
        known = _known(data, path[:length])
        if len(known) == length:
            if not is_empty(entry_at(data, path[:length])):
                return text
            text = _without(text, known)
    if origin.source is not None:
        above = path[: len(path) - 1 - origin.created]
        known = _known(parse(text, where), above)
        if not origin.source:
            return _without_bare_header(text, known)
        found = _inline(text, known) if len(known) == len(above) else None
        if found is not None and not found.members and not text[found.opener + 1 : found.closer].strip():
            return text[: found.opener] + origin.source + text[found.closer + 1 :]
    return text


def place_of(text: str, path: EntryPath, where: str) -> tuple[int, int]:
    """1-based line and column of the value at ``path``."""
    known = _known(parse(text, where), path)
    for statement in statements(text):
        if statement.path[: len(known)] == known:
            return place(text, statement.line)
        if not statement.is_header and known[: len(statement.path)] == statement.path:
            return place(text, statement.value)
    return 1, 1


def _known(data: Any, path: EntryPath) -> Key:
    """As much of the path as the data has, with members of lists by number."""
    known: list[str | int] = []
    for step in path:
        if not isinstance(data, dict if isinstance(step, str) else list):
            raise WrongKindError(len(known))
        where = position(data, step)
        if where is None:
            break
        known.append(where)
        data = data[where]
    return tuple(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A value inside of an inline table or array: the container and which member it is."""

    container: Inline
    index: int

    @property
    def member(self) -> InlineMember:
        return self.container.members[self.index]


def _inline(text: str, path: Key) -> Inline | None:
    """The inline table or array that stands for ``path``."""
    found = _value_of(text, path)
    start = None if found is None else found.value if isinstance(found, Statement) else found.member.value
    return inline_at(text, start, path) if start is not None and text[start] in "[{" else None


def _value_of(text: str, path: Key) -> Statement | _Spot | None:
    """Where the value for ``path`` is written as one value."""
    for statement in statements(text):
        if not statement.is_header and path[: len(statement.path)] == statement.path:
            return statement if path == statement.path else _spot(text, statement.value, statement.path, path)
    return None


def _spot(text: str, opener: int, above: Key, path: Key) -> _Spot | None:
    if text[opener] not in "[{":
        return None
    container = inline_at(text, opener, above)
    for index, member in enumerate(container.members):
        if path[: len(member.path)] == member.path:
            if path == member.path:
                return _Spot(container=container, index=index)
            return _spot(text, member.value, member.path, path)
    return None


def _change(text: str, path: EntryPath, known: Key, old: Any, value: Any, where: str) -> str:
    if isinstance(old, dict) and isinstance(value, dict) and value:
        for name in [name for name in old if name not in value]:
            text = _without(text, (*known, name))
        for name, new in value.items():
            if name not in old:
                found = _inline(text, known)
                text = _put_inline(text, found, name, new) if found else _put_pair(text, known, name, new)
            elif not same(old[name], new):
                text = _change(text, (*path, name), (*known, name), old[name], new, where)
        return text
    found_value = _value_of(text, known)
    if found_value is None:
        text = _without(text, known)
        return put(text, path, value, where)[0]
    at = found_value if isinstance(found_value, Statement) else found_value.member
    return text[: at.value] + written(value) + text[at.end :]


def _put_block(text: str, known: Key, steps: EntryPath, value: dict[str, Any]) -> str:
    """A table of its own at the end: nothing else moves, and it can't get between others."""
    end = line_end_of(text)
    *above, last = steps
    names = [part for part in (*known, *above) if isinstance(part, str)]
    header = f"[[{dotted(names)}]]" if isinstance(last, Item) else f"[{dotted([*names, last])}]"
    lines = [header, *(f"{key(name)} = {written(below)}" for name, below in value.items())]
    return _appended(text, "" if not text else end, end.join(lines), end)


def _appended(text: str, before: str, block: str, end: str) -> str:
    if text and not text.endswith("\n"):
        return text + end + before + block
    return text + before + block + end


def _put_pair(text: str, known: Key, step: Any, value: Any) -> str:
    """A line more in the table ``known``, or a table of its own where it has no lines yet."""
    end = line_end_of(text)
    spot = _last_line_of(text, known)
    if spot is not None:
        names = [part for part in known[len(spot[0]) :] if isinstance(part, str)]
        return _after_line(text, spot[1], f"{dotted([*names, str(step)])} = {written(value)}", end)
    pair = f"{key(str(step))} = {written(value)}"
    if not known:
        return pair + end + text if statements(text) else _appended(text, "", pair, end)
    names = [part for part in known if isinstance(part, str)]
    return _appended(text, end if text else "", f"[{dotted(names)}]{end}{pair}", end)


def _last_line_of(text: str, known: Key) -> tuple[Key, Statement] | None:
    """The last statement of a table, and the table that its line is in."""
    table: Key = ()
    spot = None
    for statement in statements(text):
        if statement.is_header:
            table = statement.path
        inside = known[: len(table)] == table and statement.path[: len(known)] == known
        if inside and (table == known or not statement.is_header):
            spot = table, statement
    return spot


def _after_line(text: str, statement: Statement, pair: str, end: str) -> str:
    pair = statement.indent(text) + pair
    at = statement.line_end
    if text[:at].endswith("\n"):
        return text[:at] + pair + end + text[at:]
    return text[:at] + end + pair + text[at:]


def _put_inline(text: str, container: Inline, step: Any, value: Any) -> str:
    new = written(value) if isinstance(step, Item) else f"{key(step)} = {written(value)}"
    if container.members:
        at = container.members[-1].end
        return f"{text[:at]}, {new}{text[at:]}"
    pad = " " if text[container.opener] == "{" else ""
    inside = text[container.opener + 1 : container.closer]
    if inside.strip():
        return text[: container.closer] + new + text[container.closer :]
    return text[: container.opener + 1] + pad + new + pad + text[container.closer :]


def _without(text: str, path: Key) -> str:
    """The text without everything that is said about ``path``."""
    spot = _value_of(text, path)
    if isinstance(spot, _Spot):
        return _cut(text, spot)
    cuts: list[tuple[int, int]] = []
    covered = 0
    all_ = statements(text)
    for index, statement in enumerate(all_):
        if statement.path[: len(path)] != path or statement.line < covered:
            continue
        last = statement
        if statement.is_header:
            block = all_[index + 1 : next((n for n in range(index + 1, len(all_)) if all_[n].is_header), len(all_))]
            last = block[-1] if block else last
        covered = last.line_end
        cuts.append(_lines_of(text, statement, last))
    for start, end in reversed(cuts):
        text = text[:start] + text[end:]
    return text


def _without_bare_header(text: str, path: Key) -> str:
    """The text without a header that has no lines below it; its table may still be there through others."""
    all_ = statements(text)
    for statement, following in itertools.zip_longest(all_, all_[1:]):
        if statement.is_header and statement.path == path and (following is None or following.is_header):
            start, end = _lines_of(text, statement, statement)
            return text[:start] + text[end:]
    return text


def _lines_of(text: str, first: Statement, last: Statement) -> tuple[int, int]:
    """Whole lines, and with a table the blank line before it."""
    start = _before_blank_line(text, first.line) if first.is_header else first.line
    if last.line_end == len(text) and not text.endswith("\n"):
        start = _before_line_end(text, start)
    return start, last.line_end


def _cut(text: str, spot: _Spot) -> str:
    members, member = spot.container.members, spot.member
    if len(members) == 1:
        inside = text[spot.container.opener + 1 : member.start] + text[member.end : spot.container.closer]
        if not inside.strip():
            return text[: spot.container.opener + 1] + text[spot.container.closer :]
        return text[: member.start] + text[member.end :]
    one, other = (members[spot.index - 1], member) if spot.index else (member, members[1])
    comma = _comma(text, one.end, other.start)
    alone = not (text[one.end : comma] + text[comma + 1 : other.start]).strip()  # nothing but the comma between them
    if alone:
        return text[: one.end] + text[member.end :] if spot.index else text[: member.start] + text[other.start :]
    if spot.index:
        return text[:comma] + text[comma + 1 : member.start] + text[member.end :]
    return text[: member.start] + text[member.end : comma] + text[comma + 1 :]


def _comma(text: str, start: int, end: int) -> int:
    """The comma between two members, not one in a comment."""
    while text[start:end]:
        if text[start] == ",":
            return start
        start = text.find("\n", start, end) if text[start] == "#" else start + 1
    return end


def _before_blank_line(text: str, start: int) -> int:
    above = _before_line_end(text, start)
    return above if above == 0 or text[above - 1] == "\n" else start


def _before_line_end(text: str, start: int) -> int:
    if text[:start].endswith("\r\n"):
        return start - 2
    return start - 1 if text[:start].endswith("\n") else start
