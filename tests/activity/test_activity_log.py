"""Calls on their way through a gateway end up in the log, without secrets, and cost nothing that can be noticed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from desktop.activity import log as activity_log
from desktop.activity.log import LONGEST_TEXT, ActivityLog, EndedCall
from desktop.activity.record import CallFilter, CallRecord, Outcome
from desktop.activity.retention import Retention
from desktop.gateway.call_recorder import CallRecorder
from desktop.secrets.redaction import Redactor
from tests.gateway.conftest import Rig, rig
from tests.helpers.fake_mcp import FakeServer, eventually

__all__ = ["rig"]

SECRET = "correct-horse-battery-staple"
EVERYTHING = CallFilter()


@pytest.fixture
async def activity(tmp_path: Path) -> AsyncIterator[ActivityLog]:
    redactor = Redactor()
    redactor.add(SECRET)
    made = ActivityLog(tmp_path / "activity.db", redactor.clean_beginning)
    yield made
    await made.close()


def ended(**more: Any) -> EndedCall:
    usual: dict[str, Any] = {
        "at": time.time(),
        "client": "c 1",
        "server": "s",
        "tool": "t",
        "seconds": 0.1,
        "params": b'{"name":"t","arguments":{"a":1}}',
        "sent": 32,
        "answer": b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}',
        "received": 48,
    }
    return EndedCall(**{**usual, **more})


async def kept(activity: ActivityLog, *calls: EndedCall) -> tuple[CallRecord, ...]:
    got: list[CallRecord] = []
    unsubscribe = activity.added.subscribe(got.extend)
    for item in calls:
        activity.ended(item)
    await eventually(lambda: len(got) == len(calls))
    unsubscribe()
    return tuple(got)


async def test_calls_through_the_gateway_are_recorded_with_who_what_how_long_and_how(
    rig: Rig, activity: ActivityLog
) -> None:
    server = FakeServer("s", "works", "fails", "hangs")
    server.handlers["tools/call"] = lambda _, message: (
        {"content": [{"type": "text", "text": "no luck\nat all"}], "isError": True}
        if message["params"]["name"] == "fails"
        else {"content": [{"type": "text", "text": "fine"}]}
    )
    recorder = CallRecorder(activity, lambda session, tool: "s")
    await rig.start(server, gateway={"call_log": recorder})
    client = await rig.client()
    got: list[CallRecord] = []
    activity.added.subscribe(got.extend)
    await client.ask("tools/call", {"name": "works", "arguments": {"x": "y"}}).result()
    await client.call("fails").result()
    server.held.add("tools/call")
    hanging = client.call("hangs")
    await eventually(lambda: rig.gateway.open_calls.running())
    client.tell("notifications/cancelled", {"requestId": hanging.id})
    await eventually(lambda: len(got) == 3)
    assert [(record.tool, record.outcome, record.reason) for record in got] == [
        ("works", Outcome.OK, ""),
        ("fails", Outcome.TOOL_ERROR, "no luck"),
        ("hangs", Outcome.CANCELLED, ""),
    ]
    assert {(record.client, record.server) for record in got} == {("test 1", "s")}
    assert got[0].sent > 20
    assert got[0].received > 20
    details = await activity.details(got[0].id)
    assert details is not None
    assert json.loads(details.arguments) == {"x": "y"}
    assert json.loads(details.result)["content"][0]["text"] == "fine"


async def test_no_secret_is_kept_not_even_the_beginning_of_one_that_was_cut(
    activity: ActivityLog, tmp_path: Path
) -> None:
    filler = b"x" * (LONGEST_TEXT - 40)
    cut = b'{"jsonrpc":"2.0","result":"' + filler + SECRET.encode()
    records = await kept(
        activity,
        ended(
            params=json.dumps({"arguments": {"token": SECRET}}).encode(),
            answer=json.dumps({"error": {"message": f"bad token {SECRET}"}}).encode(),
        ),
        ended(answer=cut[:LONGEST_TEXT]),
    )
    assert records[0].reason == "bad token •••"
    await activity.export(tmp_path / "out.jsonl", EVERYTHING)
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert SECRET.encode() not in data, file
        assert b"correct-h" not in data, file
    details = await activity.details(records[1].id)
    assert details is not None
    assert details.result.endswith("x•••")


async def test_nothing_is_kept_when_it_is_off_and_no_details_when_they_are(activity: ActivityLog) -> None:
    activity.retention = Retention(on=False)
    activity.ended(ended())
    activity.retention = Retention(details=False)
    (record,) = await kept(activity, ended(tool="only this"))
    details = await activity.details(record.id)
    assert details is not None
    assert (details.arguments, details.result) == ("", "")
    assert [found.tool for found in await activity.find(EVERYTHING)] == ["only this"]


async def test_calls_that_come_too_fast_are_counted_instead(
    activity: ActivityLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_log, "_MOST_AT_ONCE", 10)
    got: list[CallRecord] = []
    activity.added.subscribe(got.extend)
    for _ in range(25):
        activity.ended(ended())
    await eventually(lambda: len(got) == 10)
    assert activity.not_kept == 15


async def test_closing_keeps_what_still_waits(tmp_path: Path) -> None:
    first = ActivityLog(tmp_path / "a.db", str)
    first.ended(ended())
    await first.close()
    second = ActivityLog(tmp_path / "a.db", str)
    assert len(await second.find(EVERYTHING)) == 1
    await second.close()


async def test_a_disk_that_cannot_be_written_is_told_once_and_calls_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "own").write_text("a file", encoding="utf-8")
    activity = ActivityLog(tmp_path / "own" / "activity.db", str)
    with caplog.at_level("WARNING", "desktop.activity"):
        for _ in range(3):
            activity.ended(ended())
            await asyncio.sleep(0.15)
    assert caplog.text.count("own") == 1
    caplog.clear()
    await activity.close()


async def test_time_is_summed_up_and_an_export_has_every_call(activity: ActivityLog, tmp_path: Path) -> None:
    now = time.time()
    await kept(activity, ended(at=now - 5), ended(at=now - 65, answer=b'{"error":{"code":1,"message":"m"}}'))
    spans = await activity.spans(seconds=120, count=2)
    assert [(span.calls, span.errors) for span in spans] == [(1, 1), (1, 0)]
    assert await activity.export(tmp_path / "calls.jsonl", EVERYTHING) == 2
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["outcome"] for line in lines] == ["error", "ok"]
    await activity.clear()
    assert await activity.find(EVERYTHING) == ()


async def test_text_that_is_no_unicode_is_kept_as_far_as_it_is_and_later_calls_follow(activity: ActivityLog) -> None:
    odd = rb'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"half a pair: \ud83d"}}'
    (record,) = await kept(activity, ended(tool="t\ud800", answer=odd, params=rb'{"arguments":{"a":"\udc00"}}'))
    assert (record.tool, record.reason) == ("t?", "half a pair: ?")
    found = await activity.details(record.id)
    assert found is not None
    assert '"a": "?"' in found.arguments
    await kept(activity, ended())


async def test_a_call_that_can_not_be_kept_does_not_end_the_log(
    activity: ActivityLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(activity, "_told", lambda call: 1 / 0)
        activity.ended(ended())
        await eventually(lambda: "can't be kept" in caplog.text)
    await kept(activity, ended())
