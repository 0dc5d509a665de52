"""The resources clients follow: each is followed at its server once, as long as any session wants it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from desktop import jsonrpc
from desktop.gateway.additions import server_of
from desktop.gateway.call_work import CallWork
from desktop.gateway.forwarding import Forwarding
from desktop.gateway.session import Call, Session
from desktop.jsonrpc import Envelope
from desktop.servers.fleet import Fleet

__all__ = ["FollowedResources"]


class _Uri(msgspec.Struct):
    uri: str


_uri = msgspec.json.Decoder(_Uri)


class FollowedResources:
    """Takes ``resources/subscribe`` and ``resources/unsubscribe`` (MCP 2025-11-25, server/resources).

    Args:
        sessions: The live sessions by id.
        fleet: The servers.
        forwarding: The way to servers.
        work: Tells servers.
    """

    def __init__(self, sessions: Mapping[str, Session], fleet: Fleet, forwarding: Forwarding, work: CallWork) -> None:
        self._sessions = sessions
        self._fleet = fleet
        self._forwarding = forwarding
        self._work = work

    def subscribe(self, call: Call, message: Envelope) -> None:
        """A client wants to hear of a resource."""
        uri = _uri.decode(message.params).uri
        route = self._forwarding.forward_uri(call, message)
        if (
            route is not None
            and (server := server_of(call.session.additions, route.server, self._fleet.servers)) is not None
        ):
            call.session.subscriptions.setdefault((route.server, route.name), uri)
            server.subscribed.add(route.name)

    def unsubscribe(self, call: Call, message: Envelope) -> None:
        """A client does not want to hear of it any more; the server is told when nobody does."""
        uri = _uri.decode(message.params).uri
        route = self._forwarding.resource_route(call.session, uri)
        if route is None or call.session.subscriptions.pop((route.server, route.name), None) is None:
            call.result(b"{}")
            return
        server = server_of(call.session.additions, route.server, self._fleet.servers)
        upstream = server.known(call.session) if server is not None else None
        others = self._subscribers(route.server, route.name)
        if server is not None and not others:
            server.subscribed.discard(route.name)
        if upstream is None or (others and upstream.owner is None):
            call.result(b"{}")  # another session still wants it over the shared connection, or there is none any more
        else:
            self._forwarding.forward_uri(call, message)

    def _subscribers(self, server: str, uri: str) -> list[Session]:
        return [session for session in self._sessions.values() if (server, uri) in session.subscriptions]

    def session_ended(self, session: Session) -> None:
        """What only this session followed is followed no more."""
        for server, uri in session.subscriptions:
            self._stop(session, server, uri)

    def _stop(self, session: Session, server: str, uri: str) -> None:
        running = server_of(session.additions, server, self._fleet.servers)
        if running is None or self._subscribers(server, uri):
            return
        running.subscribed.discard(uri)
        upstream = running.known(session)
        if upstream is not None and upstream.owner is None:
            self._work.tell(upstream, "resources/unsubscribe", jsonrpc.encode({"uri": uri}))
