"""Messages on their way to one HTTP response."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["DirectStream", "MessageStream"]

_MOST_KEPT: Final = 512


class MessageStream:
    """A queue with one reader; cheaper than `asyncio.Queue`, and it knows its last message.

    Attributes:
        answered: Whether the final answer has been put in, so that nothing follows.
        status: HTTP status of the answer, when nothing stands beside it.
        detached: Whether the reader has gone and another may come: what is put in is kept, the newest 512 messages.
    """

    __slots__ = ("_beat", "_messages", "_waiter", "answered", "detached", "ended", "status")

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._beat = False
        self.answered = False
        self.detached = False
        self.ended = False
        self.status = 200

    @property
    def sole_answer(self) -> bool:
        """Whether the message just taken was the answer and nothing stands beside it."""
        return self.answered and not self._messages

    def send(self, message: bytes) -> None:
        """Put a message in."""
        if self.detached and len(self._messages) >= _MOST_KEPT:
            self._messages.popleft()
        self._messages.append(message)
        self._wake()

    def finish(self, message: bytes) -> None:
        """Put the answer in; nothing follows."""
        self._messages.append(message)
        self.answered = self.ended = True
        self._wake()

    def abandon(self) -> None:
        """End without an answer."""
        self.ended = True
        self._wake()

    def beat(self) -> None:
        """Let a waiting reader go on with an empty message, so that it can show signs of life."""
        if self._waiter is not None:
            self._beat = True
            self._wake()

    def detach(self) -> None:
        """Let the reader end; what it has not taken is kept for another."""
        self.detached = True
        self._wake()

    def reattach(self) -> None:
        """Another reader has come."""
        self.detached = False

    def rest(self) -> list[bytes]:
        """What nobody has taken; it is taken now."""
        messages, self._messages = list(self._messages), deque()
        return messages

    async def next(self) -> bytes | None:
        """The next message; empty bytes as a sign of life; None at the end, and when detached."""
        while not self._messages or self.detached:
            if self.ended or self.detached:
                return None
            if self._beat:
                self._beat = False
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._messages.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class DirectStream(MessageStream):
    """Needs a reader only when something other than the answer comes first.

    Args:
        answer: Called with the answer when it is the first thing to say; nothing follows then.
        read: Called once, with the stream, when a reader is needed after all.
    """

    __slots__ = ("_answer", "_read")

    def __init__(self, answer: Callable[[bytes], None], read: Callable[[MessageStream], object]) -> None:
        super().__init__()
        self._answer = answer
        self._read: Callable[[MessageStream], object] | None = read

    def send(self, message: bytes) -> None:
        """Put a message in."""
        super().send(message)
        self._need_reader()

    def finish(self, message: bytes) -> None:
        """Answer at once, or put the answer in; nothing follows."""
        if self._read is None or self.ended:
            super().finish(message)
            return
        self._read = None
        self.answered = self.ended = True
        self._answer(message)

    def abandon(self) -> None:
        """End without an answer."""
        if not self.ended:
            super().abandon()
            self._need_reader()

    def beat(self) -> None:
        """Let a reader show signs of life."""
        if not self.ended:
            self._beat = True
            self._wake()
            self._need_reader()

    def _need_reader(self) -> None:
        read, self._read = self._read, None
        if read is not None:
            read(self)
