"""Template expressions of catalog entries (spec 1.8): ``{{path|filter:argument}}`` in environment, command, volumes and user.

Unlike the reference, a lone brace outside an expression is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["evaluate", "evaluate_list", "expand_variables", "to_text"]

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_DRIVE = re.compile(r"^([A-Za-z]):[\\/]")


def evaluate(template: Any, values: Mapping[str, Any]) -> Any:
    """Evaluate one template.

    Args:
        template: Text, or any other YAML value, which is returned as it is.
        values: Root of the dotted paths.

    Returns:
        The typed value when the text is exactly one expression, else text.
    """
    if not isinstance(template, str):
        return template
    whole = _EXPRESSION.match(template)
    if whole is not None and whole.end() == len(template):
        return _expression(whole.group(1), values)
    return _EXPRESSION.sub(lambda match: to_text(_expression(match.group(1), values)), template)


def evaluate_list(templates: Iterable[Any], values: Mapping[str, Any], *, drop_empty: bool = False) -> list[str]:
    """Evaluate each item; an item that gives a list is spliced in. ``drop_empty`` is the rule for volumes."""
    items: list[str] = []
    for template in templates:
        value = evaluate(template, values)
        if isinstance(value, list):
            items.extend(to_text(part) for part in value)
        else:
            items.append(to_text(value))
    return [item for item in items if item] if drop_empty else items


def expand_variables(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``$NAME`` and ``${NAME}`` from ``variables`` only; unknown names become empty. The host's are never read."""
    return _VARIABLE.sub(lambda match: variables.get(match.group(1) or match.group(2), ""), text)


def to_text(value: Any) -> str:
    """A value as the reference prints it: booleans in lower case, whole floats without a fraction, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, list):
        return "[" + " ".join(to_text(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return (
            "map["
            + " ".join(f"{key}:{to_text(item)}" for key, item in sorted(value.items(), key=lambda item: str(item[0])))
            + "]"
        )
    return str(value)


def _expression(text: str, values: Mapping[str, Any]) -> Any:
    path, *filters = (piece.strip() for piece in text.split("|"))
    value = _lookup(path, values)
    for item in filters:
        name, _, argument = item.partition(":")
        function = _FILTERS.get(name.strip())
        if function is not None:
            value = function(value, argument.strip())
    return value


def _lookup(path: str, values: Mapping[str, Any]) -> Any:
    current: Any = values
    for piece in path.split("."):
        if not isinstance(current, Mapping):
            return ""
        current = current.get(piece.strip())
        if current is None:
            return ""
    return current


def _mount_target(path: str) -> str:
    drive = _DRIVE.match(path)
    return f"/{drive.group(1)}/{path[3:]}".replace("\\", "/") if drive else path


def _each(value: Any, function: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [function(to_text(item)) for item in value]
    text = to_text(value)
    return function(text) if text else ""


def _volume(value: Any, _argument: str) -> Any:
    return _each(value, lambda path: f"{path}:{_mount_target(path)}")


def _volume_target(value: Any, _argument: str) -> Any:
    return _each(value, _mount_target)


def _into(value: Any, _argument: str) -> list[str]:
    return [to_text(item) for item in value] if isinstance(value, list) else [to_text(value)]


def _first(value: Any, _argument: str) -> Any:
    return (value[0] if value else "") if isinstance(value, list) else to_text(value)


def _last(value: Any, _argument: str) -> Any:
    return (value[-1] if value else "") if isinstance(value, list) else to_text(value)


def _or(value: Any, argument: str) -> Any:
    if value not in (None, "", []):
        return value
    if value == [] and argument.startswith("[") and argument.endswith("]"):
        inner = argument[1:-1].strip()
        return [item.strip() for item in inner.split(",")] if inner else []
    return argument


def _mount_as(value: Any, argument: str) -> str:
    target, mode = argument.strip(), ""
    if target.endswith(":ro"):
        target, mode = target[:-3].strip(), ":ro"
    source = to_text(_first(value, ""))
    return f"{source}:{target}{mode}" if source else ""


_FILTERS: dict[str, Callable[[Any, str], Any]] = {
    "volume": _volume,
    "volume-target": _volume_target,
    "into": _into,
    "first": _first,
    "last": _last,
    "or": _or,
    "mount_as": _mount_as,
}
