"""A handshake client in front of a modern server: what the server wants to know comes as a result, and goes out as questions.

MCP 2026-07-28, "Multi Round-Trip Requests": instead of asking, a server ends a call with ``inputRequests`` and a
``requestState``; the call is made again with the answers and that state, until its result is complete.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.progress import Progress

__all__ = ["MAY_ASK", "MOST_ROUNDS", "Asker", "RoundTrips"]

MAY_ASK: Final = frozenset(("tools/call", "prompts/get", "resources/read"))
MOST_ROUNDS: Final = 16
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.25


class Asker(Protocol):
    """What one call needs of its connection."""

    @property
    def server(self) -> str:
        """Catalog name of the server."""

    def rounds_began(self, trips: RoundTrips) -> None:
        """The server wants to know something first."""

    def ask(self, trips: RoundTrips, method: str, params: Raw) -> str:
        """Note a question for the client; returns the id its answer will have. It is put by `put`."""

    def put(self, id: str) -> None:
        """Put a question to the client; the answer may come at once."""

    def withdraw(self, id: str) -> None:
        """A question's answer is no longer wanted."""

    def repeat(self, trips: RoundTrips, message: Envelope) -> int:
        """Send the call again; returns its new id."""

    def rounds_ended(self, trips: RoundTrips) -> None:
        """The call is answered."""


class RoundTrips:
    """One call of a handshake client; the sink for all its rounds.

    Args:
        asker: The connection.
        message: The request as it goes to the server, with the client's own id and progress token.
        sink: The client's side.

    Attributes:
        number: The connection's id of the first round, by which the call is cancelled.
        current: The connection's id of the present round.
        progress: What the client is told of the call's progress; None when it did not ask for it.
        waiting: Whether questions are with the client, so that nothing is with the server.
    """

    __slots__ = (
        "_answers", "_asker", "_id", "_method", "_open", "_params", "_rounds", "_sink", "_state", "_timer",
        "current", "number", "progress", "session", "waiting",
    )  # fmt: skip

    def __init__(self, asker: Asker, message: Envelope, sink: CallSink) -> None:
        self._asker = asker
        self._sink = sink
        self._id = message.id
        self._method = message.method
        self._params = message.params
        self._rounds = 0
        self._state: Raw | None = None
        self._answers: dict[str, Raw] = {}
        self._open: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.session: SessionPort | None = sink.session
        self.number = 0
        self.current = 0
        self.waiting = False
        self.progress: Progress | None = None

    def send(self, message: bytes) -> None:
        """What belongs to the call, to the client."""
        self._sink.send(message)

    def finish(self, message: bytes) -> None:
        """One round's answer: the call's, or what the server wants to know first."""
        if b'"input_required"' in message:
            try:
                result = jsonrpc.fields(jsonrpc.parse(message).result)
                if jsonrpc.decode(result.get("resultType", Raw(b'""'))) == "input_required":
                    self._next_round(result)
                    return
            except (MalformedMessageError, KeyError):
                self._fail(f"{self._asker.server} asks for input in a way that is not MCP")
                return
        self._end(message)

    def _next_round(self, result: dict[str, Raw]) -> None:
        self._rounds += 1
        self.waiting = True
        if self._rounds == 1:
            self._asker.rounds_began(self)
        if self._rounds > MOST_ROUNDS:
            self._fail(f"{self._asker.server} asked for input {MOST_ROUNDS} times without an end")
            return
        self._answers = {}
        self._state = result.get("requestState")
        requests = jsonrpc.fields(result.get("inputRequests", Raw()))
        wanted = {key: jsonrpc.fields(request) for key, request in requests.items()}
        methods = {key: str(jsonrpc.decode(members["method"])) for key, members in wanted.items()}
        if not wanted:  # the server only wants to be asked again, with its state
            pause = min(_FIRST_PAUSE * 2 ** (self._rounds - 1), _LONGEST_PAUSE)
            self._timer = asyncio.get_running_loop().call_later(pause, self._repeat)
            return
        self._open = {
            self._asker.ask(self, methods[key], members.get("params", Raw(b"{}"))): key
            for key, members in wanted.items()
        }
        for id in tuple(self._open):
            if id in self._open:  # an earlier one may have failed the call
                self._asker.put(id)

    def answered(self, id: str, answer: Envelope) -> None:
        """The client's answer to one question; an error ends the call with it."""
        key = self._open.pop(id, None)
        if key is None:
            return
        if answer.error:
            self._refused(answer.error)
            return
        self._answers[key] = answer.result or Raw(b"{}")
        if not self._open:
            self._repeat()

    def _repeat(self) -> None:
        params = jsonrpc.fields(self._params)
        params.pop("inputResponses", None)
        params.pop("requestState", None)
        if self._answers:
            params["inputResponses"] = Raw(jsonrpc.encode(self._answers))
        if self._state is not None:
            params["requestState"] = self._state
        message = Envelope(id=self._id, method=self._method, params=Raw(jsonrpc.encode(params)))
        self.waiting = False
        self.current = self._asker.repeat(self, message)

    def _refused(self, error: Raw) -> None:
        members = jsonrpc.fields(error)
        text = jsonrpc.decode(members["message"]) if "message" in members else "an error without a message"
        self._fail(f"{self._asker.server} needs an answer of the client, which said: {text}")

    def _fail(self, reason: str) -> None:
        self.drop()
        self._end(jsonrpc.response_error(self._id, jsonrpc.INTERNAL_ERROR, reason))

    def _end(self, message: bytes) -> None:
        self.waiting = False
        if self._rounds:
            self._asker.rounds_ended(self)
        self._sink.finish(message)

    def gone(self, reason: str) -> None:
        """The connection ended while the client was asked."""
        self.drop()
        self._end(jsonrpc.response_error(self._id, jsonrpc.CONNECTION_CLOSED, reason))

    def drop(self) -> None:
        """Nobody wants the call's result any more: take back what is asked, ask nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        questions, self._open = tuple(self._open), {}
        for id in questions:
            self._asker.withdraw(id)
