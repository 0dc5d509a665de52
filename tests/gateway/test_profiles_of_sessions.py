"""Sessions of a profile see its servers, settings and tools, whatever is enabled for all others."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from desktop.__main__ import _profile_of_client
from desktop.catalog.profile import Profile, read_profile
from desktop.errors import ProfileError
from desktop.gateway.http_endpoint import profile_in
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.gateway.own_tools import OwnTool, OwnTools
from desktop.state.paths import Paths
from tests.gateway.conftest import Rig, listening
from tests.helpers.fake_mcp import FakeServer, eventually, tool
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.modern_client import enveloped

Json = dict[str, Any]


def profile(rig: Rig, *names: str, **more: Json) -> Profile:
    """A profile of servers of the rig; ``more`` are settings and tools by server name."""
    entries = [
        {
            "type": "image",
            "image": "x",
            "snapshot": {"server": msgspec.to_builtins(rig.launcher.servers[name].entry)},
            **more.get(name, {}),
        }
        for name in names
    ]
    return read_profile({"servers": entries}, "p")


@pytest.fixture
async def begun(rig: Rig) -> Rig:
    """Servers a, b and c; a and b are enabled, b and c are in the profile."""
    servers = [FakeServer("a", "ta", "same"), FakeServer("b", "tb", "same"), FakeServer("c", "tc", "tc2")]
    for server in servers:
        server.instructions = f"About {server.name}."
    await rig.start(*servers, on=("a", "b"))
    await rig.enable("a", "b", profiles={"p": profile(rig, "b", "c", c={"tools": ["tc"]})})
    return rig


async def in_profile(rig: Rig) -> GatewayClient:
    client = GatewayClient(rig.gateway, profile="p")
    await client.initialize()
    return client


async def test_a_session_sees_its_profile_and_others_what_is_enabled(begun: Rig) -> None:
    inside, outside = await in_profile(begun), await begun.client()
    assert await inside.tools() == ["tb", "same", "tc"]  # the first list waits for the first listing of c
    assert await outside.tools() == ["a__same", "b__same", "ta", "tb"] or set(await outside.tools()) == {
        "ta", "tb", "a__same", "b__same",
    }  # fmt: skip
    assert (await inside.call("tc").result())["content"]
    assert (await outside.call("tc").error())["message"] == "Unknown tool: tc"
    assert (await inside.call("ta").error())["message"] == "Unknown tool: ta"
    assert (await inside.call("tc2").error())["message"] == "Unknown tool: tc2"


async def test_what_servers_say_of_themselves_is_of_the_profile_alone(begun: Rig) -> None:
    await (await in_profile(begun)).tools()
    told = await GatewayClient(begun.gateway, profile="p").initialize()
    assert "About b." in told["instructions"]
    assert "About c." in told["instructions"]
    assert "About a." not in told["instructions"]


async def test_a_server_that_is_enabled_just_so_runs_once(begun: Rig) -> None:
    inside, outside = await in_profile(begun), await begun.client()
    await inside.call("tb").result()
    await outside.call("tb").result()
    assert len(begun.launcher.servers["b"].live) == 1


async def test_other_settings_are_another_server_that_sessions_of_the_profile_share(begun: Rig) -> None:
    await begun.enable("a", "b", profiles={"p": profile(begun, "b", b={"config": {"port": 2}})})
    one, two, outside = await in_profile(begun), await in_profile(begun), await begun.client()
    for client in (one, two, outside):
        await client.call("tb").result()
    assert len(begun.launcher.servers["b"].live) == 2
    await begun.gateway.end_session(one.session)
    await begun.gateway.end_session(two.session)
    await eventually(lambda: len(begun.launcher.servers["b"].live) == 1)


async def test_a_change_of_the_profile_reaches_its_sessions_and_nobody_else(begun: Rig) -> None:
    inside, outside = await in_profile(begun), await begun.client()
    await inside.tools()
    await outside.tools()
    outside.inbox.clear()
    await begun.enable("a", "b", profiles={"p": profile(begun, "b")})
    await inside.wait_for("notifications/tools/list_changed")
    assert await inside.tools() == ["tb", "same"]
    assert outside.told("notifications/tools/list_changed") == []
    await eventually(lambda: begun.launcher.servers["c"].live == [])
    await begun.enable("a", "b")  # the profile has gone
    assert await inside.tools() == []


async def test_what_is_enabled_otherwise_changes_nothing_for_a_profile(begun: Rig) -> None:
    inside = await in_profile(begun)
    before = await inside.tools()
    inside.inbox.clear()
    await begun.enable("a", profiles={"p": profile(begun, "b", "c", c={"tools": ["tc"]})})
    assert await inside.tools() == before
    assert (await inside.call("tb").result())["content"]


async def test_a_pause_stops_and_resumes_the_servers_of_profiles(begun: Rig) -> None:
    inside = await in_profile(begun)
    before = await inside.tools()
    await begun.fleet.pause(True)
    begun.gateway.configuration_changed()
    assert await inside.tools() == []
    await begun.fleet.pause(False)
    begun.gateway.configuration_changed()
    assert await inside.tools() == before
    assert (await inside.call("tc").result())["content"]


async def test_the_gateway_s_own_tools_are_not_offered_in_a_profile(begun: Rig) -> None:
    class Nothing(msgspec.Struct):
        """No arguments."""

    async def answer(*arguments: Any) -> bytes:
        return b'{"content":[]}'

    begun.gateway.offer_own(OwnTools((OwnTool(tool("mcp-own"), Nothing, answer),)))
    inside, outside = await in_profile(begun), await begun.client()
    assert "mcp-own" in await outside.tools()
    assert "mcp-own" not in await inside.tools()
    assert (await inside.call("mcp-own").error())["message"] == "Unknown tool: mcp-own"


async def test_an_unknown_profile_begins_no_session(begun: Rig) -> None:
    before = dict(begun.gateway.sessions)
    with pytest.raises(ProfileError, match="profile nope not found"):
        begun.gateway.open_session("stdio", "nope")
    assert begun.gateway.sessions == before


# Over HTTP.


@pytest.fixture
async def http(begun: Rig) -> AsyncIterator[httpx.AsyncClient]:
    async with listening(begun) as made:
        yield made
        await begun.gateway.close()


def message(method: str, id: int = 1, **params: Any) -> Json:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


async def shaken(http: httpx.AsyncClient, path: str) -> str:
    """The id of a session begun at a path."""
    hello = message(
        "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}
    )
    answer = await http.post(path, json=hello)
    assert answer.status_code == 200, answer.text
    return str(answer.headers["mcp-session-id"])


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["name"] for entry in answer.json()["result"]["tools"]]


async def test_a_path_leads_to_a_profile_in_both_eras(http: httpx.AsyncClient) -> None:
    session = {"Mcp-Session-Id": await shaken(http, "/mcp/p")}
    assert names(await http.post("/mcp/p", json=message("tools/list"), headers=session)) == ["tb", "same", "tc"]
    modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    assert names(await http.post("/mcp/p", json=enveloped("tools/list"), headers=modern)) == ["tb", "same", "tc"]
    assert set(names(await http.post("/mcp", json=enveloped("tools/list"), headers=modern))) == {
        "ta", "tb", "a__same", "b__same",
    }  # fmt: skip


async def test_calls_go_the_short_way_in_a_profile_too(http: httpx.AsyncClient) -> None:
    session = {"Mcp-Session-Id": await shaken(http, "/mcp/p")}
    for number in range(2, 5):
        answer = await http.post("/mcp/p", json=message("tools/call", number, name="tb", arguments={}), headers=session)
        assert answer.json()["result"]["content"]
        refused = await http.post(
            "/mcp/p", json=message("tools/call", number, name="ta", arguments={}), headers=session
        )
        assert refused.json()["error"]["message"] == "Unknown tool: ta"


async def test_a_session_is_known_at_its_own_path_alone(http: httpx.AsyncClient) -> None:
    inside = {"Mcp-Session-Id": await shaken(http, "/mcp/p")}
    outside = {"Mcp-Session-Id": await shaken(http, "/mcp")}
    for path, session in (("/mcp", inside), ("/mcp/p", outside), ("/mcp/other", inside)):
        for _ in range(2):
            answer = await http.post(path, json=message("tools/list"), headers=session)
            assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Session not found")
        assert (await http.delete(path, headers=session)).status_code == 404


async def test_an_unknown_profile_is_not_found_in_both_eras(http: httpx.AsyncClient) -> None:
    hello = message(
        "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}
    )
    modern = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    for body, headers in ((hello, {}), (enveloped("tools/list"), modern), (enveloped("tools/list"), modern)):
        answer = await http.post("/mcp/nope", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "profile nope not found")
    assert (await http.get("/sse/nope")).status_code == 404


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/mcp", ""),
        ("/mcp/p", "p"),
        ("/mcp/a b", "a b"),
        ("/mcp/", None),
        ("/mcp/a/b", None),
        ("/mcpx", None),
        ("/", None),
    ],
)
def test_the_profile_of_a_path(path: str, found: str | None) -> None:
    assert profile_in(path) == found


# Through the shim.


@pytest.fixture
async def published(begun: Rig) -> AsyncIterator[Paths]:
    """Where the gateway can be found by shims."""
    with tempfile.TemporaryDirectory(prefix="gw-") as folder:
        paths = Paths.of_user({"HOME": folder}, "linux")
        endpoint = LocalEndpoint(begun.gateway, paths, ready=lambda: True)
        await endpoint.publish()
        yield paths
        await begun.gateway.close()
        await endpoint.close()


async def listed_through_shim(paths: Paths, profile: str, *messages: Json) -> list[str] | None:
    """The tools a client gets that starts the shim with a profile; None when the shim does not serve it."""
    program = "import sys; from desktop.gateway.shim import main; sys.exit(main(*sys.argv[1:]) or 0)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(paths.endpoint_file), profile),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(b"".join(json.dumps(each).encode() + b"\n" for each in messages))
    answers = {answer["id"]: answer for answer in map(json.loads, out.splitlines()) if "id" in answer}
    return [entry["name"] for entry in answers[2]["result"]["tools"]] if answers else None


HELLO = message("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"})


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
async def test_a_client_with_a_profile_joins_the_running_gateway(published: Paths) -> None:
    listing = message("tools/list", 2)
    assert await listed_through_shim(published, "p", HELLO, listing) == ["tb", "same", "tc"]
    assert await listed_through_shim(published, "p", enveloped("tools/list", id=2)) == ["tb", "same", "tc"]
    usual = {"ta", "tb", "a__same", "b__same"}
    assert set(await listed_through_shim(published, "", HELLO, listing) or ()) == usual
    assert set(await listed_through_shim(published, "default", HELLO, listing) or ()) == usual
    for unknown in ("nope", "a/b", "p?x", ".."):
        assert await listed_through_shim(published, unknown, HELLO, listing) is None


@pytest.mark.parametrize(
    ("typed", "profile"),
    [
        ("gateway run", ""),
        ("gateway run --transport stdio", ""),
        ("gateway run --profile p", "p"),
        ("gateway run --profile=p", "p"),
        ("gateway run --profile p --watch=false", None),
        ("gateway run --port 80", None),
        ("profile ls", None),
    ],
)
def test_which_commands_join_the_running_gateway(typed: str, profile: str | None) -> None:
    assert _profile_of_client(typed.split()) == profile
