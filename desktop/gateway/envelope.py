"""Reading a modern request: its envelope in ``_meta``, and the HTTP headers that have to say the same (MCP 2026-07-28, basic)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    HANDSHAKE_REVISIONS,
    HEADER_MISMATCH,
    LOG_LEVEL_KEY,
    MISSING_CAPABILITY,
    MODERN_REVISIONS,
    UNSUPPORTED_REVISION,
    VERSION_KEY,
)

__all__ = [
    "EVERY_REVISION",
    "ModernRequest",
    "RefusedError",
    "has_envelope",
    "header_text",
    "read_request",
    "status_of",
    "unsupported",
    "without_answers",
]

EVERY_REVISION: Final = (*MODERN_REVISIONS, *HANDSHAKE_REVISIONS)
_MARK: Final = b'"' + VERSION_KEY.encode() + b'"'
_TARGETS: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ROUTING_HEADERS: Final = (b"mcp-protocol-version", b"mcp-method", b"mcp-name")
_WRAPPED: Final = re.compile(r"=\?base64\?(.*)\?=")
_STATUS: Final = {
    jsonrpc.PARSE_ERROR: 400,
    jsonrpc.INVALID_REQUEST: 400,
    jsonrpc.INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    MISSING_CAPABILITY: 400,
    UNSUPPORTED_REVISION: 400,
    jsonrpc.METHOD_NOT_FOUND: 404,
}

RawHeaders = Sequence[tuple[bytes, bytes]]


class RefusedError(Exception):
    """A request that may not pass, as the JSON-RPC error its sender gets.

    Args:
        code: JSON-RPC error code.
        text: What is wrong with the request.
        data: More about it, as JSON values.
    """

    def __init__(self, code: int, text: str, data: Any = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.data = data


class _Meta(
    msgspec.Struct,
    rename={
        "version": VERSION_KEY,
        "client_info": CLIENT_INFO_KEY,
        "capabilities": CAPABILITIES_KEY,
        "level": LOG_LEVEL_KEY,
        "progress_token": "progressToken",
    },
):
    version: Raw = Raw()
    client_info: Raw = Raw()
    capabilities: Raw = Raw()
    level: Raw = Raw()
    progress_token: Raw = Raw()


class _Params(
    msgspec.Struct, rename={"meta": "_meta", "request_state": "requestState", "input_responses": "inputResponses"}
):
    meta: _Meta
    name: Raw = Raw()
    uri: Raw = Raw()
    arguments: Raw = Raw()
    request_state: Raw = Raw()
    input_responses: Raw = Raw()


@dataclass(slots=True)
class ModernRequest:
    """What a modern request says besides its payload.

    Attributes:
        id: The client's id, as JSON.
        target: Name of the tool or prompt, or URI of the resource; empty for methods without one.
        capabilities, client_info: The client's, as JSON; ``client_info`` is empty when it doesn't say.
        level: Log level the client wants messages of this request from; empty for none.
        progress_token: As JSON; empty when it wants no progress.
        arguments: Of a tool, as JSON; empty when there are none.
        state, responses: What an earlier result asked for, brought back with this request; empty on a first request.
    """

    id: bytes
    method: str
    target: str
    capabilities: bytes
    client_info: bytes
    level: str
    progress_token: bytes
    arguments: bytes
    state: str
    responses: bytes


_params = msgspec.json.Decoder(_Params)


def has_envelope(message: Envelope) -> bool:
    """Whether a request is written the modern way; ``initialize`` never is."""
    return message.method != "initialize" and _MARK in bytes(message.params)


def read_request(message: Envelope, headers: RawHeaders | None = None) -> ModernRequest:
    """Read a request and check what can be checked without looking at any server.

    Args:
        message: The request.
        headers: Header lines of the HTTP request, names in lower case; None where there is no HTTP.

    Raises:
        RefusedError: The envelope is missing or incomplete, the headers say something else, or the revision is not served.
    """
    try:
        params = _params.decode(message.params)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        text = f"params._meta must be an object with {VERSION_KEY} and {CAPABILITIES_KEY}: {error}"
        raise RefusedError(jsonrpc.INVALID_PARAMS, text) from None
    meta = params.meta
    pairs = ((VERSION_KEY, meta.version), (CAPABILITIES_KEY, meta.capabilities))
    missing = [key for key, value in pairs if not bytes(value)]
    if missing:
        raise RefusedError(jsonrpc.INVALID_PARAMS, f"params._meta has no {' and no '.join(missing)}")
    version = jsonrpc.decode(meta.version)
    method = message.method or ""
    key = _TARGETS.get(method)
    target = _decoded(params.uri if key == "uri" else params.name) if key is not None else None
    if headers is not None:
        _check_headers(headers, version, method, key or "", target)
    if not isinstance(version, str):
        raise RefusedError(jsonrpc.INVALID_PARAMS, f"{VERSION_KEY} must be a string")
    if version not in MODERN_REVISIONS:
        raise unsupported(version)
    state = _decoded(params.request_state)
    level = _decoded(meta.level)
    return ModernRequest(
        id=jsonrpc.encode(message.id),
        method=method,
        target=target if isinstance(target, str) else "",
        capabilities=_object(meta.capabilities, CAPABILITIES_KEY),
        client_info=_object(meta.client_info, CLIENT_INFO_KEY) if _decoded(meta.client_info) is not None else b"",
        level=level if isinstance(level, str) else "",
        progress_token=bytes(meta.progress_token),
        arguments=bytes(params.arguments),
        state=state if isinstance(state, str) else "",
        responses=bytes(params.input_responses),
    )


def _check_headers(headers: RawHeaders, version: Any, method: str, key: str, target: Any) -> None:
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _ROUTING_HEADERS:
            if name in found:
                raise RefusedError(HEADER_MISMATCH, f"The header {name.decode()} is there more than once")
            found[name] = value.strip().decode("latin-1")
    if found.get(b"mcp-protocol-version") != version:
        raise RefusedError(HEADER_MISMATCH, f"The header mcp-protocol-version does not say what {VERSION_KEY} says")
    if found.get(b"mcp-method") != method:
        raise RefusedError(HEADER_MISMATCH, "The header mcp-method does not say what the method of the request is")
    if target is not None and header_text(found.get(b"mcp-name")) != target:
        raise RefusedError(HEADER_MISMATCH, f"The header mcp-name does not say what params.{key} says")


def unsupported(version: str) -> RefusedError:
    """The refusal of a revision nobody here speaks, with those that are spoken."""
    return RefusedError(
        UNSUPPORTED_REVISION,
        f"Unsupported protocol version {version}; supported: {', '.join(EVERY_REVISION)}",
        {"supported": list(EVERY_REVISION), "requested": version},
    )


def header_text(value: str | None) -> str | None:
    """A header's value, unwrapped from base64 where it is wrapped; None when there is none or the wrapping is broken."""
    wrapped = _WRAPPED.fullmatch(value) if value is not None else None
    if wrapped is None:
        return value
    try:
        data = base64.b64decode(wrapped[1], validate=True)
        return data.decode() if base64.b64encode(data).decode() == wrapped[1] else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def status_of(code: int) -> int:
    """The HTTP status that goes with an error's code."""
    return _STATUS.get(code, 200)


def without_answers(params: Raw) -> Raw:
    """The parameters of a modern request without what only a modern server knows of: answers to questions of an earlier round.

    Raises:
        MalformedMessageError: They can't be read.
        RefusedError: They bring back a state, which a server of the handshake era can't have given out.
    """
    data = bytes(params)
    if b'"inputResponses"' not in data and b'"requestState"' not in data:
        return params
    members = jsonrpc.fields(params)
    members.pop("inputResponses", None)
    if bytes(members.pop("requestState", Raw(b"null"))) != b"null":
        raise RefusedError(jsonrpc.INVALID_PARAMS, "This requestState is unknown; call again without it")
    return Raw(jsonrpc.encode(members))


def _decoded(value: Raw) -> Any:
    return jsonrpc.decode(value) if bytes(value) else None


def _object(value: Raw, key: str) -> bytes:
    try:
        jsonrpc.fields(value)
    except MalformedMessageError:
        raise RefusedError(jsonrpc.INVALID_PARAMS, f"{key} must be an object") from None
    return bytes(value)
