"""A connection to a server that speaks 2026-07-28: no handshake, no session, every request with an envelope of its own.

Clients of either era share it. A modern client's requests pass as they are; for one of the handshake era the connection does
what the server no longer does: it keeps log level and subscriptions, answers pings, and puts the server's questions to the
client (docs/eras.md).
"""

from __future__ import annotations

import itertools
import logging
from typing import Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import ServerGoneError, ServerStartError
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import LATEST_MODERN
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.envelope import envelope, with_envelope, without_subscription
from desktop.servers.modern_remote import ModernRemoteTransport
from desktop.servers.multi_round_trip import MAY_ASK, RoundTrips
from desktop.servers.own_question import RefusedError, WrongEraError
from desktop.servers.pending import Pending
from desktop.servers.progress import Progress
from desktop.servers.request_headers import AnnotationError, mirrored_arguments
from desktop.servers.subscriptions import Subscriptions
from desktop.servers.transport import Transport
from desktop.servers.upstream import EVERY_CAPABILITY, Upstream, UpstreamListener

__all__ = ["ModernUpstream"]

_FIRST_ID: Final = 1_000_000  # a late answer to server/discover must not be taken for one to initialize
_OWN: Final = envelope(EVERY_CAPABILITY, b"", "")
log = logging.getLogger(__name__)


class _Uri(msgspec.Struct):
    uri: str


_uri = msgspec.json.Decoder(_Uri)


class ModernUpstream(Upstream):
    """A modern connection to one server, for all sessions or for one (``owner``)."""

    modern = True

    def __init__(
        self, server: str, transport: Transport, listener: UpstreamListener, owner: SessionPort | None = None
    ) -> None:
        super().__init__(server, transport, listener, owner)
        self._ids = itertools.count(_FIRST_ID)
        self._over_http = isinstance(transport, ModernRemoteTransport)
        self._subscriptions = Subscriptions(self)
        self._rounds: dict[int, RoundTrips] = {}
        self._questions: dict[str, tuple[RoundTrips, str, Raw]] = {}
        self._question_ids = itertools.count(1)

    @property
    def calls(self) -> int:
        """Requests under way, those included that wait for a client's answer to a question."""
        waiting = sum(trips.waiting for trips in self._rounds.values())
        return len(self._pending) + waiting - self._subscriptions.streams

    async def greet(self, *, time_limit: float) -> None:
        """Ask the server what it is, over a transport that is up.

        Args:
            time_limit: Seconds the server has to answer ``server/discover``.

        Raises:
            WrongEraError: It does not speak 2026-07-28.
            GatewayError: It does not answer in time, or ended.
        """
        try:
            result = jsonrpc.fields(await self.request("server/discover", time_limit=time_limit))
            versions = jsonrpc.decode(result["supportedVersions"])
            self._introduced(result)
        except TimeoutError:
            raise self._silent(time_limit) from None
        except RefusedError as error:
            raise WrongEraError(error.message) from None
        except ServerGoneError as error:
            raise (self._cause or ServerStartError(error.message, error.hint)) from None
        except (MalformedMessageError, KeyError):
            raise WrongEraError(f"{self.server} answered server/discover with something that is not MCP") from None
        if not isinstance(versions, list) or LATEST_MODERN not in versions:
            raise WrongEraError(f"{self.server} does not speak MCP {LATEST_MODERN}")
        self._ready(LATEST_MODERN)
        self._subscriptions.begin()

    def takes(self, tool: Raw) -> bool:
        """Whether a listed tool can be called: over HTTP not where it says in a forbidden way what headers repeat."""
        if self._over_http and b'"x-mcp-header"' in bytes(tool):
            entry = jsonrpc.decode(tool)
            try:
                mirrored_arguments(entry.get("inputSchema"))
            except AnnotationError as error:
                log.info("%s: the tool %s is left out: %s", self.server, entry.get("name"), error)
                return False
        return True

    # Requests.

    def forward(self, message: Envelope, sink: CallSink) -> int:
        """Send a request with its envelope; one the server no longer knows is answered here."""
        if message.method in _ANSWERED_HERE and not self.closed_reason:
            return self._answer_here(message, sink)
        session = sink.session
        if session is None:
            message.params = with_envelope(message.params, _OWN)
        elif not session.modern:
            of_client = envelope(session.capabilities, session.client_info, session.level)
            message.params = with_envelope(message.params, of_client)
            if message.method in MAY_ASK:
                trips = RoundTrips(self, message, sink)
                trips.number = trips.current = super().forward(message, trips)
                trips.progress = self.progress_of(trips.number)
                return trips.number
        return super().forward(message, sink)

    def _answer_here(self, message: Envelope, sink: CallSink) -> int:
        call = next(self._ids)
        self._pending[call] = Pending(message.id if message.id is not None else 0, sink, None)
        if message.method == "resources/subscribe":
            self._subscriptions.follow(_uri.decode(message.params).uri, lambda reason: self._followed(call, reason))
            return call
        if message.method == "resources/unsubscribe":
            self._subscriptions.leave(_uri.decode(message.params).uri)
        self._followed(call, "")
        return call

    def _followed(self, call: int, reason: str) -> None:
        if reason:
            error = jsonrpc.response_error(call, jsonrpc.METHOD_NOT_FOUND, f"{self.server} can't be followed: {reason}")
            self.message(error, None)
        else:
            self.message(jsonrpc.response(call, b"{}"), None)

    def cancel(self, call: int, params: dict[str, Raw]) -> None:
        """Drop a call, with everything it has asked the client meanwhile."""
        trips = self._rounds.pop(call, None)
        if trips is not None:
            trips.drop()
            call = trips.current
        super().cancel(call, params)

    def forget(self, session: SessionPort) -> None:
        """Cancel all calls of a session that has gone."""
        for number, trips in tuple(self._rounds.items()):
            if trips.session is session:
                self.cancel(number, {"reason": Raw(b'"the client has gone"')})
        super().forget(session)

    def notify(self, method: str, params: bytes | Raw | None = None) -> None:
        """Send the only notification a modern server takes: that a request is cancelled."""
        if method == "notifications/cancelled":
            super().notify(method, params)

    def answer(self, message: bytes) -> None:
        """A client's answer to a question goes into the call's next round."""
        answer = jsonrpc.parse(message)
        trips, _, _ = self._questions.pop(str(answer.id), (None, "", Raw()))
        if trips is not None:
            trips.answered(str(answer.id), answer)

    async def close(self, reason: str = "") -> None:
        """End the connection; calls under way get an error that gives ``reason``, a sentence."""
        await self._subscriptions.end()
        await super().close(reason)

    def _end(self, reason: str) -> None:
        self._subscriptions.stop()
        super()._end(reason)
        for trips in tuple(self._rounds.values()):
            trips.gone(reason)

    # What comes from the server.

    def _route(self, message: Envelope, call: int | None) -> None:
        if message.method is None:
            self._answered(message, call)
        elif message.method == "notifications/subscriptions/acknowledged":
            self._subscriptions.acknowledged(message, call)
        elif message.method == "notifications/cancelled" and self._ends_stream(message):
            return
        elif message.id is not None:
            log.info("%s asks %s, which is not possible in this revision of MCP", self.server, message.method)
            refusal = "A server can't ask in this revision of MCP"
            self._transport.send(jsonrpc.response_error(message.id, jsonrpc.METHOD_NOT_FOUND, refusal), None)
        else:
            message.params = without_subscription(message.params)
            super()._route(message, call)

    def _ends_stream(self, message: Envelope) -> bool:
        params = jsonrpc.fields(message.params)
        number = jsonrpc.decode(params["requestId"]) if "requestId" in params else None
        if not isinstance(number, int) or not self._subscriptions.ended_by_server(number):
            return False
        self._pending.pop(number, None)
        return True

    # What rounds need (Asker).

    def rounds_began(self, trips: RoundTrips) -> None:
        """The server wants to know something before it answers."""
        self._rounds[trips.number] = trips

    def rounds_ended(self, trips: RoundTrips) -> None:
        """The call is answered."""
        self._rounds.pop(trips.number, None)

    def ask(self, trips: RoundTrips, method: str, params: Raw) -> str:
        """Note a question for the client."""
        id = f"input-{next(self._question_ids)}"
        self._questions[id] = (trips, method, params)
        return id

    def put(self, id: str) -> None:
        """Put it to the client."""
        trips, method, params = self._questions[id]
        self._listener.server_request(self, Envelope(id=id, method=method, params=params), trips)

    def withdraw(self, id: str) -> None:
        """Tell the client that its answer is no longer wanted."""
        if self._questions.pop(id, None) is not None:
            params = Raw(b'{"requestId":%b}' % jsonrpc.encode(id))
            self._listener.server_notification(self, Envelope(method="notifications/cancelled", params=params), None)

    def repeat(self, trips: RoundTrips, message: Envelope) -> int:
        """Send the call again; what its client is told of its progress goes on."""
        call = super().forward(message, trips)
        if trips.progress is not None:
            super().continue_progress(call, trips.progress)
        return call

    def progress_of(self, call: int) -> Progress | None:
        """What is told of a call under way, in whichever round it is."""
        trips = self._rounds.get(call)
        return trips.progress if trips is not None else super().progress_of(call)

    def continue_progress(self, call: int, progress: Progress) -> None:
        """The client has been told something of this call before it was forwarded."""
        super().continue_progress(call, progress)
        pending = self._pending.get(call)
        if pending is not None and isinstance(pending.sink, RoundTrips):
            pending.sink.progress = pending.progress

    # What following needs (Follower).

    def listen(self, params: bytes, sink: CallSink) -> int:
        """Open a stream of notifications; it does not count as use of the server."""
        used = self.last_used
        message = Envelope(id=0, method="subscriptions/listen", params=with_envelope(Raw(params), _OWN))
        number = super().forward(message, sink)
        self.last_used = used
        return number

    def end_listening(self, number: int) -> None:
        """End a stream of notifications."""
        super().cancel(number, {})

    def missed(self, methods: list[tuple[str, Raw]]) -> None:
        """Notifications that may have been missed while no stream was open."""
        for method, params in methods:
            self._listener.server_notification(self, Envelope(method=method, params=params), None)


_ANSWERED_HERE: Final = frozenset(("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"))
