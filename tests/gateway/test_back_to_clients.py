"""What servers tell and ask, brought back to the clients it is for: changed lists, messages, log levels, updates, questions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from desktop import jsonrpc
from desktop.servers.managed_server import Timing
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually, holding, tool
from tests.helpers.gateway_client import EVERYTHING, GatewayClient

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
    await eventually(lambda: not rig.fleet.servers["s"]._connections.alive("").calls)
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


# Servers that die.


async def test_a_question_of_a_server_that_died_is_withdrawn(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client(sampling={})
    call = client.call("t")
    await server.last.wait_for("tools/call")
    server.last.ask(7, "sampling/createMessage", {})
    (question,) = [message for message in call.before if message["method"] == "sampling/createMessage"]
    server.last.break_off("s ended with exit code 9")
    withdrawn = await client.wait_for("notifications/cancelled")
    assert withdrawn["params"] == {"requestId": question["id"], "reason": "s ended with exit code 9"}
    assert (await call.error())["message"] == "s ended with exit code 9"
    client.answer(question["id"], {})  # too late
    assert client.session.questions == {}


async def test_subscriptions_are_renewed_when_a_shared_server_comes_back_by_itself(rig: Rig) -> None:
    server = FakeServer("s", "t", resources=[{"uri": "x://1", "name": "one"}])
    await rig.start(server, timing=Timing(longest_pause=0.01))
    client, other = await rig.client(), await rig.client()
    await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    server.last.break_off()
    await eventually(lambda: len(server.transports) == 2)
    assert (await server.last.wait_for("resources/subscribe"))["params"] == {"uri": "x://1"}
    server.last.tell("notifications/resources/updated", {"uri": "x://1"})
    await client.wait_for("notifications/resources/updated")
    assert other.told("notifications/resources/updated") == []


async def test_a_server_nobody_follows_stays_down_until_it_is_called(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, timing=Timing(longest_pause=0.01))
    server.last.break_off()
    await asyncio.sleep(0.05)
    assert len(server.transports) == 1
