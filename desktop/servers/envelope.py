"""The envelope of a modern request: what ``_meta`` says of the client, put on and taken off without reading the payload.

MCP 2026-07-28, basic: every request names its protocol version and the client's capabilities, should name the client, and
may ask for log messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Raw

from desktop import __version__, jsonrpc
from desktop.revisions import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LATEST_MODERN,
    LOG_LEVEL_KEY,
    SUBSCRIPTION_KEY,
    VERSION_KEY,
)

__all__ = ["OWN_NAME", "envelope", "with_envelope", "without_envelope", "without_subscription"]

OWN_NAME: Final = b'{"name":"mcp-gateway-desktop","version":"%b"}' % __version__.encode()
_PREFIX: Final = b'"io.modelcontextprotocol/'
_KEYS: Final = (VERSION_KEY, CLIENT_INFO_KEY, CAPABILITIES_KEY, LOG_LEVEL_KEY)


def envelope(capabilities: bytes, client_info: bytes, level: str) -> dict[str, bytes]:
    """The members of ``_meta`` for one client.

    Args:
        capabilities: The client's capabilities as JSON.
        client_info: Who the client is as JSON; when empty, the gateway names itself.
        level: Log level wanted for the request; empty for no log messages.
    """
    members = {
        VERSION_KEY: b'"%b"' % LATEST_MODERN.encode(),
        CLIENT_INFO_KEY: client_info or OWN_NAME,
        CAPABILITIES_KEY: capabilities,
    }
    if level:
        members[LOG_LEVEL_KEY] = jsonrpc.encode(level)
    return members


def with_envelope(params: Raw, members: Mapping[str, bytes]) -> Raw:
    """Params with these members in their ``_meta``; what else is in them stays. Raises `MalformedMessageError`."""
    data = bytes(params).strip() or b"{}"
    if b'"_meta"' not in data and data.startswith(b"{"):
        inside = b",".join(b'"%b":%b' % (key.encode(), value) for key, value in members.items())
        rest = data[1:].lstrip()
        return Raw(b'{"_meta":{%b}%b%b' % (inside, b"" if rest == b"}" else b",", rest))
    outer = jsonrpc.fields(params)
    meta = _meta(outer)
    meta.update((key, Raw(value)) for key, value in members.items())
    outer["_meta"] = Raw(jsonrpc.encode(meta))
    return Raw(jsonrpc.encode(outer))


def without_envelope(params: Raw) -> Raw:
    """Params as a server of the handshake era knows them. Raises `MalformedMessageError`."""
    return _without(params, _KEYS)


def without_subscription(params: Raw) -> Raw:
    """Params of a notification without the mark of the stream it came on; that is between us and the server."""
    return _without(params, (SUBSCRIPTION_KEY,))


def _without(params: Raw, keys: tuple[str, ...]) -> Raw:
    if _PREFIX not in bytes(params):
        return params
    outer = jsonrpc.fields(params)
    meta = _meta(outer)
    kept = {key: value for key, value in meta.items() if key not in keys}
    if len(kept) == len(meta):
        return params
    if kept:
        outer["_meta"] = Raw(jsonrpc.encode(kept))
    else:
        del outer["_meta"]
    return Raw(jsonrpc.encode(outer))


def _meta(params: dict[str, Raw]) -> dict[str, Raw]:
    found = params.get("_meta")
    return {} if found is None or bytes(found) == b"null" else jsonrpc.fields(found)
