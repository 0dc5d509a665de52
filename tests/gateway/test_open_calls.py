"""Calls that take long: signs of life for clients that would give up, time limits, and the list with its Cancel."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest
from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway import open_calls
from desktop.servers.progress import Progress
from desktop.state.server_choices import ServerChoice
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually, holding
from tests.helpers.gateway_client import Asked

WITH_TOKEN = {"_meta": {"progressToken": "tok"}}


def progress(asked: Asked) -> list[dict[str, Any]]:
    return [message["params"] for message in asked.before if message["method"] == "notifications/progress"]


async def seconds_later(rig: Rig, seconds: float) -> None:
    rig.gateway.open_calls.look(time.monotonic() + seconds)


# Signs of life.


async def test_a_client_that_asked_for_progress_hears_of_a_silent_call_every_ten_seconds(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    asked = client.call("t", **WITH_TOKEN)
    await server.last.wait_for("tools/call")
    await seconds_later(rig, 9)
    assert progress(asked) == []
    await seconds_later(rig, 11)
    await seconds_later(rig, 12)
    assert progress(asked) == [{"progressToken": "tok", "progress": 1e-6, "message": "s is still working"}]
    await seconds_later(rig, 22)
    assert [each["progress"] for each in progress(asked)] == [1e-6, 2e-6]
    server.last.reply(server.last.requests("tools/call")[0]["id"], {"content": []})
    await asked.result()


async def test_a_client_that_did_not_ask_for_progress_hears_nothing(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    asked = client.call("t")
    await server.last.wait_for("tools/call")
    await seconds_later(rig, 60)
    assert asked.before == []


async def test_signs_of_life_repeat_what_the_server_said_last_and_never_take_its_next_value(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    client = await rig.client()
    asked = client.call("t", **WITH_TOKEN)
    token = (await server.last.wait_for("tools/call"))["params"]["_meta"]["progressToken"]
    server.last.tell("notifications/progress", {"progressToken": token, "progress": 3, "total": 7, "message": "Half"})
    await seconds_later(rig, 9)
    await seconds_later(rig, 11)
    await seconds_later(rig, 22)
    server.last.tell("notifications/progress", {"progressToken": token, "progress": 4, "total": 7})
    first, beat, again, last = progress(asked)
    assert (first["progress"], last["progress"]) == (3, 4)
    assert 3 < beat["progress"] < again["progress"] < 3.001
    assert (again["total"], again["message"], again["progressToken"]) == (7, "Half", "tok")


@pytest.mark.parametrize("reports", [(0, 0.5, 1), (5, 5, 5), (-3, 2, 1), (1e15, 2e15)])
def test_whatever_a_server_reports_the_values_a_client_sees_only_rise(reports: tuple[float, ...]) -> None:
    kept = Progress(Raw(b'"t"'))
    sent = [kept.sign_of_life("w", 0.0)]
    for value in reports:
        sent += [
            kept.reported({"progress": Raw(jsonrpc.encode(value))}),
            kept.sign_of_life("w", 0.0),
            kept.sign_of_life("w", 0.0),
        ]
    values = [jsonrpc.decode(jsonrpc.fields(jsonrpc.parse(message).params)["progress"]) for message in sent]
    assert all(before < after for before, after in pairwise(values)), values


def test_without_signs_of_life_reports_stay_as_the_server_made_them() -> None:
    kept = Progress(Raw(b'"t"'))
    odd = {"progress": Raw(b'"half"'), "later": Raw(b"[1]")}
    assert kept.reported(odd).endswith(b'"params":{"progress":"half","later":[1],"progressToken":"t"}}')
    assert b'"later":[1]' in kept.sign_of_life("w", 0.0)


async def test_a_call_that_waits_for_its_server_hears_why_and_the_values_go_on_from_there(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server, long_lived=True)
    client = await rig.client()
    server.gate.clear()
    asked = client.call("t", **WITH_TOKEN)
    await eventually(lambda: len(server.transports) == 2)
    await seconds_later(rig, 11)
    await seconds_later(rig, 22)
    server.gate.set()
    await server.last.wait_for("tools/call")
    await seconds_later(rig, 33)
    assert [each["progress"] for each in progress(asked)] == [1e-6, 2e-6, 3e-6]
    assert [each["message"] for each in progress(asked)] == ["s is starting"] * 2 + ["s is still working"]


async def test_they_are_looked_after_while_there_are_any_and_no_longer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_calls, "_LOOK", 0.01)
    server = holding("s", "t")
    await rig.start(server)
    calls = rig.gateway.open_calls
    calls.silence = 0.05
    client = await rig.client()
    asked = client.call("t", **WITH_TOKEN)
    await eventually(lambda: len(progress(asked)) >= 2)
    server.last.reply(server.last.requests("tools/call")[0]["id"], {"content": []})
    await asked.result()
    await eventually(lambda: calls._looking is not None and calls._looking.done())


# Time limits.


async def test_a_call_past_its_time_limit_is_an_error_and_the_server_is_told(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server)
    await rig.enable("s", choices={"s": ServerChoice(call_timeout=30.0)})
    client = await rig.client()
    asked = client.call("t")
    number = (await server.last.wait_for("tools/call"))["id"]
    await seconds_later(rig, 29)
    assert not asked.done
    await seconds_later(rig, 31)
    assert (await asked.error())["message"] == "s did not answer within 30 s, the time limit set for its calls"
    told = server.last.requests("notifications/cancelled")[0]["params"]
    assert told == {"reason": "the time limit is reached", "requestId": number}
    server.last.reply(number, {"content": []})  # too late, and not an answer to anything


async def test_the_time_a_server_takes_to_start_is_not_counted(rig: Rig) -> None:
    server = holding("s", "t")
    await rig.start(server, long_lived=True)
    await rig.enable("s", choices={"s": ServerChoice(call_timeout=0.2)})
    client = await rig.client()
    server.gate.clear()
    asked = client.call("t")
    await asyncio.sleep(0.25)
    await seconds_later(rig, 60)
    assert not asked.done
    server.gate.set()
    await server.last.wait_for("tools/call")
    await seconds_later(rig, 0.1)
    assert not asked.done
    await seconds_later(rig, 0.3)
    await asked.error()


async def test_after_a_pause_of_the_whole_program_answers_that_came_meanwhile_are_taken_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_calls, "_LOOK", 0.02)
    server = holding("s", "t")
    await rig.start(server)
    await rig.enable("s", choices={"s": ServerChoice(call_timeout=0.3)})
    client = await rig.client()
    asked = client.call("t")
    number = (await server.last.wait_for("tools/call"))["id"]
    rig.gateway.open_calls.watch()
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().call_later(0.001, server.last.reply, number, {"content": []})
    time.sleep(0.5)
    await asked.result()


# The list.


async def test_the_calls_under_way_are_listed_and_one_can_be_cancelled(rig: Rig) -> None:
    server, other = holding("s", "t"), FakeServer("other", "u")
    await rig.start(server, other)
    client = await rig.client()
    first, second = client.call("t"), client.call("t")
    await server.last.wait_for("tools/call", 2)
    calls = rig.gateway.open_calls
    shown = calls.running()
    assert [(call.client, call.server, call.tool) for call in shown] == [("test 1", "s", "t")] * 2
    assert shown[0].seconds >= shown[1].seconds >= 0
    calls.cancel(shown[0].id)
    assert (await first.error())["message"] == "The call was cancelled in MCP Gateway"
    assert server.last.requests("notifications/cancelled")[0]["params"]["reason"] == "cancelled by the person"
    assert [call.id for call in calls.running()] == [shown[1].id]
    calls.cancel(shown[0].id)
    assert not second.done


async def test_a_call_that_waits_for_its_server_can_be_cancelled_too(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await rig.start(server, long_lived=True)
    client = await rig.client()
    server.gate.clear()
    asked = client.call("t")
    await eventually(lambda: len(server.transports) == 2)
    (shown,) = rig.gateway.open_calls.running()
    assert (shown.server, shown.tool) == ("s", "t")
    rig.gateway.open_calls.cancel(shown.id)
    assert (await asked.error())["message"] == "The call was cancelled in MCP Gateway"
    server.gate.set()
