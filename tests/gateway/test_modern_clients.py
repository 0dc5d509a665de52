"""Clients of 2026-07-28 over HTTP: who is let in, what they are answered, and whose session a request belongs to."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop import jsonrpc
from desktop.gateway import http_endpoint, modern
from tests.gateway.conftest import Rig, listening
from tests.helpers.fake_mcp import FakeServer, eventually, holding, tool
from tests.helpers.modern_client import EVERYTHING, ModernWeb, enveloped

Json = dict[str, Any]
INFO = "io.modelcontextprotocol/serverInfo"


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    server = FakeServer("s", "t", resources=[{"uri": "x://1"}], prompts=[{"name": "p"}])
    server.instructions = "Be kind."
    await rig.start(server)
    async with listening(rig) as made:
        yield made
        await rig.gateway.close()


@pytest.fixture
def web(http: httpx.AsyncClient) -> ModernWeb:
    return ModernWeb(http)


def server_of(rig: Rig) -> FakeServer:
    return rig.launcher.servers["s"]


async def refused(web: ModernWeb, message: Any, code: int, status: int = 400, **headers: str | None) -> Json:
    answer = await web.post(message, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    found: Json = answer.json()
    return found


# What a request has to say.


@pytest.mark.parametrize("key", ["protocolVersion", "clientCapabilities"])
async def test_an_envelope_without_version_or_capabilities_is_refused_under_its_id(web: ModernWeb, key: str) -> None:
    message = web.request("tools/list", id="mine")
    del message["params"]["_meta"][f"io.modelcontextprotocol/{key}"]
    answer = await refused(web, message, jsonrpc.INVALID_PARAMS)
    assert answer["id"] == "mine"
    assert key in answer["error"]["message"]


@pytest.mark.parametrize("params", [{}, {"_meta": 3}, {"_meta": None}])
async def test_a_modern_request_without_an_envelope_is_refused(web: ModernWeb, params: Json) -> None:
    message = {"jsonrpc": "2.0", "id": 4, "method": "tools/list", "params": params}
    assert (await refused(web, message, jsonrpc.INVALID_PARAMS))["id"] == 4


@pytest.mark.parametrize("value", ["x", 1, None, []])
async def test_capabilities_that_are_no_object_are_refused(web: ModernWeb, value: Any) -> None:
    message = web.request("tools/list")
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = value
    await refused(web, message, jsonrpc.INVALID_PARAMS)


async def test_a_client_need_not_say_who_it_is(web: ModernWeb) -> None:
    message = web.request("tools/list")
    del message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]
    assert (await web.post(message)).status_code == 200
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = None
    assert (await web.post(message)).status_code == 200


async def test_a_revision_nobody_speaks_is_refused_with_those_that_are_spoken(web: ModernWeb) -> None:
    message = enveloped("tools/list", version="2031-01-01")
    answer = await refused(web, message, -32022, MCP_Protocol_Version="2031-01-01")
    assert answer["error"]["data"]["requested"] == "2031-01-01"
    assert answer["error"]["data"]["supported"][:2] == ["2026-07-28", "2025-11-25"]
    note = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    await refused(web, note, -32022, MCP_Protocol_Version="2031-01-01")


@pytest.mark.parametrize(
    "headers",
    [
        {"MCP_Protocol_Version": None},
        {"MCP_Protocol_Version": "2025-11-25"},
        {"Mcp_Method": None},
        {"Mcp_Method": "tools/list"},
        {"Mcp_Method": "TOOLS/CALL"},
        {"Mcp_Name": None},
        {"Mcp_Name": "other"},
        {"Mcp_Name": "=?base64?dA?="},
    ],
)
async def test_headers_that_do_not_say_what_the_request_says_are_refused(web: ModernWeb, headers: Any) -> None:
    await refused(web, web.request("tools/call", {"name": "t"}), -32020, **headers)


async def test_a_name_may_be_wrapped_in_base64(web: ModernWeb) -> None:
    message = web.request("tools/call", {"name": "t"})
    wrapped = f"=?base64?{base64.b64encode(b't').decode()}?="
    assert (await web.post(message, Mcp_Name=wrapped)).status_code == 200


async def test_a_header_that_is_there_twice_is_refused(web: ModernWeb) -> None:
    message = web.request("tools/list")
    headers = [*web.headers(message).items(), ("mcp-method", "tools/list")]
    answer = await web.http.post("/mcp", content=json.dumps(message), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "no/such"]
)
async def test_methods_this_era_does_not_have_are_not_found(web: ModernWeb, method: str) -> None:
    assert (await refused(web, web.request(method, id="a"), jsonrpc.METHOD_NOT_FOUND, 404))["id"] == "a"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_only_post_is_allowed(web: ModernWeb, method: str) -> None:
    answer = await web.http.request(method, "/mcp", headers={"MCP-Protocol-Version": "2026-07-28"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("body", "code"), [(b"{", -32700), (b"[]", -32600), (b'{"jsonrpc":"2.0","id":1}', -32600)])
async def test_what_is_no_request_is_refused(web: ModernWeb, body: bytes, code: int) -> None:
    assert (await refused(web, body, code, MCP_Protocol_Version="2026-07-28"))["id"] is None


async def test_notifications_are_accepted_and_mean_nothing(web: ModernWeb) -> None:
    answer = await web.post({"jsonrpc": "2.0", "method": "notifications/whatever"})
    assert (answer.status_code, answer.content) == (202, b"")


async def test_both_eras_are_answered_side_by_side(web: ModernWeb) -> None:
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    answer = await web.http.post("/mcp", json=hello)
    session = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
    assert "_meta" not in answer.json()["result"]
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    old = (await web.http.post("/mcp", json=listing, headers=session)).json()["result"]
    new = await web.result("tools/list")
    assert set(old) == {"tools"}
    assert old["tools"] == new["tools"]


# Answers.


async def test_discovery_says_what_the_gateway_is(web: ModernWeb) -> None:
    result = await web.result("server/discover")
    assert result["supportedVersions"][:2] == ["2026-07-28", "2025-11-25"]
    assert result["capabilities"]["tools"] == {"listChanged": True}
    assert result["_meta"][INFO]["name"] == "mcp-gateway"
    assert "Be kind." in result["instructions"]
    assert (result["resultType"], result["cacheScope"], result["ttlMs"] > 0) == ("complete", "private", True)


@pytest.mark.parametrize(
    ("method", "member"),
    [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ],
)
async def test_lists_say_how_long_they_may_be_kept_and_by_whom(web: ModernWeb, method: str, member: str) -> None:
    result = await web.result(method)
    assert (result["resultType"], result["cacheScope"], result["ttlMs"] > 0) == ("complete", "private", True)
    assert isinstance(result[member], list)
    assert result["_meta"][INFO]["name"] == "mcp-gateway"


async def test_a_result_of_a_handshake_server_is_made_complete_and_else_left_as_it_is(rig: Rig, web: ModernWeb) -> None:
    server_of(rig).handlers["tools/call"] = lambda *_: {"content": [], "unknown": {"kept": 1.0}}
    assert await web.call("t") == {
        "resultType": "complete",
        "_meta": {INFO: (await web.result("server/discover"))["_meta"][INFO]},
        "content": [],
        "unknown": {"kept": 1.0},
    }


async def test_what_a_server_says_in_its_meta_stays(rig: Rig, web: ModernWeb) -> None:
    server_of(rig).handlers["tools/call"] = lambda *_: {"_meta": {"own": 1}, "content": [], "ttlMs": 5}
    result = await web.call("t")
    assert (result["_meta"]["own"], result["ttlMs"]) == (1, 5)
    assert result["_meta"][INFO]["name"] == "mcp-gateway"


async def test_an_empty_result_and_one_with_space_are_completed_too(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    for text in (b"{}", b"{ }", b'{\n "content":[] }'):
        waiting = asyncio.create_task(web.call("t"))
        await eventually(lambda: len(server.working.requests("tools/call")) > 0)
        sent = server.working.requests("tools/call")[-1]
        server.working.got.clear()
        server.working.say(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (sent["id"], text))
        assert (await waiting)["resultType"] == "complete"


async def test_a_handshake_server_sees_nothing_of_the_envelope(rig: Rig, web: ModernWeb) -> None:
    await web.result("tools/call", {"name": "t", "arguments": {"a": 1}, "inputResponses": {}}, own="kept")
    assert (await server_of(rig).working.wait_for("tools/call"))["params"] == {
        "name": "t",
        "arguments": {"a": 1},
        "_meta": {"own": "kept"},
    }
    await web.call("t")
    assert "_meta" not in (await server_of(rig).working.wait_for("tools/call", 2))["params"]


async def test_a_resource_that_is_not_there_is_told_with_its_uri(web: ModernWeb, rig: Rig) -> None:
    await rig.enable()
    message = web.request("resources/read", {"uri": "no://where"})
    answer = await refused(web, message, jsonrpc.INVALID_PARAMS)
    assert answer["error"]["data"] == {"uri": "no://where"}


async def test_reading_says_that_it_may_not_be_kept(rig: Rig, web: ModernWeb) -> None:
    server_of(rig).handlers["resources/read"] = lambda *_: {"contents": []}
    result = await web.result("resources/read", {"uri": "x://1"})
    assert (result["ttlMs"], result["cacheScope"]) == (0, "private")


async def test_an_error_of_a_server_has_the_status_that_goes_with_it(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    for count, (code, status) in enumerate({-32021: 400, -32602: 400, -32601: 404, -32603: 200, 7: 200}.items(), 1):
        waiting = asyncio.create_task(web.post(web.request("tools/call", {"name": "t"}, id="q")))
        sent = await server.working.wait_for("tools/call", count)
        error = {"code": code, "message": "no", "data": {"k": [1]}}
        server.working.say({"jsonrpc": "2.0", "id": sent["id"], "error": error})
        answer = await waiting
        assert (answer.status_code, answer.json()) == (status, {"jsonrpc": "2.0", "id": "q", "error": error})


async def test_an_unknown_tool_is_an_error_of_its_parameters(web: ModernWeb) -> None:
    await refused(web, web.request("tools/call", {"name": "nope"}), jsonrpc.INVALID_PARAMS)


# What belongs to a call comes on its own stream.


async def test_progress_and_wanted_log_messages_come_before_the_answer(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")

    async def work() -> None:
        sent = await server.working.wait_for("tools/call")
        token = sent["params"]["_meta"]["progressToken"]
        server.working.tell("notifications/progress", {"progressToken": token, "progress": 1})
        for level in ("info", "warning", "error"):
            server.working.tell("notifications/message", {"level": level, "data": level})
        server.working.reply(sent["id"])

    working = asyncio.create_task(work())
    async with web.stream("tools/call", {"name": "t"}, id=9, progressToken="mine", logLevel="warning") as stream:
        messages = [message async for message in stream]
        assert [message.get("method", message.get("id")) for message in messages] == [
            "notifications/progress",
            "notifications/message",
            "notifications/message",
            9,
        ]
        assert messages[0]["params"] == {"progressToken": "mine", "progress": 1}
        assert [message["params"]["level"] for message in messages[1:3]] == ["warning", "error"]
    await working


async def test_without_a_level_there_are_no_log_messages(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    await web.result("tools/list", logLevel="debug")
    waiting = asyncio.create_task(web.ask("tools/call", {"name": "t"}))
    sent = await server.working.wait_for("tools/call")
    server.working.tell("notifications/message", {"level": "emergency", "data": "not wanted"})
    server.working.reply(sent["id"])
    assert "result" in await waiting


async def test_a_level_is_brought_to_a_server_that_has_levels(rig: Rig, web: ModernWeb) -> None:
    await web.result("tools/call", {"name": "t"}, logLevel="error")
    await web.result("tools/call", {"name": "t"}, logLevel="debug")
    await web.result("tools/call", {"name": "t"}, logLevel="error")
    levels = [message["params"]["level"] for message in server_of(rig).working.requests("logging/setLevel")]
    assert levels == ["error", "debug"]


async def test_closing_the_response_cancels_the_call(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    waiting = asyncio.create_task(web.call("t"))
    sent = await server.working.wait_for("tools/call")
    waiting.cancel()
    cancelled = await server.working.wait_for("notifications/cancelled")
    assert cancelled["params"]["requestId"] == sent["id"]
    assert all(not session.calls for session in rig.gateway.sessions.values())


async def test_a_quiet_call_becomes_a_stream_with_signs_of_life(
    rig: Rig, web: ModernWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.01)
    server = server_of(rig)
    server.held.add("tools/call")
    async with web.stream("tools/call", {"name": "t"}, id=3) as stream:
        sent = await server.working.wait_for("tools/call")
        server.working.reply(sent["id"], {"content": []})
        message = await stream.message()
        assert message is not None
        assert (message["id"], message["result"]["resultType"]) == (3, "complete")
        assert b": alive" in stream.raw


# Sessions, which are not on the wire.


async def test_equal_ids_of_requests_at_the_same_time_do_not_collide(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    first = asyncio.create_task(web.result("tools/call", {"name": "t"}, id=1))
    one = await server.working.wait_for("tools/call")
    second = asyncio.create_task(web.result("tools/call", {"name": "t"}, id=1))
    two = await server.working.wait_for("tools/call", 2)
    server.working.reply(two["id"], {"n": 2})
    server.working.reply(one["id"], {"n": 1})
    assert [(await first)["n"], (await second)["n"]] == [1, 2]


async def test_requests_of_one_client_share_a_session_and_others_have_their_own(
    rig: Rig, http: httpx.AsyncClient
) -> None:
    clients = [
        ModernWeb(http),
        ModernWeb(http),
        ModernWeb(http, EVERYTHING),
        ModernWeb(http, client={"name": "other", "version": "1"}),
    ]
    for client in clients:
        await client.call("t")
    assert sorted(session.client for session in rig.gateway.sessions.values()) == [
        "modern test 1",
        "modern test 1",
        "other 1",
    ]
    message = clients[0].request("tools/list")
    await clients[0].post(message, Authorization="Bearer another")
    assert len(rig.gateway.sessions) == 4


async def test_a_server_with_a_connection_for_each_client_keeps_it_between_calls(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, long_lived=True)
    async with listening(rig) as http:
        mine, other = ModernWeb(http, EVERYTHING), ModernWeb(http, {"roots": {}})
        for client in (mine, mine, other, mine):
            await client.call("t")
        calls = [len(transport.requests("tools/call")) for transport in server.transports]
        assert sorted(calls) == [0, 1, 3]  # the first one was for the listing
        told = [transport.requests("initialize")[0]["params"]["capabilities"] for transport in server.transports[1:]]
        assert told == [EVERYTHING, {"roots": {}}]
        await rig.gateway.close()


async def test_sessions_nobody_uses_are_ended(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.01)
    monkeypatch.setattr(http_endpoint, "_SESSION_IDLE", 0.0)
    server = holding("s", "t")
    await rig.start(server, long_lived=True)
    async with listening(rig) as http:
        web = ModernWeb(http)
        async with web.stream("tools/call", {"name": "t"}) as stream:
            sent = await server.working.wait_for("tools/call")
            await stream.answer.aiter_bytes().__anext__()
            assert len(rig.gateway.sessions) == 1  # a call is under way
            server.working.reply(sent["id"])
            await eventually(lambda: rig.gateway.sessions == {})
        await eventually(lambda: server.transports[1].closed)
        monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 15.0)  # or a slow start would be answered with a stream
        await asyncio.sleep(0.02)
        server.held.clear()
        answer = await web.post(web.request("tools/call", {"name": "t"}))  # a sign of life may come before the answer
        assert "s:t" in answer.text


async def test_too_many_sessions_are_ended_the_oldest_first(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.2)
    monkeypatch.setattr(modern, "_MOST_SESSIONS", 2)
    await rig.start(FakeServer("s", "t"))
    async with listening(rig) as http:
        for name in ("a", "b", "c"):
            await ModernWeb(http, client={"name": name, "version": "1"}).call("t")
        await eventually(lambda: sorted(s.client for s in rig.gateway.sessions.values()) == ["b 1", "c 1"])


# Arguments that are mirrored into headers.


def mirrored() -> Json:
    return tool(
        "m",
        inputSchema={
            "type": "object",
            "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"},
                "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
            },
        },
    )


async def test_mirrored_arguments_have_to_be_what_the_headers_say(rig: Rig, web: ModernWeb) -> None:
    server_of(rig).tools.append(mirrored())
    server_of(rig).working.tell("notifications/tools/list_changed")
    await eventually(lambda: "m" in rig.gateway.offer.tool_routes)

    def call(**arguments: Any) -> Json:
        return web.request("tools/call", {"name": "m", "arguments": arguments})

    wrapped = f"=?base64?{base64.b64encode('süd'.encode()).decode()}?="
    for arguments, headers in (
        ({"region": "eu"}, {"Mcp_Param_Region": "eu"}),
        ({"region": "süd"}, {"Mcp_Param_Region": wrapped}),
        ({"region": "=?base64?x"}, {"Mcp_Param_Region": "=?base64?x"}),
        ({"deep": {"n": 42}}, {"Mcp_Param_N": "42.0"}),
        ({"region": None}, {}),
        ({}, {"Mcp_Param_Unknown": "x"}),
    ):
        assert (await web.post(call(**arguments), **headers)).status_code == 200, arguments
    for arguments, headers in (
        ({"region": "eu"}, {}),
        ({"region": "eu"}, {"Mcp_Param_Region": "us"}),
        ({}, {"Mcp_Param_Region": "eu"}),
        ({"region": "Hello"}, {"Mcp_Param_Region": "=?base64?SGVsbG8?="}),
        ({"deep": {"n": 42}}, {"Mcp_Param_N": "43"}),
        ({"deep": {"n": True}}, {"Mcp_Param_N": "1"}),
    ):
        await refused(web, call(**arguments), -32020, **headers)


async def test_a_list_that_is_known_is_there_at_once_and_an_unknown_one_is_waited_for(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    await rig.start(server, settle=False)
    async with listening(rig) as http:
        web = ModernWeb(http)
        waiting = asyncio.create_task(web.result("tools/list"))
        assert (await web.result("server/discover"))["supportedVersions"]
        assert not waiting.done()
        server.gate.set()
        assert [entry["name"] for entry in (await waiting)["tools"]] == ["t"]
