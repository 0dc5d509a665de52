"""HTTP headers that repeat what a modern request says, so that what is on the way can route by them.

MCP 2026-07-28, basic/transports, "Standard Request Headers" and "Custom Headers": version, method, name, and those arguments
of a tool whose schema carries an ``x-mcp-header`` annotation.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import LATEST_MODERN, VERSION_KEY

__all__ = [
    "AnnotationError",
    "HeaderNames",
    "MirroredArguments",
    "header_value",
    "mirrored_arguments",
    "request_headers",
]

HeaderNames = Mapping[tuple[str, ...], str]

_ANNOTATION: Final = "x-mcp-header"
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_PLAIN: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?|")
_WRAPPED: Final = re.compile(r"=\?base64\?.*\?=", re.DOTALL)
_TYPES: Final = ("string", "integer", "boolean")
# Where else than under "properties" a JSON Schema (2020-12) holds schemas: one, several in a list, several by name.
_ONE: Final = frozenset((
    "items", "contains", "unevaluatedItems", "additionalProperties", "propertyNames", "unevaluatedProperties", "not", "if",
    "then", "else", "contentSchema",
))  # fmt: skip
_LISTED: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_BY_NAME: Final = frozenset(("patternProperties", "dependentSchemas", "$defs", "definitions"))


class AnnotationError(ValueError):
    """A tool's schema says in a way the specification forbids which arguments to repeat; the tool must not be used."""


def mirrored_arguments(schema: Any) -> dict[tuple[str, ...], str]:
    """Where in the arguments of a tool the values are that headers repeat, each with its name after ``Mcp-Param-``.

    Args:
        schema: The tool's input schema.

    Raises:
        AnnotationError: An annotation is where no argument can be, isn't a header name, stands twice, or is of another type
            than text, whole number or truth value.
    """
    found: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    places: list[tuple[tuple[str, ...] | None, Any]] = [((), schema)]
    while places:
        path, node = places.pop()
        if not isinstance(node, dict):
            continue
        if _ANNOTATION in node:
            name = _checked(path, node, taken)
            assert path is not None
            found[path] = name
        for keyword, value in node.items():
            if keyword == "properties" and isinstance(value, dict):
                places += [(None if path is None else (*path, name), inner) for name, inner in value.items()]
            elif keyword in _ONE:
                places.append((None, value))
            elif keyword in _LISTED and isinstance(value, list):
                places += [(None, inner) for inner in value]
            elif keyword in _BY_NAME and isinstance(value, dict):
                places += [(None, inner) for inner in value.values()]
    return found


def _checked(path: tuple[str, ...] | None, node: dict[str, Any], taken: set[str]) -> str:
    name = node[_ANNOTATION]
    if not path:
        raise AnnotationError(f"an {_ANNOTATION} is where no argument can be found")
    where = ".".join(path)
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise AnnotationError(f"the {_ANNOTATION} of {where} is not a header name")
    if node.get("type") not in _TYPES:
        raise AnnotationError(f"{where} has an {_ANNOTATION} and is neither text, whole number nor truth value")
    if name.lower() in taken:
        raise AnnotationError(f"two arguments have the {_ANNOTATION} {name}")
    taken.add(name.lower())
    return name


class MirroredArguments:
    """What to repeat for each tool of one server; worked out again when its list is new.

    Args:
        tools: Gives the tools now listed, each as its JSON.
    """

    def __init__(self, tools: Callable[[], Sequence[Raw]]) -> None:
        self._tools = tools
        self._seen: Sequence[Raw] = ()
        self._names: dict[str, HeaderNames] = {}

    def of(self, tool: str) -> HeaderNames:
        """The places of a tool's repeated arguments; empty for most."""
        tools = self._tools()
        if tools is not self._seen:
            self._seen, self._names = tools, dict(filter(None, map(_annotated, tools)))
        return self._names.get(tool, {})


def _annotated(tool: Raw) -> tuple[str, HeaderNames] | None:
    if b'"x-mcp-header"' not in bytes(tool):
        return None
    try:
        entry = jsonrpc.decode(tool)
        return entry["name"], mirrored_arguments(entry.get("inputSchema"))
    except (MalformedMessageError, AnnotationError, KeyError, TypeError):
        return None


def header_value(text: str) -> str:
    """Text as the value of a header: as it is where that survives the way, else in the specification's base64 wrapping."""
    if _PLAIN.fullmatch(text) and not _WRAPPED.fullmatch(text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def request_headers(message: Envelope, names_of: Callable[[str], HeaderNames]) -> dict[str, str]:
    """The headers of one modern request.

    Args:
        message: The request.
        names_of: Tool -> `mirrored_arguments`.

    Raises:
        MalformedMessageError: The params can't be read.
    """
    params = jsonrpc.fields(message.params)
    method = message.method or ""
    version = jsonrpc.fields(params["_meta"]).get(VERSION_KEY) if "_meta" in params else None
    headers = {
        "MCP-Protocol-Version": LATEST_MODERN if version is None else header_value(str(jsonrpc.decode(version))),
        "Mcp-Method": header_value(method),
    }
    key = _NAMED.get(method)
    name = jsonrpc.decode(params[key]) if key is not None and key in params else None
    if not isinstance(name, str):
        return headers
    headers["Mcp-Name"] = header_value(name)
    names = names_of(name) if method == "tools/call" else None
    if names:
        arguments = jsonrpc.decode(params["arguments"]) if "arguments" in params else None
        for path, header in names.items():
            value = _shown(_at(arguments, path))
            if value is not None:
                headers[f"Mcp-Param-{header}"] = header_value(value)
    return headers


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None
