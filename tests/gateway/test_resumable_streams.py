"""Streams that break off in the middle of a call, and batches, on a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop.gateway import resumption
from desktop.servers.event_stream import EventParser, ServerSentEvent
from tests.gateway.test_http_endpoint import LARGE, Web, web
from tests.helpers.fake_mcp import LIMIT, eventually

__all__ = ["web"]


class Stream:
    """An open event stream, with the ids of its events."""

    def __init__(self, answer: httpx.Response) -> None:
        self._pieces = answer.aiter_bytes()
        self._parser = EventParser()
        self._waiting: list[ServerSentEvent] = []
        self.last = ""

    async def event(self) -> ServerSentEvent | None:
        async with asyncio.timeout(LIMIT):
            while not self._waiting:
                try:
                    self._waiting = self._parser.feed(await anext(self._pieces))
                except StopAsyncIteration:
                    return None
        event = self._waiting.pop(0)
        self.last = event.id or self.last
        return event

    async def message(self) -> Any:
        while (event := await self.event()) is not None:
            if event.data:
                return json.loads(event.data)
        return None


@contextlib.asynccontextmanager
async def stream(web: Web, session: str, message: Any = None, last: str = "") -> AsyncIterator[Stream]:
    headers = {"Mcp-Session-Id": session} | ({"Last-Event-ID": last} if last else {})
    content = json.dumps(message) if message is not None else None
    method = "GET" if message is None else "POST"
    async with web.http.stream(method, "/mcp", headers=headers, content=content) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        yield Stream(answer)


def tell(web: Web, number: int) -> None:
    web.server.last.tell("notifications/message", {"level": "info", "data": number})


@pytest.mark.parametrize("padding", ["", LARGE], ids=["short way", "long way"])
async def test_the_rest_of_a_call_and_its_answer_come_on_a_stream_that_continues_it(web: Web, padding: str) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    call = asyncio.create_task(web.server.last.wait_for("tools/call"))
    sending = asyncio.create_task(_first_event(web, session, web.call("c", padding=padding)))
    sent = await call
    tell(web, 1)
    last = await sending
    tell(web, 2)
    tell(web, 3)
    async with stream(web, session, last=last) as rest:
        assert [(await rest.message())["params"]["data"] for _ in range(2)] == [2, 3]
        web.server.last.reply(sent["id"], {"done": True})
        assert await rest.message() == {"jsonrpc": "2.0", "id": "c", "result": {"done": True}}
        assert await rest.event() is None


async def _first_event(web: Web, session: str, message: Any) -> str:
    """Read the first message of a call's stream, then break the connection off."""
    async with stream(web, session, message) as answer:
        assert (await answer.message())["params"]["data"] == 1
        return answer.last


async def test_what_was_sent_and_lost_on_the_way_is_sent_again(web: Web) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    sending = asyncio.create_task(_first_event(web, session, web.call("c")))
    sent = await web.server.last.wait_for("tools/call")
    for number in (1, 2, 3):
        tell(web, number)
    last = await sending
    web.server.last.reply(sent["id"], {"done": True})
    await eventually(lambda: not next(iter(web.rig.gateway.sessions.values())).calls)
    for _ in range(2):  # as often as the client asks
        async with stream(web, session, last=last) as rest:
            assert [(await rest.message())["params"]["data"] for _ in range(2)] == [2, 3]
            assert (await rest.message())["result"] == {"done": True}
            assert await rest.event() is None


async def test_a_second_reader_takes_the_stream_from_the_first(web: Web) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    async with contextlib.AsyncExitStack() as stack:
        opening = asyncio.create_task(stack.enter_async_context(stream(web, session, web.call("c"))))
        sent = await web.server.last.wait_for("tools/call")
        tell(web, 1)
        first = await opening
        assert (await first.message())["params"]["data"] == 1
        async with stream(web, session, last=first.last) as second:
            assert await first.message() is None
            tell(web, 2)
            assert (await second.message())["params"]["data"] == 2
            web.server.last.reply(sent["id"])
            assert (await second.message())["id"] == "c"


async def test_the_standing_stream_is_continued_without_a_gap_or_a_repeat(web: Web) -> None:
    session = await web.open()
    (known,) = web.rig.gateway.sessions.values()
    async with stream(web, session) as first:
        for number in range(3):
            known.deliver(b'{"jsonrpc":"2.0","method":"n%d"}' % number)
        assert (await first.message())["method"] == "n0"
        last = first.last
    known.deliver(b'{"jsonrpc":"2.0","method":"n3"}')
    async with stream(web, session, last=last) as second:
        assert [(await second.message())["method"] for _ in range(3)] == ["n1", "n2", "n3"]


@pytest.mark.parametrize("last", ["99-1", "nonsense", "0", "1-", "-", "\xff-1"])
async def test_an_event_nobody_knows_gets_an_empty_stream(web: Web, last: str) -> None:
    session = await web.open()
    answer = await web.http.get("/mcp", headers={"Mcp-Session-Id": session, "Last-Event-ID": last.encode("latin-1")})
    assert (answer.status_code, answer.content) == (200, b"")


async def test_old_streams_are_forgotten(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumption, "_MOST_STREAMS", 3)
    session = await web.open()
    (known,) = web.rig.gateway.sessions.values()

    def chatty(transport: Any, message: Any) -> Any:
        transport.tell("notifications/message", {"level": "info", "data": 1})
        return {}

    web.server.handlers["tools/call"] = chatty
    for number in range(6):
        await web.post(web.call(number), session)
    assert len(known.resumption._streams) == 3


async def test_a_stream_keeps_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumption, "_MOST_EVENTS", 4)
    kept = resumption.Resumption().standalone
    for number in range(10):
        kept.event(b"%d" % number)
    assert [event.split(b"data: ")[1] for event in kept.since(0)] == [b"6\n\n", b"7\n\n", b"8\n\n", b"9\n\n"]
    monkeypatch.setattr(resumption, "_MOST_BYTES", 2_000)
    for _ in range(4):
        kept.event(b"x" * 900)
    assert len(kept.since(0)) == 2
    assert kept.size < 2_000


async def test_clients_of_older_revisions_get_no_event_without_data(web: Web) -> None:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}}
    answer = await web.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    session = answer.headers["mcp-session-id"]

    def chatty(transport: Any, message: Any) -> Any:
        transport.tell("notifications/message", {"level": "info", "data": 1})
        return {}

    web.server.handlers["tools/call"] = chatty
    old = await web.post(web.call(1), session)
    new = await web.post(web.call(1), await web.open())
    assert b"data: \n" not in old.content
    assert b"data: \n" in new.content


# Batches.


async def batching(web: Web) -> str:
    params = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {}}
    answer = await web.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    return str(answer.headers["mcp-session-id"])


async def test_a_batch_is_answered_by_one(web: Web) -> None:
    session = await batching(web)
    messages = [
        web.call(1),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": "two", "method": "tools/list"},
        7,
        {"jsonrpc": "2.0", "id": 3, "method": "initialize", "params": {}},
    ]
    answers = (await web.post(messages, session)).json()
    found = {answer["id"]: next(iter(set(answer) & {"result", "error"})) for answer in answers}
    assert found == {1: "result", "two": "result", None: "error", 3: "error"}


async def test_a_batch_without_requests_is_accepted(web: Web) -> None:
    session = await batching(web)
    answer = await web.post([{"jsonrpc": "2.0", "method": "notifications/initialized"}], session)
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize("body", [b"[]", b"[1", b"[{}]x"])
async def test_what_is_no_batch_is_a_bad_request(web: Web, body: bytes) -> None:
    session = await batching(web)
    assert (await web.post(body, session)).status_code == 400


async def test_other_revisions_have_no_batches(web: Web) -> None:
    answer = await web.post([web.call(1)], await web.open())
    assert answer.status_code == 400
    assert "2025-11-25 has no batches" in answer.json()["error"]["message"]


async def test_a_batch_of_a_server_is_taken_apart(web: Web) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    calling = [asyncio.create_task(web.post(web.call(number), session)) for number in (1, 2)]
    await web.server.last.wait_for("tools/call", 2)
    sent = web.server.last.requests("tools/call")
    parts = [{"jsonrpc": "2.0", "id": item["id"], "result": {"n": item["id"]}} for item in sent]
    web.server.last.say(json.dumps(parts).encode())
    answers = [(await task).json() for task in calling]
    assert sorted(answer["id"] for answer in answers) == [1, 2]
    assert all("n" in answer["result"] for answer in answers)
