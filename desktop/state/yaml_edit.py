"""Changes to a YAML text that leave every other byte alone: comments, order, quotes, indentation and line ends.

An edit replaces whole lines, or a piece of one in flow style, found through the positions of the parsed tree. Its result is
read back; where it isn't what was wanted (anchors, keys that share a line), ruamel.yaml's round trip does the edit instead.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from desktop.errors import StateFileError
from desktop.state import yaml_text
from desktop.state.yaml_flow import edit_flow

__all__ = ["REMOVED", "Change", "differences", "edit"]


class _Removed:
    """The value of a key that is to go."""

    def __repr__(self) -> str:
        return "REMOVED"


REMOVED: Final = _Removed()


@dataclass(frozen=True, slots=True)
class Change:
    """Set the key at the end of ``path`` (maps are made on the way), or take it away when the value is `REMOVED`.

    A number in the path is an item of a list that is there; the number after the last one adds an item.
    """

    path: tuple[str | int, ...]
    value: Any


def differences(old: dict[str, Any], new: dict[str, Any], path: tuple[str | int, ...]) -> list[Change]:
    """The smallest changes below ``path`` that make ``old`` to ``new``."""
    changes = [Change((*path, key), REMOVED) for key in old if key not in new]
    for key, value in new.items():
        before = old.get(key, REMOVED)
        if isinstance(before, dict) and before and isinstance(value, dict) and value:
            changes += differences(before, value, (*path, key))
        elif not _same(before, value):
            changes.append(Change((*path, key), value))
    return changes


def edit(text: str, changes: Sequence[Change], where: str) -> str:
    """The text with the changes made in order; the same text when they change nothing.

    Raises:
        StateFileError: The text is not YAML, or not a map where a change needs one.
    """
    data = yaml_text.parse(text, where) if changes else None
    for change in changes:
        wanted = _applied(copy.deepcopy(data), change, where)
        if not _same(data, wanted):
            text, data = _edited(text, change, wanted, where), wanted
    return text


def _edited(text: str, change: Change, wanted: Any, where: str) -> str:
    """Try the ways that keep most first; what they make is read back."""
    for depth in range(len(change.path), 0, -1):
        path = change.path[:depth]
        attempt = change if depth == len(change.path) else Change(path, _at(wanted, path))
        for way in (_edit_lines, _round_trip):
            edited = way(text, attempt, where)
            if edited is not None and _reads_as(edited, wanted, where):
                return edited
    raise StateFileError(where, "it is written in a way that can't be edited without losing something")


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        is_there = key in data if isinstance(data, dict) else isinstance(key, int) and key < len(data)
        if not is_there:
            return REMOVED
        data = data[key]
    return data


def _reads_as(text: str, wanted: Any, where: str) -> bool:
    try:
        return _same(yaml_text.parse(text, where), wanted)
    except StateFileError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Equality that tells 1, 1.0 and true apart."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) or (one != one and other != other)  # the latter: not a number


def _applied(data: Any, change: Change, where: str) -> Any:
    root = {} if data is None else data
    here = root
    for depth, key in enumerate(change.path):
        if isinstance(key, int):
            here = _checked_list(here, change.path[: depth + 1], where)
        elif not isinstance(here, dict):
            raise StateFileError(where, f"'{_shown(change.path[:depth]) or 'the document'}' should be a map")
        if depth == len(change.path) - 1:
            _put(here, key, change.value)
        else:
            if _item(here, key) is None:
                if change.value is REMOVED:
                    return data
                _put(here, key, {})
            here = here[key]
    return root


def _checked_list(here: Any, path: tuple[str | int, ...], where: str) -> Any:
    if not isinstance(here, list) or not isinstance(path[-1], int) or not 0 <= path[-1] <= len(here):
        raise StateFileError(where, f"'{_shown(path[:-1])}' should be a list with {path[-1]} items at least")
    return here


def _item(here: Any, key: str | int) -> Any:
    if isinstance(key, int):
        return here[key] if key < len(here) else None
    return here.get(key)


def _put(here: Any, key: str | int, value: Any) -> None:
    if isinstance(key, int):
        here[key : key + 1] = [] if value is REMOVED else [value]
    elif value is not REMOVED:
        here[key] = value
    else:
        here.pop(key, None)


def _shown(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


def _edit_lines(text: str, change: Change, where: str) -> str | None:
    """The edit by lines, or None where the text's shape doesn't allow it."""
    root = yaml_text.compose(text, where)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += _newline(lines)
    if root is None or (isinstance(root, yaml.ScalarNode) and root.value == "" and _is_hollow(root)):
        end = next((number for number, line in enumerate(lines) if line.startswith("...")), len(lines))
        return "".join(lines[:end] + _block(change.path, change.value, 0, lines) + lines[end:])
    here = root
    for depth, key in enumerate(change.path):
        if isinstance(key, int):
            if not isinstance(here, yaml.SequenceNode) or depth == len(change.path) - 1 or key >= len(here.value):
                return None
            here = here.value[key]
            continue
        if not isinstance(here, yaml.MappingNode) or not here.value:
            return None
        if here.flow_style:
            keys = [key for key in change.path[depth:] if isinstance(key, str)]
            value = None if change.value is REMOVED else (change.value,)
            return edit_flow(text, here, keys, value) if len(keys) == len(change.path) - depth else None
        column = _column_of(here.value[0][0], lines)
        pair = next((pair for pair in here.value if pair[0].value == key), None)
        if pair is None:
            if change.value is REMOVED:
                return None
            position = _last_line(here) + 1
            lines[position:position] = _block(change.path[depth:], change.value, column, lines)
            return "".join(lines)
        if depth == len(change.path) - 1 or _is_hollow(pair[1]):
            return _replace_entry(lines, here, pair, change, depth)
        here = pair[1]
    return None


def _replace_entry(
    lines: list[str], parent: yaml.MappingNode, pair: tuple[yaml.Node, yaml.Node], change: Change, depth: int
) -> str | None:
    start, end, column = pair[0].start_mark.line, _last_line(pair[1], pair[0]), _column_of(pair[0], lines)
    if lines[start][:column].strip():
        return None
    block: list[str] = []
    if change.value is not REMOVED:
        block = _block(change.path[depth:], change.value, column, lines)
        block[0] = _with_comment_of(lines, pair, block[0])
    elif len(parent.value) == 1:
        if depth:  # the map has to stay a map when its only entry goes
            above = next(number for number in range(start - 1, -1, -1) if _is_content(lines[number]))
            lines[above] = lines[above].rstrip() + " {}" + _newline(lines)
        elif not any(map(_is_content, lines[:start] + lines[end + 1 :])):
            lines[end + 1 : end + 1] = ["{}" + _newline(lines)]
    lines[start : end + 1] = block
    return "".join(lines)


def _with_comment_of(lines: list[str], pair: tuple[yaml.Node, yaml.Node], first: str) -> str:
    key, value = pair
    if value.end_mark.line != key.start_mark.line or first.rstrip().endswith(("|", "|-", "|+")):
        return first
    rest = lines[key.start_mark.line][max(value.end_mark.column, key.end_mark.column + 1) :].strip()
    return f"{first.rstrip()}  {rest}{_newline(lines)}" if rest.startswith("#") else first


def _column_of(key: yaml.Node, lines: list[str]) -> int:
    """Where an entry begins: at its key, or at the ``?`` before it."""
    column: int = key.start_mark.column
    before = lines[key.start_mark.line][:column]
    return before.index("?") if before.strip() == "?" else column


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_hollow(node: yaml.Node) -> bool:
    """An empty flow map, or nothing at all: on its line there is room for nothing, so its entry is written anew."""
    if isinstance(node, yaml.MappingNode):
        return not node.value
    return node.tag == "tag:yaml.org,2002:null"


def _last_line(node: yaml.Node, key: yaml.Node | None = None) -> int:
    """The line on which the node's content ends, without the comments and blank lines below it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1], last[0]) if isinstance(last, tuple) else _last_line(last)
    mark = node.end_mark
    line: int = mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line
    return line if key is None else max(line, key.end_mark.line)


def _block(path: tuple[str | int, ...], value: Any, column: int, lines: list[str]) -> list[str]:
    for key in reversed(path):
        value = {key: value}
    newline = _newline(lines)
    margin = " " * column
    return [(margin + line if line else "") + newline for line in yaml_text.dump(value).splitlines()]


def _newline(lines: list[str]) -> str:
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"


def _round_trip(text: str, change: Change, where: str) -> str | None:
    from ruamel.yaml import YAML  # here, because it takes long to import and hardly any file needs it
    from ruamel.yaml.error import YAMLError

    try:
        return _round_trip_by(YAML(), text, change)
    except (YAMLError, LookupError, TypeError, AttributeError, ValueError):
        return None  # it has more rules than the reference; another way may do


def _round_trip_by(engine: Any, text: str, change: Change) -> str:
    from ruamel.yaml.comments import CommentedMap

    engine.preserve_quotes = True
    engine.width = 10**6
    document = engine.load(text)
    here: Any = document if document is not None else CommentedMap()
    document = here
    for key in change.path[:-1]:
        key = _own_key(here, key)
        if _item(here, key) is None:
            here[key] = CommentedMap()
        here = here[key]
    last = _own_key(here, change.path[-1])
    if change.value is REMOVED:
        del here[last]
    else:
        value = engine.load(yaml_text.dump({"value": change.value}))["value"]
        if isinstance(last, int) and last == len(here):
            here.append(value)
        else:
            here[last] = value
    if here.fa.flow_style() and change.value is not REMOVED and len(here) == 1:
        here.fa.set_block_style()
    stream = io.StringIO()
    engine.dump(document, stream)
    return stream.getvalue()


def _own_key(here: Any, key: Any) -> Any:
    """The key as ruamel.yaml reads it: ``1`` and ``true`` are no text to it."""
    return next((own for own in here if str(own) == key), key) if isinstance(key, str) else key
