"""The asking side of a request to a server: which client session it is of, and where everything that belongs to it goes."""

from __future__ import annotations

from typing import Protocol

__all__ = ["CallSink", "SessionPort"]


class SessionPort(Protocol):
    """A client session, as far as a server connection has to know it."""

    @property
    def id(self) -> str:
        """Unique id."""

    @property
    def capabilities(self) -> bytes:
        """The client's capabilities, as JSON."""

    @property
    def abilities(self) -> str:
        """Which requests of servers the client takes: ``elicitation``, ``roots``, ``sampling``, sorted, with commas."""

    @property
    def modern(self) -> bool:
        """Whether the client speaks 2026-07-28, so that its requests carry their own envelope and it can't be asked."""

    @property
    def client_info(self) -> bytes:
        """Who the client says it is (``Implementation``), as JSON; empty when it did not say."""

    @property
    def level(self) -> str:
        """The log level the client has set for the session; empty when it never did."""


class CallSink(Protocol):
    """The asking side of one request."""

    @property
    def session(self) -> SessionPort | None:
        """The client session that asked; None for our own questions."""

    def send(self, message: bytes) -> None:
        """A notification or request that belongs to the call, before its answer."""

    def finish(self, message: bytes) -> None:
        """The answer, under the id the asker used."""
