"""Messages on their way to one HTTP response."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["MessageStream"]


class MessageStream:
    """A queue with one reader; cheaper than `asyncio.Queue`, and it knows its last message.

    Attributes:
        answered: Whether the final answer has been put in, so that nothing follows.
    """

    __slots__ = ("_beat", "_messages", "_waiter", "answered", "ended")

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._beat = False
        self.answered = False
        self.ended = False

    @property
    def sole_answer(self) -> bool:
        """Whether the message just taken was the answer and nothing stands beside it."""
        return self.answered and not self._messages

    def send(self, message: bytes) -> None:
        """Put a message in."""
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

    async def next(self) -> bytes | None:
        """The next message; empty bytes as a sign of life; None at the end."""
        while not self._messages:
            if self.ended:
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
