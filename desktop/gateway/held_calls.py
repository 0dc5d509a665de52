"""Calls that wait between two rounds: a server of the handshake era has asked something, and its client has to come back with the
answer (MCP 2026-07-28, basic/utilities/mrtr). The server's own call stays open all the while.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, NamedTuple

from desktop import jsonrpc
from desktop.gateway.envelope import ModernRequest, RefusedError
from desktop.gateway.modern_reply import ModernReply
from desktop.gateway.session import Session

__all__ = ["HeldCalls"]

_TIME_LIMIT: Final = 600.0
_MOST: Final = 32


class _Held(NamedTuple):
    reply: ModernReply
    expiry: asyncio.TimerHandle


class HeldCalls:
    """The calls of one endpoint that wait for their clients, by the state the client has to bring back.

    A state is good for one return of the session it was given to, for the same method and target. A session may let 32 calls
    wait; the oldest is given up for another one, and every one after ten minutes.
    """

    def __init__(self) -> None:
        # Tells our states from those of servers, which travel through us.
        self._mark = f"gw-{secrets.token_urlsafe(9)}."
        self._held: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def is_ours(self, state: str) -> bool:
        """Whether a state was given out here, or is made to look so."""
        return state.startswith(self._mark)

    def hold(self, reply: ModernReply) -> str:
        """Keep a call; returns the state the client has to bring back."""
        same = [state for state, held in self._held.items() if held.reply.session is reply.session]
        if len(same) >= _MOST:
            self._give_up(same[0], "the client has left too many calls waiting")
        state = self._mark + secrets.token_urlsafe(32)
        expiry = asyncio.get_running_loop().call_later(
            _TIME_LIMIT, self._give_up, state, "the client did not answer in time"
        )
        self._held[state] = _Held(reply, expiry)
        return state

    def take(self, session: Session, request: ModernRequest) -> ModernReply:
        """The call a request goes on with; raises `RefusedError` when its state is not for it."""
        held = self._held.get(request.state)
        if held is None:
            text = "This requestState is unknown, has been used, or is too old; call again without it"
            raise RefusedError(jsonrpc.INVALID_PARAMS, text)
        first = held.reply.request
        if held.reply.session is not session or (first.method, first.target) != (request.method, request.target):
            raise RefusedError(jsonrpc.INVALID_PARAMS, "This requestState belongs to another request")
        self.forget(held.reply)
        return held.reply

    def forget(self, reply: ModernReply) -> None:
        """The call has ended, or goes on."""
        if not self._held:
            return
        for state in [state for state, held in self._held.items() if held.reply is reply]:
            self._held.pop(state).expiry.cancel()

    def _give_up(self, state: str, reason: str) -> None:
        held = self._held.pop(state, None)
        if held is not None:
            held.expiry.cancel()
            held.reply.give_up(reason)
