"""The way to a server, whatever carries it: a container's pipes, a child process, HTTP."""

from __future__ import annotations

from typing import Protocol

from desktop.errors import GatewayError

__all__ = ["MessageReceiver", "Transport"]


class MessageReceiver(Protocol):
    """What a transport reports. Called on the event loop."""

    def message(self, data: bytes, call: int | None) -> None:
        """One message; ``call`` is the request on whose own stream it came, where the transport can tell."""

    def undeliverable(self, call: int | None, reason: str) -> None:
        """A message could not be delivered, or no answer to it can come any more."""

    def waits_for(self, call: int) -> bool:
        """Whether somebody still waits for the answer to a request."""

    def renewed(self) -> None:
        """The server has begun a new session for the connection; what it was told before the calls is forgotten there."""

    def closed(self, reason: str, cause: GatewayError | None = None) -> None:
        """The connection has ended; called once. ``cause`` is the error to raise when it ended before the handshake."""


class Transport(Protocol):
    """A way to a server: container, child process, HTTP."""

    async def start(self, receiver: MessageReceiver) -> None:
        """Bring the way up; raises `GatewayError`."""

    def negotiated(self, protocol_version: str) -> None:
        """Called after the handshake."""

    def send(self, message: bytes, call: int | None) -> None:
        """Queue one message; ``call`` is its id when it is a request."""

    async def drain(self) -> None:
        """Wait while the way is congested."""

    async def close(self) -> None:
        """Take everything down that `start` brought up."""

    def last_words(self) -> str:
        """The last line of text the server itself printed since `start`, to explain a failure; may be empty."""
