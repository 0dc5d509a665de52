"""What a managed server is given: the way to start it, somebody to tell, and its limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from desktop.catalog.model import CatalogServer
from desktop.jsonrpc import Envelope
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport
from desktop.servers.upstream import Upstream

__all__ = ["Launching", "ServerListener", "Timing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Limits in seconds: answer to initialize (a package may have to be downloaded first), answer to server/discover where it
    may be unknown, one page of a listing, idle stop of a connection that is shared and of one that is a session's own, the
    longest pause after failures."""

    start: float = 60.0
    package_start: float = 240.0
    probe: float = 5.0
    listing: float = 30.0
    idle: float = 600.0
    own_idle: float = 3600.0
    longest_pause: float = 300.0


class Launching(Protocol):
    """Makes the way to a server."""

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:
        """A transport, not started yet; raises `GatewayError` when something is missing."""

    def image_id(self, server: CatalogServer) -> str:
        """Content id of the image last used for the server; empty when unknown."""

    def reveals_secrets(self, server: CatalogServer) -> bool:
        """Whether the server's secrets can be seen through the container engine (docs/decisions/0012)."""

    async def current_image_id(self, server: CatalogServer) -> str:
        """Content id of the server's image as it is now; empty when there is none. Raises `GatewayError`."""


class ServerListener(Protocol):
    """Takes what servers say, and changes of their state."""

    def server_request(
        self, upstream: Upstream, message: Envelope, sink: CallSink | None, session: SessionPort | None
    ) -> None:
        """A server asks the client of ``session``."""

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        """A server tells something."""

    def followed(self, upstream: Upstream) -> Collection[str]:
        """URIs of the resources clients follow over a connection, as the server knows them."""

    def connection_ended(self, upstream: Upstream) -> None:
        """A connection is no more, and what the server asked over it can't be answered."""

    def server_changed(self, name: str, *, offer: bool) -> None:
        """The state of a server is new; ``offer``: its listing is new as well."""
