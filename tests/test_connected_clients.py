"""AI clients as the faces see them: connected from here, come and gone at the gateway, their entry taken away and put back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.clients.view import ClientState, ClientView
from desktop.errors import UsageError
from desktop.host import ClientsChanged
from tests.helpers.home import Home

LIMIT = 10.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    return home


@pytest.fixture
async def application(home: Home) -> AsyncIterator[Application]:
    async with running(GatewayOptions(dynamic_tools=True), home.paths) as application:
        await application.listen("127.0.0.1", 0, token="common")
        yield application


def view(application: Application, id: str) -> ClientView:
    return next(view for view in application.clients() if view.id == id)


async def until(application: Application, condition: Callable[[], bool]) -> None:
    """Wait for news of clients until they are as they should be."""
    changed = asyncio.Event()
    stop = application.events.subscribe(lambda event: changed.set() if isinstance(event, ClientsChanged) else None)
    try:
        async with asyncio.timeout(LIMIT):
            while not condition():
                await changed.wait()
                changed.clear()
    finally:
        stop()


async def initialize(url: str, headers: dict[str, str], name: str, version: str) -> httpx.Response:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": name, "version": version}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    async with httpx.AsyncClient(trust_env=False) as http:
        accept = {"Accept": "application/json, text/event-stream"}
        return await http.post(url, json=message, headers=headers | accept)


async def test_from_written_to_connected_to_gone(application: Application, home: Home) -> None:
    (home.root / ".cursor").mkdir()
    assert application.clients() == ()
    await application.refresh_clients()
    assert view(application, "cursor").state is ClientState.NOT_CONNECTED
    assert view(application, "kiro").state is ClientState.ABSENT
    assert "mcp-gateway" in (await application.plan_client("cursor")).diff

    await application.connect_client("cursor")
    assert view(application, "cursor").line == "written, waiting for Cursor"

    entry = json.loads((home.root / ".cursor" / "mcp.json").read_text("utf-8"))["mcpServers"]["mcp-gateway"]
    answer = await initialize(entry["url"], entry["headers"], "anything at all", "2.3")
    assert answer.status_code == 200
    await until(application, lambda: view(application, "cursor").state is ClientState.CONNECTED)
    tools = application.endpoint().tools
    assert view(application, "cursor").line == f"connected, Cursor 2.3, {tools} tools"

    session = application.gateway.sessions[answer.headers["mcp-session-id"]]
    await application.gateway.end_session(session)
    await until(application, lambda: view(application, "cursor").state is ClientState.AWAY)
    assert view(application, "cursor").line == "Cursor 2.3 was connected, not here now"

    await initialize(entry["url"], entry["headers"], "cursor", "2.3")
    await application.disconnect_client("cursor")
    assert view(application, "cursor").state is ClientState.NOT_CONNECTED
    assert application.gateway.sessions == {}
    assert (await initialize(entry["url"], entry["headers"], "cursor", "2.3")).status_code == 401


async def test_by_the_common_token_a_client_is_known_by_its_own_word(application: Application, home: Home) -> None:
    (home.root / ".codex").mkdir()
    await application.connect_client("codex")
    await initialize(application.endpoint().url, {"Authorization": "Bearer common"}, "codex-mcp-client", "0.9")
    await until(application, lambda: view(application, "codex").state is ClientState.CONNECTED)
    assert view(application, "codex").version == "0.9"


async def test_an_entry_that_is_taken_away_is_told_and_put_back_once_asked(
    application: Application, home: Home
) -> None:
    (home.root / ".cursor").mkdir()
    file = home.root / ".cursor" / "mcp.json"
    file.write_text('{"mcpServers": {}}', "utf-8")
    following = asyncio.create_task(application.connected_clients.follow())
    try:
        await application.connect_client("cursor")
        written = file.read_bytes()
        await until(application, lambda: view(application, "cursor").state is ClientState.WAITING)
        async with asyncio.timeout(LIMIT):
            while view(application, "cursor").state is not ClientState.DROPPED:
                file.write_text('{"mcpServers": {}}', "utf-8")  # as a client does that writes from its memory
                await asyncio.sleep(0.1)
        assert view(application, "cursor").line == "Cursor dropped the entry"
        assert view(application, "cursor").hint == "Connect it again"
        assert file.read_text("utf-8") == '{"mcpServers": {}}'
        await application.connect_client("cursor")
        assert view(application, "cursor").state is ClientState.WAITING
        assert len(file.read_bytes()) == len(written)
        await application.disconnect_client("cursor")
        assert file.read_text("utf-8") == '{"mcpServers": {}}'
        assert view(application, "cursor").state is ClientState.NOT_CONNECTED
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_what_another_process_connects_is_seen(application: Application, home: Home) -> None:
    from desktop.clients.known import find_client
    from desktop.clients.roster import Roster

    (home.root / ".kiro").mkdir()
    following = asyncio.create_task(application.connected_clients.follow())
    client = find_client("kiro")
    assert client is not None
    try:
        await until(application, lambda: bool(application.clients()))
        roster = Roster(home.paths, application.endpoint().url)
        await asyncio.to_thread(roster.connect, client)
        await until(application, lambda: view(application, "kiro").state is ClientState.WAITING)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_what_was_chosen_for_a_client_is_kept_when_it_is_connected_again(
    application: Application, home: Home
) -> None:
    from desktop.clients.gateway_entry import Way
    from desktop.clients.roster import Wish

    (home.root / ".cursor").mkdir()
    file = home.root / ".cursor" / "mcp.json"
    await application.connected_clients.connect("cursor", Wish(profile="work", way=Way.STDIO))
    before = file.read_bytes()
    assert not (await application.connect_client("cursor")).changed
    assert (await application.plan_client("cursor")).diff == ""
    assert file.read_bytes() == before


async def test_a_client_nobody_knows_is_refused(application: Application) -> None:
    with pytest.raises(UsageError, match="no client nonsense"):
        await application.connect_client("nonsense")
