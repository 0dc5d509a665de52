"""Values written as TOML, each on one line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["dotted", "key", "written"]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def dotted(names: Sequence[str]) -> str:
    """A dotted key."""
    return ".".join(map(key, names))


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def written(value: Any) -> str:
    """A value on one line.

    Raises:
        ValueError: TOML has nothing for it.
    """
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key(name)} = {written(below)}" for name, below in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    raise ValueError(f"TOML has nothing for a {type(value).__name__}")
