"""HTTP with SSE for clients of 2024-11-05: one stream for everything to the client, and an address to post to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs

from desktop import jsonrpc
from desktop.gateway.asgi import SSE, Headers, Receive, Scope, Send, read_body, reply, reply_error, until_gone
from desktop.gateway.gateway import Gateway
from desktop.gateway.message_stream import MessageStream
from desktop.gateway.session import SessionReply
from desktop.jsonrpc import MalformedMessageError
from desktop.secrets.client_tokens import Caller
from desktop.servers.event_stream import format_event

__all__ = ["SseEndpoint"]


class SseEndpoint:
    """The part of one HTTP endpoint that speaks HTTP with SSE (MCP 2024-11-05, basic/transports).

    Args:
        gateway: Takes the messages.
        streams: Where responses under way are kept, for signs of life.
        caller: Tells from an ``Authorization`` header which client sends a request.
    """

    def __init__(self, gateway: Gateway, streams: set[MessageStream], caller: Callable[[bytes], Caller | None]) -> None:
        self._gateway = gateway
        self._streams = streams
        self._caller = caller

    async def serve(
        self, method: str, headers: Headers, receive: Receive, send: Send, scope: Scope, profile: str
    ) -> None:
        """Serve a request to /sse: the stream by which a session begins and ends."""
        if method == "POST":
            await self.take(scope, receive, send)
            return
        if method != "GET":
            await reply(send, 405, b"", (b"allow", b"GET, POST"))
            return
        session = self._gateway.open_session("sse", profile)
        session.caller = self._caller(headers.get(b"authorization", b""))
        stream = MessageStream()
        session.attach(stream)
        first = format_event(b"/message?sessionId=" + session.id.encode(), b"endpoint")
        self._streams.add(stream)
        await send({"type": "http.response.start", "status": 200, "headers": [*SSE]})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        gone = asyncio.get_running_loop().create_task(until_gone(receive, stream.abandon))
        try:
            while (message := await stream.next()) is not None:
                chunk = format_event(message) if message else b": alive\n\n"
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._streams.discard(stream)
            await self._gateway.end_session(session)

    async def take(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a message that was posted to the address the stream has named."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        name = (query.get("sessionId") or query.get("sessionid") or [""])[0]
        session = self._gateway.sessions.get(name)
        if session is None:
            await reply_error(send, 404, -32001, "Session not found")
            return
        body = await read_body(receive)
        try:
            message = jsonrpc.parse(body or b"")
        except MalformedMessageError:
            await reply_error(send, 400, jsonrpc.PARSE_ERROR, "Parse error")
            return
        await reply(send, 202, b"Accepted")
        self._gateway.take(session, message, SessionReply(session))
