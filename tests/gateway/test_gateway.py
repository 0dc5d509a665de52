"""Messages of clients and servers, each brought where it belongs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from desktop import jsonrpc
from desktop.errors import ServerStartError
from desktop.gateway.session import Call
from desktop.jsonrpc import Envelope
from desktop.servers.managed_server import Timing
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually, holding
from tests.helpers.gateway_client import GatewayClient

LATEST = "2025-11-25"


# The handshake and what is answered here.


@pytest.mark.parametrize(
    ("wanted", "agreed"),
    [
        (LATEST, LATEST),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2099-01-01", LATEST),
        ("", LATEST),
        (5, LATEST),
        (None, LATEST),
    ],
)
async def test_the_version_is_the_clients_where_we_speak_it_and_our_newest_otherwise(
    rig: Rig, wanted: Any, agreed: str
) -> None:
    await rig.start()
    client = GatewayClient(rig.gateway)
    assert (await client.initialize(wanted))["protocolVersion"] == agreed


async def test_the_handshake_tells_capabilities_name_and_the_servers_instructions(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.instructions = "call t first"
    await rig.start(server)
    answer = await GatewayClient(rig.gateway).initialize()
    assert answer["capabilities"]["tools"] == {"listChanged": True}
    assert answer["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
    assert answer["serverInfo"]["name"] == "mcp-gateway"
    assert "call t first" in answer["instructions"]


@pytest.mark.parametrize("params", [b"[]", b"null", b'{"capabilities":[]}', b'{"capabilities":null}'])
async def test_a_handshake_that_is_malformed_is_answered_with_an_error(rig: Rig, params: bytes) -> None:
    await rig.start()
    error = await GatewayClient(rig.gateway).ask("initialize", raw_params=params).error()
    assert error["code"] == jsonrpc.INVALID_PARAMS


async def test_ping_and_unknown_methods_are_answered_under_any_id(rig: Rig) -> None:
    await rig.start()
    client = await rig.client()
    for id in (0, "x", 1.5, 10**30):
        assert await client.ask("ping", id=id).result() == {}
        error = await client.ask("no/such", id=id).error()
        assert error == {"code": jsonrpc.METHOD_NOT_FOUND, "message": "Method not found: no/such"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", None),
        ("tools/call", b"[]"),
        ("tools/call", b'{"name":5}'),
        ("prompts/get", b"{}"),
        ("resources/read", b'{"uri":null}'),
        ("resources/subscribe", b"{}"),
        ("completion/complete", b'{"ref":5}'),
        ("logging/setLevel", b'{"level":"loud"}'),
        ("logging/setLevel", b'{"level":["debug"]}'),
        ("logging/setLevel", None),
    ],
)
async def test_params_that_are_malformed_are_named_in_the_answer(rig: Rig, method: str, params: bytes | None) -> None:
    await rig.start(FakeServer("s", "t"))
    error = await (await rig.client()).ask(method, raw_params=params).error()
    assert error["code"] == jsonrpc.INVALID_PARAMS


@pytest.mark.parametrize(
    "params", [None, [], {"requestId": [1]}, {"requestId": None}, {"requestId": 99}, {"progressToken": {}}]
)
@pytest.mark.parametrize("method", ["notifications/cancelled", "notifications/progress", "notifications/other"])
async def test_notifications_that_are_malformed_disturb_nothing(rig: Rig, method: str, params: Any) -> None:
    await rig.start(FakeServer("s", "t"))
    client = await rig.client()
    client.tell(method, params)
    assert await client.ask("ping").result() == {}


# Tools, prompts, resources.


async def test_a_list_asked_for_right_after_a_change_is_the_new_one(rig: Rig) -> None:
    await rig.start(FakeServer("a", "x"), FakeServer("b", "y"))
    client = await rig.client()
    await rig.enable("b")
    assert await client.tools() == ["y"]
    await rig.enable("a")
    call = client.call("x")
    assert (await call.result())["content"][0]["text"] == "a:x"


async def test_a_call_reaches_its_server_under_its_own_name_and_comes_back(rig: Rig) -> None:
    await rig.start(FakeServer("a", "t", "only-a"), FakeServer("b", "t"))
    client = await rig.client()
    assert await client.tools() == ["a__t", "only-a", "b__t"]
    answers = [await client.call(name).result() for name in ("a__t", "b__t", "only-a")]
    assert [answer["content"][0]["text"] for answer in answers] == ["a:t", "b:t", "a:only-a"]


async def test_arguments_and_unknown_members_travel_byte_for_byte(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server)
    payload = b'{"name":"t","arguments":{"n":1e400,"f":1.0,"t":"\\u00e9"}, "x-extra" : [ 1 ]}'
    await (await rig.client()).ask("tools/call", raw_params=payload).result()
    assert server.last.raw[-1].endswith(b'"params":' + payload + b"}")


async def test_a_name_two_servers_use_is_refused_with_the_names_to_choose_from(rig: Rig) -> None:
    prompt = {"name": "p"}
    await rig.start(FakeServer("a", "t", prompts=[prompt]), FakeServer("b", "t", prompts=[prompt]))
    client = await rig.client()
    assert (await client.call("t").error())["message"] == "Several servers have a tool t; use a__t or b__t"
    error = await client.ask("prompts/get", {"name": "p"}).error()
    assert error["message"] == "Several servers have a prompt p; use a__p or b__p"


async def test_a_tool_nobody_has_is_named(rig: Rig) -> None:
    await rig.start(FakeServer("s", "t"))
    client = await rig.client()
    assert await client.call("x").error() == {"code": jsonrpc.INVALID_PARAMS, "message": "Unknown tool: x"}
    error = await client.ask("prompts/get", {"name": "x"}).error()
    assert error["message"] == "Unknown prompt: x"


async def test_a_tool_that_is_not_listed_yet_is_waited_for(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    await rig.start(server, settle=False)
    client = await rig.client()
    early, unknown, listing = client.call("t"), client.call("never"), client.ask("tools/list")
    await eventually(lambda: server.transports)
    assert (early.done, listing.done) == (False, False)
    server.gate.set()
    assert (await early.result())["content"][0]["text"] == "s:t"
    assert [entry["name"] for entry in (await listing.result())["tools"]] == ["t"]
    assert (await unknown.error())["message"] == "Unknown tool: never"


async def test_what_can_not_start_is_answered_with_its_reason(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(idle=-1.0))
    await rig.fleet.servers["s"].stop_idle()
    server.start_error = ServerStartError("s can't: no key", "Set it")
    client = await rig.client()
    error = await client.call("t").error()
    assert error == {"code": jsonrpc.CONNECTION_CLOSED, "message": "s can't: no key. Set it"}


async def test_a_server_that_is_turned_off_during_a_call_answers_it_with_an_error(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    call = client.call("t")
    await server.last.wait_for("tools/call")
    await rig.enable()
    assert (await call.error())["message"] == "s was turned off"
    assert (await client.wait_for("notifications/tools/list_changed")) is not None
    assert (await client.call("t").error())["message"] == "Unknown tool: t"


async def test_a_server_that_is_turned_off_while_it_starts_for_a_call_answers_it_with_an_error(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(idle=-1.0))
    await rig.fleet.servers["s"].stop_idle()
    server.gate.clear()
    client = await rig.client()
    call, second = client.call("t"), client.call("t")
    await eventually(lambda: len(server.transports) == 2)
    await rig.enable()
    assert "s was stopped" in (await call.error())["message"]
    assert "s was stopped" in (await second.error())["message"]


async def test_a_server_that_is_turned_off_right_after_a_call_came_answers_it_with_an_error(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(idle=-1.0))
    await rig.fleet.servers["s"].stop_idle()
    client = await rig.client()
    call = client.call("t")
    await rig.enable()
    message = (await call.error())["message"]
    assert message.startswith("s ")
    assert "KeyError" not in message


async def test_patterns_of_the_command_line_filter_what_is_offered_and_what_can_be_called(rig: Rig) -> None:
    await rig.start(FakeServer("a", "x", "y"), FakeServer("b", "x"), gateway={"patterns": ("a:x",)})
    client = await rig.client()
    assert await client.tools() == ["x"]
    assert (await client.call("y").error())["message"] == "Unknown tool: y"


async def test_resources_are_read_where_they_are(rig: Rig) -> None:
    def reading(name: str) -> FakeServer:
        server = FakeServer(name, resources=[{"uri": "x://1"}], templates=[{"uriTemplate": f"{name}://{{n}}"}])
        server.handlers["resources/read"] = lambda _, message: {"by": name, "uri": message["params"]["uri"]}
        return server

    await rig.start(reading("a"), reading("b"))
    client = await rig.client()

    async def read(uri: str) -> Any:
        return await client.ask("resources/read", {"uri": uri}).result()

    assert await read("x://1") == {"by": "a", "uri": "x://1"}
    assert await read("b+x://1") == {"by": "b", "uri": "x://1"}
    assert await read("b://7") == {"by": "b", "uri": "b://7"}
    error = await client.ask("resources/read", {"uri": "none://"}).error()
    assert error == {
        "code": jsonrpc.RESOURCE_NOT_FOUND,
        "message": "No server offers the resource none://",
        "data": {"uri": "none://"},
    }


async def test_a_resource_no_list_has_is_asked_of_the_only_server_with_resources(rig: Rig) -> None:
    server = FakeServer("a", resources=[{"uri": "x://1"}])
    server.handlers["resources/read"] = lambda _, message: {"uri": message["params"]["uri"]}
    await rig.start(server, FakeServer("b", "t"))
    answer = await (await rig.client()).ask("resources/read", {"uri": "linked://9"}).result()
    assert answer == {"uri": "linked://9"}


async def test_completion_finds_prompts_and_templates_under_the_names_clients_see(rig: Rig) -> None:
    def completing(name: str) -> FakeServer:
        server = FakeServer(name, prompts=[{"name": "p"}], templates=[{"uriTemplate": "x://{n}"}])
        server.capabilities["completions"] = {}
        server.handlers["completion/complete"] = lambda _, message: {"by": name, "ref": message["params"]["ref"]}
        return server

    await rig.start(completing("a"), completing("b"))
    client = await rig.client()

    async def complete(ref: dict[str, str]) -> Any:
        params = {"ref": ref, "argument": {"name": "n", "value": ""}}
        return await client.ask("completion/complete", params).result()

    prompt = {"type": "ref/prompt", "name": "b__p", "x": 1}
    assert await complete(prompt) == {"by": "b", "ref": prompt | {"name": "p"}}
    template = {"type": "ref/resource", "uri": "b+x://{n}"}
    assert await complete(template) == {"by": "b", "ref": template | {"uri": "x://{n}"}}


# Cancelling.


async def test_a_cancelled_call_is_cancelled_at_the_server_and_gets_no_answer(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    call = client.call("t")
    number = (await server.last.wait_for("tools/call"))["id"]
    client.tell("notifications/cancelled", {"requestId": call.id, "reason": "enough"})
    cancelled = await server.last.wait_for("notifications/cancelled")
    assert cancelled["params"] == {"requestId": number, "reason": "enough"}
    server.last.reply(number)
    assert (call.abandoned, call.raw, client.session.calls) == (True, b"", {})


async def test_a_call_that_waits_for_its_server_can_be_cancelled(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(idle=-1.0))
    await rig.fleet.servers["s"].stop_idle()
    server.gate.clear()
    client = await rig.client()
    call = client.call("t")
    await eventually(lambda: len(server.transports) == 2)
    client.tell("notifications/cancelled", {"requestId": call.id})
    server.gate.set()
    await eventually(lambda: server.last.requests("notifications/initialized"))
    await client.ask("ping").result()
    assert (call.abandoned, server.last.requests("tools/call")) == (True, [])


async def test_a_client_that_leaves_in_the_middle_of_a_call_cancels_it_at_the_server(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    leaves, stays = await rig.client(), await rig.client()
    leaves.call("t")
    kept = stays.call("t")
    await server.last.wait_for("tools/call", 2)
    await leaves.leave()
    await server.last.wait_for("notifications/cancelled")
    server.last.reply(server.last.requests("tools/call")[1]["id"], {"ok": 1})
    assert await kept.result() == {"ok": 1}
    assert len(server.last.requests("notifications/cancelled")) == 1
    await leaves.leave()


async def test_one_session_can_not_cancel_the_call_of_another(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    a, b = await rig.client(), await rig.client()
    call = a.call("t")
    number = (await server.last.wait_for("tools/call"))["id"]
    b.tell("notifications/cancelled", {"requestId": call.id})
    server.last.reply(number, {})
    assert await call.result() == {}


# Clients that keep no rules.


@pytest.mark.parametrize("end", ["answered", "left"])
async def test_requests_with_the_same_id_are_each_answered(rig: Rig, end: str) -> None:
    server = holding("s", "t")
    server.gate.clear()
    await rig.start(server, settle=False)
    client = await rig.client()
    calls = [client.ask("tools/call", {"name": "t", "arguments": {"n": number}}, id=1) for number in range(3)]
    server.gate.set()
    await eventually(lambda: server.transports and len(server.last.requests("tools/call")) == 3)
    if end == "left":
        await client.leave()
        assert [(await call.error())["message"] for call in calls] == ["The session has ended"] * 3
    else:
        for sent in server.last.requests("tools/call"):
            server.last.reply(sent["id"], sent["params"]["arguments"])
        assert [await call.result() for call in calls] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert client.session.calls == {}


@pytest.mark.parametrize("method", ["tools/call", "prompts/get", "resources/read", "completion/complete", "initialize"])
async def test_params_that_are_nested_too_deeply_are_refused(rig: Rig, method: str) -> None:
    await rig.start(FakeServer("s", "t"))
    client = await rig.client()
    for depth in range(700, 1100, 7):
        params = b'{"name":"t","uri":"x","capabilities":' + b"[" * depth + b"]" * depth + b"}"
        try:
            asked = client.ask(method, raw_params=params)
        except jsonrpc.MalformedMessageError:
            continue
        await asked.message()
    assert client.session.calls == {}


# Ends.


async def test_each_call_is_reported_once_when_it_ends(rig: Rig) -> None:
    begun: list[str] = []
    ended: list[tuple[str, bool]] = []

    class Log:
        def begun(self, call: Call, message: Envelope) -> None:
            begun.append(call.subject)

        def ended(self, call: Call, answer: bytes | None) -> None:
            ended.append((call.subject, answer is not None))

    server = holding("s", "t", "u")
    await rig.start(server, gateway={"call_log": Log()})
    client = await rig.client()
    client.call("unknown")
    call = client.call("t")
    client.call("u")
    await server.last.wait_for("tools/call", 2)
    server.last.reply(server.last.requests("tools/call")[0]["id"])
    await call.result()
    await client.leave()
    assert begun == ["t", "u"]
    assert ended == [("t", True), ("u", False)]


async def test_closing_ends_every_session(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    clients = [await rig.client() for _ in range(3)]
    calls = [client.call("t") for client in clients]
    await server.last.wait_for("tools/call", 3)
    await rig.gateway.close()
    assert rig.gateway.sessions == {}
    assert all(call.done for call in calls)


async def test_many_sessions_calling_at_once_each_get_their_own_answers(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.handlers["tools/call"] = lambda _, message: {"echo": message["params"]["arguments"]}
    await rig.start(server)
    clients = [await rig.client() for _ in range(20)]
    calls = [(number, client.call("t", arguments={"n": number})) for client in clients for number in range(25)]
    for number, call in calls:
        assert await call.result() == {"echo": {"n": number}}
    assert len(server.transports) == 1


async def test_a_quiet_session_is_noticed_when_its_last_call_ends(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    await client.session.quiet(0.01)
    client.call("t")
    await server.last.wait_for("tools/call")
    waiting = asyncio.create_task(client.session.quiet(5))
    await asyncio.sleep(0)
    assert not waiting.done()
    server.last.reply(server.last.requests("tools/call")[0]["id"])
    await asyncio.wait_for(waiting, 5)
