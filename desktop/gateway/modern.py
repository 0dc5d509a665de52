"""Clients of the modern era, in which every request stands alone (MCP 2026-07-28); the transports hand their requests over.

On the wire there are no sessions. Servers behind us may have some, and a call that asks its client something has to be found
again, so the gateway keeps a session for everybody it can tell apart: by who they are and what they say they can.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.envelope import (
    EVERY_REVISION,
    ModernRequest,
    RawHeaders,
    RefusedError,
    read_request,
    unsupported,
)
from desktop.gateway.gateway import Gateway
from desktop.gateway.held_calls import HeldCalls
from desktop.gateway.identity import CAPABILITIES
from desktop.gateway.modern_reply import ModernReply
from desktop.gateway.param_headers import MirroredTools, check_param_headers
from desktop.gateway.session import LOG_LEVELS, Reply, Session
from desktop.gateway.subscriptions import Listening, Subscriptions
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import MODERN_REVISIONS
from desktop.secrets.client_tokens import Caller

__all__ = ["ModernClients", "ModernConnection", "error_of"]

_METHODS: Final = frozenset(
    {
        "tools/call", "tools/list", "prompts/list", "prompts/get", "resources/list", "resources/templates/list",
        "resources/read", "completion/complete",
    }
)  # fmt: skip
_ROUNDS: Final = frozenset({"tools/call", "prompts/get", "resources/read"})
_MOST_SESSIONS: Final = 256


class ModernClients:
    """The modern clients of one endpoint.

    Args:
        gateway: Takes their requests.
        transport: How they are connected (`Session.transport`).
        first: A session that is open already, for the first of them.
        caller: Tells from a principal which client it is; None where the transport can't tell.
    """

    def __init__(
        self,
        gateway: Gateway,
        transport: str,
        first: Session | None = None,
        caller: Callable[[bytes], Caller | None] | None = None,
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._transport = transport
        self._first = first
        self._profile = first.profile if first is not None else ""
        self._sessions: dict[tuple[str, bytes, bytes, bytes], Session] = {}
        self._subscriptions: dict[str, Subscriptions] = {}
        self._held = HeldCalls()
        self._mirrored = MirroredTools()
        self._numbers = itertools.count(1)

    def take(
        self,
        message: Envelope,
        target: Reply,
        *,
        principal: bytes = b"",
        profile: str = "",
        headers: RawHeaders | None = None,
    ) -> ModernReply | Listening:
        """Take a request.

        Args:
            message: The request.
            target: Where its answer goes.
            principal: Who sends it, as far as its transport can tell; others never meet in one session.
            profile: The profile it is to see, or empty; with a first session always that session's.
            headers: Header lines of the HTTP request; None where there is no HTTP.

        Returns:
            What became of it, to be given up when its client goes.

        Raises:
            RefusedError: It may not pass.
            ProfileError: There is no such profile.
        """
        try:
            request = read_request(message, headers)
            session = self._session(profile or self._profile, principal, request)
            return self._begin(message, request, session, target, headers)
        except MalformedMessageError as error:
            raise RefusedError(jsonrpc.INVALID_PARAMS, f"Invalid params of {message.method}: {error}") from None

    def _begin(
        self, message: Envelope, request: ModernRequest, session: Session, target: Reply, headers: RawHeaders | None
    ) -> ModernReply | Listening:
        number = next(self._numbers)
        if request.method == "subscriptions/listen":
            return self._subscriptions[session.id].listen(message, request, target)
        if request.method == "server/discover":
            reply = ModernReply(session, number, request, target, self._held)
            reply.finish(jsonrpc.response(number, self._discovered(session)))
            return reply
        if request.method not in _METHODS:
            raise RefusedError(jsonrpc.METHOD_NOT_FOUND, f"Method not found: {request.method}")
        if headers is not None and request.method == "tools/call":
            names = self._mirrored.of(self._gateway.offer_to(session), request.target)
            if names:
                check_param_headers(names, request.arguments, headers)
        if request.level in LOG_LEVELS:
            # The servers have to be at least this talkative; what a request did not ask for ends at its reply.
            session.level = min(request.level, session.level or request.level, key=LOG_LEVELS.index)
        if self._held.is_ours(request.state) and request.method in _ROUNDS:
            jsonrpc.fields(Raw(request.responses))
            held = self._held.take(session, request)
            session.last_active = time.monotonic()
            held.resume(request, target)
            return held
        reply = ModernReply(session, number, request, target, self._held)
        message.id = number
        self._gateway.request(session, message, reply)
        reply.call = session.calls.get(number)
        return reply

    def _discovered(self, session: Session) -> bytes:
        result: dict[str, Any] = {"supportedVersions": EVERY_REVISION, "capabilities": Raw(CAPABILITIES)}
        if instructions := self._gateway.offer_to(session).instructions:
            result["instructions"] = instructions
        return jsonrpc.encode(result)

    # Sessions.

    def _session(self, profile: str, principal: bytes, request: ModernRequest) -> Session:
        key = (profile, principal, request.client_info, request.capabilities)
        session = self._sessions.get(key)
        if session is None or session.closed:
            session = self._sessions[key] = self._open(profile, principal, request)
        return session

    def _open(self, profile: str, principal: bytes, request: ModernRequest) -> Session:
        self._sessions = {key: session for key, session in self._sessions.items() if not session.closed}
        live = {session.id for session in self._sessions.values()}
        self._subscriptions = {id: streams for id, streams in self._subscriptions.items() if id in live}
        first, self._first = self._first, None
        session = first if first is not None else self._gateway.open_session(self._transport, profile)
        session.modern = True
        session.caller = self._caller(principal) if self._caller is not None else None
        session.protocol_version = MODERN_REVISIONS[0]
        about = {"capabilities": Raw(request.capabilities)}
        if request.client_info:
            about["clientInfo"] = Raw(request.client_info)
        session.introduce(about)
        streams = self._subscriptions[session.id] = Subscriptions(self._gateway, session, self._numbers)
        session.attach(streams)
        self._gateway.changed.publish(None)
        return session

    async def end_idle(self, oldest: float) -> None:
        """End sessions nobody has used since ``oldest`` (monotonic seconds); when there are too many, more."""
        idle = sorted(
            (session for session in self.sessions if not session.calls and not self._subscriptions[session.id].open),
            key=lambda session: session.last_active,
        )
        surplus = max(len(self.sessions) - _MOST_SESSIONS, 0)
        for place, session in enumerate(idle):
            if place < surplus or session.last_active < oldest:
                await self._gateway.end_session(session)

    @property
    def sessions(self) -> list[Session]:
        """The sessions of those who are there."""
        return [session for session in self._sessions.values() if not session.closed]

    def end_listening(self) -> None:
        """End every stream; its client is told that nothing more comes."""
        for streams in tuple(self._subscriptions.values()):
            streams.end()


class ModernConnection:
    """One modern client on a channel of its own: standard streams, or the shim that stands for them.

    Args:
        gateway: Takes its requests.
        session: A session opened for it already; others are opened where it changes what it says of itself.
    """

    def __init__(self, gateway: Gateway, session: Session) -> None:
        self._gateway = gateway
        self._clients = ModernClients(gateway, session.transport, session)
        self._calls: dict[bytes, ModernReply | Listening] = {}

    def take(self, message: Envelope, target: Reply) -> ModernReply | Listening | None:
        """Take any message; only a request uses ``target``. Returns what became of a request that passes."""
        if message.method is None:
            return None  # nothing is ever asked of a modern client
        if message.id is None:
            self._notified(message)
            return None
        number = jsonrpc.encode(message.id)
        reply = _Removing(self._calls, number, target)
        try:
            if message.method == "initialize":
                raise _initialize_refused(message)
            taken = self._clients.take(message, reply)
        except RefusedError as error:
            target.finish(b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (number, error_of(error)))
            return None
        if not reply.over:
            self._calls[number] = taken
        return taken

    def _notified(self, message: Envelope) -> None:
        if message.method != "notifications/cancelled":
            return
        try:
            params = jsonrpc.fields(message.params)
            reason = jsonrpc.decode(params["reason"]) if "reason" in params else ""
            taken = self._calls.pop(bytes(params["requestId"]), None)
        except (MalformedMessageError, KeyError):
            return
        if taken is not None:
            taken.give_up(str(reason))

    async def quiet(self, time_limit: float) -> None:
        """Wait until no request is under way, ``time_limit`` seconds at most; streams end at once."""
        self.end_listening()
        for session in self._clients.sessions:
            await session.quiet(time_limit)

    def end_listening(self) -> None:
        """End every stream; the client is told."""
        self._clients.end_listening()

    async def end(self) -> None:
        """The client has gone."""
        for session in self._clients.sessions:
            await self._gateway.end_session(session)


class _Removing:
    """Forgets a call when it is over."""

    __slots__ = ("_calls", "_number", "_target", "over")

    def __init__(self, calls: dict[bytes, ModernReply | Listening], number: bytes, target: Reply) -> None:
        self._calls = calls
        self._number = number
        self._target = target
        self.over = False

    def send(self, message: bytes) -> None:
        """Before the answer."""
        self._target.send(message)

    def finish(self, message: bytes) -> None:
        """The answer, or the end of a round."""
        self.over = True
        self._calls.pop(self._number, None)
        self._target.finish(message)

    def abandon(self) -> None:
        """No answer."""
        self.over = True
        self._calls.pop(self._number, None)
        self._target.abandon()


def error_of(error: RefusedError) -> bytes:
    """A refusal as the error member of an answer."""
    members: dict[str, Any] = {"code": error.code, "message": error.text}
    if error.data is not None:
        members["data"] = error.data
    return jsonrpc.encode(members)


def _initialize_refused(message: Envelope) -> RefusedError:
    params = jsonrpc.fields(message.params)
    version = jsonrpc.decode(params["protocolVersion"]) if "protocolVersion" in params else ""
    return unsupported(str(version))
