"""A client as the faces show it: one state, one line, and what can be done."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from desktop.clients.status import ClientStatus

__all__ = ["ClientState", "ClientView", "Seen", "view_of"]


class ClientState(enum.Enum):
    """How a client stands; the value is the phrase shown to people."""

    ABSENT = "not on this computer"
    NOT_CONNECTED = "not connected"
    WAITING = "written, waiting for the client"
    CONNECTED = "connected"
    AWAY = "not here now"
    DROPPED = "entry dropped by the client"
    OUTDATED = "has to be connected again"
    BROKEN = "file can't be read"


class Seen(Protocol):
    """A client as it came to the gateway (`desktop.gateway.sightings.Sighting`)."""

    @property
    def client(self) -> str:
        """Its id."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def sessions(self) -> int:
        """How many sessions it has now."""

    @property
    def tools(self) -> int:
        """How many tools it is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientView:
    """One client.

    Attributes:
        id, name: The client.
        state: How it stands.
        line: The same with particulars: "connected, Cursor 2.3, 31 tools".
        hint: What the person can do about it, one sentence, or empty.
        installed, running: Whether it is on this computer, and whether it runs.
        file: The file our entry is or would be in; empty where there is none.
        way: ``http`` or ``stdio`` where our entry is there, else empty.
        version: Its version, once it has come.
        sessions: How many sessions it has with the gateway now.
        tools: How many tools it is offered.
        most_tools: How many it takes altogether; 0 when no limit is known.
        servers: Names of its other servers.
        reference: The name of Docker's own entry, where it has that.
    """

    id: str
    name: str
    state: ClientState
    line: str
    hint: str = ""
    installed: bool = False
    running: bool = False
    file: str = ""
    way: str = ""
    version: str = ""
    sessions: int = 0
    tools: int = 0
    most_tools: int = 0
    servers: tuple[str, ...] = ()
    reference: str = ""


def view_of(status: ClientStatus, seen: Sequence[Seen]) -> ClientView:
    """A client as it is shown.

    Args:
        status: What its files say.
        seen: Who has come to the gateway.
    """
    client = status.client
    here = next((one for one in seen if one.client == client.id), None)
    state = _state(status, here)
    return ClientView(
        id=client.id,
        name=client.name,
        state=state,
        line=_line(status, state, here),
        hint=_hint(status, state, here),
        installed=status.presence.installed,
        running=status.presence.running,
        file=str(status.file.path) if status.file is not None else "",
        way=status.way.value if status.way is not None else "",
        version=here.version if here is not None else "",
        sessions=here.sessions if here is not None else 0,
        tools=here.tools if here is not None else 0,
        most_tools=client.most_tools,
        servers=tuple(server.name for server in status.servers if server is not status.ours),
        reference=status.reference.name if status.reference is not None else "",
    )


def _state(status: ClientStatus, here: Seen | None) -> ClientState:
    if status.error:
        return ClientState.BROKEN
    if status.ours is None:
        if status.dropped:
            return ClientState.DROPPED
        return ClientState.NOT_CONNECTED if status.presence.installed else ClientState.ABSENT
    if status.outdated:
        return ClientState.OUTDATED
    if here is None:
        return ClientState.WAITING
    return ClientState.CONNECTED if here.sessions else ClientState.AWAY


def _line(status: ClientStatus, state: ClientState, here: Seen | None) -> str:
    name = status.client.name
    called = f"{name} {here.version}".strip() if here is not None else name
    match state:
        case ClientState.CONNECTED if here is not None:
            return f"connected, {called}, {here.tools} {'tool' if here.tools == 1 else 'tools'}"
        case ClientState.AWAY:
            return f"{called} was connected, not here now"
        case ClientState.WAITING:
            return f"written, waiting for {name}"
        case ClientState.DROPPED:
            return f"{name} dropped the entry"
        case ClientState.OUTDATED:
            return f"has to be connected again: {status.outdated}"
        case ClientState.BROKEN:
            return status.error
    return str(state.value)


def _hint(status: ClientStatus, state: ClientState, here: Seen | None) -> str:
    client = status.client
    if state is ClientState.WAITING and status.presence.running and client.restart:
        return client.restart
    if state in (ClientState.DROPPED, ClientState.OUTDATED):
        if client.quit_first and status.presence.running:
            return f"Quit {client.name} fully, then connect it again"
        return "Connect it again"
    if state is ClientState.CONNECTED and here is not None and 0 < client.most_tools < here.tools:
        return f"{client.name} takes {client.most_tools} tools at most: turn some off"
    return ""
