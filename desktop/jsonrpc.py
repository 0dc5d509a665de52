"""JSON-RPC 2.0 envelopes: read just enough of a message to route it, and write it again around the same payload bytes.

``params``, ``result`` and ``error`` stay the bytes they came in (`msgspec.Raw`), so unknown fields pass through untouched.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from msgspec import Raw

__all__ = [
    "CONNECTION_CLOSED",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "RESOURCE_NOT_FOUND",
    "Envelope",
    "Id",
    "MalformedMessageError",
    "decode",
    "encode",
    "fields",
    "is_request",
    "is_response",
    "notification",
    "parse",
    "parts_of_batch",
    "request",
    "response",
    "response_error",
    "to_wire",
]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
CONNECTION_CLOSED: Final = -32000
RESOURCE_NOT_FOUND: Final = -32002

Id = int | str | float


class Envelope(msgspec.Struct, gc=False):
    """One message. A request has id and method, a notification a method only, a response an id and result or error."""

    jsonrpc: str = "2.0"
    id: int | str | float | None = None
    method: str | None = None
    params: Raw = Raw()
    result: Raw = Raw()
    error: Raw = Raw()


class MalformedMessageError(ValueError):
    """The bytes are not a JSON-RPC message."""


_MALFORMED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Every escape sequence of a string; the group is half of a surrogate pair without its other half.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_envelope = msgspec.json.Decoder(Envelope)
_fields = msgspec.json.Decoder(dict[str, Raw])
_any = msgspec.json.Decoder()
_batch = msgspec.json.Decoder(list[Raw])
_encoder = msgspec.json.Encoder()

encode = _encoder.encode


def decode(data: bytes | Raw) -> Any:
    """Decode any JSON value; raises `MalformedMessageError`."""
    try:
        return _any.decode(data)
    except _MALFORMED as error:
        raise MalformedMessageError(str(error)) from error


def parse(data: bytes) -> Envelope:
    """Parse one message.

    Characters that are none (bytes that are not UTF-8, half of an emoji that was cut in two) are replaced, since a peer that
    reads strictly would break over them.

    Raises:
        MalformedMessageError: It is not a JSON object with JSON-RPC's members.
    """
    try:
        if not data.isascii():
            data.decode()
        message = _envelope.decode(data)
    except _MALFORMED as error:
        try:
            message = _envelope.decode(_repaired(data))
        except _MALFORMED:
            raise MalformedMessageError(str(error)) from error
    if message.error and bytes(message.error) == b"null":
        message.error = Raw()  # beside a result, some servers say so explicitly
    return message


def _repaired(data: bytes) -> bytes:
    data = data.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], data)


def fields(data: Raw) -> dict[str, Raw]:
    """The members of an object, each still as its bytes; an absent object has none. Raises `MalformedMessageError`."""
    if not bytes(data):
        return {}
    try:
        return _fields.decode(data)
    except _MALFORMED as error:
        raise MalformedMessageError(str(error)) from error


def parts_of_batch(data: bytes) -> list[Raw]:
    """The messages of a batch, as 2025-03-26 has them; empty where the bytes are something else."""
    try:
        return [part for part in _batch.decode(data) if bytes(part)[:1] == b"{"]
    except _MALFORMED:
        return []


def is_request(message: Envelope) -> bool:
    """Whether an answer is expected."""
    return message.method is not None and message.id is not None


def is_response(message: Envelope) -> bool:
    """Whether it answers a request."""
    return message.method is None


def to_wire(message: Envelope) -> bytes:
    """The message as one line of JSON without a newline; payloads are copied as they are."""
    parts = [b'{"jsonrpc":"2.0"']
    if message.id is not None or message.method is None:
        parts.append(b',"id":')
        parts.append(encode(message.id))
    if message.method is not None:
        parts.append(b',"method":')
        parts.append(encode(message.method))
        if message.params:
            parts.append(b',"params":')
            parts.append(message.params)
    elif message.error:
        parts.append(b',"error":')
        parts.append(message.error)
    else:
        parts.append(b',"result":')
        parts.append(message.result or b"{}")
    parts.append(b"}")
    return b"".join(parts)


def request(id: Id, method: str, params: bytes | Raw | None = None) -> bytes:
    """A request as bytes; ``params`` is JSON already."""
    return to_wire(Envelope(id=id, method=method, params=Raw(params) if params else Raw()))


def notification(method: str, params: bytes | Raw | None = None) -> bytes:
    """A notification as bytes; ``params`` is JSON already."""
    return to_wire(Envelope(method=method, params=Raw(params) if params else Raw()))


def response(id: Id | None, result: bytes | Raw) -> bytes:
    """A successful response as bytes; ``result`` is JSON already."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(id), bytes(result))


def response_error(id: Id | None, code: int, message: str, data: Any = None) -> bytes:
    """An error response as bytes."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (encode(id), encode(error))
