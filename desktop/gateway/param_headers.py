"""``Mcp-Param-*`` headers: a tool's schema names arguments that are mirrored into headers; both have to say the same.

MCP 2026-07-28, basic/transports (custom headers). A schema with a wrong annotation asks for nothing: clients leave such a tool
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from desktop import jsonrpc
from desktop.gateway.envelope import RawHeaders, RefusedError, header_text
from desktop.gateway.offer import Offer
from desktop.jsonrpc import MalformedMessageError
from desktop.revisions import HEADER_MISMATCH

__all__ = ["HeaderRule", "HeaderRules", "check_param_headers", "rules_of"]

_ANNOTATION: Final = "x-mcp-header"
_PREFIX: Final = b"mcp-param-"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NUMBER: Final = re.compile(r"(-?[0-9]+)(?:\.0+)?")
_LONGEST_NUMBER: Final = 1000
_TYPES: Final = ("string", "integer", "boolean")
# Keywords whose value is a schema, a list of schemas, or schemas by name (JSON Schema 2020-12).
_ONE: Final = (
    "items", "contains", "unevaluatedItems", "additionalProperties", "propertyNames", "unevaluatedProperties", "not",
    "if", "then", "else", "contentSchema",
)  # fmt: skip
_SEVERAL: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("patternProperties", "dependentSchemas", "$defs", "definitions")


class HeaderRule(NamedTuple):
    """One argument that is mirrored into a header.

    Attributes:
        path: Where the argument is: the names of the properties that lead to it.
        header: The header's name in lower case.
        type: The argument's JSON type.
    """

    path: tuple[str, ...]
    header: bytes
    type: str


def rules_of(schema: Any) -> tuple[HeaderRule, ...]:
    """The arguments a tool's input schema wants mirrored; none when an annotation is wrong."""
    rules: dict[bytes, HeaderRule] = {}
    for path, part in _parts(schema):
        if _ANNOTATION not in part:
            continue
        name, kind = part[_ANNOTATION], part.get("type")
        if not path or not isinstance(name, str) or not _TOKEN.fullmatch(name) or kind not in _TYPES:
            return ()
        header = _PREFIX + name.lower().encode()
        if header in rules:
            return ()
        rules[header] = HeaderRule(path, header, kind)
    return tuple(rules.values())


def _parts(schema: Any) -> Iterator[tuple[tuple[str, ...] | None, Mapping[str, Any]]]:
    """Every schema inside a schema, with the properties that lead there; None where anything else leads there."""
    waiting: list[tuple[tuple[str, ...] | None, Any]] = [((), schema)]
    while waiting:
        path, part = waiting.pop()
        if not isinstance(part, dict):
            continue
        yield path, part
        properties = part.get("properties")
        if isinstance(properties, dict):
            waiting += [(None if path is None else (*path, name), inner) for name, inner in properties.items()]
        waiting += [(None, part[key]) for key in _ONE if key in part]
        for key in _SEVERAL:
            if isinstance(part.get(key), list):
                waiting += [(None, inner) for inner in part[key]]
        for key in _NAMED:
            if isinstance(part.get(key), dict):
                waiting += [(None, inner) for inner in part[key].values()]


def check_param_headers(rules: tuple[HeaderRule, ...], arguments: bytes, headers: RawHeaders) -> None:
    """Compare a call's headers with its arguments; raises `RefusedError` where they differ."""
    given: dict[bytes, str] = {}
    for name, value in headers:
        if name.startswith(_PREFIX):
            if name in given and any(rule.header == name for rule in rules):
                raise RefusedError(HEADER_MISMATCH, f"The header {name.decode()} is there more than once")
            given[name] = value.strip().decode("latin-1")
    values = jsonrpc.decode(arguments) if arguments else {}
    for rule in rules:
        header, where = given.get(rule.header), ".".join(rule.path)
        value = _value_at(values, rule.path)
        wanted = _as_text(value)
        if header is None:
            if wanted is not None:
                text = f"The header {rule.header.decode()} is missing, although there is the argument {where}"
                raise RefusedError(HEADER_MISMATCH, text)
        elif not _same(rule.type, value, wanted, header_text(header)):
            text = f"The header {rule.header.decode()} does not say what the argument {where} says"
            raise RefusedError(HEADER_MISMATCH, text)


def _value_at(arguments: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        arguments = arguments.get(name) if isinstance(arguments, dict) else None
    return arguments


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def _same(kind: str, value: Any, wanted: str | None, header: str | None) -> bool:
    if wanted is None or header is None:
        return False
    number = _NUMBER.fullmatch(header) if kind == "integer" and len(header) < _LONGEST_NUMBER else None
    if number is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value == int(number[1])
    return header == wanted


class HeaderRules:
    """The rules of every tool on offer, read once for each list of tools."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, tuple[HeaderRule, ...]]] = {}

    def of(self, offer: Offer, tool: str) -> tuple[HeaderRule, ...]:
        """The rules of one tool, by its exposed name."""
        if b'"x-mcp-header"' not in offer.tools:
            return ()
        known = self._known.get(offer.tools)
        if known is None:
            if len(self._known) > 8:
                self._known.clear()
            known = self._known[offer.tools] = _read(offer.tools)
        return known.get(tool, ())


def _read(tools: bytes) -> Mapping[str, tuple[HeaderRule, ...]]:
    found: dict[str, tuple[HeaderRule, ...]] = {}
    try:
        for entry in jsonrpc.decode(tools)["tools"]:
            rules = rules_of(entry.get("inputSchema"))
            if rules:
                found[entry["name"]] = rules
    except MalformedMessageError:
        return {}
    return found
