"""``key=value`` words of ``tools call``, turned into what the tool's input schema asks for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from desktop.errors import UsageError

__all__ = ["tool_arguments"]

Schema = Mapping[str, Any]
_INTEGER: Final = re.compile(r"[+-]?\d+")
_ARTICLES: Final = {"null": "null", "integer": "an integer", "array": "an array", "object": "a JSON object"}
_ORDER: Final = ("null", "boolean", "integer", "number", "object", "array", "string")


class _Unfit(Exception):
    """The text is not of the type that is asked for."""


def tool_arguments(
    words: Sequence[str], schema: Schema, given: str | None = None, *, called: str = "argument"
) -> dict[str, Any]:
    """The arguments of a call.

    Args:
        words: ``key=value``; a key that comes several times makes a list, one without ``=`` is null.
        schema: The tool's input schema. Keys it doesn't know stay text.
        given: A JSON object (``--json``) to begin with; words replace its members.
        called: What an error calls one of them.

    Raises:
        UsageError: A value isn't of the type the schema asks for, or ``given`` is not an object.
    """
    arguments = _object_of(given)
    collected: dict[str, list[str | None]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key:
            raise UsageError(f"{word!r} is not an argument", "Write it as key=value")
        collected.setdefault(key, []).append(value if equals else None)
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    for key, values in collected.items():
        wanted = _resolved(properties.get(key), schema)
        try:
            arguments[key] = _value(values, wanted, schema)
        except _Unfit as error:
            raise UsageError(f"the {called} {key} must be {_described(wanted, schema)}, not {error}") from None
    return arguments


def _object_of(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--json is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise UsageError("--json must be an object", 'Write it like \'{"key": "value"}\'')
    return value


def _value(values: list[str | None], wanted: Schema, root: Schema) -> Any:
    if "array" in _types(wanted, root):
        items = _resolved(wanted.get("items") or {}, root)
        if len(values) > 1:
            return [_single(value, items, root) for value in values]
        is_list_only = _types(wanted, root) == {"array"}
        if is_list_only and (text := values[0]) is not None and not text.lstrip().startswith("["):
            return [_single(text, items, root)]
    if len(values) > 1:
        return [_single(value, wanted, root) for value in values]
    return _single(values[0], wanted, root)


def _single(text: str | None, wanted: Schema, root: Schema) -> Any:
    if text is None:
        return None
    types = _types(wanted, root)
    for kind in _ORDER:
        if kind in types:
            try:
                return _READERS[kind](text)
            except ValueError:
                continue
    if types:
        raise _Unfit(repr(text))
    return text


def _types(wanted: Schema, root: Schema) -> frozenset[str]:
    """The types a value may have; none means that the schema doesn't say."""
    declared = wanted.get("type")
    found = {declared} if isinstance(declared, str) else set(declared or ())
    for choice in (*(wanted.get("anyOf") or ()), *(wanted.get("oneOf") or ())):
        found |= _types(_resolved(choice, root), root)
    return frozenset(found)


def _resolved(wanted: Any, root: Schema) -> Schema:
    """The schema that a reference inside the tool's own schema leads to."""
    for _ in range(8):  # a reference may lead to another one; a circle of them ends here
        if not isinstance(wanted, dict) or not str(wanted.get("$ref", "")).startswith("#/"):
            break
        target: Any = root
        for part in wanted["$ref"][2:].split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        wanted = target
    return wanted if isinstance(wanted, dict) else {}


def _described(wanted: Schema, root: Schema) -> str:
    types = _types(wanted, root)
    items = _types(_resolved(wanted.get("items") or {}, root), root)
    if types == {"array"} and items:
        return f"an array of values of the type {' or '.join(sorted(items))}"
    return " or ".join(_ARTICLES.get(kind, f"a {kind}") for kind in _ORDER if kind in types)


def _null(text: str) -> None:
    if text != "null":
        raise ValueError(text)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    if not math.isfinite(number):  # these are not JSON
        raise ValueError(text)
    return number


def _json(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "null": _null,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "object": _json(dict),
    "array": _json(list),
    "string": str,
}
