"""A client is let in by a token of its own, from the moment it is issued until it is revoked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from desktop.errors import StateFileError
from desktop.gateway import local_endpoint
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.gateway.shim import read_endpoint
from desktop.secrets.client_tokens import ClientTokens
from desktop.state.paths import Paths
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, FakeServer
from tests.helpers.modern_client import enveloped

COMMON = "the-common-token"
FILE = Path("/home/person/.cursor/mcp.json")
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "cursor-vscode", "version": "2.3"},
    },
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of_user({"HOME": str(tmp_path)}, "linux")


@pytest.fixture
def tokens(paths: Paths) -> ClientTokens:
    return ClientTokens(paths)


@pytest.fixture
async def endpoint(rig: Rig, paths: Paths) -> AsyncIterator[LocalEndpoint]:
    await rig.start(FakeServer("s", "t"))
    endpoint = LocalEndpoint(rig.gateway, paths, ready=lambda: True)
    await endpoint.listen("127.0.0.1", 0, token=COMMON)
    yield endpoint
    await rig.gateway.close()
    async with asyncio.timeout(LIMIT):
        await endpoint.close()


@pytest.fixture
async def http(endpoint: LocalEndpoint) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(
        base_url=endpoint.url.removesuffix("/mcp"), headers=headers, timeout=LIMIT, trust_env=False
    ) as client:
        yield client


async def post(http: httpx.AsyncClient, token: str, message: Any, session: str = "", **more: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", **({"Mcp-Session-Id": session} if session else {}), **more}
    return await http.post("/mcp", json=message, headers=headers)


async def until_refused(http: httpx.AsyncClient, token: str, message: Any, session: str = "", **more: str) -> int:
    """Ask again and again on the same connection; the status of the first answer that isn't 200."""
    async with asyncio.timeout(LIMIT):
        while (answer := await post(http, token, message, session, **more)).status_code == 200:
            await asyncio.sleep(0.02)
    return answer.status_code


async def test_a_token_is_good_from_the_moment_it_is_issued(
    rig: Rig, http: httpx.AsyncClient, tokens: ClientTokens
) -> None:
    assert (await post(http, COMMON, INITIALIZE)).status_code == 200
    assert (await post(http, "mcpgw_guessed", INITIALIZE)).status_code == 401
    token = tokens.issue("cursor", FILE)
    answer = await post(http, token, INITIALIZE)
    assert answer.status_code == 200
    session = rig.gateway.sessions[answer.headers["mcp-session-id"]]
    assert session.caller is not None
    assert session.caller.client == "cursor"
    assert session.client == "cursor-vscode 2.3"


async def test_the_common_token_says_nothing_of_the_client(rig: Rig, http: httpx.AsyncClient) -> None:
    answer = await post(http, COMMON, INITIALIZE)
    assert rig.gateway.sessions[answer.headers["mcp-session-id"]].caller is None


async def test_revoking_a_token_ends_its_sessions_and_no_others(
    rig: Rig, http: httpx.AsyncClient, tokens: ClientTokens
) -> None:
    token, other = tokens.issue("cursor", FILE), tokens.issue("zed", FILE)
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    ours = (await post(http, token, INITIALIZE)).headers["mcp-session-id"]
    theirs = (await post(http, other, INITIALIZE)).headers["mcp-session-id"]
    for _ in range(3):  # the connection knows this head by now
        assert (await post(http, token, ping, ours)).status_code == 200
    tokens.revoke("cursor", FILE)
    assert await until_refused(http, token, ping, ours) == 401
    assert ours not in rig.gateway.sessions
    assert (await post(http, token, INITIALIZE)).status_code == 401
    assert (await post(http, other, ping, theirs)).status_code == 200


@pytest.mark.parametrize("trouble", [StateFileError("/x", "it can't be watched"), RuntimeError("something else")])
async def test_a_token_is_revoked_in_time_where_its_file_can_not_be_watched(
    rig: Rig, paths: Paths, tokens: ClientTokens, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    async def unwatched(folders: Any) -> AsyncIterator[None]:
        raise trouble
        yield

    monkeypatch.setattr(local_endpoint, "watch", unwatched)
    monkeypatch.setattr(local_endpoint, "_LOOK_AGAIN", 0.01)
    token = tokens.issue("cursor", FILE)
    await rig.start(FakeServer("s", "t"))
    endpoint = LocalEndpoint(rig.gateway, paths, ready=lambda: True)
    try:
        url = await endpoint.listen("127.0.0.1", 0, token=COMMON)
        async with httpx.AsyncClient(base_url=url.removesuffix("/mcp"), timeout=LIMIT, trust_env=False) as http:
            accept = {"Accept": "application/json, text/event-stream"}
            session = (await post(http, token, INITIALIZE, **accept)).headers["mcp-session-id"]
            tokens.revoke("cursor", FILE)
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            assert await until_refused(http, token, ping, session, **accept) == 401
    finally:
        await rig.gateway.close()
        await endpoint.close()


async def test_clients_of_the_modern_era_are_let_in_and_shut_out_likewise(
    rig: Rig, http: httpx.AsyncClient, tokens: ClientTokens
) -> None:
    token = tokens.issue("zed", FILE)
    head = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    for number in range(3):
        assert (await post(http, token, enveloped("tools/list", id=number), **head)).status_code == 200
    callers = [session.caller for session in rig.gateway.sessions.values()]
    assert [caller.client for caller in callers if caller is not None] == ["zed"]
    tokens.revoke("zed", FILE)
    assert await until_refused(http, token, enveloped("tools/list", id=9), **head) == 401
    assert rig.gateway.sessions == {}


async def test_an_endpoint_says_where_it_is_reached(endpoint: LocalEndpoint, paths: Paths) -> None:
    assert not paths.endpoint_file.exists()
    await endpoint.publish()
    way, token, url = paths.endpoint_file.read_text("utf-8").splitlines()
    assert read_endpoint(str(paths.endpoint_file)) == (way, token)
    assert url == endpoint.url


async def test_of_two_moves_at_once_the_last_one_is_listened_on_alone(endpoint: LocalEndpoint) -> None:
    first = endpoint.url
    urls = await asyncio.gather(endpoint.move(0, token=COMMON), endpoint.move(0, token=COMMON))
    assert endpoint.url == urls[1]
    async with httpx.AsyncClient(timeout=LIMIT, trust_env=False) as http:
        for url in (first, urls[0]):
            with pytest.raises(httpx.ConnectError):
                await http.get(url.replace("/mcp", "/health"))
        assert (await http.get(urls[1].replace("/mcp", "/health"))).status_code == 200
