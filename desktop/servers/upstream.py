"""One MCP connection to a server behind us: handshake, ids, progress tokens, and who asked what.

Requests of many client sessions travel over one connection under ids of our own; payloads are not touched, except for the
progress token, which is replaced by our id on the way out and put back on the way in (MCP 2025-11-25, basic/utilities).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw

from desktop import __version__, jsonrpc
from desktop.errors import GatewayError, ServerGoneError, ServerStartError
from desktop.jsonrpc import Envelope, Id, MalformedMessageError
from desktop.revisions import UNSUPPORTED_REVISION
from desktop.servers.envelope import without_envelope
from desktop.servers.progress import Progress

__all__ = [
    "EVERY_CAPABILITY",
    "PROTOCOL_VERSION",
    "CallSink",
    "MessageReceiver",
    "RefusedError",
    "SessionPort",
    "Transport",
    "Upstream",
    "UpstreamListener",
    "WrongEraError",
]

PROTOCOL_VERSION: Final = "2025-11-25"
EVERY_CAPABILITY: Final = b'{"roots":{"listChanged":true},"sampling":{},"elicitation":{"form":{},"url":{}}}'
_GREETINGS: Final = ("initialize", "server/discover")  # what must not be cancelled
_batch = msgspec.json.Decoder(list[Raw])
log = logging.getLogger(__name__)


class RefusedError(ServerGoneError):
    """A server answered a question of ours with an error.

    Args:
        message: In words, for a person.
        code: The JSON-RPC error's code.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class WrongEraError(ServerStartError):
    """The server does not speak the era of MCP it was greeted in."""


class SessionPort(Protocol):
    """A client session, as far as a server connection has to know it."""

    @property
    def id(self) -> str:
        """Unique id."""

    @property
    def capabilities(self) -> bytes:
        """The client's capabilities, as JSON."""

    @property
    def abilities(self) -> str:
        """Which requests of servers the client takes: ``elicitation``, ``roots``, ``sampling``, sorted, with commas."""

    @property
    def modern(self) -> bool:
        """Whether the client speaks 2026-07-28, so that its requests carry their own envelope and it can't be asked."""

    @property
    def client_info(self) -> bytes:
        """Who the client says it is (``Implementation``), as JSON; empty when it did not say."""

    @property
    def level(self) -> str:
        """The log level the client has set for the session; empty when it never did."""


class CallSink(Protocol):
    """The asking side of one request."""

    @property
    def session(self) -> SessionPort | None:
        """The client session that asked; None for our own questions."""

    def send(self, message: bytes) -> None:
        """A notification or request that belongs to the call, before its answer."""

    def finish(self, message: bytes) -> None:
        """The answer, under the id the asker used."""


class MessageReceiver(Protocol):
    """What a transport reports. Called on the event loop."""

    def message(self, data: bytes, call: int | None) -> None:
        """One message; ``call`` is the request on whose own stream it came, where the transport can tell."""

    def undeliverable(self, call: int | None, reason: str) -> None:
        """A message could not be delivered, or no answer to it can come any more."""

    def waits_for(self, call: int) -> bool:
        """Whether somebody still waits for the answer to a request."""

    def renewed(self) -> None:
        """The server has begun a new session for the connection; what it was told before the calls is forgotten there."""

    def closed(self, reason: str, cause: GatewayError | None = None) -> None:
        """The connection has ended; called once. ``cause`` is the error to raise when it ended before the handshake."""


class Transport(Protocol):
    """A way to a server: container, child process, HTTP."""

    async def start(self, receiver: MessageReceiver) -> None:
        """Bring the way up; raises `GatewayError`."""

    def negotiated(self, protocol_version: str) -> None:
        """Called after the handshake."""

    def send(self, message: bytes, call: int | None) -> None:
        """Queue one message; ``call`` is its id when it is a request."""

    async def drain(self) -> None:
        """Wait while the way is congested."""

    async def close(self) -> None:
        """Take everything down that `start` brought up."""

    def last_words(self) -> str:
        """The last line of text the server itself printed since `start`, to explain a failure; may be empty."""


class UpstreamListener(Protocol):
    """Takes what a server says on its own account."""

    def server_request(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """The server asks a client; the answer is to go to `Upstream.answer`. ``sink`` is the call it belongs to."""

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """The server tells something."""

    def upstream_renewed(self, upstream: Upstream) -> None:
        """The server has forgotten everything but the calls."""

    def upstream_closed(self, upstream: Upstream, reason: str) -> None:
        """The connection ended by itself."""

    def upstream_ended(self, upstream: Upstream) -> None:
        """The connection ended, whoever wanted it."""


class Pending:
    """A request that waits for its answer: the asker's id for it, where everything goes, and its progress if it is wanted."""

    __slots__ = ("id", "progress", "sink")

    def __init__(self, id: Id, sink: CallSink, progress: Progress | None) -> None:
        self.id = id
        self.sink = sink
        self.progress = progress


class _OwnCall:
    """Sink of a question the gateway itself asks."""

    session = None

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def send(self, message: bytes) -> None:
        """Progress on our own questions interests nobody."""

    def finish(self, message: bytes) -> None:
        if not self.answer.done():
            self.answer.set_result(message)


class Upstream:
    """An initialized connection to one server, for one session (``owner``) or shared.

    Args:
        server: Catalog name of the server.
        transport: The way there.
        listener: Takes what the server says on its own account.
        owner: The session it belongs to; its client's capabilities are the ones the server is told.
        capabilities: What a shared connection tells the server, as JSON.

    Attributes:
        modern: Whether the connection speaks 2026-07-28 (see `desktop.servers.modern`).
        server: Catalog name of the server.
        owner: The session it belongs to, or None when shared.
        opener: The session for which it was opened; a question before any call is for that one.
        abilities: What the server believes its client can (as `SessionPort.abilities`).
        level: Log level last sent to the server; empty for its own default.
        capabilities: The server's capabilities after `open`, each as JSON bytes.
        instructions: The server's instructions, may be empty.
        last_used: Monotonic seconds of the last forwarded request.
        closed_reason: Why it ended; empty while it lives.
    """

    modern = False

    def __init__(
        self,
        server: str,
        transport: Transport,
        listener: UpstreamListener,
        owner: SessionPort | None = None,
        capabilities: bytes = EVERY_CAPABILITY,
    ) -> None:
        self.server = server
        self.owner = owner
        self.opener: SessionPort | None = owner
        self.level = ""
        self.abilities = ""
        self.capabilities: dict[str, Raw] = {}
        self.instructions = ""
        self.last_used = time.monotonic()
        self.closed_reason = ""
        self._announced = owner.capabilities if owner is not None else capabilities
        self._transport = transport
        self._listener = listener
        self._ids = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._open = False
        self._cause: GatewayError | None = None

    @property
    def calls(self) -> int:
        """Requests under way."""
        return len(self._pending)

    @property
    def has_call(self) -> bool:
        """Whether a client's request is under way; `calls` counts our own as well."""
        return any(pending.sink.session is not None for pending in self._pending.values())

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self._open and not self.closed_reason

    async def open(self, *, time_limit: float) -> None:
        """Start the transport and shake hands.

        Args:
            time_limit: Seconds the server has to answer ``initialize``.

        Raises:
            GatewayError: The server could not be started or does not speak MCP.
        """
        await self._transport.start(self)
        await self.greet(time_limit=time_limit)

    async def greet(self, *, time_limit: float) -> None:
        """Shake hands over a transport that is up.

        Raises:
            WrongEraError: The server speaks newer revisions of MCP only.
            GatewayError: It does not answer in time, or not as MCP wants it.
        """
        params = (
            b'{"protocolVersion":"%b","capabilities":%b,"clientInfo":{"name":"mcp-gateway-desktop","version":"%b"}}'
            % (PROTOCOL_VERSION.encode(), self._announced, __version__.encode())
        )
        try:
            result = jsonrpc.fields(await self.request("initialize", params, time_limit=time_limit))
            version = jsonrpc.decode(result["protocolVersion"])
            self._introduced(result)
        except TimeoutError:
            raise self._silent(time_limit) from None
        except ServerGoneError as error:
            if isinstance(error, RefusedError) and error.code == UNSUPPORTED_REVISION:
                raise WrongEraError(error.message) from None
            raise (self._cause or ServerStartError(error.message, error.hint)) from None
        except (MalformedMessageError, KeyError) as error:
            raise ServerStartError(f"{self.server} answered initialize with something that is not MCP") from error
        self._ready(str(version))
        self.notify("notifications/initialized")

    def _introduced(self, result: dict[str, Raw]) -> None:
        self.capabilities = jsonrpc.fields(result.get("capabilities", Raw(b"{}")))
        instructions = jsonrpc.decode(result["instructions"]) if "instructions" in result else ""
        self.instructions = instructions if isinstance(instructions, str) else ""

    def _silent(self, time_limit: float) -> ServerStartError:
        words = self._transport.last_words()
        return ServerStartError(
            f"{self.server} did not answer within {time_limit:.0f} s" + (f": {words}" if words else ""),
            "Look at its log for what it is waiting for",
        )

    def _ready(self, version: str) -> None:
        if self.closed_reason:  # it answered, and ended
            raise self._cause or ServerStartError(self.closed_reason)
        self._transport.negotiated(version)
        self._open = True

    def takes(self, tool: Raw) -> bool:
        """Whether a listed tool can be called over this connection."""
        return True

    def request(self, method: str, params: bytes | Raw | None = None, *, time_limit: float) -> Coroutine[Any, Any, Raw]:
        """Ask a question of our own. It is sent at once, the answer is to be awaited.

        Returns:
            The result's bytes.

        Raises:
            TimeoutError: No answer within ``time_limit`` seconds; the server is told that the call is cancelled.
            ServerGoneError: The connection ended, or the server answered with an error.
        """
        sink = _OwnCall()
        call = self.forward(Envelope(id=0, method=method, params=Raw(params) if params else Raw()), sink)
        return self._answer_to(sink, call, method, time_limit)

    async def _answer_to(self, sink: _OwnCall, call: int, method: str, time_limit: float) -> Raw:
        try:
            async with asyncio.timeout(time_limit):
                answer = jsonrpc.parse(await sink.answer)
        except (TimeoutError, asyncio.CancelledError):
            if self._pending.pop(call, None) is not None and method not in _GREETINGS:
                self.notify("notifications/cancelled", b'{"requestId":%d}' % call)
            raise
        if answer.error:
            if self.closed_reason:
                raise ServerGoneError(self.closed_reason)
            error = jsonrpc.fields(answer.error)
            text = jsonrpc.decode(error["message"]) if "message" in error else "an error without a message"
            code = jsonrpc.decode(error["code"]) if "code" in error else 0
            raise RefusedError(f"{self.server} answered {method} with: {text}", code if isinstance(code, int) else 0)
        return answer.result

    def forward(self, message: Envelope, sink: CallSink) -> int:
        """Send a client's request under an id of ours; its answer goes to ``sink`` under the client's id.

        Args:
            message: The request; it is changed and must not be used again.
            sink: Where everything that belongs to the call goes.

        Returns:
            Our id, for `cancel`.
        """
        call = next(self._ids)
        if self.closed_reason:
            sink.finish(jsonrpc.response_error(message.id, jsonrpc.CONNECTION_CLOSED, self.closed_reason))
            return call
        session = sink.session
        if session is not None and session.modern and not self.modern:
            message.params = without_envelope(message.params)
        progress = None
        if message.params and b'"progressToken"' in bytes(message.params):
            token = _replace_progress_token(message, call)
            progress = Progress(token) if token is not None else None
        self._pending[call] = Pending(message.id if message.id is not None else 0, sink, progress)
        message.id = call
        self.last_used = time.monotonic()
        self._transport.send(jsonrpc.to_wire(message), call)
        return call

    def cancel(self, call: int, params: dict[str, Raw]) -> None:
        """Pass a client's ``notifications/cancelled`` on; the call's answer is dropped from now on."""
        if self._pending.pop(call, None) is not None:
            params["requestId"] = Raw(b"%d" % call)
            self._transport.send(jsonrpc.notification("notifications/cancelled", jsonrpc.encode(params)), None)

    def forget(self, session: SessionPort) -> None:
        """Cancel all calls of a session that has gone."""
        for call in [call for call, pending in self._pending.items() if pending.sink.session is session]:
            self.cancel(call, {"reason": Raw(b'"the client has gone"')})

    def notify(self, method: str, params: bytes | Raw | None = None) -> None:
        """Send a notification; dropped when the connection has ended."""
        if not self.closed_reason:
            self._transport.send(jsonrpc.notification(method, params), None)

    def answer(self, message: bytes) -> None:
        """Send a client's answer to a request of the server, already under the server's id."""
        if not self.closed_reason:
            self._transport.send(message, None)

    async def drain(self) -> None:
        """Wait while the server does not take more."""
        await self._transport.drain()

    async def close(self, reason: str = "") -> None:
        """End the connection; calls under way get an error that gives ``reason``, a sentence."""
        self._end(reason or f"{self.server} was stopped")
        await self._transport.close()

    # What the transport reports (MessageReceiver).

    def message(self, data: bytes, call: int | None) -> None:
        """Route one message from the server."""
        try:
            message = jsonrpc.parse(data)
        except MalformedMessageError:
            if data[:1] == b"[" and (parts := _parts(data)):  # a batch, which 2025-03-26 allows
                for part in parts:
                    self.message(bytes(part), call)
                return
            log.warning("%s sent something that is not JSON-RPC", self.server)
            if call is not None:
                self.undeliverable(call, f"{self.server} sent an answer that is not JSON-RPC")
            return
        try:
            self._route(message, call)
        except MalformedMessageError as error:
            log.warning("%s sent a malformed %s", self.server, message.method)
            if message.method is not None and message.id is not None:
                text = f"Invalid params of {message.method}: {error}"
                self.answer(jsonrpc.response_error(message.id, jsonrpc.INVALID_PARAMS, text))

    def _route(self, message: Envelope, call: int | None) -> None:
        if message.method is None:
            self._answered(message, call)
        elif message.method == "notifications/progress":
            self._progressed(message)
        else:
            sink = self._sink_of(call)
            if message.id is None:
                self._listener.server_notification(self, message, sink)
            elif message.method == "ping":
                self.answer(jsonrpc.response(message.id, b"{}"))
            else:
                self._listener.server_request(self, message, sink)

    def undeliverable(self, call: int | None, reason: str) -> None:
        """End the call that can't be answered any more."""
        pending = self._pending.pop(call, None) if call is not None else None
        if pending is not None:
            pending.sink.finish(jsonrpc.response_error(pending.id, jsonrpc.CONNECTION_CLOSED, reason))

    def waits_for(self, call: int) -> bool:
        """Whether somebody still waits for the answer to a request."""
        return call in self._pending

    def renewed(self) -> None:
        """The session at the server is a new one."""
        self.level = ""
        self._listener.upstream_renewed(self)

    def closed(self, reason: str, cause: GatewayError | None = None) -> None:
        """The transport ended by itself."""
        was_open = self._open and not self.closed_reason
        self._cause = self._cause or cause
        self._end(reason)
        if was_open:
            self._listener.upstream_closed(self, reason)

    def _end(self, reason: str) -> None:
        if self.closed_reason:
            return
        self.closed_reason = reason
        pending, self._pending = self._pending, {}
        for item in pending.values():
            item.sink.finish(jsonrpc.response_error(item.id, jsonrpc.CONNECTION_CLOSED, reason))
        self._listener.upstream_ended(self)

    def _answered(self, message: Envelope, call: int | None) -> None:
        key: Any = message.id if message.id is not None else call
        pending = self._pending.pop(key, None)
        if pending is None:
            return  # the answer to a call that was cancelled or never made
        message.id = pending.id
        pending.sink.finish(jsonrpc.to_wire(message))

    def _progressed(self, message: Envelope) -> None:
        params = jsonrpc.fields(message.params)
        token: Any = jsonrpc.decode(params["progressToken"]) if "progressToken" in params else None
        pending = self._pending.get(token) if isinstance(token, int) and token is not True else None
        if pending is not None and pending.progress is not None:
            pending.sink.send(pending.progress.reported(params))

    def progress_of(self, call: int) -> Progress | None:
        """What is told of a call under way; None when its client did not ask for progress."""
        pending = self._pending.get(call)
        return pending.progress if pending is not None else None

    def continue_progress(self, call: int, progress: Progress) -> None:
        """The client has been told something of this call before it was forwarded."""
        pending = self._pending.get(call)
        if pending is not None and pending.progress is not None:
            pending.progress = progress

    def _sink_of(self, call: int | None) -> CallSink | None:
        """The call a message belongs to: told by the transport, or the only one under way."""
        if call is not None:
            pending = self._pending.get(call)
            return pending.sink if pending is not None else None
        sole: CallSink | None = None
        for pending in self._pending.values():
            if pending.sink.session is None:
                continue
            if sole is not None:
                return None
            sole = pending.sink
        return sole

    def sole_session(self, *, opener: bool = True) -> SessionPort | None:
        """The session a message without a call must belong to: the owner, or the only one with calls under way.

        With ``opener``, while no call is under way the session counts for which the connection was opened.
        """
        if self.owner is not None:
            return self.owner
        sessions = {id(item.sink.session): item.sink.session for item in self._pending.values() if item.sink.session}
        if not sessions:
            return self.opener if opener else None
        return next(iter(sessions.values())) if len(sessions) == 1 else None


def _parts(data: bytes) -> list[Raw]:
    try:
        return [part for part in _batch.decode(data) if bytes(part)[:1] == b"{"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def _replace_progress_token(message: Envelope, call: int) -> Raw | None:
    params = jsonrpc.fields(message.params)
    meta = jsonrpc.fields(params["_meta"]) if "_meta" in params else {}
    token = meta.get("progressToken")
    if token is None:
        return None
    meta["progressToken"] = Raw(b"%d" % call)
    params["_meta"] = Raw(jsonrpc.encode(meta))
    message.params = Raw(jsonrpc.encode(params))
    return token
