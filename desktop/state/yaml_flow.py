"""Changes inside ``{flow: style}``: a piece of the text is replaced, so that comments and line breaks in it stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from desktop.state import yaml_text

__all__ = ["edit_flow"]


def edit_flow(text: str, node: yaml.MappingNode, path: Sequence[str], value: tuple[Any] | None) -> str | None:
    """The text with one entry set or taken away; None where that can't be done by replacing a piece.

    Args:
        text: The whole text.
        node: A flow map in it that isn't empty.
        path: The keys that lead from there to the value.
        value: The new value, alone in a tuple; None takes the entry away.
    """
    starts = _line_starts(text)

    def place(mark: yaml.Mark) -> int:
        return starts[mark.line] + mark.column

    for depth, key in enumerate(path):
        number = next((at for at, (name, _) in enumerate(node.value) if name.value == key), None)
        if number is None:
            if value is None:
                return None
            end = place(node.value[-1][1].end_mark)
            entry = _flow({key: _nested(path[depth + 1 :], value[0])})
            return f"{text[:end]}, {entry[1:-1]}{text[end:]}"
        inner = node.value[number][1]
        if depth == len(path) - 1 or not _is_flow_map(inner):
            if value is None:
                return _without(text, node, number, place) if depth == len(path) - 1 else None
            start, end = place(inner.start_mark), place(inner.end_mark)
            if start == end:  # nothing stands there that could be replaced
                return None
            new = _flow({"k": _nested(path[depth + 1 :], value[0])})
            return f"{text[:start]}{new[len('{k: ') : -1]}{text[end:]}"
        node = inner
    return None


def _without(text: str, node: yaml.MappingNode, number: int, place: Any) -> str:
    pairs = node.value
    if number + 1 < len(pairs):
        return text[: place(pairs[number][0].start_mark)] + text[place(pairs[number + 1][0].start_mark) :]
    end = place(pairs[number][1].end_mark)
    start = place(pairs[number - 1][1].end_mark) if number else place(pairs[0][0].start_mark)
    return text[:start] + text[end:]


def _is_flow_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode) and bool(node.flow_style) and bool(node.value)


def _nested(path: Sequence[str], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _flow(value: Any) -> str:
    return yaml_text.dump(value, in_one_line=True).rstrip("\n")


def _line_starts(text: str) -> list[int]:
    starts, position = [0], 0
    for line in text.splitlines(keepends=True):
        position += len(line)
        starts.append(position)
    return starts
