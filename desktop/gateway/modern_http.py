"""Streamable HTTP of the modern era: one POST, one request, one answer (MCP 2026-07-28, basic/transports)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from desktop import jsonrpc
from desktop.errors import ProfileError
from desktop.gateway.asgi import JSON, SSE, Headers, Receive, Scope, Send, read_body, reply, until_gone
from desktop.gateway.envelope import RawHeaders, RefusedError, status_of, unsupported
from desktop.gateway.gateway import Gateway
from desktop.gateway.message_stream import MessageStream
from desktop.gateway.modern import ModernClients, ModernConnection, error_of
from desktop.gateway.modern_reply import ModernReply
from desktop.gateway.session import Session
from desktop.gateway.subscriptions import Listening
from desktop.jsonrpc import Envelope, MalformedMessageError, is_request
from desktop.revisions import HANDSHAKE_REVISIONS, HEADER_MISMATCH, MODERN_REVISIONS, VERSION_KEY
from desktop.secrets.client_tokens import Caller
from desktop.servers.event_stream import format_event

__all__ = ["ModernHead", "ModernHttp", "ShimClient", "is_modern", "without_version"]

log = logging.getLogger(__name__)


def is_modern(headers: Headers) -> bool:
    """Whether a request to /mcp is to be judged by the rules of the modern era: it names a revision that knows no handshake."""
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    if version in MODERN_REVISIONS:
        return True
    return bool(version) and version not in HANDSHAKE_REVISIONS and b"mcp-session-id" not in headers


class ModernHead:
    """What stands above the body of a client's POST, for as many as have the same above them; takes a session's place there.

    Args:
        lines: The header lines, names in lower case.
        profile: The profile the request's path names, or empty.
        generation: `Access.generation` when they were let in.

    Attributes:
        principal: Who sends it, as far as the headers tell.
        takes_events: Whether the client takes an event stream as answer.
        primes_streams: Whether event streams begin with an event without data; not in this era, which can't resume any.
        resumption: Writes event streams.
    """

    __slots__ = ("generation", "lines", "principal", "profile", "resumption", "takes_events")
    primes_streams = False

    def __init__(self, lines: RawHeaders, profile: str, generation: int = 0) -> None:
        self.generation = generation
        self.profile = profile
        headers = dict(lines)
        accept = headers.get(b"accept", b"*/*")
        self.lines = lines
        self.principal = headers.get(b"authorization", b"").strip()
        self.takes_events = b"text/event-stream" in accept or b"*/*" in accept
        self.resumption = _Events()


class ShimClient:
    """A modern client behind the shim; takes a session's place above its messages.

    Args:
        connection: Takes them.
        session: The session they come under.

    Attributes:
        primes_streams, resumption: As those of `ModernHead`.
    """

    __slots__ = ("connection", "resumption", "session")
    primes_streams = False

    def __init__(self, connection: ModernConnection, session: Session) -> None:
        self.connection = connection
        self.session = session
        self.resumption = _Events()


class _Events:
    """Event streams nothing of which is kept."""

    def begin(self, stream: MessageStream) -> _Events:
        """A stream begins."""
        return self

    def prime(self) -> bytes:
        """Nothing."""
        return b""

    def event(self, message: bytes) -> bytes:
        """A message as an event."""
        return format_event(message)


class _Target:
    """A response; knows which HTTP status goes with an answer."""

    __slots__ = ("_refused", "_stream")

    def __init__(self, stream: MessageStream, number: bytes) -> None:
        self._stream = stream
        self._refused = b'{"jsonrpc":"2.0","id":%b,"error":' % number

    def send(self, message: bytes) -> None:
        """Before the answer."""
        self._stream.send(message)

    def finish(self, message: bytes) -> None:
        """The answer."""
        if message.startswith(self._refused):
            self._stream.status = _status(message)
        self._stream.finish(message)

    def abandon(self) -> None:
        """No answer."""
        self._stream.abandon()


def _status(message: bytes) -> int:
    try:
        code = jsonrpc.decode(jsonrpc.fields(jsonrpc.parse(message).error)["code"])
    except (MalformedMessageError, KeyError):
        return 200
    return status_of(code) if isinstance(code, int) else 200


class ModernHttp:
    """The modern side of one HTTP endpoint.

    Args:
        gateway: Takes the requests.
        streams: Where responses under way are kept, for signs of life.
        caller: Tells from an ``Authorization`` header which client sends a request.
    """

    def __init__(self, gateway: Gateway, streams: set[MessageStream], caller: Callable[[bytes], Caller | None]) -> None:
        self._gateway = gateway
        self._clients = ModernClients(gateway, "streaming", caller=caller)
        self._streams = streams
        self._connections: dict[str, ShimClient] = {}
        self._watched: set[str] = set()
        self._direct: dict[MessageStream, ModernReply | Listening] = {}

    async def serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send, profile: str) -> None:
        """Serve one HTTP request of a client that may pass; ``profile`` is what its path names, or empty."""
        if scope["method"] != "POST":
            await reply(send, 405, b"", (b"allow", b"POST"))
            return
        body = await read_body(receive)
        if body is None:
            await reply(
                send, 413, jsonrpc.response_error(None, jsonrpc.INVALID_REQUEST, "The message is too large"), JSON
            )
            return
        try:
            message = jsonrpc.parse(body)
        except MalformedMessageError:
            code = jsonrpc.INVALID_REQUEST if body.lstrip()[:1] == b"[" else jsonrpc.PARSE_ERROR
            text = "The body must be one JSON-RPC request or notification"
            await reply(send, 400, jsonrpc.response_error(None, code, text), JSON)
            return
        if message.method is None or message.id is None:
            await self._no_request(message, headers, send)
        elif message.method == "subscriptions/listen" and not ModernHead(scope["headers"], profile).takes_events:
            await reply(send, 406, b"Accept text/event-stream to listen")
        else:
            await self._request(message, ModernHead(scope["headers"], profile), receive, send)

    async def _no_request(self, message: Envelope, headers: Headers, send: Send) -> None:
        """A notification is accepted, but no method of this era means anything to us; a response can't be meant for us."""
        version = headers[b"mcp-protocol-version"].decode("latin-1")
        if message.method is None:
            error = RefusedError(jsonrpc.INVALID_REQUEST, "The body must be one JSON-RPC request or notification")
        elif version not in MODERN_REVISIONS:
            error = unsupported(version)
        else:
            await reply(send, 202)
            return
        await _refuse(send, b"null", error)

    async def _request(self, message: Envelope, head: ModernHead, receive: Receive, send: Send) -> None:
        stream = MessageStream()
        try:
            taken = self._taken(message, head, stream)
        except RefusedError as error:
            await _refuse(send, jsonrpc.encode(message.id), error)
            return
        if not await self._answer(stream, taken, receive, send):
            text = "The gateway has ended"
            await reply(send, 503, jsonrpc.response_error(message.id, jsonrpc.CONNECTION_CLOSED, text), JSON)

    def _taken(self, message: Envelope, head: ModernHead, stream: MessageStream) -> ModernReply | Listening:
        target = _Target(stream, jsonrpc.encode(message.id))
        try:
            return self._clients.take(
                message, target, principal=head.principal, profile=head.profile, headers=head.lines
            )
        except (RefusedError, ProfileError):
            raise
        except Exception as error:
            log.exception("a request failed")
            raise RefusedError(jsonrpc.INTERNAL_ERROR, f"The gateway failed: {type(error).__name__}") from error

    def client_of(self, session: Session) -> ShimClient | None:
        """The client of the shim whose messages come under a session."""
        return self._connections.get(session.id)

    def take_call(self, client: ModernHead | ShimClient, body: bytes, stream: MessageStream) -> bool:
        """Take a request without a task of its own; False when it isn't one that may pass, so that `serve` has to answer it."""
        try:
            message = jsonrpc.parse(body)
            if not is_request(message):
                return False
            if isinstance(client, ShimClient):
                taken = self._taken_from_shim(message, client, stream)
            elif message.method == "subscriptions/listen" and not client.takes_events:
                return False
            else:
                taken = self._taken(message, client, stream)
        except (MalformedMessageError, RefusedError, ProfileError):
            return False
        if taken is not None and not stream.answered:
            self._direct[stream] = taken
            self._streams.add(stream)
        return True

    def _taken_from_shim(
        self, message: Envelope, client: ShimClient, stream: MessageStream
    ) -> ModernReply | Listening | None:
        number = message.id
        try:
            return client.connection.take(message, stream)
        except Exception as error:
            log.exception("a request failed")
            text = f"The gateway failed: {type(error).__name__}"
            stream.finish(jsonrpc.response_error(number, jsonrpc.INTERNAL_ERROR, text))
            return None

    def call_over(self, stream: MessageStream) -> None:
        """A response `take_call` has begun is over; without an answer its client has gone."""
        taken = self._direct.pop(stream, None)
        if taken is not None and not stream.answered:
            taken.give_up("the client has gone")

    async def _answer(
        self, stream: MessageStream, taken: ModernReply | Listening | None, receive: Receive, send: Send
    ) -> bool:
        """Plain JSON when the answer is the first thing to say, else an event stream; False when there is nothing to say."""
        self._streams.add(stream)
        gone = asyncio.get_running_loop().create_task(until_gone(receive, stream.abandon))
        try:
            first = await stream.next()
            if first is None:
                return False
            if stream.sole_answer:
                await reply(send, stream.status, first, JSON)
            else:
                await _stream(stream, first, send)
            return True
        finally:
            gone.cancel()
            self._streams.discard(stream)
            if taken is not None and not stream.answered:
                taken.give_up("the client has gone")

    # The shim: one client on standard streams, each of its messages in a POST of its own.

    async def open_connection(self, send: Send, profile: str) -> None:
        """Begin a connection for a modern client of the shim; its messages come under the session id it is given."""
        session = self._gateway.open_session("streaming", profile)
        session.modern = True
        self._connections[session.id] = ShimClient(ModernConnection(self._gateway, session), session)
        await reply(send, 200, b"", (b"mcp-session-id", session.id.encode()))

    async def take(self, session: Session, message: Envelope, receive: Receive, send: Send) -> None:
        """Take a message of such a client."""
        stream = MessageStream()
        taken = self._connections[session.id].connection.take(message, stream)
        if not is_request(message) or not await self._answer(stream, taken, receive, send):
            await reply(send, 202)

    async def watch(self, session: Session, receive: Receive, send: Send) -> None:
        """The stream by which the shim and we see each other: the connection ends with it. Nothing is said on it."""
        stream = MessageStream()
        self._streams.add(stream)
        self._watched.add(session.id)
        gone = asyncio.get_running_loop().create_task(until_gone(receive, stream.abandon))
        try:
            await _stream(stream, b"", send)
        finally:
            gone.cancel()
            self._streams.discard(stream)
            self._watched.discard(session.id)
            await self._end(session)

    async def _end(self, session: Session) -> None:
        client = self._connections.pop(session.id, None)
        if client is not None:
            await client.connection.end()
        await self._gateway.end_session(session)

    async def end_idle(self, oldest: float) -> None:
        """End what nobody has used since ``oldest`` (monotonic seconds)."""
        await self._clients.end_idle(oldest)
        for name in [name for name in self._connections if name not in self._watched]:
            session = self._gateway.sessions.get(name)
            if session is None:
                await self._connections.pop(name).connection.end()
            elif session.last_active < oldest:
                await self._end(session)

    def close(self) -> None:
        """Tell those who listen that nothing more comes."""
        self._clients.end_listening()
        for client in self._connections.values():
            client.connection.end_listening()


def without_version(message: Envelope) -> tuple[int, bytes, tuple[bytes, bytes]]:
    """Status, body and content type for a modern request whose headers do not say that it is one."""
    error = RefusedError(HEADER_MISMATCH, f"The header mcp-protocol-version does not say what {VERSION_KEY} says")
    return 400, b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (jsonrpc.encode(message.id), error_of(error)), JSON


async def _stream(stream: MessageStream, first: bytes, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [*SSE]})
    message: bytes | None = first
    while message is not None:
        chunk = format_event(message) if message else b": alive\n\n"
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        message = await stream.next()
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, number: bytes, error: RefusedError) -> None:
    body = b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (number, error_of(error))
    await reply(send, status_of(error.code), body, JSON)
