"""The log levels clients set, brought to the servers they use."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.additions import servers_of
from desktop.gateway.call_work import CallWork
from desktop.gateway.session import LOG_LEVELS, Call, Session
from desktop.jsonrpc import Envelope
from desktop.servers.fleet import Fleet
from desktop.servers.upstream import Upstream

__all__ = ["LogLevels"]


class LogLevels:
    """Takes ``logging/setLevel`` (MCP 2025-11-25, server/utilities/logging).

    Args:
        sessions: The live sessions by id.
        fleet: The servers.
        work: Tells servers.
    """

    def __init__(self, sessions: Mapping[str, Session], fleet: Fleet, work: CallWork) -> None:
        self._sessions = sessions
        self._fleet = fleet
        self._work = work

    def set(self, call: Call, message: Envelope) -> None:
        """A client sets its level; the servers it uses already are told."""
        level = jsonrpc.decode(jsonrpc.fields(message.params).get("level", Raw(b'""')))
        if level not in LOG_LEVELS:
            call.error(jsonrpc.INVALID_PARAMS, f"{level!r} is not a log level; use one of {', '.join(LOG_LEVELS)}")
            return
        call.session.level = level
        for server in servers_of(call.session.additions, self._fleet.servers):
            upstream = server.known(call.session)
            if upstream is not None:
                self.apply(upstream, call.session)
        call.result(b"{}")

    def apply(self, upstream: Upstream, session: Session) -> None:
        """Tell a server the session's log level; a shared one gets the most talkative of all sessions."""
        if upstream.modern or "logging" not in upstream.capabilities:
            return  # a modern server is told with each request
        levels = [session.level] if upstream.owner is session else [item.level for item in self._sessions.values()]
        set_levels = [level for level in levels if level]
        if set_levels:
            level = min(set_levels, key=LOG_LEVELS.index)
            if upstream.level != level:
                upstream.level = level
                self._work.tell(upstream, "logging/setLevel", jsonrpc.encode({"level": level}))
