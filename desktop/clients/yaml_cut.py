"""YAML: one entry taken out of a text, and with it what was made for it."""

from __future__ import annotations

import yaml

from desktop.clients.entry import EntryPath, Origin
from desktop.clients.source_text import line_end_of
from desktop.clients.yaml_syntax import (
    Collection,
    OddShapeError,
    after_colon,
    compose,
    content_end,
    find,
    is_alias,
    key_of,
    line_after,
    line_start,
    members,
    next_line,
    start,
    takes,
    value_of,
)

__all__ = ["cut"]


def cut(text: str, path: EntryPath, where: str, origin: Origin) -> str:
    """The text without what is at ``path``, and without parents that were made for it and have nothing else in them.

    Raises:
        ClientFileError: It is not YAML.
        OddShapeError: It is written in a way that isn't handled.
    """
    trail = _trail(compose(text, where), path)
    if trail is None:
        return text
    created = origin.created
    node, index = trail.pop()
    while len(node.value) == 1 and created and trail and _made_for_it(text, trail[-1], node):
        node, index = trail.pop()
        created -= 1
    if len(node.value) > 1:
        text = _cut(text, node, index)
        if isinstance(path[-1], str) and not (created < origin.created):
            return cut(text, path, where, origin)  # the key may have been written more than once
        return text
    return _empty(text, node, trail[-1] if trail else None, origin.source, created)


def _trail(node: yaml.Node | None, path: EntryPath) -> list[tuple[Collection, int]] | None:
    """The containers on the way, each with the index of the member that leads on."""
    trail: list[tuple[Collection, int]] = []
    for step in path:
        if not isinstance(node, Collection) or not takes(node, step):
            return None
        index = find(node, step)
        if index is None:
            return None
        member = members(node)[index]
        trail.append((node, index))
        node = value_of(member)
        if is_alias(trail[-1][0], member) and len(trail) < len(path):
            raise OddShapeError
    return trail


def _made_for_it(text: str, above: tuple[Collection, int], node: Collection) -> bool:
    """Whether nothing but the entry stands in the container, no comment either."""
    pair = members(above[0])[above[1]]
    if not isinstance(pair, tuple):
        return True
    colon = after_colon(text, pair)
    first = start(key_of(members(node)[0]))
    return colon is not None and not text[colon:first].strip(" \t\r\n{[-")


def _cut(text: str, node: Collection, index: int) -> str:
    """Take one of several members out."""
    all_ = members(node)
    member = all_[index]
    first = key_of(member)
    if node.flow_style:
        return _cut_flow(text, node, index)
    if is_alias(node, member) and not isinstance(member, tuple):
        raise OddShapeError
    at = start(first)
    if isinstance(node, yaml.SequenceNode):
        at = text.rindex("-", 0, at)
    begin = line_start(text, at)
    if text[begin:at].strip(" "):
        if index + 1 == len(all_) or isinstance(node, yaml.SequenceNode):
            raise OddShapeError
        following = start(key_of(all_[index + 1]))
        return text[:at] + text[following:]
    shared = is_alias(node, member)
    stop = next_line(text, int(first.end_mark.index)) if shared else line_after(text, value_of(member))
    if index and content_end(text, value_of(all_[index - 1]))[1]:
        return text[:begin] + text[stop:]  # the line end before belongs to a block of text
    return _without_lines(text, begin, stop)


def _without_lines(text: str, begin: int, stop: int) -> str:
    if stop == len(text) and not text.endswith(("\n", "\r")):
        begin -= 2 if text[:begin].endswith("\r\n") else 1 if begin else 0
    return text[:begin] + text[stop:]


def _cut_flow(text: str, node: Collection, index: int) -> str:
    all_ = members(node)
    if is_alias(node, all_[index]):
        raise OddShapeError
    begin, stop = start(key_of(all_[index])), content_end(text, value_of(all_[index]))[0]
    if index:
        before = content_end(text, value_of(all_[index - 1]))[0]
        if is_alias(node, all_[index - 1]) or text[before:begin].strip(" \t\r\n") != ",":
            raise OddShapeError
        return text[:before] + text[stop:]
    following = start(key_of(all_[1]))
    if text[stop:following].strip(" \t\r\n") != ",":
        raise OddShapeError
    return text[:begin] + text[following:]


def _empty(text: str, node: Collection, above: tuple[Collection, int] | None, source: str | None, created: int) -> str:
    """Take the only member out, and leave what was there before it or empty brackets."""
    brackets = "[]" if isinstance(node, yaml.SequenceNode) else "{}"
    if above is not None and created:
        source = None
    if node.flow_style:
        begin, stop = start(node), int(node.end_mark.index)
        return text[:begin] + (brackets if source is None else source) + text[stop:]
    first = key_of(members(node)[0])
    at = start(first) if isinstance(node, yaml.MappingNode) else start(node)
    if above is None:
        begin = line_start(text, at)
        stop, is_block = content_end(text, node)
        if created:
            rest = text[:begin] + text[stop:]
            return source if source is not None and rest.strip() == source.strip() else rest
        end = line_end_of(text) if is_block else ""
        return text[:begin] + (brackets if source is None else source) + end + text[stop:]
    pair = members(above[0])[above[1]]
    colon = after_colon(text, pair) if isinstance(pair, tuple) else None
    if colon is None:
        raise OddShapeError
    begin = line_start(text, at)
    if begin <= colon or text[colon:begin].split("#")[0].strip():
        raise OddShapeError
    text = _without_lines(text, begin, line_after(text, node))
    return text[:colon] + (f" {brackets}" if source is None else source) + text[colon:]
