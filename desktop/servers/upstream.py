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

from msgspec import Raw

from desktop import __version__, jsonrpc
from desktop.errors import GatewayError, ServerGoneError, ServerStartError
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import UNSUPPORTED_REVISION
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.envelope import without_envelope
from desktop.servers.own_question import OwnQuestion, RefusedError, WrongEraError
from desktop.servers.pending import Pending, PendingRequests
from desktop.servers.progress import Progress, taken_over
from desktop.servers.transport import Transport

__all__ = ["EVERY_CAPABILITY", "PROTOCOL_VERSION", "Upstream", "UpstreamListener"]

PROTOCOL_VERSION: Final = "2025-11-25"
EVERY_CAPABILITY: Final = b'{"roots":{"listChanged":true},"sampling":{},"elicitation":{"form":{},"url":{}}}'
_GREETINGS: Final = ("initialize", "server/discover")  # what must not be cancelled
log = logging.getLogger(__name__)


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
        self._pending = PendingRequests()
        self._open = False
        self._cause: GatewayError | None = None

    @property
    def cause(self) -> GatewayError | None:
        """Why it ended by itself, where the way to the server knows."""
        return self._cause

    @property
    def calls(self) -> int:
        """Requests under way."""
        return len(self._pending)

    @property
    def has_call(self) -> bool:
        """Whether a client's request is under way; `calls` counts our own as well."""
        return self._pending.has_call

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
        question = OwnQuestion()
        call = self.forward(Envelope(id=0, method=method, params=Raw(params) if params else Raw()), question)
        return self._answer_to(question, call, method, time_limit)

    async def _answer_to(self, question: OwnQuestion, call: int, method: str, time_limit: float) -> Raw:
        try:
            async with asyncio.timeout(time_limit):
                return await question.result(self.server, method)
        except RefusedError:
            if self.closed_reason:  # it is the error its end has given to everything under way
                raise ServerGoneError(self.closed_reason) from None
            raise
        except (TimeoutError, asyncio.CancelledError):
            if self._pending.pop(call, None) is not None and method not in _GREETINGS:
                self.notify("notifications/cancelled", b'{"requestId":%d}' % call)
            raise

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
        params = message.params
        progress = taken_over(message, call) if params and b'"progressToken"' in bytes(params) else None
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
        for call in self._pending.of_session(session):
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
            if data[:1] == b"[" and (parts := jsonrpc.parts_of_batch(data)):  # a batch, which 2025-03-26 allows
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
            self._pending.progressed(jsonrpc.fields(message.params))
        else:
            sink = self._pending.sink_of(call)
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
        pending, self._pending = self._pending, PendingRequests()
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

    def progress_of(self, call: int) -> Progress | None:
        """What is told of a call under way; None when its client did not ask for progress."""
        pending = self._pending.get(call)
        return pending.progress if pending is not None else None

    def continue_progress(self, call: int, progress: Progress) -> None:
        """The client has been told something of this call before it was forwarded."""
        pending = self._pending.get(call)
        if pending is not None and pending.progress is not None:
            pending.progress = progress

    def sole_session(self, *, opener: bool = True) -> SessionPort | None:
        """The session a message without a call must belong to: the owner, or the only one with calls under way.

        With ``opener``, while no call is under way the session counts for which the connection was opened.
        """
        if self.owner is not None:
            return self.owner
        return self._pending.sole_session(self.opener if opener else None)
