"""Opens a connection to one server: makes the way there, and of it what the session's place asks for, in the server's era."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from desktop.catalog.model import CatalogServer
from desktop.errors import GatewayError, ServerStartError
from desktop.servers.call_sink import SessionPort
from desktop.servers.connecting import Connecting
from desktop.servers.connections import QUIET, SHARED
from desktop.servers.launch import server_kind
from desktop.servers.modern import ModernUpstream
from desktop.servers.modern_remote import ModernRemoteTransport
from desktop.servers.offering import ALL_ABILITIES, Offering
from desktop.servers.places import Places
from desktop.servers.ports import Launching, Timing
from desktop.servers.request_headers import MirroredArguments
from desktop.servers.single_use import ModernSingleUse, SingleUse
from desktop.servers.status import ServerKind
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport
from desktop.servers.upstream import EVERY_CAPABILITY, Upstream, UpstreamListener

__all__ = ["Opening"]

log = logging.getLogger(__name__)


class Opening:
    """Opens connections to one server.

    Args:
        server, values: Its entry and settings.
        launcher: Makes the way to it.
        timing: Limits.
        log: Receives its standard error.
        places: Whose a connection is.
        offering: Knows its eras and tools, and learns the eras.
        listener: Takes what it says on its own account.
        close_soon: Closes a connection nobody wants.
        used_up: Told of a connection for one call whose call has ended.
    """

    def __init__(
        self,
        server: CatalogServer,
        values: Mapping[str, Any],
        *,
        launcher: Launching,
        timing: Timing,
        log: StderrLog,
        places: Places,
        offering: Offering,
        listener: UpstreamListener,
        close_soon: Callable[[Upstream], None],
        used_up: Callable[[SingleUse], None],
    ) -> None:
        self._server = server
        self._values = values
        self._launcher = launcher
        self._timing = timing
        self._limit = timing.package_start if server_kind(server) is ServerKind.PACKAGE else timing.start
        self._log = log
        self._places = places
        self._offering = offering
        self._listener = listener
        self._close_soon = close_soon
        self._used_up = used_up
        self._mirrored = MirroredArguments(lambda: offering.listing.tools if offering.listing is not None else ())

    async def open(self, key: str, session: SessionPort | None) -> Upstream:
        """Open one.

        Args:
            key: Its place.
            session: For whom; None for the gateway itself.

        Raises:
            GatewayError: The server can't be started or does not speak MCP.
        """
        connecting = Connecting(
            lambda: self._launcher.transport(self._server, self._values, self._log),
            lambda transport, modern: self._built(transport, key, session, modern=modern),
            self._close_soon,
            self._offering.eras,
            limit=self._limit,
            probe=self._timing.probe,
        )
        try:
            upstream = await connecting.open(modern=self._places.wants_modern(session))
        except BaseException as error:
            if connecting.upstream is not None:
                self._close_soon(connecting.upstream)
            if isinstance(error, Exception) and not isinstance(error, GatewayError):
                name = self._server.name
                log.exception("starting %s failed", name)
                raise ServerStartError(f"{name} could not be started: {type(error).__name__}") from error
            raise
        self._offering.learned(connecting.eras)
        return upstream

    def _built(self, transport: Transport, key: str, session: SessionPort | None, *, modern: bool) -> Upstream:
        name, places, listener = self._server.name, self._places, self._listener
        upstream: Upstream
        if modern:
            if isinstance(transport, ModernRemoteTransport):
                transport.names_of = self._mirrored.of
            kind = ModernSingleUse if places.single_calls else ModernUpstream
            upstream = kind(name, transport, listener, session if places.separate else None)
            upstream.abilities = ALL_ABILITIES
        else:
            key = key if places.single_calls else places.with_handshake(session)
            owner = session if key not in (SHARED, QUIET) else None
            capabilities = b"{}" if key == QUIET else EVERY_CAPABILITY
            upstream = (SingleUse if places.single_calls else Upstream)(name, transport, listener, owner, capabilities)
            upstream.abilities = owner.abilities if owner is not None else "" if key == QUIET else ALL_ABILITIES
            upstream.opener = session
        if isinstance(upstream, SingleUse):
            upstream.used_up = self._used_up
        return upstream
