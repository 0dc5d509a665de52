"""Tells the activity log of each tool call, at next to no cost to the call."""

from __future__ import annotations

import time
from collections.abc import Callable

from desktop.activity.log import LONGEST_TEXT, ActivityLog, EndedCall
from desktop.gateway.session import Call, CallLog, Session
from desktop.jsonrpc import Envelope

__all__ = ["CallRecorder"]


class CallRecorder:
    """A `CallLog` that records, and passes on to another where there is one.

    Args:
        activity: Where calls go.
        server_of: The server a session's tool leads to, or empty; asked only about calls that reached none.
        then: Is told as well.
    """

    def __init__(
        self, activity: ActivityLog, server_of: Callable[[Session, str], str], then: CallLog | None = None
    ) -> None:
        self._activity = activity
        self._server_of = server_of
        self._then = then
        self._params: dict[Call, tuple[bytes, int]] = {}

    def begun(self, call: Call, message: Envelope) -> None:
        """Keep the beginning of its parameters until it ends."""
        params = memoryview(message.params)
        self._params[call] = (bytes(params[:LONGEST_TEXT]), len(params))
        if self._then is not None:
            self._then.begun(call, message)

    def ended(self, call: Call, answer: bytes | None) -> None:
        """Hand it over."""
        params, sent = self._params.pop(call, (b"", 0))
        session = call.session
        upstream = call.upstream
        self._activity.ended(
            EndedCall(
                at=time.time(),
                client=session.client,
                server=upstream.server if upstream is not None else self._server_of(session, call.subject),
                tool=call.subject,
                seconds=time.monotonic() - call.started,
                params=params,
                sent=sent,
                answer=None if answer is None else bytes(memoryview(answer)[:LONGEST_TEXT]),
                received=0 if answer is None else len(answer),
            )
        )
        if self._then is not None:
            self._then.ended(call, answer)
