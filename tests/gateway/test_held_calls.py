"""Modern clients and handshake servers that ask: a call waits for its client to come back, then goes on with the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop import jsonrpc
from desktop.gateway import held_calls
from tests.gateway.conftest import Rig, listening
from tests.helpers.fake_mcp import FakeServer, eventually, holding
from tests.helpers.modern_client import EVERYTHING, ModernWeb

Json = dict[str, Any]
FORM = {"message": "Your name?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}
ALICE = {"action": "accept", "content": {"name": "Alice"}}


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    await rig.start(holding("s", "t", "u", prompts=[{"name": "t"}]))
    async with listening(rig) as made:
        yield made
        await rig.gateway.close()


@pytest.fixture
def web(http: httpx.AsyncClient) -> ModernWeb:
    return ModernWeb(http, EVERYTHING)


def server_of(rig: Rig) -> FakeServer:
    return rig.launcher.servers["s"]


async def asked(rig: Rig, web: ModernWeb, *ids: Any, count: int = 1, **params: Any) -> tuple[Json, Json]:
    """Call the tool, let the server ask; returns the server's view of the call and the client's result."""
    server = server_of(rig)
    waiting = asyncio.create_task(web.call("t", **params))
    sent = await server.working.wait_for("tools/call", count)
    for id in ids or ("q",):
        server.working.ask(id, "elicitation/create", FORM)
    return sent, await waiting


def back(result: Json, *answers: Any) -> Json:
    """What the client adds to its request when it comes back."""
    keys = list(result["inputRequests"])
    return {"requestState": result["requestState"], "inputResponses": dict(zip(keys, answers, strict=False))}


async def test_a_question_ends_the_reply_and_its_answer_resumes_the_same_call(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    sent, result = await asked(rig, web)
    assert result["resultType"] == "input_required"
    assert list(result["inputRequests"].values()) == [{"method": "elicitation/create", "params": FORM}]
    assert server.working.answers() == []
    again = asyncio.create_task(web.call("t", **back(result, ALICE)))
    assert (await server.working.wait_for_answer("q"))["result"] == ALICE
    server.working.reply(sent["id"], {"content": [], "final": True})
    final = await again
    assert (final["resultType"], final["final"]) == ("complete", True)
    assert len(server.working.requests("tools/call")) == 1
    assert all(not session.calls and not session.questions for session in rig.gateway.sessions.values())


async def test_questions_asked_together_come_together(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    waiting = asyncio.create_task(web.call("t"))
    sent = await server.working.wait_for("tools/call")
    server.working.ask("a", "elicitation/create", FORM)
    server.working.ask("b", "sampling/createMessage", {"messages": [], "maxTokens": 1})
    server.working.ask("c", "roots/list")
    result = await waiting
    methods = [request["method"] for request in result["inputRequests"].values()]
    assert methods == ["elicitation/create", "sampling/createMessage", "roots/list"]
    again = asyncio.create_task(web.call("t", **back(result, ALICE, {"role": "assistant"}, {"roots": []})))
    assert (await server.working.wait_for_answer("c"))["result"] == {"roots": []}
    assert (await server.working.wait_for_answer("b"))["result"] == {"role": "assistant"}
    server.working.reply(sent["id"])
    await again


async def test_a_later_question_is_another_round(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    sent, first = await asked(rig, web)
    again = asyncio.create_task(web.call("t", **back(first, ALICE)))
    await server.working.wait_for_answer("q")
    server.working.ask("q2", "elicitation/create", FORM)
    second = await again
    assert second["requestState"] != first["requestState"]
    last = asyncio.create_task(web.call("t", **back(second, {"action": "decline"})))
    assert (await server.working.wait_for_answer("q2"))["result"] == {"action": "decline"}
    server.working.reply(sent["id"])
    assert (await last)["resultType"] == "complete"


async def test_what_is_left_unanswered_is_asked_again(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    sent, first = await asked(rig, web, "a", "b")
    key_a, key_b = first["inputRequests"]
    params = {"requestState": first["requestState"], "inputResponses": {key_b: ALICE, "wrong": ALICE}}
    second = await web.call("t", **params)
    assert list(second["inputRequests"]) == [key_a]
    assert [answer["id"] for answer in server.working.answers()] == ["b"]
    last = asyncio.create_task(web.call("t", **back(second, ALICE)))
    await server.working.wait_for_answer("a")
    server.working.reply(sent["id"])
    await last


async def test_a_state_is_good_once_and_for_its_own_request_only(
    rig: Rig, web: ModernWeb, http: httpx.AsyncClient
) -> None:
    server = server_of(rig)
    sent, result = await asked(rig, web)
    asking = server.working
    answers = back(result, ALICE)

    async def refused(client: ModernWeb, method: str = "tools/call", name: str = "t", **params: Any) -> str:
        answer = await client.ask(method, {"name": name, **answers, **params})
        assert answer["error"]["code"] == jsonrpc.INVALID_PARAMS
        return str(answer["error"]["message"])

    assert "unknown" in await refused(web, requestState=result["requestState"] + "-TAMPERED")
    assert "unknown" in await refused(web, requestState="something else")
    assert "another request" in await refused(web, name="u")
    assert "another request" in await refused(web, "prompts/get")
    assert "another request" in await refused(ModernWeb(http, {"elicitation": {}}))
    assert "another request" in await refused(ModernWeb(http, EVERYTHING, {"name": "thief", "version": "1"}))
    assert "Invalid params" in await refused(web, inputResponses=[])
    assert asking.answers() == []
    again = asyncio.create_task(web.call("t", **answers))
    await asking.wait_for_answer("q")
    asking.reply(sent["id"])
    await again
    assert "unknown" in await refused(web)


async def test_another_principal_can_not_take_a_call_over(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    async with listening(rig) as http:
        mine = ModernWeb(http, EVERYTHING)
        _, result = await asked(rig, mine)
        message = mine.request("tools/call", {"name": "t", **back(result, ALICE)})
        answer = await mine.post(message, Authorization="Bearer other")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, jsonrpc.INVALID_PARAMS)
        await rig.gateway.close()


async def test_a_client_that_can_not_be_asked_is_not(rig: Rig, http: httpx.AsyncClient) -> None:
    server = server_of(rig)
    waiting = asyncio.create_task(ModernWeb(http, {"roots": {}}).call("t"))
    sent = await server.working.wait_for("tools/call")
    server.working.ask("q", "elicitation/create", FORM)
    assert (await server.working.wait_for_answer("q"))["error"]["code"] == jsonrpc.METHOD_NOT_FOUND
    server.working.reply(sent["id"])
    assert (await waiting)["resultType"] == "complete"


async def test_a_request_this_era_does_not_know_is_refused_for_the_client(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    waiting = asyncio.create_task(web.call("t"))
    sent = await server.working.wait_for("tools/call")
    server.working.ask("q", "strange/request")
    assert (await server.working.wait_for_answer("q"))["error"]["code"] == jsonrpc.METHOD_NOT_FOUND
    server.working.reply(sent["id"])
    await waiting


async def test_progress_goes_to_the_round_that_is_open_under_its_own_token(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    waiting = asyncio.create_task(web.result("tools/call", {"name": "t"}, progressToken="first"))
    sent = await server.working.wait_for("tools/call")
    token = sent["params"]["_meta"]["progressToken"]
    server.working.ask("q", "elicitation/create", FORM)
    result = await waiting
    server.working.tell("notifications/progress", {"progressToken": token, "progress": 1})
    server.working.tell("notifications/message", {"level": "info", "data": "nobody hears it"})

    async def work() -> None:
        await server.working.wait_for_answer("q")
        server.working.tell("notifications/progress", {"progressToken": token, "progress": 2})
        server.working.tell("notifications/message", {"level": "info", "data": "heard"})
        server.working.reply(sent["id"])

    working = asyncio.create_task(work())
    params = {"name": "t", **back(result, ALICE)}
    async with web.stream("tools/call", params, id=2, progressToken=7, logLevel="info") as stream:
        messages = [message async for message in stream]
    await working
    assert messages[0]["params"] == {"progressToken": 7, "progress": 2}
    assert messages[1]["params"]["data"] == "heard"
    assert messages[2]["id"] == 2


async def test_a_server_that_answers_without_waiting_is_told_to_the_client_that_comes_back(
    rig: Rig, web: ModernWeb
) -> None:
    server = server_of(rig)
    sent, result = await asked(rig, web)
    server.working.reply(sent["id"], {"content": [], "gave_up": True})
    await eventually(lambda: all(not session.calls for session in rig.gateway.sessions.values()))
    assert (await web.call("t", **back(result, ALICE)))["gave_up"] is True
    assert server.working.answers() == []


async def test_a_server_that_ends_meanwhile_is_an_error_for_the_client_that_comes_back(
    rig: Rig, web: ModernWeb
) -> None:
    _, result = await asked(rig, web)
    server_of(rig).working.break_off()
    answer = await web.ask("tools/call", {"name": "t", **back(result, ALICE)})
    assert answer["error"]["code"] == jsonrpc.CONNECTION_CLOSED


async def test_a_question_the_server_takes_back_is_not_asked(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    waiting = asyncio.create_task(web.call("t"))
    sent = await server.working.wait_for("tools/call")
    server.working.ask("q", "elicitation/create", FORM)
    server.working.tell("notifications/cancelled", {"requestId": "q"})
    await asyncio.sleep(0.05)
    server.working.reply(sent["id"])
    assert (await waiting)["resultType"] == "complete"


async def test_a_client_that_does_not_come_back_cancels_its_call(
    rig: Rig, web: ModernWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_calls, "_TIME_LIMIT", 0.02)
    sent, result = await asked(rig, web)
    cancelled = await server_of(rig).working.wait_for("notifications/cancelled")
    assert cancelled["params"]["requestId"] == sent["id"]
    answer = await web.ask("tools/call", {"name": "t", **back(result, ALICE)})
    assert answer["error"]["code"] == jsonrpc.INVALID_PARAMS


async def test_a_client_may_not_leave_calls_waiting_without_end(
    rig: Rig, web: ModernWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_calls, "_MOST", 2)
    server = server_of(rig)

    def asking() -> list[Any]:
        return [transport for transport in server.live if transport.requests("tools/call")]

    for number in (1, 2, 3):
        waiting = asyncio.create_task(web.call("t"))
        await eventually(lambda wanted=number: len(asking()) == wanted)
        asking()[-1].ask(f"q{number}", "elicitation/create", FORM)
        await waiting
    first = asking()[0]
    cancelled = await first.wait_for("notifications/cancelled")
    assert cancelled["params"]["requestId"] == first.requests("tools/call")[0]["id"]
    assert not any(transport.requests("notifications/cancelled") for transport in asking()[1:])


async def test_closing_the_response_of_a_later_round_cancels_the_call(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    sent, result = await asked(rig, web)
    again = asyncio.create_task(web.call("t", **back(result, ALICE)))
    await server.working.wait_for_answer("q")
    again.cancel()
    assert (await server.working.wait_for("notifications/cancelled"))["params"]["requestId"] == sent["id"]


async def test_a_question_without_its_call_goes_to_the_call_of_its_session(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    first = asyncio.create_task(web.call("t"))
    one = await server.working.wait_for("tools/call")
    second = asyncio.create_task(web.call("u"))
    two = await server.working.wait_for("tools/call", 2)
    server.working.ask("q", "elicitation/create", FORM)  # one of two calls; the same person is asked either way
    result = await second
    assert result["resultType"] == "input_required"
    again = asyncio.create_task(web.call("u", **back(result, ALICE)))
    await server.working.wait_for_answer("q")
    server.working.reply(one["id"])
    server.working.reply(two["id"])
    await asyncio.gather(first, again)


async def test_calls_at_once_of_clients_that_look_alike_are_each_asked_for_themselves(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    sent, first = await asked(rig, web)  # from here on it is known that this server asks
    again = asyncio.create_task(web.call("t", **back(first, ALICE)))
    await server.working.wait_for_answer("q")
    server.working.reply(sent["id"])
    await again
    calls = [asyncio.create_task(web.call("t", arguments={"n": number})) for number in range(3)]

    def carrying() -> list[Any]:
        return [
            item
            for item in server.live
            if any("n" in got["params"]["arguments"] for got in item.requests("tools/call"))
        ]

    await eventually(lambda: len(carrying()) == 3)
    for transport in carrying():
        number = transport.requests("tools/call")[-1]["params"]["arguments"]["n"]
        transport.ask(f"q{number}", "elicitation/create", {**FORM, "message": f"for {number}"})
    results = [await call for call in calls]
    messages = [next(iter(result["inputRequests"].values()))["params"]["message"] for result in results]
    assert messages == ["for 0", "for 1", "for 2"]
