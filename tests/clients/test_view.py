"""How a client is shown: one state and one line, from its files and from who has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from desktop.clients.config_file import ConfigFile, user_file
from desktop.clients.configured import ConfiguredServer, Transport
from desktop.clients.description import Client
from desktop.clients.detection import Presence, Sign
from desktop.clients.known import find_client
from desktop.clients.machine import Machine
from desktop.clients.status import ClientStatus
from desktop.clients.view import ClientState, view_of

OURS = ConfiguredServer(name="mcp-gateway", transport=Transport.HTTP, url="http://127.0.0.1:8811/mcp")
HERE = Presence(sign=Sign.PROGRAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    client: str = "cursor"
    version: str = "2.3"
    sessions: int = 1
    tools: int = 31


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


def file_of(client: Client) -> ConfigFile:
    file = user_file(client, Machine(environ={"HOME": "/home/person"}, platform="linux"))
    assert file is not None
    return file


STATUS = ClientStatus(client=known("cursor"), file=file_of(known("cursor")), exists=True, presence=HERE)
CONNECTED = replace(STATUS, ours=OURS, servers=(OURS,))


@pytest.mark.parametrize(
    ("status", "came", "state", "line"),
    [
        (replace(STATUS, presence=Presence()), (), ClientState.ABSENT, "not on this computer"),
        (STATUS, (), ClientState.NOT_CONNECTED, "not connected"),
        (STATUS, (Came(),), ClientState.NOT_CONNECTED, "not connected"),
        (CONNECTED, (), ClientState.WAITING, "written, waiting for Cursor"),
        (CONNECTED, (Came(client="zed"),), ClientState.WAITING, "written, waiting for Cursor"),
        (CONNECTED, (Came(),), ClientState.CONNECTED, "connected, Cursor 2.3, 31 tools"),
        (CONNECTED, (Came(version="", tools=1),), ClientState.CONNECTED, "connected, Cursor, 1 tool"),
        (CONNECTED, (Came(sessions=0),), ClientState.AWAY, "Cursor 2.3 was connected, not here now"),
        (replace(STATUS, dropped=True), (Came(),), ClientState.DROPPED, "Cursor dropped the entry"),
        (replace(CONNECTED, outdated="why"), (), ClientState.OUTDATED, "has to be connected again: why"),
        (replace(STATUS, error="it is broken"), (), ClientState.BROKEN, "it is broken"),
    ],
)
def test_the_state_and_its_line(status: ClientStatus, came: tuple[Came, ...], state: ClientState, line: str) -> None:
    view = view_of(status, came)
    assert (view.state, view.line) == (state, line)


def test_what_the_person_can_do_is_said_when_there_is_something() -> None:
    assert view_of(CONNECTED, (Came(tools=41),)).hint == "Cursor takes 40 tools at most: turn some off"
    assert view_of(CONNECTED, (Came(tools=40),)).hint == ""
    codex = replace(CONNECTED, client=known("codex"), presence=Presence(sign=Sign.PROGRAM, running=True))
    assert view_of(codex, ()).hint == "Restart Codex"
    assert view_of(replace(codex, presence=HERE), ()).hint == ""
    claude = replace(STATUS, client=known("claude-desktop"), dropped=True)
    assert view_of(claude, ()).hint == "Connect it again"
    running = replace(claude, presence=Presence(sign=Sign.PROGRAM, running=True))
    assert view_of(running, ()).hint == "Quit Claude Desktop fully, then connect it again"


def test_particulars_come_along() -> None:
    reference = ConfiguredServer(name="MCP_DOCKER", transport=Transport.STDIO, command="docker")
    view = view_of(replace(CONNECTED, servers=(OURS, reference), reference=reference), (Came(),))
    assert (view.servers, view.reference) == (("MCP_DOCKER",), "MCP_DOCKER")
    assert (view.way, view.sessions, view.tools, view.most_tools) == ("http", 1, 31, 40)
    assert Path(view.file) == Path("/home/person/.cursor/mcp.json")
