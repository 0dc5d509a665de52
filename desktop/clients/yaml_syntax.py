"""The places of a YAML text's parts, from the marks of the parsed tree."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import yaml

from desktop.clients.entry import Item, Step
from desktop.clients.source_text import LINE_END, place
from desktop.errors import ClientFileError, StateFileError
from desktop.state import yaml_text

__all__ = [
    "Collection",
    "OddShapeError",
    "after_colon",
    "compose",
    "content_end",
    "find",
    "is_alias",
    "is_null",
    "key_of",
    "line_after",
    "line_start",
    "members",
    "next_line",
    "placed",
    "start",
    "takes",
    "value_of",
]

Collection: TypeAlias = yaml.MappingNode | yaml.SequenceNode
_COLON: Final = re.compile(r"[ \t]*:")


class OddShapeError(Exception):
    """The text is written in a way that isn't handled."""


def compose(text: str, where: str) -> yaml.Node | None:
    """The tree of a text, None for a blank one.

    Raises:
        ClientFileError: It is not one YAML document.
    """
    try:
        return yaml_text.compose(text, where)
    except StateFileError as error:
        raise placed(error, text, where) from error


def placed(error: StateFileError, text: str, where: str) -> ClientFileError:
    """An error of the parser as one about a client's file, with its place also where the parser doesn't count lines."""
    line, column = error.line, error.column
    if line is None:
        offset = getattr(error.__cause__, "position", 0)
        line, column = place(text, offset if isinstance(offset, int) else 0)
    return ClientFileError(where, error.reason, line=line, column=column)


def start(node: yaml.Node) -> int:
    """Where a node starts."""
    return int(node.start_mark.index)


def key_of(member: Any) -> yaml.Node:
    """What a member starts with: a pair's key, or a list's member itself."""
    node: yaml.Node = member[0] if isinstance(member, tuple) else member
    return node


def value_of(member: Any) -> yaml.Node:
    """A member's value."""
    node: yaml.Node = member[1] if isinstance(member, tuple) else member
    return node


def members(node: Collection) -> list[Any]:
    """Pairs of a map, or members of a list."""
    return list(node.value)


def find(node: Collection, step: Step) -> int | None:
    """The index of the member that counts: the last one of several."""
    found = None
    for index, member in enumerate(members(node)):
        if isinstance(step, Item):
            if isinstance(member, yaml.MappingNode) and _has(member, step):
                found = index
        elif _is_key(key_of(member), step):
            found = index
    return found


def is_null(node: yaml.Node) -> bool:
    """Whether a node is nothing, written or not."""
    return bool(node.tag == "tag:yaml.org,2002:null")


def is_alias(parent: Collection, member: Any) -> bool:
    """Whether a member's value stands somewhere else."""
    first = start(member[0]) if isinstance(member, tuple) else start(parent)
    return start(value_of(member)) < first


def after_colon(text: str, pair: Any) -> int | None:
    """Where a pair's colon ends, or None for a key with a question mark before it."""
    match = _COLON.match(text, int(pair[0].end_mark.index))
    return match.end() if match else None


def content_end(text: str, node: yaml.Node) -> tuple[int, bool]:
    """Where a node's last word ends, and whether that is a block of text (which ends at the start of a line)."""
    if isinstance(node, yaml.ScalarNode):
        return int(node.end_mark.index), node.style in {"|", ">"}
    if not isinstance(node, Collection) or node.flow_style or not node.value:
        return int(node.end_mark.index), False
    last = members(node)[-1]
    if is_alias(node, last):
        return _before_notes(text, int(node.end_mark.index)), False
    return content_end(text, value_of(last))


def line_after(text: str, node: yaml.Node) -> int:
    """Where the line after a node's last one starts, or the text's end."""
    end, is_block = content_end(text, node)
    if is_block:
        return end
    found = LINE_END.search(text, end)
    return found.end() if found else len(text)


def line_start(text: str, offset: int) -> int:
    """Where the line of ``offset`` starts."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def takes(node: Collection, step: Step) -> bool:
    """Whether a step leads into a container of this kind."""
    return isinstance(node, yaml.SequenceNode if isinstance(step, Item) else yaml.MappingNode)


def next_line(text: str, offset: int) -> int:
    """Where the line after the one of ``offset`` starts, or the text's end."""
    ends = [found for found in (text.find("\n", offset), text.find("\r", offset)) if found >= 0]
    if not ends:
        return len(text)
    at = min(ends)
    return at + 2 if text.startswith("\r\n", at) else at + 1


def _has(node: yaml.MappingNode, step: Item) -> bool:
    values = [value for key, value in node.value if _is_key(key, step.key)]
    return bool(values) and _is_text(values[-1], step.value)


def _is_key(node: yaml.Node, text: str) -> bool:
    """Every key is a text, also one that would be a number as a value."""
    return isinstance(node, yaml.ScalarNode) and node.value == text and node.tag != "tag:yaml.org,2002:merge"


def _is_text(node: yaml.Node, text: str) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == text and node.tag == "tag:yaml.org,2002:str"


def _before_notes(text: str, offset: int) -> int:
    """Back over blank lines and lines that are comments."""
    while True:
        before = text[:offset].rstrip(" \t\r\n")
        line = line_start(before, len(before))
        if not before[line:].lstrip(" \t").startswith("#"):
            return len(before)
        offset = line
