"""What the reference sees in a file. Written from its rules alone (spec 1.1 to 1.7), with none of our own code.

Its YAML library (yaml.v3 of Go) refuses a key that comes twice, reads ``0o17`` and ``017`` as numbers and unquoted dates as
times, and fails a whole document when one value doesn't fit the struct it is meant for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["NotReadable", "Time", "catalog", "catalog_file", "catalog_index", "config", "decode", "registry", "tools"]

_NULLS = {"", "~", "null", "Null", "NULL"}
_TRUE, _FALSE = {"true", "True", "TRUE"}, {"false", "False", "FALSE"}
_OLD_TRUE, _OLD_FALSE = (
    {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"},
    {"n", "N", "no", "No", "NO", "off", "Off", "OFF"},
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(([Tt]| +)\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?( *(Z|[-+]\d{2}:\d{2}))?)?")
_SPECIAL = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


class NotReadable(Exception):
    """The reference would refuse the file."""


class Time(str):
    """An unquoted date: a time to the reference."""


def decode(text: str) -> Any:
    """The first document as Go values would hold it."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise NotReadable(str(error)) from error
    return None if node is None else _value(node)


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise NotReadable(f"line {key.start_mark.line + 1}: a key is not a scalar")
        if key.value == "<<" and key.style is None:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged = {**_value(source), **merged}
        elif key.value in found:
            raise NotReadable(f"line {key.start_mark.line + 1}: the key {key.value} is defined already")
        else:
            found[key.value] = _value(value)
    return {**merged, **found}


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None or node.tag not in ("tag:yaml.org,2002:str", ""):
        return text
    if text in _NULLS:
        return None
    if text in _TRUE | _FALSE:
        return text in _TRUE
    if text in _SPECIAL:
        return _SPECIAL[text]
    if text[0] in "0123456789+-." and (number := _number(text)) is not None:
        return number
    return text


def _number(text: str) -> int | float | Time | None:
    if _TIME.fullmatch(text):
        return Time(text)
    plain = text.replace("_", "")
    digits = plain.lstrip("+-")
    try:
        if re.fullmatch(r"0[0-7]+", digits):
            return int(plain, 8)
        return int(plain, 0)
    except ValueError:
        return float(plain) if _FLOAT.fullmatch(plain) else None


# The structs. Each reader takes a value and its place, and raises when the reference's struct can't hold it.

Reader = Callable[[Any, str], Any]


def _text(value: Any, place: str) -> str:
    if isinstance(value, (dict, list)):
        raise NotReadable(f"{place}: text is wanted")
    return "" if value is None else str(value)


def _bool(value: Any, place: str) -> bool:
    if value in _OLD_TRUE | _OLD_FALSE:
        return value in _OLD_TRUE
    if value is not None and not isinstance(value, bool):
        raise NotReadable(f"{place}: true or false is wanted")
    return bool(value)


def _int(value: Any, place: str) -> int:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise NotReadable(f"{place}: a number is wanted")
    return int(value or 0)


def _any(value: Any, place: str) -> Any:
    return value


def _list(of: Reader) -> Reader:
    def read(value: Any, place: str) -> list[Any]:
        if value is not None and not isinstance(value, list):
            raise NotReadable(f"{place}: a list is wanted")
        return [of(item, f"{place}[{number}]") for number, item in enumerate(value or [])]

    return read


def _map(of: Reader) -> Reader:
    def read(value: Any, place: str) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise NotReadable(f"{place}: a map is wanted")
        return {key: of(item, f"{place}.{key}") for key, item in (value or {}).items()}

    return read


def _struct(fields: Mapping[str, Reader]) -> Reader:
    whole = _map(_any)

    def read(value: Any, place: str) -> dict[str, Any]:
        known = whole(value, place)
        return {key: fields[key](item, f"{place}.{key}") for key, item in known.items() if key in fields}

    return read


_TEXTS = dict.fromkeys(
    ("name", "type", "image", "title", "description", "icon", "readme", "toolsUrl", "sseEndpoint", "user", "prefix"),
    _text,
)
_CONTAINER = _struct({"image": _text, "command": _list(_text), "volumes": _list(_text), "user": _text})
_TOOL = _struct({"name": _text, "description": _text, "container": _CONTAINER, "parameters": _any})
_PROVIDER = _struct({"provider": _text, "secret": _text, "env": _text})
_NUMBERS = dict.fromkeys(("pulls", "stars", "githubStars"), _int)
_SERVER = _struct(
    {
        **_TEXTS,
        "longLived": _bool,
        "disableNetwork": _bool,
        "remote": _struct({"url": _text, "transport_type": _text, "headers": _map(_text)}),
        "oauth": _struct({"providers": _list(_PROVIDER), "scopes": _list(_text)}),
        "secrets": _list(_struct({"name": _text, "env": _text})),
        "env": _list(_struct({"name": _text, "value": _text})),
        "command": _list(_text),
        "volumes": _list(_text),
        "allowHosts": _list(_text),
        "extraHosts": _list(_text),
        "tools": _list(_TOOL),
        "config": _list(_any),
        "metadata": _struct({**_NUMBERS, "category": _text, "tags": _list(_text), "license": _text, "owner": _text}),
    }
)


def registry(text: str) -> set[str]:
    """The enabled servers in a registry.yaml."""
    tile = _struct({"ref": _text, "config": _map(_any)})
    return set(_struct({"registry": _map(tile)})(decode(text), "registry.yaml").get("registry", {}))


def config(text: str) -> dict[str, dict[str, Any]]:
    """The values in a config.yaml."""
    found: dict[str, dict[str, Any]] = _map(_map(_any))(decode(text), "config.yaml")
    return found


def tools(text: str) -> dict[str, list[str]]:
    """The allowed tools in a tools.yaml."""
    found: dict[str, list[str]] = _map(_list(_text))(decode(text), "tools.yaml")
    return found


def catalog(text: str) -> dict[str, dict[str, Any]]:
    """The servers of a catalog file, as far as the reference knows their keys."""
    found: dict[str, Any] = _struct({"name": _text, "displayName": _text, "registry": _map(_SERVER)})(
        decode(text), "catalog"
    )
    servers: dict[str, dict[str, Any]] = found.get("registry", {})
    return servers


def catalog_index(text: str) -> dict[str, dict[str, str]]:
    """The catalogs a catalog.json names."""
    entry = _struct({"displayName": _text, "url": _text, "lastUpdate": _text})
    found: dict[str, dict[str, str]] = _map(entry)(json.loads(text)["catalogs"], "catalog.json")
    return found


def catalog_file(folder: Path, name: str) -> Path:
    """Where the reference looks for the catalog ``name``."""
    safe = "".join("_" if character in '<>:"/\\|?*\0' else character for character in name.strip().lower())
    return folder / (safe.encode()[:250].decode(errors="ignore") + ".yaml")
