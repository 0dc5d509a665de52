"""JSON and JSONC: one entry put into a text or taken out of it by splicing; everything around stays byte for byte."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from desktop.clients.entry import EntryPath, Item, Origin, Step, WrongKindError, is_empty, nested, same
from desktop.clients.json_syntax import Container, JsonText, Member
from desktop.clients.source_text import LINE_END, indentation_at, line_end_of, place

__all__ = ["place_of", "put", "remove"]

_PLAIN_COLON: Final = re.compile(r"[ \t]*:[ \t]*")
_LINE_IS_OVER: Final = re.compile(r"[ \t]*[\r\n]")
_PLAIN_COMMA: Final = re.compile(r",[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How new text is to look: the manner of what stands around it."""

    line_end: str
    unit: str = "  "
    colon: str = ": "
    comma: str = ", "
    many_lines: bool = True
    indent: str = ""

    def written(self, value: Any, indent: str) -> str:
        if not self.many_lines:
            return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(self.comma, self.colon))
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", self.colon), indent=self.unit)
        return text.replace("\n", self.line_end + indent)

    def member(self, step: Step, value: Any, indent: str) -> str:
        text = self.written(value, indent)
        return text if isinstance(step, Item) else json.dumps(step, ensure_ascii=False) + self.colon + text


def put(text: str, path: EntryPath, value: Any, where: str, *, lenient: bool) -> tuple[str, Origin]:
    """The text with ``value`` at ``path``, and what stood there before.

    Raises:
        ClientFileError: It is not JSON.
        WrongKindError: A step of the path meets a value of another kind.
    """
    parsed = JsonText(text, where, lenient=lenient)
    manner = _Manner(line_end=line_end_of(text))
    if parsed.is_blank:
        return _put_into_blank(text, path, value, manner), Origin(created=len(path), source=text)
    at = parsed.root
    for depth, step in enumerate(path):
        if parsed.kind(at) == "n":
            end = at + len("null")
            new = manner.written(nested(path[depth:], value), manner.indent)
            return text[:at] + new + text[end:], Origin(created=len(path) - 1 - depth, source="null")
        if parsed.kind(at) != ("[" if isinstance(step, Item) else "{"):
            raise WrongKindError(depth)
        container = parsed.container(at)
        manner = _manner_of(parsed, container, manner)
        member = _find(parsed, container, step)
        if member is None:
            created = len(path) - 1 - depth
            source = None if container.members else text[container.opener : container.closer + 1]
            new = manner.member(step, nested(path[depth + 1 :], value), manner.indent)
            return _inserted(parsed, container, new, manner), Origin(created=created, source=source)
        if depth == len(path) - 1:
            return _replaced(parsed, path, member, value, manner, where, lenient=lenient), Origin()
        at = member.value
    return text, Origin()


def remove(text: str, path: EntryPath, where: str, origin: Origin, *, lenient: bool) -> str:
    """The text without what is at ``path``; parents that were made for it go too when nothing else is in them.

    Raises:
        ClientFileError: It is not JSON.
        WrongKindError: A step of the path meets a value of another kind.
    """
    text = _without(text, path, where, lenient=lenient)
    for length in range(len(path) - 1, len(path) - 1 - origin.created, -1):
        parsed = JsonText(text, where, lenient=lenient)
        found = _container_at(parsed, path[:length])
        if found is None or found.members or text[found.opener + 1 : found.closer].strip(" \t\r\n"):
            return text
        if length:
            text = _without(text, path[:length], where, lenient=lenient)
        else:
            return _without_root(text, found, origin)
    if origin.source is not None:
        parsed = JsonText(text, where, lenient=lenient)
        found = _container_at(parsed, path[: len(path) - 1 - origin.created])
        if found is not None and not found.members and _is_hollow(parsed, found, origin.source):
            return text[: found.opener] + origin.source + text[found.closer + 1 :]
    return text


def _put_into_blank(text: str, path: EntryPath, value: Any, manner: _Manner) -> str:
    new = manner.written(nested(path, value), "")
    if not text.strip(" \t\r\n"):
        return new + (text or manner.line_end)
    return text + ("" if text.endswith(("\n", "\r")) else manner.line_end) + new + manner.line_end


def _without_root(text: str, root: Container, origin: Origin) -> str:
    rest = text[: root.opener] + text[root.closer + 1 :]
    source = origin.source or ""
    return source if rest.strip(" \t\r\n") == source.strip(" \t\r\n") else rest


def _find(parsed: JsonText, container: Container, step: Step) -> Member | None:
    """The member that counts: the last one of several."""
    for member in reversed(container.members):
        if isinstance(step, str):
            if member.key == step:
                return member
        elif parsed.kind(member.value) == "{":
            value = parsed.value_at(member)
            if value.get(step.key) == step.value:
                return member
    return None


def _container_at(parsed: JsonText, path: EntryPath) -> Container | None:
    if parsed.is_blank or parsed.kind(parsed.root) not in "{[":
        return None
    container = parsed.container(parsed.root)
    for step in path:
        member = _find(parsed, container, step)
        if member is None or parsed.kind(member.value) not in "{[":
            return None
        container = parsed.container(member.value)
    return container


def _is_hollow(parsed: JsonText, container: Container, source: str) -> bool:
    inside = parsed.text[container.opener + 1 : container.closer]
    return not inside.strip(" \t\r\n") or inside.strip(" \t\r\n") == source[1:-1].strip(" \t\r\n")


def _manner_of(parsed: JsonText, container: Container, outer: _Manner) -> _Manner:
    """The manner for a new member of ``container``."""
    text, members = parsed.text, container.members
    if not members:
        inside = text[container.opener + 1 : container.closer]
        many = bool(LINE_END.search(inside)) or (not inside and outer.many_lines)
        own = outer.unit if container.opener == parsed.root else outer.indent + outer.unit
        return replace(outer, many_lines=many, indent=own)
    gaps = [parsed.bare[one.end : next_.start] for one, next_ in itertools.pairwise(members)]
    many = any(LINE_END.search(gap) for gap in [text[container.opener + 1 : members[0].start], *gaps])
    last = members[-1]
    colon = parsed.bare[last.key_end : last.value]
    manner = replace(outer, many_lines=many)
    if last.key is not None and _PLAIN_COLON.fullmatch(colon):
        manner = replace(manner, colon=colon, comma=", " if colon.endswith(" ") else ",")
    if gaps and _PLAIN_COMMA.fullmatch(gaps[-1]) and not many:
        manner = replace(manner, comma=gaps[-1])
    if many:
        indents = [indentation_at(text, member.start) for member in reversed(members)]
        indent = next((indent for indent in indents if indent is not None), outer.indent + outer.unit)
        before = "" if container.opener == parsed.root else outer.indent
        if indent.startswith(before) and len(indent) > len(before):
            manner = replace(manner, unit=indent[len(before) :])
        manner = replace(manner, indent=indent)
    return manner


def _inserted(parsed: JsonText, container: Container, new: str, manner: _Manner) -> str:
    text, members = parsed.text, container.members
    at = parsed.content_end(container)
    trailing = parsed.comma_after(members[-1].end) if members else None
    comma_at = members[-1].end if members and trailing is None else None
    alone = at == container.opener + 1
    if manner.many_lines or parsed.ends_line_comment(at):
        before, after = manner.line_end + manner.indent, ""
        if not members and not LINE_END.search(text[at : container.closer]):
            after = manner.line_end + manner.indent[: len(manner.indent) - len(manner.unit)]
        elif parsed.ends_line_comment(at) and not manner.many_lines:
            before = manner.line_end
    elif alone:
        before, after = text[at : container.closer], ""
    else:
        before, after = manner.comma[1:] if members else " ", ""
    new = before + new + ("," if trailing is not None else "") + after
    if comma_at is None:
        return text[:at] + new + text[at:]
    return text[:comma_at] + "," + text[comma_at:at] + new + text[at:]


def _replaced(
    parsed: JsonText, path: EntryPath, member: Member, value: Any, manner: _Manner, where: str, *, lenient: bool
) -> str:
    text = parsed.text
    old = parsed.value_at(member)
    if same(old, value):
        return text
    if isinstance(old, dict) and isinstance(value, dict) and old and value and not parsed.has_duplicates(member):
        for key in [key for key in old if key not in value]:
            text = _without(text, (*path, key), where, lenient=lenient)
        for key, new in value.items():
            if key not in old or not same(old[key], new):
                text, _ = put(text, (*path, key), new, where, lenient=lenient)
        return text
    source = text[member.value : member.end]
    if not is_empty(old) and isinstance(old, (dict, list)):
        manner = replace(manner, many_lines=bool(LINE_END.search(source)))
    indent = indentation_at(text, member.start)
    new_text = manner.written(value, manner.indent if indent is None else indent)
    return text[: member.value] + new_text + text[member.end :]


def _without(text: str, path: EntryPath, where: str, *, lenient: bool) -> str:
    """Take out every member that ``path`` names."""
    while True:
        parsed = JsonText(text, where, lenient=lenient)
        container = _container_at(parsed, path[:-1])
        member = None if container is None else _find(parsed, container, path[-1])
        if container is None or member is None:
            return text
        text = _cut(parsed, container, member)
        if member.key is None or [other.key for other in container.members].count(member.key) == 1:
            return text


def _cut(parsed: JsonText, container: Container, member: Member) -> str:
    text = parsed.text
    start = parsed.content_start(member.start)
    comma = parsed.comma_after(member.end)
    if len(container.members) == 1 and comma is None:
        inside = text[container.opener + 1 : member.start] + text[member.end : container.closer]
        if not inside.strip(" \t\r\n") and LINE_END.search(inside):
            return text[: container.opener + 1] + text[container.closer :]
    if comma is not None and len(container.members) > 1 and member is container.members[0]:
        following = container.members[1].start
        if not text[comma + 1 : following].strip(" \t\r\n"):
            return text[: member.start] + text[member.end : comma] + text[following:]
    rest = text[member.end :] if comma is None else text[member.end : comma] + text[comma + 1 :]
    if parsed.ends_line_comment(start) and not _LINE_IS_OVER.match(rest):
        start = member.start
    if comma is None and len(container.members) > 1:
        before = parsed.comma_before(member.start)
        return text[:before] + text[before + 1 : start] + rest
    return text[:start] + rest


def place_of(text: str, path: EntryPath, where: str, *, lenient: bool) -> tuple[int, int]:
    """1-based line and column of the value at ``path``."""
    parsed = JsonText(text, where, lenient=lenient)
    at = parsed.root
    for step in path:
        member = _find(parsed, parsed.container(at), step)
        if member is None:
            break
        at = member.value
    return place(text, at)
