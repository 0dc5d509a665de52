"""YAML: one entry put into a text or taken out of it by splicing whole lines, or words within brackets."""

from __future__ import annotations

from typing import Any, Final

import yaml

from desktop.clients.entry import EntryPath, Origin, WrongKindError, entry_at, nested, same
from desktop.clients.source_text import line_end_of, place
from desktop.clients.yaml_cut import cut
from desktop.clients.yaml_syntax import (
    Collection,
    OddShapeError,
    after_colon,
    compose,
    content_end,
    find,
    is_alias,
    is_null,
    key_of,
    line_after,
    line_start,
    members,
    next_line,
    placed,
    start,
    takes,
    value_of,
)
from desktop.clients.yaml_written import block, flow
from desktop.errors import ClientFileError, StateFileError
from desktop.state import yaml_text

__all__ = ["parse", "place_of", "put", "remove"]

_UNIT: Final = "  "


def parse(text: str, where: str) -> Any:
    """The data of a YAML text.

    Raises:
        ClientFileError: It is not one YAML document.
    """
    try:
        return yaml_text.parse(text, where)
    except StateFileError as error:
        raise placed(error, text, where) from error


def put(text: str, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    """The text with ``value`` at ``path``, and what stood there before.

    Raises:
        ClientFileError: It is not YAML, or written in a way that isn't handled.
        WrongKindError: A step of the path meets a value of another kind.
    """
    try:
        return _put(text, path, value, where)
    except OddShapeError as error:
        raise ClientFileError(where, "it is written in a way that isn't handled") from error


def remove(text: str, path: EntryPath, where: str, origin: Origin) -> str:
    """The text without what is at ``path``; parents that were made for it go too when nothing else is in them.

    Raises:
        ClientFileError: It is not YAML, or written in a way that isn't handled.
    """
    try:
        return cut(text, path, where, origin)
    except OddShapeError as error:
        raise ClientFileError(where, "it is written in a way that isn't handled") from error


def place_of(text: str, path: EntryPath, where: str) -> tuple[int, int]:
    """1-based line and column of the value at ``path``."""
    node = compose(text, where)
    for step in path:
        index = find(node, step) if isinstance(node, Collection) else None
        if not isinstance(node, Collection) or index is None:
            break
        node = value_of(members(node)[index])
    return (1, 1) if node is None else place(text, start(node))


def _put(text: str, path: EntryPath, value: Any, where: str) -> tuple[str, Origin]:
    end = line_end_of(text)
    node = compose(text, where)
    if node is None:
        return _put_into_blank(text, path, value, end), Origin(created=len(path), source=text)
    unit = _unit(node)
    parent: Collection | None = None
    member: Any = None
    for depth, step in enumerate(path):
        created = len(path) - 1 - depth
        below = nested(path[depth:], value)
        if is_null(node):
            return _open(text, parent, member, node, below, unit, end, created)
        if not isinstance(node, Collection) or not takes(node, step):
            raise WrongKindError(depth)
        if parent is not None and is_alias(parent, member):
            raise OddShapeError
        if not node.value and _opens_lines(text, parent, member, node):
            return _open(text, parent, member, node, below, unit, end, created)
        index = find(node, step)
        if index is None:
            source = None if node.value else text[start(node) : int(node.end_mark.index)]
            return _insert(text, node, below, unit, end), Origin(created=created, source=source)
        parent, member = node, members(node)[index]
        if not created:
            return _change(text, path, parent, member, value, where), Origin()
        node = value_of(member)
    return text, Origin()


def _put_into_blank(text: str, path: EntryPath, value: Any, end: str) -> str:
    new = end.join(block(nested(path, value), _UNIT))
    if not text.strip():
        return new + (text or end)
    return text + ("" if text.endswith(("\n", "\r")) else end) + new + end


def _opens_lines(text: str, parent: Collection | None, pair: Any, node: yaml.Node) -> bool:
    """Whether empty brackets can become lines: the whole document, or what is written behind a key."""
    if text[start(node) + 1 : int(node.end_mark.index) - 1].strip():
        return False
    if parent is None:
        return not text[line_start(text, start(node)) : start(node)]
    colon = after_colon(text, pair) if isinstance(pair, tuple) and not parent.flow_style else None
    return colon is not None and not text[colon : start(node)].strip(" \t")


def _open(
    text: str, parent: Collection | None, pair: Any, node: yaml.Node, value: Any, unit: str, end: str, created: int
) -> tuple[str, Origin]:
    """Make nothing, or empty brackets, to a map or list with its first member."""
    stop = int(node.end_mark.index)
    if parent is None:
        source = text[start(node) : stop]
        if source:
            new = text[: start(node)] + end.join(block(value, unit)) + text[stop:]
            return new, Origin(created=created, source=source)
        new = text + ("" if text.endswith(("\n", "\r")) else end) + end.join(block(value, unit)) + end
        return new, Origin(created=created + 1, source=text)
    if is_alias(parent, pair):
        raise OddShapeError
    if parent.flow_style or not isinstance(pair, tuple):
        source = text[start(node) : stop]
        written = flow(value) if source else f" {flow(value)}"
        return text[: start(node)] + written + text[stop:], Origin(created=created, source=source)
    colon = after_colon(text, pair)
    if colon is None:
        raise OddShapeError
    source = text[colon:stop] if stop > colon else ""
    text = text[:colon] + text[colon + len(source) :]
    indent = " " * (key_of(pair).start_mark.column) + unit
    return _put_lines(text, next_line(text, colon), block(value, unit), indent, end), Origin(
        created=created, source=source
    )


def _insert(text: str, node: Collection, value: Any, unit: str, end: str) -> str:
    """Add a member to a map or a list."""
    if node.flow_style or not node.value:
        quoted = isinstance(node, yaml.MappingNode) and bool(node.value) and node.value[0][0].style == '"'
        new = flow(value, quoted=quoted)[1:-1]
        if not node.value:
            at = int(node.end_mark.index) - 1
            return text[:at] + new + text[at:]
        at = content_end(text, value_of(members(node)[-1]))[0]
        if is_alias(node, members(node)[-1]):
            raise OddShapeError
        return f"{text[:at]}, {new}{text[at:]}"
    first = key_of(members(node)[0])
    column = first.start_mark.column if isinstance(node, yaml.MappingNode) else node.start_mark.column
    lines = block(value, unit)
    at = line_after(text, node)
    last_end, is_block = content_end(text, node)
    if is_block and last_end == len(text) and not text.endswith(("\n", "\r")):
        at = start(first) if isinstance(node, yaml.MappingNode) else start(node)
        return text[:at] + (end + " " * column).join([*lines, ""]) + text[at:]
    return _put_lines(text, at, lines, " " * column, end)


def _put_lines(text: str, at: int, lines: list[str], indent: str, end: str) -> str:
    new = end.join(indent + line for line in lines)
    if at == len(text) and text and not text.endswith(("\n", "\r")):
        return text + end + new
    return text[:at] + new + end + text[at:]


def _change(text: str, path: EntryPath, parent: Collection, member: Any, value: Any, where: str) -> str:
    old = entry_at(parse(text, where), path)
    if same(old, value):
        return text
    node = value_of(member)
    if isinstance(old, dict) and isinstance(value, dict) and old and value and not is_alias(parent, member):
        for name in [name for name in old if name not in value]:
            text = cut(text, (*path, name), where, Origin())
        for name, new in value.items():
            if name not in old or not same(old[name], new):
                text, _ = _put(text, (*path, name), new, where)
        return text
    stop, is_block = content_end(text, node)
    on_one_line = isinstance(node, yaml.ScalarNode) and not is_block and not is_alias(parent, member)
    if parent.flow_style or (on_one_line and not isinstance(value, (dict, list)) and stop > start(node)):
        if is_alias(parent, member) or stop == start(node):
            raise OddShapeError
        return text[: start(node)] + flow(value) + text[stop:]
    if is_alias(parent, member):
        raise OddShapeError
    end = line_end_of(text)
    whole = nested(path[-1:], value)
    lines = block(whole, _UNIT)
    first = key_of(member)
    column = first.start_mark.column if isinstance(member, tuple) else parent.start_mark.column
    at = start(first) if isinstance(member, tuple) else text.rindex("-", 0, start(first))
    new = (end + " " * column).join(lines)
    return text[:at] + new + (end if is_block and text[:stop].endswith(("\n", "\r")) else "") + text[stop:]


def _unit(node: yaml.Node) -> str:
    """The blanks a level is moved in by."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for name, below in node.value:
            if isinstance(below, yaml.MappingNode) and not below.flow_style and below.value:
                width = int(below.value[0][0].start_mark.column) - int(name.start_mark.column)
                if width > 0:
                    return " " * min(width, 8)
    return _UNIT
