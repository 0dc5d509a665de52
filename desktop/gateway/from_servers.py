"""The way back: what servers ask of clients and tell them, brought to the right session."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.modern_reply import ModernReply
from desktop.gateway.session import Question, Session
from desktop.jsonrpc import Envelope
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.upstream import Upstream

__all__ = ["FromServers"]

log = logging.getLogger(__name__)


class FromServers:
    """Listens to all servers.

    Args:
        sessions: The live sessions by id.
        announce: Told the name of a server whose status is new.
        offer_changed: Called when what a server offers is new.
    """

    def __init__(
        self,
        sessions: Mapping[str, Session],
        announce: Callable[[str], None],
        offer_changed: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._announce = announce
        self._offer_changed = offer_changed
        self._numbers = itertools.count(1)

    def server_request(
        self, upstream: Upstream, message: Envelope, sink: CallSink | None, session: SessionPort | None
    ) -> None:
        """Pass a server's question to its client under an id of ours; answer for clients that can't."""
        assert message.id is not None
        assert message.method is not None
        client = self._sessions.get(session.id) if session is not None else None
        if client is None or not client.answers(message.method):
            upstream.answer(_answer_without_client(message, known=client is not None))
            return
        number = f"gw-{next(self._numbers)}"
        client.questions[number] = Question(upstream, message.id, _take_progress_token(message, number))
        if client.modern:
            reply = _modern_reply(upstream, sink, client)
            if reply is None or not reply.ask(number, message):
                del client.questions[number]
                upstream.answer(_answer_without_client(message, known=True))
            return
        message.id = number
        if sink is not None:
            sink.send(jsonrpc.to_wire(message))
        else:
            client.deliver(jsonrpc.to_wire(message))

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """Pass a notification on to the session it is for; one that can't be told apart stays in the server's log."""
        if message.method == "notifications/resources/updated":
            self._resource_updated(upstream, message)
            return
        if message.method == "notifications/cancelled":
            self._question_cancelled(upstream, message)
            return
        session = sink.session if sink is not None else upstream.sole_session(opener=False)
        client = self._sessions.get(session.id) if session is not None else None
        if client is None:
            log.info("%s: %s", upstream.server, bytes(message.params)[:500].decode("utf-8", "replace"))
            return
        if message.method == "notifications/message":
            level = jsonrpc.decode(jsonrpc.fields(message.params).get("level", Raw(b'""')))
            if not client.wants(str(level)):
                return
        if sink is not None:
            sink.send(jsonrpc.to_wire(message))
        else:
            client.deliver(jsonrpc.to_wire(message))

    def followed(self, upstream: Upstream) -> set[str]:
        """Resources the sessions of a connection have subscribed to."""
        return {
            uri
            for session in self._sessions.values()
            if upstream.owner in (None, session)
            for server, uri in session.subscriptions
            if server == upstream.server
        }

    def connection_ended(self, upstream: Upstream) -> None:
        """Withdraw what the server asked: nobody is there to take the answer."""
        for session in self._sessions.values():
            for number, question in tuple(session.questions.items()):
                if question.upstream is upstream:
                    del session.questions[number]
                    params = {"requestId": number, "reason": upstream.closed_reason}
                    session.deliver(jsonrpc.notification("notifications/cancelled", jsonrpc.encode(params)))

    def server_changed(self, name: str, *, offer: bool) -> None:
        """The state of a server is new."""
        if offer:
            self._offer_changed()
        self._announce(name)

    def _resource_updated(self, upstream: Upstream, message: Envelope) -> None:
        params = jsonrpc.fields(message.params)
        uri = str(jsonrpc.decode(params["uri"])) if "uri" in params else ""
        for session in self._sessions.values():
            exposed = session.subscriptions.get((upstream.server, uri))
            if exposed is not None and upstream.owner in (None, session):
                params["uri"] = Raw(jsonrpc.encode(exposed))
                session.deliver(jsonrpc.notification("notifications/resources/updated", jsonrpc.encode(params)))

    def _question_cancelled(self, upstream: Upstream, message: Envelope) -> None:
        params = jsonrpc.fields(message.params)
        wanted = jsonrpc.decode(params["requestId"]) if "requestId" in params else None
        for session in self._sessions.values():
            for number, question in tuple(session.questions.items()):
                if question.upstream is upstream and question.id == wanted:
                    del session.questions[number]
                    params["requestId"] = Raw(jsonrpc.encode(number))
                    session.deliver(jsonrpc.notification("notifications/cancelled", jsonrpc.encode(params)))


def _modern_reply(upstream: Upstream, sink: CallSink | None, client: Session) -> ModernReply | None:
    """Where a question to a modern client goes, which can be asked in the answer to a call only: the newest, if it isn't said."""
    calls = [sink] if sink is not None else [call for call in client.calls.values() if call.upstream is upstream]
    replies = [getattr(call, "reply", None) for call in calls]
    return next((reply for reply in reversed(replies) if isinstance(reply, ModernReply)), None)


def _take_progress_token(message: Envelope, number: str) -> Raw | None:
    """Put our id in the place of the server's progress token; returns the server's."""
    if not message.params or b'"progressToken"' not in bytes(message.params):
        return None
    params = jsonrpc.fields(message.params)
    meta = jsonrpc.fields(params["_meta"]) if "_meta" in params else {}
    token = meta.get("progressToken")
    if token is not None:
        meta["progressToken"] = Raw(jsonrpc.encode(number))
        params["_meta"] = Raw(jsonrpc.encode(meta))
        message.params = Raw(jsonrpc.encode(params))
    return token


def _answer_without_client(message: Envelope, *, known: bool) -> bytes:
    """The gateway's own answer when no client can be asked: no folders, and an error for everything else."""
    if message.method == "roots/list":
        return jsonrpc.response(message.id, b'{"roots":[]}')
    reason = "the client does not support it" if known else "it can't be told which client it is for"
    return jsonrpc.response_error(message.id, jsonrpc.METHOD_NOT_FOUND, f"{message.method} is not possible: {reason}")
