"""The HTTP endpoint as a raw ASGI application: streamable HTTP at /mcp, HTTP with SSE at /sse, and /health.

Behind a profile's id (/mcp/ID, /sse/ID) a client sees the servers of this profile in place of the enabled ones.

Implements MCP 2025-11-25 basic/transports (streamable HTTP) and 2024-11-05 (HTTP with SSE). No framework stands in the way
of a call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from desktop import jsonrpc
from desktop.errors import ProfileError
from desktop.gateway.access import Access
from desktop.gateway.asgi import JSON, SSE, Headers, Receive, Scope, Send, read_body, reply, reply_error, until_gone
from desktop.gateway.batch import has_batches, is_batch, take_batch
from desktop.gateway.envelope import has_envelope
from desktop.gateway.gateway import SUPPORTED_VERSIONS, Gateway
from desktop.gateway.message_stream import MessageStream
from desktop.gateway.modern_http import ModernHead, ModernHttp, ShimClient, is_modern, without_version
from desktop.gateway.resumption import KeptStream
from desktop.gateway.session import Session
from desktop.gateway.sse_endpoint import SseEndpoint
from desktop.jsonrpc import MalformedMessageError

__all__ = ["HttpEndpoint"]

_HEARTBEAT: Final = 15.0
_SESSION_IDLE: Final = 30 * 60.0
log = logging.getLogger(__name__)


class HttpEndpoint:
    """One listening HTTP endpoint.

    Args:
        gateway: Takes the messages.
        access: Who may pass.
        ready: Says whether the first load is done, for /health.

    Attributes:
        streams: Responses under way; each gets signs of life, and is ended with the endpoint.
    """

    def __init__(self, gateway: Gateway, access: Access, ready: Callable[[], bool]) -> None:
        self._gateway = gateway
        self._access = access
        self._ready = ready
        self.streams: set[MessageStream] = set()
        self._upkeep: asyncio.Task[None] | None = None
        self._modern = ModernHttp(gateway, self.streams, access.caller)
        self._sse = SseEndpoint(gateway, self.streams, access.caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            return
        self._begin_upkeep()
        headers: Headers = {name: value.strip() for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        if path == "/health":
            await reply(send, 200 if self._ready() else 503)
            return
        generation = self._access.generation
        refusal = self._access.refuse(headers)
        if refusal is not None and refusal.status == 401 and await self._access.learns_more(generation):
            refusal = self._access.refuse(headers)
        if refusal is not None:
            extra = ((b"www-authenticate", b'Bearer realm="MCP Gateway"'),) if refusal.status == 401 else ()
            await reply(send, refusal.status, refusal.reason.encode(), *extra)
            return
        try:
            await self._serve(path, method, headers, receive, send, scope)
        except ProfileError as error:
            await reply_error(send, 404, jsonrpc.INVALID_REQUEST, error.message)

    async def _serve(
        self, path: str, method: str, headers: Headers, receive: Receive, send: Send, scope: Scope
    ) -> None:
        if (profile := profile_in(path)) is not None:
            if is_modern(headers):
                await self._modern.serve(scope, headers, receive, send, profile)
            else:
                await self._streamable(method, headers, receive, send, profile)
        elif (profile := profile_in(path, "/sse")) is not None:
            await self._sse.serve(method, headers, receive, send, scope, profile)
        elif path == "/message" and method == "POST":
            await self._sse.take(scope, receive, send)
        else:
            await reply(send, 307, b"", (b"location", b"/mcp"))

    def session_of(self, scope: Scope) -> Session | ModernHead | ShimClient | None:
        """The session a POST belongs to when it may pass; else the endpoint has to be called, to say what is wrong.

        A modern POST belongs to none; its head stands for it, or the client of the shim it comes from.
        """
        headers: Headers = {name: value.strip() for name, value in scope["headers"]}
        profile = profile_in(scope["path"])
        if profile is None or self._access.refuse(headers) is not None:
            return None
        if is_modern(headers):
            return ModernHead(scope["headers"], profile, self._access.generation)
        try:
            session, _ = self._session(headers, profile)
        except ProfileError:
            return None
        if session is not None and session.modern:
            return self._modern.client_of(session)
        return session

    def knows(self, session: Session | ModernHead | ShimClient) -> bool:
        """Whether a session is there still."""
        if isinstance(session, Session):
            return self._gateway.sessions.get(session.id) is session
        if isinstance(session, ShimClient):
            return not session.session.closed
        return session.generation == self._access.generation

    def take_call(self, session: Session | ModernHead | ShimClient, body: bytes, stream: MessageStream) -> bool:
        """Take a client's request without a task of its own; the short way of a call.

        Args:
            session: Whose request it is.
            body: The whole body of the HTTP request.
            stream: Takes the answer, and what is to be said before it; in `streams` from then on.

        Returns:
            False when it is anything but a request: the endpoint is to be called then.
        """
        if not isinstance(session, Session):
            self._begin_upkeep()
            return self._modern.take_call(session, body, stream)
        try:
            message = jsonrpc.parse(body)
        except MalformedMessageError:
            return False
        if message.method is None or message.id is None or message.method == "initialize":
            return False
        self._begin_upkeep()
        self.streams.add(stream)
        number = message.id
        try:
            self._gateway.request(session, message, stream)
        except Exception as error:
            log.exception("a request failed")
            text = f"The gateway failed: {type(error).__name__}"
            stream.finish(jsonrpc.response_error(number, jsonrpc.INTERNAL_ERROR, text))
        return True

    def call_over(self, stream: MessageStream) -> None:
        """What `take_call` has begun is over."""
        self.streams.discard(stream)
        self._modern.call_over(stream)

    async def close(self) -> None:
        """End all open streams."""
        if self._upkeep is not None:
            self._upkeep.cancel()
        self._modern.close()
        for stream in tuple(self.streams):
            stream.abandon()

    # Streamable HTTP.

    async def _streamable(self, method: str, headers: Headers, receive: Receive, send: Send, profile: str) -> None:
        if method == "POST":
            await self._post(headers, receive, send, profile)
            return
        if method == "PUT" and b"mcp-stdio" in headers:
            await self._modern.open_connection(send, profile)
            return
        if method not in ("GET", "DELETE"):
            await reply(send, 405, b"", (b"allow", b"GET, POST, DELETE"))
            return
        session, problem = self._session(headers, profile)
        if session is None:
            await reply(send, *problem)
        elif method == "GET" and session.modern:
            await self._modern.watch(session, receive, send)
        elif method == "GET":
            accept = headers.get(b"accept", b"*/*")
            if b"text/event-stream" not in accept and b"*/*" not in accept:
                await reply(send, 406, b"Accept text/event-stream to open the stream")
                return
            await self._listen(session, headers.get(b"last-event-id", b""), receive, send)
        else:
            await self._gateway.end_session(session)
            await reply(send, 200)

    async def _listen(self, session: Session, last: bytes, receive: Receive, send: Send) -> None:
        """Give a session its messages that belong to no call, or the rest of a call's stream that broke off after ``last``."""
        kept, number = session.resumption.find(last) if last else (session.resumption.standalone, 0)
        if kept is None:
            await reply(send, 200, b"", *SSE)  # nothing of it is left
        elif kept is session.resumption.standalone:
            stream = kept.stream = MessageStream()
            session.attach(stream)
            try:
                await self._stream(stream, receive, send, kept=kept, replay=kept.since(number) if last else [])
            finally:
                session.detach(stream)
                for message in stream.rest():
                    session.deliver(message)
        else:
            await kept.take_over()
            await self._stream(kept.stream, receive, send, kept=kept, replay=kept.since(number))

    async def _post(self, headers: Headers, receive: Receive, send: Send, profile: str) -> None:
        body = await read_body(receive)
        if body is None:
            await reply_error(send, 413, jsonrpc.INVALID_REQUEST, "The message is larger than 64 MiB")
            return
        try:
            message = jsonrpc.parse(body)
        except MalformedMessageError:
            if is_batch(body):
                await self._post_batch(body, headers, receive, send, profile)
            else:
                await reply_error(send, 400, jsonrpc.PARSE_ERROR, "Parse error")
            return
        extra: tuple[tuple[bytes, bytes], ...] = ()
        known, problem = self._session(headers, profile)
        if known is not None and known.modern:
            await self._modern.take(known, message, receive, send)
            return
        if message.method == "initialize" and message.id is not None:
            session = self._gateway.open_session("streaming", profile)
            session.caller = self._access.caller(headers.get(b"authorization", b""))
            extra = ((b"mcp-session-id", session.id.encode()),)
        elif known is None:
            if message.id is not None and has_envelope(message) and b"mcp-session-id" not in headers:
                problem = without_version(message)
            await reply(send, *problem)
            return
        else:
            session = known
        if message.method is None:
            self._gateway.answer(session, message)
            await reply(send, 202)
        elif message.id is None:
            self._gateway.notify(session, message)
            await reply(send, 202)
        else:
            stream = MessageStream()
            self._gateway.request(session, message, stream)
            await self._answer(session, stream, receive, send, extra)

    async def _post_batch(self, body: bytes, headers: Headers, receive: Receive, send: Send, profile: str) -> None:
        session, problem = self._session(headers, profile)
        if session is None:
            await reply(send, *problem)
            return
        if not has_batches(session):
            text = f"MCP {session.protocol_version} has no batches; send one message a request"
            await reply_error(send, 400, jsonrpc.INVALID_REQUEST, text)
            return
        stream = MessageStream()
        try:
            is_answered = take_batch(self._gateway, session, body, stream)
        except MalformedMessageError as error:
            await reply_error(send, 400, jsonrpc.INVALID_REQUEST, f"This is not a batch: {error}")
            return
        if is_answered:
            await self._answer(session, stream, receive, send)
        else:
            await reply(send, 202)

    async def _answer(
        self,
        session: Session,
        stream: MessageStream,
        receive: Receive,
        send: Send,
        extra: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        """Plain JSON when the answer is the first thing to say, else an event stream."""
        self.streams.add(stream)
        try:
            first = await stream.next()
            if first is None:
                await reply(send, 202)  # the client cancelled and expects no answer
            elif stream.sole_answer:
                await reply(send, 200, first, JSON, *extra)
            else:
                kept = session.resumption.begin(stream)
                replay = [*([kept.prime()] if session.primes_streams else ()), *([kept.event(first)] if first else ())]
                await self._stream(stream, receive, send, extra, kept=kept, replay=replay)
        finally:
            self.streams.discard(stream)

    async def _stream(
        self,
        stream: MessageStream,
        receive: Receive,
        send: Send,
        extra: tuple[tuple[bytes, bytes], ...] = (),
        *,
        kept: KeptStream,
        replay: Sequence[bytes] = (),
    ) -> None:
        """Send first ``replay``, then events until the stream ends or the client has gone."""
        self.streams.add(stream)
        await send({"type": "http.response.start", "status": 200, "headers": [*SSE, *extra]})
        gone = asyncio.get_running_loop().create_task(until_gone(receive, stream.detach))
        try:
            for event in replay:
                await send({"type": "http.response.body", "body": event, "more_body": True})
            while (message := await stream.next()) is not None:
                chunk = kept.event(message) if message else b": alive\n\n"
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self.streams.discard(stream)

    def _session(self, headers: Headers, profile: str) -> tuple[Session | None, tuple[int, bytes, tuple[bytes, bytes]]]:
        session_id = headers.get(b"mcp-session-id", b"").decode("latin-1")
        if not session_id:
            self._gateway.check_profile(profile)
            text = "Missing Mcp-Session-Id: send initialize first"
            return None, (400, jsonrpc.response_error(None, jsonrpc.INVALID_REQUEST, text), JSON)
        session = self._gateway.sessions.get(session_id)
        if session is None or session.profile != profile:
            return None, (404, jsonrpc.response_error(None, -32001, "Session not found"), JSON)
        version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        if version and version not in SUPPORTED_VERSIONS:
            text = f"Unsupported protocol version {version}; supported: {', '.join(SUPPORTED_VERSIONS)}"
            return None, (400, jsonrpc.response_error(None, -32022, text, {"supported": SUPPORTED_VERSIONS}), JSON)
        return session, (200, b"", JSON)

    # Upkeep.

    def _begin_upkeep(self) -> None:
        if self._upkeep is None:
            self._upkeep = asyncio.get_running_loop().create_task(self._keep_up())

    async def _keep_up(self) -> None:
        """Signs of life on streams that are not new; sessions whose client has gone silently are ended."""
        before: set[MessageStream] = set()
        while True:
            await asyncio.sleep(_HEARTBEAT)
            for stream in before & self.streams:
                stream.beat()
            before = set(self.streams)
            oldest = time.monotonic() - _SESSION_IDLE
            for session in tuple(self._gateway.sessions.values()):
                quiet = not session.listening and not session.calls and session.transport == "streaming"
                if quiet and session.last_active < oldest:
                    await self._gateway.end_session(session)
            await self._modern.end_idle(oldest)


def profile_in(path: str, root: str = "/mcp") -> str | None:
    """The profile a path names; empty where it names none, None where it is another path."""
    if path == root:
        return ""
    id = path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else ""
    return id if id and "/" not in id else None
