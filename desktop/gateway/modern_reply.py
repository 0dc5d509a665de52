"""Where the answer to a modern request goes: under the client's own id, as a result of the modern era, with nothing but what the
client asked to hear before it. A question of the server ends it early; see `HeldCalls`.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.envelope import ModernRequest
from desktop.gateway.identity import SERVER_INFO
from desktop.gateway.session import LOG_LEVELS, Call, Reply, Session
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import SERVER_INFO_KEY

__all__ = ["Holding", "ModernReply", "stamped"]

_TOGETHER: Final = 0.02
_LIST_TTL: Final = 60_000
_LISTS: Final = ("tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover")
_ASKABLE: Final = ("sampling/createMessage", "elicitation/create", "roots/list")
_INFO: Final = b'"%b":%b' % (SERVER_INFO_KEY.encode(), SERVER_INFO)
_COMPLETE: Final = b'"resultType":"complete",'
_META: Final = b'"_meta":{%b}' % _INFO
# Members a result may have already; it is taken apart then, else our own are put in front of what is there.
_OWN: Final = (b'"_meta"', b'"resultType"', b'"ttlMs"', b'"cacheScope"')
_PROGRESS: Final = b'{"jsonrpc":"2.0","method":"notifications/progress"'
_LOG: Final = b'{"jsonrpc":"2.0","method":"notifications/message"'


class Holding(Protocol):
    """Keeps calls that wait for their client to come back with answers."""

    def hold(self, reply: ModernReply) -> str:
        """Keep a call; returns the state the client has to bring back."""

    def forget(self, reply: ModernReply) -> None:
        """The call has ended."""


def stamped(result: bytes, method: str) -> bytes:
    """A result as modern clients expect it: with ``resultType``, our ``serverInfo``, and how long it may be kept.

    Args:
        result: A result of our own, or of a server of the handshake era.
        method: What was asked.
    """
    hints = b""
    if method in _LISTS:
        hints = b'"ttlMs":%d,"cacheScope":"private",' % _LIST_TTL
    elif method == "resources/read":
        hints = b'"ttlMs":0,"cacheScope":"private",'
    if result[:1] != b"{":
        return result
    if any(name in result for name in _OWN):
        return _merged(result, hints)
    rest = result[1:].lstrip()
    return b"{%b%b%b%b%b" % (_COMPLETE, hints, _META, b"" if rest[:1] == b"}" else b",", rest)


def _merged(result: bytes, hints: bytes) -> bytes:
    try:
        given = jsonrpc.fields(Raw(result))
        ours = jsonrpc.fields(Raw(b"{%b%b%b}" % (_COMPLETE, hints, _META)))
        meta = given.get("_meta")
        if meta is not None and bytes(meta)[:1] == b"{":
            ours["_meta"] = Raw(jsonrpc.encode(jsonrpc.fields(ours["_meta"]) | jsonrpc.fields(meta)))
            del given["_meta"]
        return jsonrpc.encode(ours | given)
    except MalformedMessageError:
        return result


class ModernReply:
    """The `Reply` of one modern request, through all its rounds.

    Args:
        session: The client's.
        number: The request's id among the session's calls; the client's own ids may collide there.
        request: What the client sent; the newest round's later on.
        target: Where this round's messages go.
        holding: Keeps the call between rounds.

    Attributes:
        call: The call, once it is on its way; None while it isn't and when it was answered at once.
        waiting: Whether the client has to come back before anything can be told to it.
    """

    __slots__ = ("_asked", "_flush", "_outcome", "_target", "call", "holding", "number", "request", "session",
                 "token", "waiting")  # fmt: skip

    def __init__(self, session: Session, number: int, request: ModernRequest, target: Reply, holding: Holding) -> None:
        self.session = session
        self.number = number
        self.request = request
        self.holding = holding
        self.call: Call | None = None
        self.token = request.progress_token
        self.waiting = False
        self._target = target
        self._asked: dict[str, bytes] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._outcome = b""

    # What belongs to the call.

    def send(self, message: bytes) -> None:
        """Pass a notification on, when the client wants it and is there."""
        if self.waiting:
            return
        if message.startswith(_LOG):
            if not self._wants(message):
                return
        elif message.startswith(_PROGRESS) and self.token != self.request.progress_token:
            if not self.request.progress_token:
                return
            parsed = jsonrpc.parse(message)
            params = jsonrpc.fields(parsed.params)
            params["progressToken"] = Raw(self.request.progress_token)
            message = jsonrpc.notification("notifications/progress", jsonrpc.encode(params))
        self._target.send(message)

    def _wants(self, message: bytes) -> bool:
        wanted = self.request.level
        if wanted not in LOG_LEVELS:
            return False
        try:
            level = jsonrpc.decode(jsonrpc.fields(jsonrpc.parse(message).params)["level"])
        except (MalformedMessageError, KeyError):
            return False
        return level in LOG_LEVELS and LOG_LEVELS.index(level) >= LOG_LEVELS.index(wanted)

    def finish(self, message: bytes) -> None:
        """The answer; kept while the client is away."""
        self._stop_asking()
        if self.waiting:
            self._outcome = message
            return
        self.holding.forget(self)
        self._target.finish(self._outgoing(message))

    def abandon(self) -> None:
        """The client does not want the answer any more."""
        self._stop_asking()
        self.holding.forget(self)
        if not self.waiting:
            self._target.abandon()

    def _outgoing(self, message: bytes) -> bytes:
        begin = b'{"jsonrpc":"2.0","id":%d,"result":' % self.number
        if not message.startswith(begin):
            return self._error(message)
        result = message[len(begin) : -1]
        upstream = self.call.upstream if self.call is not None else None
        if upstream is None or not upstream.modern:
            result = stamped(result, self.request.method)
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (self.request.id, result)

    def _error(self, message: bytes) -> bytes:
        error = jsonrpc.parse(message).error
        try:
            members = jsonrpc.fields(error)
            code = jsonrpc.decode(members["code"])
            if code == jsonrpc.RESOURCE_NOT_FOUND:
                code = jsonrpc.INVALID_PARAMS  # what the modern era calls it
                members["code"] = Raw(b"%d" % code)
                error = Raw(jsonrpc.encode(members))
        except (MalformedMessageError, KeyError):
            pass  # not an error as JSON-RPC has it; the client may make of it what it can
        return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (self.request.id, bytes(error))

    # Questions of the server.

    def ask(self, number: str, question: Envelope) -> bool:
        """Take a server's question, which the session knows under ``number``; False when it can't be put to a modern client."""
        if question.method not in _ASKABLE:
            return False
        params = bytes(question.params)
        entry = b'{"method":%b%b}' % (jsonrpc.encode(question.method), b',"params":' + params if params else b"")
        self._asked[number] = entry
        self._ask_soon()
        return True

    def _ask_soon(self) -> None:
        if self._flush is None and not self.waiting:
            # Questions that are asked together come together, but not always in one piece.
            self._flush = asyncio.get_running_loop().call_later(_TOGETHER, self._hand_back)

    def _hand_back(self) -> None:
        """End this round: the client has to answer the questions and to come back."""
        self._flush = None
        self._asked = {number: entry for number, entry in self._asked.items() if number in self.session.questions}
        if not self._asked or self.waiting:
            return
        requests = b",".join(b'"%b":%b' % (number.encode(), entry) for number, entry in self._asked.items())
        result = b'{"resultType":"input_required","inputRequests":{%b},"requestState":%b,%b}' % (
            requests,
            jsonrpc.encode(self.holding.hold(self)),
            _META,
        )
        self.waiting = True
        self._target.finish(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (self.request.id, result))

    def resume(self, request: ModernRequest, target: Reply) -> None:
        """The client is back: hand its answers to the server. Raises `MalformedMessageError` when they are none."""
        answers = jsonrpc.fields(Raw(request.responses))
        self.request, self._target, self.waiting = request, target, False
        if self._outcome:
            self.finish(self._outcome)
            return
        for number in self._asked.keys() & answers.keys():
            del self._asked[number]
            question = self.session.questions.pop(number, None)
            if question is not None:
                question.upstream.answer(jsonrpc.response(question.id, answers[number]))
        if self._asked:
            self._ask_soon()

    def give_up(self, reason: str) -> None:
        """The client does not want the call any more, or has not come back."""
        if self.call is not None and self.session.calls.get(self.number) is self.call:
            self.call.cancel({"reason": Raw(jsonrpc.encode(reason))})

    def _stop_asking(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        for number in self._asked:
            self.session.questions.pop(number, None)
        self._asked = {}
