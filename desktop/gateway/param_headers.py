"""``Mcp-Param-*`` headers: a tool's schema names arguments that are mirrored into headers; both have to say the same.

MCP 2026-07-28, basic/transports (custom headers). A schema with a wrong annotation asks for nothing: clients leave such a tool
out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from desktop import jsonrpc
from desktop.gateway.envelope import RawHeaders, RefusedError, header_text
from desktop.gateway.offer import Offer
from desktop.jsonrpc import MalformedMessageError
from desktop.revisions import HEADER_MISMATCH
from desktop.servers.request_headers import AnnotationError, HeaderNames, mirrored_arguments

__all__ = ["MirroredTools", "check_param_headers"]

_PREFIX: Final = b"mcp-param-"
_NUMBER: Final = re.compile(r"(-?[0-9]{1,1000})(?:\.0+)?")
_MOST: Final = 8


def check_param_headers(names: HeaderNames, arguments: bytes, headers: RawHeaders) -> None:
    """Compare the headers of a call with its arguments.

    Args:
        names: The tool's mirrored arguments.
        arguments: The arguments as JSON; empty when there are none.
        headers: Header lines of the HTTP request, names in lower case.

    Raises:
        RefusedError: They differ, or a header is there twice.
    """
    wanted = {_PREFIX + name.lower().encode(): path for path, name in names.items()}
    given: dict[bytes, str] = {}
    for header, line in headers:
        if header in wanted:
            if header in given:
                raise RefusedError(HEADER_MISMATCH, f"The header {header.decode()} is there more than once")
            given[header] = line.strip().decode("latin-1")
    values = jsonrpc.decode(arguments) if arguments else {}
    for header, path in wanted.items():
        value, where = _value_at(values, path), ".".join(path)
        text = _as_text(value)
        if header not in given:
            if text is not None:
                reason = f"The header {header.decode()} is missing, although there is the argument {where}"
                raise RefusedError(HEADER_MISMATCH, reason)
        elif not _same(value, text, header_text(given[header])):
            reason = f"The header {header.decode()} does not say what the argument {where} says"
            raise RefusedError(HEADER_MISMATCH, reason)


def _value_at(arguments: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        arguments = arguments.get(name) if isinstance(arguments, dict) else None
    return arguments


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def _same(value: Any, text: str | None, header: str | None) -> bool:
    if text is None or header is None:
        return False
    number = _NUMBER.fullmatch(header)
    if number is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value == int(number[1])  # 42 and 42.0 are one number
    return header == text


class MirroredTools:
    """The mirrored arguments of every tool on offer, worked out once for each list of tools."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, HeaderNames]] = {}

    def of(self, offer: Offer, tool: str) -> HeaderNames:
        """Those of one tool, by its exposed name; empty for most."""
        if b'"x-mcp-header"' not in offer.tools:
            return {}
        known = self._known.get(offer.tools)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[offer.tools] = _read(offer.tools)
        return known.get(tool, {})


def _read(tools: bytes) -> Mapping[str, HeaderNames]:
    found: dict[str, HeaderNames] = {}
    try:
        entries = jsonrpc.decode(tools)["tools"]
    except MalformedMessageError:
        return found
    for entry in entries:
        try:
            found[entry["name"]] = mirrored_arguments(entry.get("inputSchema"))
        except AnnotationError:
            continue
    return found
