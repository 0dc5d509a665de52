"""Event streams that can be continued after their connection broke (MCP 2025-11-25, basic/transports, resumability).

Every event has an id. What was sent lately is kept; a stream whose client has gone goes on collecting, and a GET with
``Last-Event-ID`` gets what came after that event and then the rest. Streams that say nothing before their answer have no
events, and cost nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict, deque
from typing import Final

from desktop.gateway.message_stream import MessageStream
from desktop.servers.event_stream import format_event

__all__ = ["KeptStream", "Resumption"]

_MOST_STREAMS: Final = 64
_MOST_EVENTS: Final = 256
_MOST_BYTES: Final = 8 * 1024 * 1024


class KeptStream:
    """One stream with what it has sent.

    Args:
        name: Unique within the session.
        stream: Gives the messages.

    Attributes:
        size: Bytes kept.
    """

    def __init__(self, name: str, stream: MessageStream) -> None:
        self.stream = stream
        self.size = 0
        self._name = name
        self._number = 0
        self._sent: deque[tuple[int, bytes]] = deque()

    def prime(self) -> bytes:
        """An event without data, so that the client has an id to continue from before anything was said."""
        return b"id: %b-%d\ndata: \n\n" % (self._name.encode(), self._number)

    def event(self, message: bytes) -> bytes:
        """The event that carries a message; it is kept."""
        self._number += 1
        event = format_event(message, id=b"%b-%d" % (self._name.encode(), self._number))
        self._sent.append((self._number, event))
        self.size += len(event)
        while len(self._sent) > _MOST_EVENTS or (self.size > _MOST_BYTES and len(self._sent) > 1):
            self.drop_oldest()
        return event

    def drop_oldest(self) -> None:
        """Forget the oldest event."""
        _, event = self._sent.popleft()
        self.size -= len(event)

    def since(self, number: int) -> list[bytes]:
        """The kept events after one."""
        return [event for which, event in self._sent if which > number]

    async def take_over(self) -> None:
        """Let whoever reads the stream now end, and read on here."""
        self.stream.detach()
        await asyncio.sleep(0)
        self.stream.reattach()


class Resumption:
    """The streams of one session: those of its calls, and the one for messages that belong to no call.

    Attributes:
        standalone: The latter; a new connection gets a new `MessageStream` for it.
    """

    def __init__(self) -> None:
        self.standalone = KeptStream("0", MessageStream())
        self._streams: OrderedDict[str, KeptStream] = OrderedDict()
        self._names = itertools.count(1)

    def begin(self, stream: MessageStream) -> KeptStream:
        """Keep what a call's stream says from now on; the oldest streams are forgotten when there are many."""
        name = str(next(self._names))
        kept = self._streams[name] = KeptStream(name, stream)
        while len(self._streams) > _MOST_STREAMS:
            _, oldest = self._streams.popitem(last=False)
            if oldest.stream.detached:
                oldest.stream.abandon()
        return kept

    def find(self, event_id: bytes) -> tuple[KeptStream | None, int]:
        """The stream an event was on and the event's number; no stream when it isn't kept any more, or never was one."""
        name, _, number = event_id.decode("latin-1").partition("-")
        if not number.isdecimal():
            return None, 0
        kept = self.standalone if name == "0" else self._streams.get(name)
        return kept, int(number)
