"""What a modern connection follows: one ``subscriptions/listen`` stream for changed lists and for the resources clients follow.

MCP 2026-07-28, "Subscriptions". The stream is opened again when it ends, with growing pauses; what may have been missed
meanwhile is announced as changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.revisions import SUBSCRIPTION_KEY
from desktop.servers.call_sink import CallSink

__all__ = ["Follower", "Subscriptions"]

_LISTS: Final = ("tools", "prompts", "resources")
_ANSWER: Final = 20.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
log = logging.getLogger(__name__)


class Follower(Protocol):
    """What following needs of its connection."""

    @property
    def server(self) -> str:
        """Catalog name of the server."""

    @property
    def capabilities(self) -> dict[str, Raw]:
        """The server's capabilities."""

    def listen(self, params: bytes, sink: CallSink) -> int:
        """Send ``subscriptions/listen``; returns its id."""

    def end_listening(self, number: int) -> None:
        """End a stream."""

    def missed(self, methods: list[tuple[str, Raw]]) -> None:
        """Notifications that may have been missed, as method and params."""


class _Stream:
    """One ``subscriptions/listen`` request; the sink for its answer, which ends it."""

    session = None

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self.number = 0
        self.agreed: dict[str, Raw] | None = None
        self.over = False
        self.refused = ""

    def send(self, message: bytes) -> None:
        """Nothing but the answer comes this way."""

    def finish(self, message: bytes) -> None:
        self.over = True
        with contextlib.suppress(MalformedMessageError, KeyError):
            error = jsonrpc.fields(jsonrpc.parse(message).error)
            if error and jsonrpc.decode(error["code"]) == jsonrpc.METHOD_NOT_FOUND:
                self.refused = str(jsonrpc.decode(error["message"]))
        self._news.set()


class Subscriptions:
    """Keeps the stream open while there is something to follow.

    Args:
        follower: The connection.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._uris: dict[str, None] = {}
        self._waiting: dict[str, list[Callable[[str], None]]] = {}
        self._news = asyncio.Event()
        self._changed = False
        self._task: asyncio.Task[None] | None = None
        self._streams: dict[int, _Stream] = {}
        self._refused = ""

    @property
    def streams(self) -> int:
        """Streams that are open."""
        return len(self._streams)

    def begin(self) -> None:
        """Follow what the server says it announces."""
        if self._filter() and self._task is None and not self._refused:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    def follow(self, uri: str, then: Callable[[str], None]) -> None:
        """Follow a resource; ``then`` gets an empty text when the server tells its changes from now on, else the reason."""
        if self._refused:
            then(self._refused)
            return
        self._waiting.setdefault(uri, []).append(then)
        self._uris[uri] = None
        self._renew()

    def leave(self, uri: str) -> None:
        """Follow a resource no longer."""
        if self._uris.pop(uri, uri) is None:
            self._renew()

    def acknowledged(self, message: Envelope, call: int | None) -> None:
        """The server says which part of a stream's wishes it fulfils."""
        params = jsonrpc.fields(message.params)
        number = call if call is not None else _stream_of(params)
        stream = self._streams.get(number) if number is not None else None
        if stream is not None and stream.agreed is None:
            stream.agreed = jsonrpc.fields(params.get("notifications", Raw()))
            self._news.set()

    def ended_by_server(self, number: int) -> bool:
        """The server ends a stream on standard output, with ``notifications/cancelled``; False when it is none of these."""
        stream = self._streams.get(number)
        if stream is None:
            return False
        stream.over = True
        self._news.set()
        return True

    async def end(self) -> None:
        """Follow nothing any more."""
        self.stop()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def stop(self) -> None:
        """Begin to end; nobody is told."""
        self._refused = "the connection has ended"
        if self._task is not None:
            self._task.cancel()

    def _renew(self) -> None:
        self._changed = True
        self._news.set()
        self.begin()

    def _filter(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for name in _LISTS:
            with contextlib.suppress(MalformedMessageError):
                if (
                    bytes(jsonrpc.fields(self._follower.capabilities.get(name, Raw())).get("listChanged", b""))
                    == b"true"
                ):
                    wanted[f"{name}ListChanged"] = True
        if self._uris:
            wanted["resourceSubscriptions"] = list(self._uris)
        return wanted

    async def _keep(self) -> None:
        pause, gap = _FIRST_PAUSE, False
        before: _Stream | None = None
        while wanted := self._filter():
            self._changed = False
            stream = self._open(wanted)
            await self._while(self._unsettled, stream, _ANSWER)
            self._close(before)
            before = None
            if stream.agreed is not None:
                self._in_force(wanted, stream.agreed)
                if gap:
                    self._announce_all(wanted)
                pause, gap = _FIRST_PAUSE, False
                await self._while(self._as_wanted, stream)
            if not stream.over and self._changed:
                before = stream
                continue
            self._close(stream)
            if stream.refused:
                self._refused = stream.refused
                break
            self._fail("the server does not say what it tells of")
            gap = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._close(before)
        self._fail(self._refused)
        self._task = None

    def _open(self, wanted: dict[str, Any]) -> _Stream:
        stream = _Stream(self._news)
        stream.number = self._follower.listen(jsonrpc.encode({"notifications": wanted}), stream)
        self._streams[stream.number] = stream
        return stream

    def _close(self, stream: _Stream | None) -> None:
        if stream is not None:
            del self._streams[stream.number]
            self._follower.end_listening(stream.number)

    def _unsettled(self, stream: _Stream) -> bool:
        return stream.agreed is None and not stream.over

    def _as_wanted(self, stream: _Stream) -> bool:
        return not stream.over and not self._changed

    async def _while(
        self, condition: Callable[[_Stream], bool], stream: _Stream, time_limit: float | None = None
    ) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(time_limit):
                while condition(stream):
                    self._news.clear()
                    await self._news.wait()

    def _in_force(self, wanted: dict[str, Any], agreed: dict[str, Raw]) -> None:
        reason = "" if "resourceSubscriptions" in agreed else "the server does not tell of changed resources"
        for uri in wanted.get("resourceSubscriptions", ()):
            if reason:
                self._uris.pop(uri, None)
            for then in self._waiting.pop(uri, ()):
                then(reason)

    def _fail(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for uri, thens in waiting.items():
            self._uris.pop(uri, None)
            for then in thens:
                then(reason or "it is no longer wanted")

    def _announce_all(self, wanted: dict[str, Any]) -> None:
        changed = [(f"notifications/{name}/list_changed", Raw()) for name in _LISTS if f"{name}ListChanged" in wanted]
        changed += [
            ("notifications/resources/updated", Raw(jsonrpc.encode({"uri": uri})))
            for uri in wanted.get("resourceSubscriptions", ())
        ]
        self._follower.missed(changed)


def _stream_of(params: dict[str, Raw]) -> int | None:
    meta = jsonrpc.fields(params["_meta"]) if "_meta" in params else {}
    number = jsonrpc.decode(meta[SUBSCRIPTION_KEY]) if SUBSCRIPTION_KEY in meta else None
    return number if isinstance(number, int) else None
