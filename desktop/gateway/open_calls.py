"""The calls under way: shown, cancelled by the person, kept from being given up by the client, ended at their time limit."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.running_call import RunningCall
from desktop.gateway.session import Call, Session
from desktop.jsonrpc import Envelope
from desktop.servers.fleet import Fleet
from desktop.servers.progress import Progress

__all__ = ["OpenCalls"]

_LOOK: Final = 1.0
_SILENCE: Final = 10.0


@dataclass(slots=True)
class _Wait:
    """A call that waited for its server to start: for which, since when it runs there, and its progress until then."""

    server: str
    progress: Progress | None
    since: float = 0.0


class OpenCalls:
    """Looks at all open calls once a second, as long as there are any; a call that is short never meets it.

    Args:
        sessions: The live sessions by id.
        fleet: The servers.

    Attributes:
        silence: Seconds without a word after which a client that asked for progress gets a sign of life.
    """

    def __init__(self, sessions: Mapping[str, Session], fleet: Fleet) -> None:
        self.silence = _SILENCE
        self._sessions = sessions
        self._fleet = fleet
        self._waits: dict[Call, _Wait] = {}
        self._shown: dict[Call, int] = {}
        self._numbers = itertools.count(1)
        self._looking: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """There are calls: look after them until there are none."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on())

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def waits(self, call: Call, message: Envelope, server: str) -> None:
        """A call can't be forwarded before its server has started."""
        token = _progress_token(message)
        self._waits[call] = _Wait(server, Progress(token) if token is not None else None)
        self.watch()

    def forwarded(self, call: Call) -> None:
        """Its server has started, and it was forwarded: its time begins now."""
        wait = self._waits.get(call)
        if wait is not None:
            wait.since = time.monotonic()
            if call.upstream is not None and wait.progress is not None:
                call.upstream.continue_progress(call.number, wait.progress)

    # What the faces show.

    def running(self) -> tuple[RunningCall, ...]:
        """The tool calls under way, oldest first."""
        now = time.monotonic()
        sessions = tuple(self._sessions.values())
        calls = [call for session in sessions for call in tuple(session.calls.values()) if call.subject]
        self._shown = {call: self._shown.get(call) or next(self._numbers) for call in calls}
        return tuple(
            RunningCall(
                id=self._shown[call],
                client=call.session.client,
                server=self._server_of(call),
                tool=call.subject,
                seconds=now - call.started,
            )
            for call in sorted(calls, key=lambda call: call.started)
        )

    def cancel(self, number: int) -> None:
        """Cancel a call on the person's behalf; one that has ended meanwhile is fine."""
        for call, shown in self._shown.items():
            if shown == number and call.session.has(call):
                _end(call, "cancelled by the person", "The call was cancelled in MCP Gateway")

    def _server_of(self, call: Call) -> str:
        if call.upstream is not None:
            return call.upstream.server
        wait = self._waits.get(call)
        return wait.server if wait is not None else ""

    # Looking after them.

    async def _look_on(self) -> None:
        before = time.monotonic()
        while any(session.calls for session in self._sessions.values()):
            await asyncio.sleep(_LOOK)
            now = time.monotonic()
            if now - before < 3 * _LOOK:  # else we slept ourselves: first take in what has come meanwhile
                self.look(now)
            before = now
        self._waits.clear()
        self._shown.clear()

    def look(self, now: float) -> None:
        """Send the signs of life and end the calls that are due at ``now`` (monotonic seconds)."""
        calls = [call for session in self._sessions.values() for call in session.calls.values()]
        self._waits = {call: self._waits[call] for call in calls if call in self._waits}
        for call in calls:
            if call.upstream is not None:
                self._look_at(call, now)
            elif (wait := self._waits.get(call)) is not None:
                status = self._fleet.status(wait.server)
                words = status.reason if status is not None and status.reason else f"{wait.server} is starting"
                self._sign_of_life(call, wait.progress, now - call.started, now, words)

    def _look_at(self, call: Call, now: float) -> None:
        assert call.upstream is not None
        name = call.upstream.server
        wait, server = self._waits.get(call), self._fleet.servers.get(name)
        seconds = now - (call.started if wait is None else wait.since)
        limit = server.call_timeout if server is not None else None
        if limit is not None and seconds > limit:
            reason = f"{name} did not answer within {limit:g} s, the time limit set for its calls"
            _end(call, "the time limit is reached", reason)
        elif seconds > self.silence:
            self._sign_of_life(call, call.upstream.progress_of(call.number), seconds, now, f"{name} is still working")

    def _sign_of_life(self, call: Call, progress: Progress | None, seconds: float, now: float, words: str) -> None:
        if progress is not None and seconds > self.silence and now - progress.told > self.silence:
            call.send(progress.sign_of_life(words, now))


def _end(call: Call, reason: str, error: str) -> None:
    call.cancel({"reason": Raw(jsonrpc.encode(reason))}, error=error)


def _progress_token(message: Envelope) -> Raw | None:
    if not message.params or b'"progressToken"' not in bytes(message.params):
        return None
    params = jsonrpc.fields(message.params)
    return jsonrpc.fields(params["_meta"]).get("progressToken") if "_meta" in params else None
