"""Values written as YAML that every version of YAML reads the same way."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

__all__ = ["block", "flow", "key"]

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*")
_TAKEN_FOR_SOMETHING_ELSE: Final = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_TO_ESCAPE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def block(value: Any, unit: str) -> list[str]:
    """The lines of a map or a list that has members, without indentation of their own.

    Args:
        value: The map or list.
        unit: The blanks a level is moved in by.
    """
    lines: list[str] = []
    if isinstance(value, dict):
        for name, below in value.items():
            if _has_members(below):
                lines += [f"{key(name)}:", *(unit + line for line in block(below, unit))]
            else:
                lines.append(f"{key(name)}: {flow(below)}")
        return lines
    for below in value:
        if _has_members(below):
            first, *rest = block(below, unit)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        else:
            lines.append(f"- {flow(below)}")
    return lines


def flow(value: Any, *, quoted: bool = False) -> str:
    """A value on one line; ``quoted`` is for a neighbourhood of JSON, where every text has its quotes."""
    if isinstance(value, str):
        return _text(value, quoted)
    if isinstance(value, float):
        return _float(value)
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(flow(below, quoted=quoted) for below in value)}]"
    if isinstance(value, dict):
        pairs = [f"{_text(name, quoted)}: {flow(below, quoted=quoted)}" for name, below in value.items()]
        return f"{{{', '.join(pairs)}}}"
    raise ValueError(f"there is no way to write a {type(value).__name__}")


def key(name: str) -> str:
    """A map's key."""
    return _text(name)


def _text(text: str, quoted: bool = False) -> str:
    if not quoted and _PLAIN.fullmatch(text) and text.lower() not in _TAKEN_FOR_SOMETHING_ELSE:
        return text
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(text, ensure_ascii=False))


def _float(number: float) -> str:
    if math.isnan(number):
        return ".nan"
    if math.isinf(number):
        return ".inf" if number > 0 else "-.inf"
    return repr(number)


def _has_members(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)
