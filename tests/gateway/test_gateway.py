"""Messages of clients and servers, each brought where it belongs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from desktop import jsonrpc
from desktop.errors import ServerStartError
from desktop.gateway.session import Call
from desktop.servers.managed_server import Timing
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually, tool
from tests.helpers.gateway_client import EVERYTHING, GatewayClient

LATEST = "2025-11-25"


def holding(name: str, *tools: str, **lists: Any) -> FakeServer:
    """A server whose calls the test answers."""
    server = FakeServer(name, *tools, **lists)
    server.held.add("tools/call")
    return server


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
    assert (await call.error())["message"] == "s was stopped"
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


# What is told to clients.


async def test_only_sessions_that_have_shaken_hands_are_told_and_only_of_lists_that_are_new(rig: Rig) -> None:
    server = FakeServer("s", "t", prompts=[{"name": "p"}])
    await rig.start(server)
    client, mute = await rig.client(), GatewayClient(rig.gateway)
    server.tools.append(tool("new"))
    server.last.tell("notifications/tools/list_changed")
    await client.wait_for("notifications/tools/list_changed")
    assert [message["method"] for message in client.inbox] == ["notifications/tools/list_changed"]
    assert await client.tools() == ["t", "new"]
    server.prompts.append({"name": "q"})
    server.last.tell("notifications/prompts/list_changed")
    await client.wait_for("notifications/prompts/list_changed")
    assert [message["method"] for message in client.inbox[1:]] == ["notifications/prompts/list_changed"]
    assert mute.inbox == []


async def test_turning_servers_on_and_off_is_told_at_once(rig: Rig) -> None:
    await rig.start(FakeServer("a", "ta"), FakeServer("b", resources=[{"uri": "x://1"}]))
    client = await rig.client()
    await rig.enable("a")
    await client.wait_for("notifications/resources/list_changed")
    assert client.told("notifications/tools/list_changed") == []
    await rig.enable("b")
    await client.wait_for("notifications/resources/list_changed", 2)
    await client.wait_for("notifications/tools/list_changed")
    assert await client.tools() == []


async def test_another_choice_of_tools_is_told(rig: Rig) -> None:
    await rig.start(FakeServer("s", "x", "y"))
    client = await rig.client()
    await rig.enable("s", tools={"s": frozenset({"y"})})
    await client.wait_for("notifications/tools/list_changed")
    assert await client.tools() == ["y"]
    await rig.enable("s", tools={"s": frozenset({"y"})})
    await client.ask("ping").result()
    assert len(client.inbox) == 1


async def test_messages_of_a_call_go_to_its_caller_before_the_answer(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client, other = await rig.client(), await rig.client()
    call = client.call("t", _meta={"progressToken": "mine"})
    sent = await server.last.wait_for("tools/call")
    server.last.tell("notifications/message", {"level": "info", "data": "working"})
    server.last.tell(
        "notifications/progress", {"progressToken": sent["params"]["_meta"]["progressToken"], "progress": 1}
    )
    server.last.reply(sent["id"])
    await call.result()
    assert [message["method"] for message in call.before] == ["notifications/message", "notifications/progress"]
    assert call.before[1]["params"]["progressToken"] == "mine"
    assert other.inbox == client.inbox == []


async def test_a_message_that_could_be_for_several_sessions_reaches_none(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    clients = [await rig.client() for _ in range(2)]
    calls = [client.call("t") for client in clients]
    await server.last.wait_for("tools/call", 2)
    server.last.tell("notifications/message", {"level": "error", "data": "whose?"})
    assert all(call.before == [] for call in calls)
    assert all(client.inbox == [] for client in clients)


# Log levels.


async def test_a_level_is_told_to_servers_and_kept_for_the_session(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    await client.ask("logging/setLevel", {"level": "warning"}).result()
    assert (await server.last.wait_for("logging/setLevel"))["params"] == {"level": "warning"}
    call = client.call("t")
    await server.last.wait_for("tools/call")
    for level in ("debug", "info", "warning", "emergency", "strange"):
        server.last.tell("notifications/message", {"level": level, "data": level})
    assert [message["params"]["level"] for message in call.before] == ["warning", "emergency", "strange"]


async def test_a_shared_server_gets_the_most_talkative_level(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server)
    quiet, talkative = await rig.client(), await rig.client()
    await quiet.ask("logging/setLevel", {"level": "error"}).result()
    await talkative.ask("logging/setLevel", {"level": "debug"}).result()
    await server.last.wait_for("logging/setLevel", 2)
    await quiet.call("t").result()
    assert [message["params"]["level"] for message in server.last.requests("logging/setLevel")] == ["error", "debug"]


async def test_a_server_without_logging_is_not_bothered(rig: Rig) -> None:
    server = FakeServer("s", "t")
    del server.capabilities["logging"]
    await rig.start(server)
    client = await rig.client()
    await client.ask("logging/setLevel", {"level": "debug"}).result()
    await client.call("t").result()
    assert server.last.requests("logging/setLevel") == []


async def test_a_server_that_starts_later_is_told_the_level_with_the_first_call(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(idle=-1.0))
    await rig.fleet.servers["s"].stop_idle()
    client = await rig.client()
    await client.ask("logging/setLevel", {"level": "debug"}).result()
    await client.call("t").result()
    methods = [message.get("method") for message in server.last.got]
    assert methods.index("logging/setLevel") < methods.index("tools/call")


# Subscriptions.


def watched(name: str = "s") -> FakeServer:
    return FakeServer(name, "t", resources=[{"uri": "x://1"}])


async def test_updates_reach_those_who_subscribed_under_the_uri_they_know(rig: Rig) -> None:
    a, b = watched("a"), watched("b")
    await rig.start(a, b)
    client, other = await rig.client(), await rig.client()
    await client.ask("resources/subscribe", {"uri": "b+x://1"}).result()
    assert (await b.last.wait_for("resources/subscribe"))["params"] == {"uri": "x://1"}
    b.last.tell("notifications/resources/updated", {"uri": "x://1", "title": "t"})
    a.last.tell("notifications/resources/updated", {"uri": "x://1"})
    b.last.tell("notifications/resources/updated", {"uri": "x://2"})
    assert [message["params"] for message in client.inbox] == [{"uri": "b+x://1", "title": "t"}]
    assert other.inbox == []


async def test_the_server_is_told_only_when_the_last_subscriber_goes(rig: Rig) -> None:
    server = watched()
    await rig.start(server)
    one, two, three = [await rig.client() for _ in range(3)]
    for client in (one, two, three):
        await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    await one.ask("resources/unsubscribe", {"uri": "x://1"}).result()
    await two.leave()
    assert server.last.requests("resources/unsubscribe") == []
    server.last.tell("notifications/resources/updated", {"uri": "x://1"})
    assert ([len(client.inbox) for client in (one, two, three)]) == [0, 0, 1]
    await three.leave()
    assert (await server.last.wait_for("resources/unsubscribe"))["params"] == {"uri": "x://1"}
    await one.ask("resources/unsubscribe", {"uri": "x://1"}).result()
    assert len(server.last.requests("resources/unsubscribe")) == 1


async def test_each_session_unsubscribes_on_its_own_connection(rig: Rig) -> None:
    server = watched()
    await rig.start(server, long_lived=True)
    one, two = await rig.client(), await rig.client()
    for client in (one, two):
        await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    await one.ask("resources/unsubscribe", {"uri": "x://1"}).result()
    assert [len(transport.requests("resources/unsubscribe")) for transport in server.transports] == [0, 1, 0]


async def test_a_server_somebody_subscribed_to_is_not_stopped_as_idle(rig: Rig) -> None:
    server = watched()
    await rig.start(server, timing=Timing(idle=-1.0))
    client = await rig.client()
    await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    await rig.fleet.servers["s"].stop_idle()
    assert len(server.live) == 1
    await client.leave()
    await server.last.wait_for("resources/unsubscribe")
    await eventually(lambda: rig.fleet.servers["s"].ready(None) is not None)
    await eventually(lambda: not rig.fleet.servers["s"]._upstreams[""].calls)
    await rig.fleet.servers["s"].stop_idle()
    assert server.live == []


async def test_a_server_that_refuses_to_unsubscribe_or_dies_first_leaves_no_error_behind(rig: Rig) -> None:
    server = watched()
    server.held.add("resources/unsubscribe")
    await rig.start(server)
    client = await rig.client()
    await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    await client.leave()
    await server.last.wait_for("resources/unsubscribe")
    server.last.break_off()


# Questions of servers.


async def ask_during_call(
    server: FakeServer, client: GatewayClient, id: Any = "q", method: str = "sampling/createMessage", **params: Any
) -> tuple[Any, Any]:
    """A call under way, and the question its client was asked."""
    count = len(server.last.requests("tools/call"))
    call = client.call("t")
    await eventually(
        lambda: (
            any(len(transport.requests("tools/call")) for transport in server.live)
            and sum(len(transport.requests("tools/call")) for transport in server.transports) > count
        )
    )
    server.last.ask(id, method, params)
    await eventually(lambda: call.before)
    return call, call.before[-1]


async def test_a_question_reaches_the_caller_and_its_answer_the_server(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, client, 7, messages=[], **{"x-extra": 1.5})
    assert (question["method"], question["params"]) == ("sampling/createMessage", {"messages": [], "x-extra": 1.5})
    client.answer(question["id"], {"role": "assistant"})
    assert await server.last.wait_for_answer(7) == {"jsonrpc": "2.0", "id": 7, "result": {"role": "assistant"}}
    client.answer(question["id"], {"again": 1})
    assert len(server.last.answers()) == 1


async def test_questions_of_two_servers_with_equal_ids_are_kept_apart(rig: Rig) -> None:
    a, b = holding("a", "ta"), holding("b", "tb")
    await rig.start(a, b)
    client = await rig.client(**EVERYTHING)
    calls = client.call("ta"), client.call("tb")
    await a.last.wait_for("tools/call")
    await b.last.wait_for("tools/call")
    a.last.ask(1, "roots/list")
    b.last.ask(1, "roots/list")
    questions = [call.before[0]["id"] for call in calls]
    assert questions[0] != questions[1]
    client.answer(questions[1], {"roots": ["for b"]})
    client.answer(questions[0], {"roots": ["for a"]})
    assert (await a.last.wait_for_answer(1))["result"] == {"roots": ["for a"]}
    assert (await b.last.wait_for_answer(1))["result"] == {"roots": ["for b"]}


async def test_sessions_that_are_asked_at_the_same_time_answer_for_themselves(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    first = await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, first)
    client_of = {}
    second = await rig.client(**EVERYTHING)
    call = second.call("t")
    await eventually(lambda: len(server.live) == 2)
    await server.last.wait_for("tools/call")
    server.last.ask("q", "elicitation/create", {"message": "second"})
    await eventually(lambda: call.before)
    client_of[first], client_of[second] = question["id"], call.before[0]["id"]
    second.answer(client_of[second], {"by": "second"})
    first.answer(client_of[first], {"by": "first"})
    owners = [transport for transport in server.live if transport.requests("tools/call")]
    answers = [(await transport.wait_for_answer("q"))["result"] for transport in owners]
    assert answers == [{"by": "first"}, {"by": "second"}]


async def test_a_client_can_not_answer_the_question_of_another(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client, intruder = await rig.client(**EVERYTHING), await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, client)
    intruder.answer(question["id"], {"evil": True})
    assert server.last.answers() == []


async def test_an_error_is_an_answer_too(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, client, 3)
    error = {"code": -1, "message": "User rejected"}
    refusal = json.dumps({"jsonrpc": "2.0", "id": question["id"], "error": error}).encode()
    rig.gateway.answer(client.session, jsonrpc.parse(refusal))
    assert (await server.last.wait_for_answer(3))["error"] == error


async def test_a_client_that_can_not_answer_is_not_asked(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(sampling={})
    client.call("t")
    await server.last.wait_for("tools/call")
    server.last.ask(1, "elicitation/create")
    server.last.ask(2, "roots/list")
    assert (await server.last.wait_for_answer(1))["error"]["code"] == jsonrpc.METHOD_NOT_FOUND
    assert (await server.last.wait_for_answer(2))["result"] == {"roots": []}
    assert client.inbox == []


async def test_a_question_nobody_can_be_asked_gets_an_answer(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server)
    server.last.ask(1, "sampling/createMessage")
    server.last.ask(2, "roots/list")
    assert "it can't be told which client" in (await server.last.wait_for_answer(1))["error"]["message"]
    assert (await server.last.wait_for_answer(2))["result"] == {"roots": []}


async def test_progress_on_a_question_goes_back_under_the_servers_token(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, client, _meta={"progressToken": "of the server", "x": 1})
    token = question["params"]["_meta"]["progressToken"]
    assert token != "of the server"
    assert question["params"]["_meta"]["x"] == 1
    client.tell("notifications/progress", {"progressToken": token, "progress": 0.5})
    client.tell("notifications/progress", {"progressToken": "other", "progress": 0.5})
    sent = await server.last.wait_for("notifications/progress")
    assert sent["params"] == {"progressToken": "of the server", "progress": 0.5}
    assert len(server.last.requests("notifications/progress")) == 1


async def test_a_question_the_server_takes_back_is_taken_back_from_the_client(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(**EVERYTHING)
    _, question = await ask_during_call(server, client, 5)
    server.last.tell("notifications/cancelled", {"requestId": 5, "reason": "too slow"})
    told = await client.wait_for("notifications/cancelled")
    assert told["params"] == {"requestId": question["id"], "reason": "too slow"}
    client.answer(question["id"], {})
    assert server.last.answers() == []


async def test_a_late_answer_to_a_server_that_has_gone_does_no_harm(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(**EVERYTHING)
    call, question = await ask_during_call(server, client)
    server.last.break_off("s ended")
    assert (await call.error())["message"] == "s ended"
    client.answer(question["id"], {})
    client.tell("notifications/progress", {"progressToken": question["id"], "progress": 1})
    assert await client.ask("ping").result() == {}


async def test_roots_that_changed_are_told_only_to_servers_of_the_sessions_own(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client, other = await rig.client(**EVERYTHING), await rig.client(**EVERYTHING)
    await ask_during_call(server, client)
    other.tell("notifications/roots/list_changed")
    client.tell("notifications/roots/list_changed")
    await server.last.wait_for("notifications/roots/list_changed")
    assert len(server.last.requests("notifications/roots/list_changed")) == 1


# Ends.


async def test_each_call_is_reported_once_when_it_ends(rig: Rig) -> None:
    ended: list[str] = []

    def note(call: Call) -> None:
        ended.append(call.subject)

    server = holding("s", "t", "u")
    await rig.start(server, gateway={"on_call": note})
    client = await rig.client()
    client.call("unknown")
    call = client.call("t")
    client.call("u")
    await server.last.wait_for("tools/call", 2)
    server.last.reply(server.last.requests("tools/call")[0]["id"])
    await call.result()
    await client.leave()
    assert ended == ["t", "u"]


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
