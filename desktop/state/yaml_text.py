"""YAML as the reference reads it: only true and false are booleans; dates, ``yes`` and ``22:22`` are plain text."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from desktop.errors import StateFileError

__all__ = ["compose", "dump", "has_aliases", "parse", "refuse_repeated_keys"]

_TEXT: Final = "tag:yaml.org,2002:str"
_DEEPEST: Final = 100
_LARGEST: Final = 1_000_000
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_PATTERNS: Final = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
)


class _Loader(_LOADER):  # type: ignore[misc]  # the C loader where libyaml is there, else the Python one
    yaml_implicit_resolvers: dict[str, list[Any]] = {}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names; every key is text, as in the reference's maps."""
        super().flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = _TEXT

    def untagged(self, node: yaml.Node) -> Any:
        """The value of a node whose tag means nothing to anybody, as if it had none."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return self.construct_scalar(node)


for _unknown in (None, "tag:yaml.org,2002:timestamp"):
    _Loader.add_constructor(_unknown, _Loader.untagged)


class _Dumper(yaml.SafeDumper):
    """Quotes what any YAML version would take for something else than text."""


for _tag, _pattern, _first in _PATTERNS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}",
            re.compile(f"^(?:{_pattern})$"),
            [character if character != "\0" else "" for character in _first],
        )


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, text, style='"' if text == "" else "|" if "\n" in text else None)


_Dumper.add_representer(str, _text_node)


def parse(text: str | bytes, where: str) -> Any:
    """The document's data; an empty one is None. Keys are text, however they are written, and aliases are copies.

    Args:
        text: One YAML document.
        where: The file as shown to the person when it is broken.

    Raises:
        StateFileError: It is not YAML, is nested too deeply, or would become too large by its aliases.
    """
    try:
        is_shared = _look_through(text)
        data = yaml.load(text, Loader=_Loader)
        return _Copy().of(data) if is_shared else data
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _fault(error, where, text) from error


def has_aliases(text: str, where: str) -> bool:
    """Whether a part of the document stands for others (``*name``), by which a short text can become an endless one."""
    try:
        return _look_through(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _fault(error, where, text) from error


class _Copy:
    """Copies data in which parts are shared, so that changing one place changes no other."""

    def __init__(self) -> None:
        self._left = _LARGEST

    def of(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("its aliases make it too large")
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        return [self.of(item) for item in value] if isinstance(value, list) else value


def compose(text: str, where: str) -> yaml.Node | None:
    """The document's tree with the place of each node."""
    try:
        _look_through(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _fault(error, where, text) from error
    return node


def refuse_repeated_keys(text: str, where: str) -> None:
    """Raise `StateFileError` where a map has a key twice: the reference refuses such a file, and one value would be lost."""
    nodes = [compose(text, where)]
    seen: set[int] = set()  # aliases lead to the same node again
    while nodes:
        node = nodes.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
            continue
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in keys:
                    mark = key.start_mark
                    reason = f"the key '{key.value}' comes twice"
                    raise StateFileError(where, reason, line=mark.line + 1, column=mark.column + 1)
                keys.add(key.value)
            nodes.append(value)


def _look_through(text: str | bytes) -> bool:
    """Whether there are aliases. Raises RecursionError for what would overflow the stack of the C loader, and end the process."""
    depth, aliases = 0, 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise RecursionError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
    return bool(aliases)


def dump(value: Any, *, in_one_line: bool = False) -> str:
    """Block-style YAML, or flow style in one line; keys in the order they have, text in its own script."""
    return yaml.dump(
        value, Dumper=_Dumper, default_flow_style=in_one_line, sort_keys=False, allow_unicode=True, width=10**6
    )


def _fault(error: Exception, where: str, text: str | bytes) -> StateFileError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    if isinstance(error, RecursionError):
        problem = "it is nested too deeply"
    reason = f"this is not valid YAML ({problem or str(error).splitlines()[0]})"
    if mark is None:
        return StateFileError(where, reason)
    lines = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    hint = "Indent with spaces instead of tabs" if "\t" in line[: len(line) - len(line.lstrip())] else ""
    return StateFileError(where, reason, line=mark.line + 1, column=mark.column + 1, hint=hint)
