"""Modern clients on standard streams: directly, through the shim, and the MCP SDK's own client both there and over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from desktop.gateway import http_endpoint
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.state.paths import Paths
from tests.gateway.conftest import Rig, listening
from tests.gateway.test_shim_and_local_client import ROOT, ShimProcess, shim
from tests.gateway.test_stdio_endpoint import Pipes, served
from tests.helpers.fake_mcp import LIMIT, FakeServer, FakeTransport, eventually, holding, tool
from tests.helpers.mcp_clients import Answers
from tests.helpers.modern_client import EVERYTHING, enveloped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
Json = dict[str, Any]
ID = "io.modelcontextprotocol/subscriptionId"
FORM = {"message": "Name?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}
ALICE = {"action": "accept", "content": {"name": "Alice"}}
Client_ = Pipes | ShimProcess


@pytest.fixture
def paths() -> Iterator[Paths]:
    folder = tempfile.mkdtemp(prefix="gw-")
    yield Paths.of_user({"HOME": folder}, "linux")
    shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def published(rig: Rig, paths: Paths) -> AsyncIterator[None]:
    endpoint = LocalEndpoint(rig.gateway, paths, ready=lambda: True)
    await endpoint.publish()
    try:
        yield
    finally:
        await rig.gateway.close()
        await endpoint.close()


@contextlib.asynccontextmanager
async def client_of(way: str, rig: Rig, paths: Paths) -> AsyncIterator[Client_]:
    if way == "pipes":
        async with served(rig) as (pipes, _):
            yield pipes
    else:
        async with published(rig, paths), shim(paths) as process:
            yield process


@pytest.fixture(params=["pipes", "shim"])
async def client(request: pytest.FixtureRequest, rig: Rig, paths: Paths) -> AsyncIterator[Client_]:
    await rig.start(holding("s", "t", resources=[{"uri": "x://1"}]))
    async with client_of(request.param, rig, paths) as made:
        yield made


def server_of(rig: Rig) -> FakeServer:
    return rig.launcher.servers["s"]


def call(id: Any, **more: Any) -> Json:
    return enveloped("tools/call", {"name": "t", "arguments": {}, **more}, id=id, capabilities=EVERYTHING)


async def test_the_first_request_tells_the_era(rig: Rig, client: Client_) -> None:
    await client.say(enveloped("server/discover", id="d"))
    answer = await client.message()
    assert (answer["id"], answer["result"]["supportedVersions"][0]) == ("d", "2026-07-28")
    await client.say({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}})
    answer = await client.message()
    assert answer["error"]["code"] == -32022
    assert answer["error"]["data"]["requested"] == "2025-11-25"
    await client.say({"jsonrpc": "2.0", "id": 3, "method": "tools/list"})
    assert (await client.message())["error"]["code"] == -32602
    await client.say(enveloped("tools/list", id=4))
    assert (await client.message())["result"]["resultType"] == "complete"
    await client.say(enveloped("ping", id=5), enveloped("tools/list", id=6, version="2031-01-01"))
    codes = {message["id"]: message["error"]["code"] for message in [await client.message() for _ in range(2)]}
    assert codes == {5: -32601, 6: -32022}


async def test_calls_run_side_by_side_from_the_first_on(rig: Rig, client: Client_) -> None:
    await client.say(call("one"), call("two"))
    sent = await server_of(rig).working.wait_for("tools/call", 2)
    server_of(rig).working.reply(sent["id"], {"n": 2})
    second = await client.message()
    server_of(rig).working.reply(server_of(rig).working.requests("tools/call")[0]["id"], {"n": 1})
    first = await client.message()
    assert sorted([(first["id"], first["result"]["n"]), (second["id"], second["result"]["n"])]) in (
        [("one", 1), ("two", 2)],
        [("one", 2), ("two", 1)],
    )


async def test_a_cancelled_call_gets_no_answer_and_is_cancelled_at_the_server(rig: Rig, client: Client_) -> None:
    await client.say(call("c"))
    sent = await server_of(rig).working.wait_for("tools/call")
    await client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "c"}})
    assert (await server_of(rig).working.wait_for("notifications/cancelled"))["params"]["requestId"] == sent["id"]
    await client.say(enveloped("tools/list", id="next"))
    assert (await client.message())["id"] == "next"


async def test_a_question_ends_the_answer_and_the_next_request_goes_on(rig: Rig, client: Client_) -> None:
    server = server_of(rig)
    await client.say(call(1))
    sent = await server.working.wait_for("tools/call")
    server.working.ask("q", "elicitation/create", FORM)
    wish = (await client.message())["result"]
    assert wish["resultType"] == "input_required"
    answers = dict.fromkeys(wish["inputRequests"], ALICE)
    await client.say(call(2, inputResponses=answers, requestState=wish["requestState"]))
    assert (await server.working.wait_for_answer("q"))["result"] == ALICE
    server.working.reply(sent["id"], {"done": True})
    answer = await client.message()
    assert (answer["id"], answer["result"]["done"]) == (2, True)


async def test_a_client_listens_and_stops_listening(rig: Rig, client: Client_) -> None:
    server = server_of(rig)
    wanted = {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["x://1"]}}
    await client.say(enveloped("subscriptions/listen", wanted, id="L"))
    first = await client.message()
    assert (first["method"], first["params"]["_meta"]) == ("notifications/subscriptions/acknowledged", {ID: "L"})
    server.working.tell("notifications/resources/updated", {"uri": "x://1"})
    assert (await client.message())["params"] == {"uri": "x://1", "_meta": {ID: "L"}}
    await client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "L"}})
    await server.working.wait_for("resources/unsubscribe")
    server.tools.append(tool("new"))
    server.working.tell("notifications/tools/list_changed")
    await eventually(lambda: "new" in rig.gateway.offer.tool_routes)
    await client.say(enveloped("tools/list", id="after"))
    assert (await client.message())["id"] == "after"


async def test_the_end_of_the_input_ends_streams_and_sessions(rig: Rig, client: Client_) -> None:
    await client.say(enveloped("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id="L"))
    assert (await client.message())["method"] == "notifications/subscriptions/acknowledged"
    if isinstance(client, Pipes):
        client.end_input()
        answer = await client.message()
        assert (answer["id"], answer["result"]["resultType"]) == ("L", "complete")
    else:
        await client.close_input()
    await eventually(lambda: rig.gateway.sessions == {}, seconds=15)


async def test_a_request_that_says_other_things_of_its_client_has_a_session_of_its_own(
    rig: Rig, client: Client_
) -> None:
    server_of(rig).held.clear()
    for number, capabilities in enumerate(({"roots": {}}, {}, {"roots": {}})):
        await client.say(enveloped("tools/call", {"name": "t"}, id=number, capabilities=capabilities))
        assert (await client.message())["result"]["resultType"] == "complete"
    assert sorted(session.abilities for session in rig.gateway.sessions.values()) == ["", "roots"]


async def test_the_end_of_the_gateway_is_told_to_the_shim(rig: Rig, paths: Paths) -> None:
    await rig.start(holding("s", "t"))
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(contextlib.AsyncExitStack())
        await gateway.enter_async_context(published(rig, paths))
        process = await stack.enter_async_context(shim(paths))
        await process.say(call(1))
        await server_of(rig).working.wait_for("tools/call")
        closing = asyncio.create_task(gateway.aclose())
        assert (await process.message())["error"]["code"] == -32000
        await closing
        assert (await process.ended())[0] == 0


async def test_a_shim_that_is_killed_leaves_no_session(rig: Rig, paths: Paths) -> None:
    await rig.start(holding("s", "t"))
    async with published(rig, paths):
        async with shim(paths) as process:
            for number in range(20):  # by then the stream by which it is seen is there
                await process.say(enveloped("tools/list", id=number, capabilities=EVERYTHING))
                await process.message()
            await process.say(call("last"))
            await server_of(rig).working.wait_for("tools/call")
            assert len(rig.gateway.sessions) == 1
        await eventually(lambda: rig.gateway.sessions == {})
        await server_of(rig).working.wait_for("notifications/cancelled")


async def test_a_shim_that_was_never_seen_again_leaves_no_session(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.01)
    monkeypatch.setattr(http_endpoint, "_SESSION_IDLE", 0.0)
    await rig.start(FakeServer("s", "t"))
    async with listening(rig) as http:
        opened = await http.put("/mcp", headers={"Mcp-Stdio": "2026-07-28"})
        assert opened.headers["mcp-session-id"]
        await eventually(lambda: rig.gateway.sessions == {})
        await rig.gateway.close()


# The SDK's client.


def asking() -> FakeServer:
    """A server whose tool asks three things before it answers."""
    server = holding("s", "t", resources=[{"uri": "x://1"}])

    async def serve(transport: FakeTransport) -> None:
        sent = await transport.wait_for("tools/call")
        transport.ask("a", "elicitation/create", FORM)
        transport.ask("b", "roots/list")
        transport.tell("notifications/message", {"level": "info", "data": "asking"})
        name = (await transport.wait_for_answer("a"))["result"]["content"]["name"]
        await transport.wait_for_answer("b")
        messages = [{"role": "user", "content": {"type": "text", "text": "?"}}]
        transport.ask("c", "sampling/createMessage", {"messages": messages, "maxTokens": 5})
        text = (await transport.wait_for_answer("c"))["result"]["content"]["text"]
        transport.reply(sent["id"], {"content": [{"type": "text", "text": f"{name}, {text}"}], "isError": False})

    server.serve = serve  # type: ignore[attr-defined]
    return server


@contextlib.asynccontextmanager
async def sdk_client(way: str, rig: Rig, paths: Paths, **more: Any) -> AsyncIterator[Client]:
    if way == "http":
        async with listening(rig) as http:
            async with Client(streamable_http_client(f"{http.base_url}/mcp".replace("//mcp", "/mcp")), **more) as made:
                yield made
            await rig.gateway.close()
    else:
        arguments = ["-m", "desktop.gateway.shim", str(paths.endpoint_file)]
        parameters = StdioServerParameters(command=sys.executable, args=arguments, cwd=str(ROOT))
        async with published(rig, paths), Client(parameters, **more) as made:
            yield made


@pytest.mark.parametrize("mode", ["auto", "2026-07-28"])
@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_the_sdks_client_is_asked_by_a_handshake_server_within_its_call(
    rig: Rig, paths: Paths, way: str, mode: str
) -> None:
    server = asking()
    await rig.start(server)
    answers = Answers()
    callbacks: Json = {
        "sampling_callback": answers.sampling,
        "elicitation_callback": answers.elicitation,
        "list_roots_callback": answers.roots,
    }
    async with asyncio.timeout(3 * LIMIT), sdk_client(way, rig, paths, mode=mode, **callbacks) as client:
        assert client.protocol_version == "2026-07-28"
        assert [entry.name for entry in (await client.list_tools()).tools] == ["t"]
        serving = asyncio.create_task(server.serve(server.working))  # type: ignore[attr-defined]
        result = await client.call_tool("t", {})
        await serving
        assert result.content[0].text == "from the test, sampled by the test"
        assert sorted(answers.asked) == ["elicitation", "roots", "sampling"]


@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_the_sdks_client_listens(rig: Rig, paths: Paths, way: str) -> None:
    server = FakeServer("s", "t", resources=[{"uri": "x://1"}])
    await rig.start(server)
    async with (
        asyncio.timeout(3 * LIMIT),
        sdk_client(way, rig, paths) as client,
        client.listen(tools_list_changed=True, resource_subscriptions=["x://1"]) as events,
    ):
        assert events.honored.resource_subscriptions == ["x://1"]
        server.working.tell("notifications/resources/updated", {"uri": "x://1"})
        assert (await anext(events)).uri == "x://1"  # type: ignore[union-attr]
        server.tools.append(tool("new"))
        server.working.tell("notifications/tools/list_changed")
        assert type(await anext(events)).__name__ == "ToolsListChanged"
        assert [entry.name for entry in (await client.list_tools()).tools] == ["t", "new"]


@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_the_sdks_client_of_the_handshake_era_is_served_as_before(rig: Rig, paths: Paths, way: str) -> None:
    await rig.start(FakeServer("s", "t"))
    async with asyncio.timeout(3 * LIMIT), sdk_client(way, rig, paths, mode="legacy") as client:
        assert client.protocol_version == "2025-11-25"
        assert (await client.call_tool("t", {})).content[0].text == "s:t"
