"""A client session: who the client is, what it has asked, what it has been asked, and where messages for it go."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.additions import Additions
from desktop.gateway.resumption import Resumption
from desktop.jsonrpc import Envelope, Id
from desktop.revisions import LATEST_HANDSHAKE
from desktop.secrets.client_tokens import Caller
from desktop.servers.upstream import Upstream

__all__ = ["LOG_LEVELS", "Call", "CallLog", "Question", "Reply", "Session", "SessionReply"]

_BACKLOG: Final = 512
LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_ASKED_BY_SERVERS: Final = {
    "sampling/createMessage": "sampling",
    "elicitation/create": "elicitation",
    "roots/list": "roots",
}


class Reply(Protocol):
    """Where the answer to one client request goes: a response stream, or simply the session's own channel."""

    def send(self, message: bytes) -> None:
        """A message that belongs to the request, before its answer."""

    def finish(self, message: bytes) -> None:
        """The answer; nothing follows."""

    def abandon(self) -> None:
        """There will be no answer, since the client cancelled."""


class Channel(Protocol):
    """Takes messages that belong to no request."""

    def send(self, message: bytes) -> None:
        """Deliver one message."""

    def abandon(self) -> None:
        """Nothing follows, since the session has ended."""


class CallLog(Protocol):
    """Takes what becomes of tool calls."""

    def begun(self, call: Call, message: Envelope) -> None:
        """A call is on its way to its server."""

    def ended(self, call: Call, answer: bytes | None) -> None:
        """It was answered, or abandoned (None)."""


class Call:
    """One request of the client on its way; the sink for everything that belongs to it.

    Attributes:
        upstream, number: Where it was forwarded, once it was; for cancelling.
        started: Monotonic seconds.
        waited: Whether it has waited for first listings already.
        on_finish: Called with the call and its answer when it is answered, with None when it is abandoned.
    """

    __slots__ = ("id", "number", "on_finish", "reply", "session", "started", "subject", "task", "upstream", "waited")

    def __init__(self, session: Session, id: Id, reply: Reply) -> None:
        self.session = session
        self.id = id
        self.reply = reply
        self.subject = ""
        self.upstream: Upstream | None = None
        self.number = 0
        self.task: Any = None
        self.waited = False
        self.started = time.monotonic()
        self.on_finish: Any = None

    def send(self, message: bytes) -> None:
        """A notification or request that belongs to the call."""
        self.reply.send(message)

    def finish(self, message: bytes) -> None:
        """The answer."""
        self._ended(message)
        self.reply.finish(message)

    def result(self, result: bytes | Raw) -> None:
        """Answer with a result of our own."""
        self.finish(jsonrpc.response(self.id, result))

    def error(self, code: int, message: str, data: Any = None) -> None:
        """Answer with an error of our own."""
        self.finish(jsonrpc.response_error(self.id, code, message, data))

    def cancel(self, params: dict[str, Raw], error: str = "") -> None:
        """The client does not want the answer any more, or gets ``error`` instead."""
        self._ended(None)
        if self.upstream is not None:
            self.upstream.cancel(self.number, params)
        elif self.task is not None:
            self.task.cancel()
        if error:
            self.reply.finish(jsonrpc.response_error(self.id, jsonrpc.CONNECTION_CLOSED, error))
        else:
            self.reply.abandon()

    def _ended(self, answer: bytes | None) -> None:
        self.session.call_ended(self)
        if self.on_finish is not None:
            self.on_finish(self, answer)
            self.on_finish = None


class Question:
    """A request of a server to the client, under an id of ours until it is answered."""

    __slots__ = ("id", "progress_token", "upstream")

    def __init__(self, upstream: Upstream, id: Id, progress_token: Raw | None) -> None:
        self.upstream = upstream
        self.id = id
        self.progress_token = progress_token


class Session:
    """One connected client.

    Attributes:
        client: "name version" of the client, as it said in ``initialize``.
        introduced: The same as a pair.
        client_info: The same as JSON with all it said; empty when it said nothing.
        caller: Whose token it came with; None for the common token and where none is asked for.
        transport: How it is connected: ``stdio``, ``streaming`` or ``sse``.
        modern: Whether it speaks 2026-07-28: no handshake, every request with its own envelope.
        level: Its log level, or empty when it never set one.
        subscriptions: (server, URI as the server knows it) -> URI as the client knows it.
        resumption: Its event streams, to be continued after their connection broke.
        last_active: Monotonic seconds of the last message from the client.
        calls: Requests under way by id; one that has the id of another, by itself.
        profile: The profile it sees in place of the enabled servers, or empty.
        additions: What the session has made of the set of servers; None while it has changed nothing.
    """

    def __init__(self, transport: str, on_activity: Callable[[], None] = lambda: None) -> None:
        self._on_activity = on_activity
        self._id = secrets.token_urlsafe(24)
        self.transport = transport
        self.caller: Caller | None = None
        self.modern = False
        self.client = ""
        self.protocol_version = ""
        self.level = ""
        self.calls: dict[Id | Call, Call] = {}
        self.questions: dict[str, Question] = {}
        self.subscriptions: dict[tuple[str, str], str] = {}
        self.resumption = Resumption()
        self.last_active = time.monotonic()
        self.closed = False
        self.profile = ""
        self.additions: Additions | None = None
        self._on_quiet: asyncio.Event | None = None
        self._capabilities = b"{}"
        self.introduced = ("", "")
        self.client_info = b""
        self._abilities: frozenset[str] = frozenset()
        self._asked_for = ""
        self._channel: Channel | None = None
        self._backlog: deque[bytes] = deque(maxlen=_BACKLOG)

    @property
    def id(self) -> str:
        """The session id, unguessable."""
        return self._id

    @property
    def capabilities(self) -> bytes:
        """The client's capabilities, as JSON."""
        return self._capabilities

    @property
    def abilities(self) -> str:
        """Which requests of servers the client takes, sorted, with commas between; empty when none."""
        return self._asked_for

    def introduce(self, params: dict[str, Raw]) -> None:
        """Take over what ``initialize`` says of the client."""
        if "capabilities" in params:
            self._abilities = frozenset(jsonrpc.fields(params["capabilities"]))
            self._asked_for = ",".join(sorted(self._abilities & set(_ASKED_BY_SERVERS.values())))
            self._capabilities = bytes(params["capabilities"])
        info = jsonrpc.decode(params["clientInfo"]) if "clientInfo" in params else {}
        if isinstance(info, dict):
            self.client_info = bytes(params["clientInfo"]) if info else b""
            self.introduced = str(info.get("name", "")), str(info.get("version", ""))
            self.client = " ".join(self.introduced).strip()

    def answers(self, method: str) -> bool:
        """Whether the client said that it takes this request from servers; methods we don't know are given a chance."""
        ability = _ASKED_BY_SERVERS.get(method)
        return ability is None or ability in self._abilities

    def attach(self, channel: Channel) -> None:
        """From now on ``channel`` takes messages that belong to no request, first those that had to wait."""
        self._channel = channel
        while self._backlog:
            channel.send(self._backlog.popleft())

    def end(self) -> None:
        """The session has ended, and with it the channel."""
        self.closed = True
        if self._channel is not None:
            self._channel.abandon()

    @property
    def primes_streams(self) -> bool:
        """Whether its revision has event streams begin with an event without data (since 2025-11-25)."""
        return self.protocol_version >= LATEST_HANDSHAKE

    def detach(self, channel: Channel) -> None:
        """The channel has gone."""
        if self._channel is channel:
            self._channel = None

    @property
    def listening(self) -> bool:
        """Whether a channel is attached."""
        return self._channel is not None

    def deliver(self, message: bytes) -> None:
        """Send a message that belongs to no request; kept (the newest 512) until somebody listens."""
        if self._channel is not None:
            self._channel.send(message)
        else:
            self._backlog.append(message)

    async def quiet(self, time_limit: float) -> None:
        """Wait until no request is under way, ``time_limit`` seconds at most."""
        self._on_quiet = asyncio.Event()
        if self.calls:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(time_limit):
                    await self._on_quiet.wait()

    def has(self, call: Call) -> bool:
        """Whether a request is under way still."""
        return self.calls.get(call.id) is call or call in self.calls

    def begun_again(self, call: Call) -> None:
        """A request has the id of one that is under way, which no client should do; both are answered all the same."""
        self.calls[call] = call

    def replace(self, call: Call, other: Call) -> None:
        """From now on ``other`` is the request that ``call`` was."""
        if self.calls.get(call.id) is call:
            self.calls[call.id] = other
        elif self.calls.pop(call, None) is not None:
            self.calls[other] = other

    def call_ended(self, call: Call) -> None:
        """A request was answered or abandoned."""
        if self.calls.pop(call.id if self.calls.get(call.id) is call else call, None) is not None:
            self._on_activity()
            if self._on_quiet is not None and not self.calls:
                self._on_quiet.set()

    def wants(self, level: str) -> bool:
        """Whether a log message of this level is to be sent."""
        if not self.level or level not in LOG_LEVELS:
            return True
        return LOG_LEVELS.index(level) >= LOG_LEVELS.index(self.level)


class SessionReply:
    """For transports with one channel a session: everything goes there."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(self, message: bytes) -> None:
        """Into the session's channel."""
        self._session.deliver(message)

    def finish(self, message: bytes) -> None:
        """Into the session's channel."""
        self._session.deliver(message)

    def abandon(self) -> None:
        """Nothing is sent."""
