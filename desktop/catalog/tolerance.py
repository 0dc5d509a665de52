"""YAML scalars where text is meant: ``description: 42`` is the text "42", and a key without a value isn't there."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

__all__ = ["softened", "text_of"]


def text_of(value: Any) -> str:
    """A scalar as the text a person has written for it; nothing is empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def softened(value: Any, kind: type) -> Any:
    """A copy of ``value`` with text where ``kind`` wants text, and without the keys that have no value."""
    return _soften(value, _type_info(kind))


@cache
def _type_info(kind: type) -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(kind)


def _soften(value: Any, wanted: msgspec.inspect.Type) -> Any:
    match wanted:
        case msgspec.inspect.StrType() if not isinstance(value, (dict, list)):
            return text_of(value)
        case msgspec.inspect.StructType(fields=fields) if isinstance(value, dict):
            known = {field.encode_name: field.type for field in fields}
            return {key: _soften(item, known[key]) for key, item in value.items() if item is not None and key in known}
        case msgspec.inspect.ListType(item_type=item_type) if isinstance(value, list):
            return [_soften(item, item_type) for item in value if item is not None]
        case msgspec.inspect.DictType(value_type=value_type) if isinstance(value, dict):
            return {text_of(key): _soften(item, value_type) for key, item in value.items()}
        case msgspec.inspect.UnionType(types=types) if value is not None:
            options = [option for option in types if not isinstance(option, msgspec.inspect.NoneType)]
            return _soften(value, options[0]) if len(options) == 1 else value
        case _:
            return value
