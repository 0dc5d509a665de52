"""A handshake client in front of a modern server: its wishes become questions, and every answer finds its way back."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.servers.multi_round_trip import MOST_ROUNDS
from desktop.servers.status import ServerState
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually, modern
from tests.helpers.gateway_client import EVERYTHING, Asked, GatewayClient

Json = dict[str, Any]
ASK = {"method": "elicitation/create", "params": {"message": "Name?", "requestedSchema": {"type": "object"}}}
SAMPLE = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}}
ROOTS = {"method": "roots/list"}
DONE = {"resultType": "complete", "content": [{"type": "text", "text": "done"}]}


def wish(state: str | None = None, **requests: Json) -> Json:
    result: Json = {"resultType": "input_required"}
    if requests:
        result["inputRequests"] = requests
    return result if state is None else {**result, "requestState": state}


async def asking(rig: Rig, *, held: bool = True, **capabilities: Any) -> tuple[FakeServer, GatewayClient]:
    server = modern(FakeServer("s", "t", prompts=[{"name": "p"}], resources=[{"uri": "x://1"}]))
    if held:
        server.held |= {"tools/call", "prompts/get", "resources/read"}
    await rig.start(server)
    return server, await rig.client(**(capabilities or EVERYTHING))


async def question(asked: Asked, count: int = 1) -> Json:
    await eventually(lambda: len(asked.before) >= count)
    return asked.before[count - 1]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "t", "arguments": {"a": 1}}),
        ("prompts/get", {"name": "p"}),
        ("resources/read", {"uri": "x://1"}),
    ],
)
async def test_a_wish_becomes_a_question_and_the_call_is_repeated_with_the_answer(
    rig: Rig, method: str, params: Json
) -> None:
    server, client = await asking(rig)
    call = client.ask(method, params)
    first = await server.last.wait_for(method)
    server.last.reply(first["id"], wish("sealed", user=ASK))
    asked = await question(call)
    assert (asked["method"], asked["params"]) == (ASK["method"], ASK["params"])
    client.answer(asked["id"], {"action": "accept", "content": {"name": "Ada"}})
    second = await server.last.wait_for(method, 2)
    assert second["id"] != first["id"]
    expected = {"inputResponses": {"user": {"action": "accept", "content": {"name": "Ada"}}}, "requestState": "sealed"}
    assert second["params"] == {**first["params"], **expected}
    server.last.reply(second["id"], DONE)
    assert await call.result() == DONE


async def test_several_wishes_are_asked_at_once_and_sent_back_together(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply(
        (await server.last.wait_for("tools/call"))["id"], wish(None, user=ASK, model=SAMPLE, folders=ROOTS)
    )
    await question(call, 3)
    by_method = {asked["method"]: asked["id"] for asked in call.before}
    for number, method in enumerate(("roots/list", "elicitation/create", "sampling/createMessage")):
        assert len(server.last.requests("tools/call")) == 1
        client.answer(by_method[method], {"number": number})
    second = await server.last.wait_for("tools/call", 2)
    assert second["params"]["inputResponses"] == {
        "folders": {"number": 0},
        "user": {"number": 1},
        "model": {"number": 2},
    }
    assert "requestState" not in second["params"]


async def test_each_round_has_the_answers_and_the_state_of_its_own_only(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    for number in (1, 2, 3):
        message = await server.last.wait_for("tools/call", number)
        state = None if number == 2 else f"state {number}"
        server.last.reply(message["id"], wish(state, **{f"step{number}": ASK}))
        client.answer((await question(call, number))["id"], {"step": number})
    fourth = await server.last.wait_for("tools/call", 4)
    third = server.last.requests("tools/call")[2]["params"]
    assert third["inputResponses"] == {"step2": {"step": 2}}
    assert "requestState" not in third
    assert fourth["params"]["inputResponses"] == {"step3": {"step": 3}}
    assert fourth["params"]["requestState"] == "state 3"
    server.last.reply(fourth["id"], DONE)
    assert await call.result() == DONE


async def test_a_server_that_only_wants_to_be_asked_again_is(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("later"))
    second = await server.last.wait_for("tools/call", 2)
    assert second["params"]["requestState"] == "later"
    assert "inputResponses" not in second["params"]
    server.last.reply(second["id"], DONE)
    assert await call.result() == DONE
    assert call.before == []


async def test_a_server_that_never_has_enough_is_stopped(rig: Rig) -> None:
    server, client = await asking(rig, held=False)
    server.handlers["tools/call"] = lambda *_: wish("more", user=ASK)
    call = client.call("t")
    for number in range(1, MOST_ROUNDS + 1):
        client.answer((await question(call, number))["id"], {"action": "accept"})
    assert (await call.error())["message"] == f"s asked for input {MOST_ROUNDS} times without an end"
    assert rig.fleet.servers["s"].ready(client.session).calls == 0  # type: ignore[union-attr]


async def test_what_a_client_cannot_do_fails_the_call_with_one_sentence(rig: Rig) -> None:
    server, client = await asking(rig, sampling={})
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("s", model=SAMPLE, user=ASK))
    reason = "s needs an answer of the client, which said: elicitation/create is not possible: the client does not support it"
    assert (await call.error())["message"] == reason
    taken_back = await client.wait_for("notifications/cancelled")
    assert taken_back["params"]["requestId"] == call.before[0]["id"]
    client.answer(call.before[0]["id"], {"content": "too late"})
    assert len(server.last.requests("tools/call")) == 1


async def test_an_error_of_the_client_ends_the_call_and_a_refusal_of_the_person_does_not(rig: Rig) -> None:
    server, client = await asking(rig)
    failing, declined = client.call("t"), client.call("t")
    for number in (1, 2):
        server.last.reply((await server.last.wait_for("tools/call", number))["id"], wish(None, user=ASK))
    client.answer_with_error((await question(failing))["id"], -1, "the window was closed")
    client.answer((await question(declined))["id"], {"action": "decline"})
    assert (await failing.error())["message"].endswith("which said: the window was closed")
    third = await server.last.wait_for("tools/call", 3)
    assert third["params"]["inputResponses"] == {"user": {"action": "decline"}}


@pytest.mark.parametrize(
    "result",
    [
        {"resultType": "input_required", "inputRequests": ["elicitation/create"]},
        {"resultType": "input_required", "inputRequests": {"user": {"params": {}}}},
        {"resultType": "input_required", "inputRequests": {"user": "text"}},
    ],
)
async def test_wishes_that_are_not_mcp_fail_the_call(rig: Rig, result: Json) -> None:
    server, client = await asking(rig, held=False)
    server.handlers["tools/call"] = lambda *_: result
    assert (await client.call("t").error())["message"] == "s asks for input in a way that is not MCP"


async def test_the_words_in_a_result_are_no_wish(rig: Rig) -> None:
    server, client = await asking(rig, held=False)
    text = {
        "content": [{"type": "text", "text": "input_required"}],
        "structuredContent": {"resultType": "input_required"},
    }
    server.handlers["tools/call"] = lambda *_: text
    assert await client.call("t").result() == text


async def test_a_call_cancelled_while_its_client_is_asked_is_forgotten(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("s", user=ASK))
    asked = await question(call)
    client.tell("notifications/cancelled", {"requestId": call.id})
    assert call.abandoned
    assert (await client.wait_for("notifications/cancelled"))["params"]["requestId"] == asked["id"]
    client.answer(asked["id"], {"action": "accept"})
    assert rig.fleet.servers["s"].ready(client.session).calls == 0  # type: ignore[union-attr]
    assert len(server.last.requests("tools/call")) == 1


async def test_a_call_cancelled_in_a_later_round_is_cancelled_at_the_server(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("s", user=ASK))
    client.answer((await question(call))["id"], {"action": "accept"})
    second = await server.last.wait_for("tools/call", 2)
    client.tell("notifications/cancelled", {"requestId": call.id, "reason": "enough"})
    cancelled = await server.last.wait_for("notifications/cancelled")
    assert cancelled["params"] == {"requestId": second["id"], "reason": "enough"}
    server.last.reply(second["id"], wish("s", user=ASK))
    assert len(call.before) == 1


async def test_a_client_that_leaves_takes_its_rounds_along(rig: Rig) -> None:
    server, client = await asking(rig)
    waiting, at_server = client.call("t"), client.call("t")
    for number, call in ((1, waiting), (2, at_server)):
        server.last.reply((await server.last.wait_for("tools/call", number))["id"], wish("s", user=ASK))
        await question(call)
    client.answer(at_server.before[0]["id"], {"action": "accept"})
    third = await server.last.wait_for("tools/call", 3)
    upstream = rig.fleet.servers["s"].ready(client.session)
    assert upstream is not None
    await client.leave()
    assert (await server.last.wait_for("notifications/cancelled"))["params"]["requestId"] == third["id"]
    assert upstream.calls == 0


async def test_a_server_that_ends_while_the_client_is_asked_fails_the_call(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("s", user=ASK))
    asked = await question(call)
    server.last.break_off("s ended with exit code 3")
    assert (await call.error())["message"] == "s ended with exit code 3"
    assert (await client.wait_for("notifications/cancelled"))["params"]["requestId"] == asked["id"]


async def test_a_server_whose_client_is_asked_is_in_use(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t")
    server.last.reply((await server.last.wait_for("tools/call"))["id"], wish("s", user=ASK))
    await question(call)
    upstream = rig.fleet.servers["s"].ready(client.session)
    assert upstream is not None
    upstream.last_used -= 10_000
    await rig.fleet.servers["s"].stop_idle()
    assert upstream.alive
    assert rig.fleet.servers["s"].status.state is ServerState.READY


async def test_progress_reaches_the_client_in_every_round_under_its_own_token(rig: Rig) -> None:
    server, client = await asking(rig)
    call = client.call("t", _meta={"progressToken": "mine"})
    for number in (1, 2):
        message = await server.last.wait_for("tools/call", number)
        token = message["params"]["_meta"]["progressToken"]
        assert token == message["id"]
        server.last.tell("notifications/progress", {"progressToken": token, "progress": number})
        if number == 1:
            server.last.reply(message["id"], wish("s", user=ASK))
            client.answer((await question(call, 2))["id"], {"action": "accept"})
    progress = [message["params"] for message in call.before if message["method"] == "notifications/progress"]
    assert progress == [{"progressToken": "mine", "progress": 1}, {"progressToken": "mine", "progress": 2}]


async def test_two_clients_questions_are_never_mixed_up_on_the_shared_connection(rig: Rig) -> None:
    server, first = await asking(rig)
    second = await rig.client(**EVERYTHING)
    calls = [first.call("t"), second.call("t")]
    for number in (1, 2):
        server.last.reply((await server.last.wait_for("tools/call", number))["id"], wish(f"of {number}", user=ASK))
    for client, call, name in zip((second, first), reversed(calls), ("second", "first"), strict=True):
        client.answer((await question(call))["id"], {"name": name})
    await server.last.wait_for("tools/call", 4)
    answers = [
        (message["params"]["requestState"], message["params"]["inputResponses"]["user"]["name"])
        for message in server.last.requests("tools/call")[2:]
    ]
    assert answers == [("of 2", "second"), ("of 1", "first")]
    assert len(server.live) == 1
