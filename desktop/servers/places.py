"""Who shares what: which of a server's connections a session's calls go over, and in which era.

See docs/decisions/0002-sharing.md and docs/eras.md.
"""

from __future__ import annotations

import itertools

from desktop.servers.call_sink import SessionPort
from desktop.servers.connections import MODERN, QUIET, SHARED, Connections
from desktop.servers.offering import Offering
from desktop.servers.single_use import SingleUse
from desktop.servers.status import ServerKind
from desktop.servers.upstream import Upstream
from desktop.sharing import Sharing

__all__ = ["Places"]


class Places:
    """Keys of connections for sessions.

    By default a server is shared by all sessions unless its entry says ``longLived``, it is remote, or it has once asked
    something of a client; then every session that can answer has a connection of its own. Sessions to which it speaks
    2026-07-28 share a connection where they would only share a server otherwise.

    Args:
        kind: How the server runs.
        sharing: Who shares it.
        offering: What is known of it: whether it asks, and which eras it speaks.
        connections: Those that are open.

    Attributes:
        sharing: The same; may be set.
    """

    def __init__(self, kind: ServerKind, sharing: Sharing, offering: Offering, connections: Connections) -> None:
        self.sharing = sharing
        self._remote = kind is ServerKind.REMOTE
        self._tools = kind is ServerKind.TOOLS
        self._offering = offering
        self._connections = connections

    @property
    def single_calls(self) -> bool:
        """Whether each call has a connection that ends with it.

        The tools of a `poci` server run in a container a call anyway; their connection is a mere front.
        """
        return self.sharing is Sharing.PER_CALL and not self._tools

    @property
    def separate(self) -> bool:
        """Whether each session has its own modern connection.

        A remote server's keeps nothing of a session, so it is shared although the other kind can't be.
        """
        return self.sharing is Sharing.PER_CLIENT and not self._remote

    def wants_modern(self, session: SessionPort | None) -> bool:
        """Whether a session's connection is a modern one, or will be if the server speaks that; None is the gateway itself."""
        eras = self._offering.eras
        if eras.modern is False:
            return False
        if eras.handshake is False:
            return True
        return session.modern if session is not None else self._remote

    def of(self, session: SessionPort | None) -> str:
        """The key of a session's connection, in the era it is in or is to be tried in first."""
        if self.wants_modern(session):
            return session.id if session is not None and self.separate else MODERN
        return self.with_handshake(session)

    def with_handshake(self, session: SessionPort | None) -> str:
        """The key of a session's connection in the handshake era."""
        if session is None or self.sharing is Sharing.PER_CALL:
            return SHARED
        if self.sharing is Sharing.PER_CLIENT:
            return session.id
        if not self._offering.interactive:
            return SHARED
        if not session.abilities:
            return QUIET
        return self._free_place(session) if session.modern else session.id

    def _free_place(self, session: SessionPort) -> str:
        """A connection without a call under way.

        Modern clients that look alike share a session, and on a pipe a question does not say which call it belongs to: with one
        call at a time on each connection it is that call's, and reaches the client that made it.
        """
        key = session.id
        numbers = itertools.count(2)
        while (upstream := self._connections.alive(key)) is not None and upstream.has_call:
            key = f"{session.id} {next(numbers)}"
        return key

    def known(self, session: SessionPort) -> Upstream | None:
        """The connection messages of a session went over so far, if it is up."""
        for key in (session.id, MODERN) if self.wants_modern(session) else (session.id, QUIET, SHARED):
            upstream = self._connections.alive(key)
            if upstream is not None:
                return upstream
        return None

    def is_needless(self, upstream: Upstream) -> bool:
        """Whether an open connection is none that sessions are given as things are shared now."""
        if self.single_calls or isinstance(upstream, SingleUse):
            return self.single_calls is not isinstance(upstream, SingleUse)
        asks = self._offering.interactive  # then sessions have connections of their own though it is shared
        return upstream.owner is not None and self.sharing is not Sharing.PER_CLIENT and not asks
