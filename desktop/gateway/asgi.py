"""What both ends of the HTTP endpoint need of ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from desktop import jsonrpc

__all__ = [
    "BODY_LIMIT",
    "JSON",
    "SSE",
    "Headers",
    "Receive",
    "Scope",
    "Send",
    "read_body",
    "reply",
    "reply_error",
    "until_gone",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]

JSON: Final = (b"content-type", b"application/json")
SSE: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
BODY_LIMIT: Final = 64 * 1024 * 1024


async def read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large or the client went away."""
    event = await receive()
    if event["type"] != "http.request":
        return None
    body: bytes = event.get("body", b"")
    if not event.get("more_body"):
        return body
    parts, size = [body], len(body)
    while event.get("more_body"):
        event = await receive()
        if event["type"] != "http.request":
            return None
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            return None
    return b"".join(parts)


async def reply(send: Send, status: int, body: bytes = b"", *headers: tuple[bytes, bytes]) -> None:
    """A whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def reply_error(send: Send, status: int, code: int, text: str) -> None:
    """Answer with a JSON-RPC error that belongs to no request."""
    await reply(send, status, jsonrpc.response_error(None, code, text), JSON)


async def until_gone(receive: Receive, then: Callable[[], None]) -> None:
    """Wait until the client closes the connection, and do something then."""
    while (await receive())["type"] != "http.disconnect":
        pass
    then()
