"""Which clients have come so far: by the token they showed, else by how they introduced themselves. The proof of a connection."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from desktop.gateway.session import Session

__all__ = ["Sighting", "Sightings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A client as it came last.

    Attributes:
        client: Its id, where we know the client; else empty.
        name, version: How it introduced itself.
        sessions: How many sessions it has now.
        tools: How many tools it is offered, or was when it was here.
        at: When it was here last, seconds since 1970.
        issued: Whether its token says who it is, and not only its own word.
    """

    client: str
    name: str
    version: str
    sessions: int = 1
    tools: int = 0
    at: float = 0.0
    issued: bool = False


class Sightings:
    """What is known of the clients that came.

    Args:
        sessions: The live sessions by id.
        tools: How many tools a session is offered.
    """

    def __init__(self, sessions: dict[str, Session], tools: Callable[[Session], int]) -> None:
        self._sessions = sessions
        self._tools = tools
        self._known: dict[tuple[str, str], Sighting] = {}

    def all(self) -> tuple[Sighting, ...]:
        """Everyone who came, the newest last."""
        return tuple(sorted(self._known.values(), key=lambda sighting: sighting.at))

    def look(self) -> bool:
        """Look at the sessions there are; whether anything but the time is new."""
        now, here = time.time(), dict[tuple[str, str], Sighting]()
        for session in tuple(self._sessions.values()):
            sighting = self._of(session, now)
            if sighting is not None:
                key = (sighting.client, "" if sighting.client else sighting.name)
                before = here.get(key)
                here[key] = sighting if before is None else replace(sighting, sessions=before.sessions + 1)
        gone = {key: replace(known, sessions=0) for key, known in self._known.items() if key not in here}
        new = gone | here
        is_new = _timeless(new) != _timeless(self._known)
        self._known = new
        return is_new

    def as_json(self) -> list[dict[str, Any]]:
        """For the command line."""
        return [
            {
                "client": sighting.client,
                "name": sighting.name,
                "version": sighting.version,
                "sessions": sighting.sessions,
                "tools": sighting.tools,
            }
            for sighting in self.all()
        ]

    def _of(self, session: Session, now: float) -> Sighting | None:
        if not session.protocol_version:
            return None  # it has not said yet who it is
        name, version = session.introduced
        return Sighting(
            client=_client(session, name),
            name=name,
            version=version,
            tools=self._tools(session),
            at=now,
            issued=session.caller is not None,
        )


def _client(session: Session, name: str) -> str:
    return session.caller.client if session.caller is not None else _introduced_as(name)


@functools.lru_cache(maxsize=256)
def _introduced_as(name: str) -> str:
    from desktop.clients.known import introduced_as  # here: a gateway starts without knowing any client

    client = introduced_as(name)
    return client.id if client is not None else ""


def _timeless(sightings: dict[tuple[str, str], Sighting]) -> dict[tuple[str, str], Sighting]:
    return {key: replace(sighting, at=0.0) for key, sighting in sightings.items()}
