"""The HTTP endpoint on a real socket: who is answered how, streams, and what becomes of sessions."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop.gateway import asgi, http_endpoint
from desktop.gateway.access import Access
from desktop.gateway.http_endpoint import HttpEndpoint
from desktop.gateway.listener import HttpListener, bind_tcp
from desktop.servers.event_stream import EventParser, ServerSentEvent
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, FakeServer, eventually, tool
from tests.helpers.gateway_client import EVERYTHING

TOKEN = "token-of-the-test"
LARGE = "x" * 100_000  # too large for the short way of a call
Json = dict[str, Any]


class Web:
    """An HTTP client of the endpoint, and the server behind the gateway."""

    def __init__(self, http: httpx.AsyncClient, rig: Rig, server: FakeServer) -> None:
        self.http = http
        self.rig = rig
        self.server = server
        self.ready = True

    async def post(self, message: Any, session: str = "", **headers: str) -> httpx.Response:
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        own = {"Mcp-Session-Id": session} if session else {}
        return await self.http.post("/mcp", content=content, headers=own | headers)

    async def open(self, **capabilities: Any) -> str:
        """Shake hands; returns the session id."""
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}
        answer = await self.post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        assert answer.status_code == 200, answer.text
        return str(answer.headers["mcp-session-id"])

    def call(self, id: Any = 1, **more: Any) -> Json:
        params = {"name": "t", "arguments": {}, **more}
        return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


@pytest.fixture
async def web(rig: Rig) -> AsyncIterator[Web]:
    server = FakeServer("s", "t")
    await rig.start(server)
    bound = bind_tcp("127.0.0.1", 0)
    endpoint = HttpEndpoint(rig.gateway, Access(TOKEN), lambda: made.ready)
    listener = HttpListener(endpoint, bound)
    await listener.start()
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=LIMIT, trust_env=False) as http:
        made = Web(http, rig, server)
        yield made
    await rig.gateway.close()
    async with asyncio.timeout(LIMIT):
        await listener.close()


class Events:
    """An open event stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._pieces = answer.aiter_bytes()
        self._parser = EventParser()
        self._waiting: list[ServerSentEvent] = []
        self.raw = b""

    async def next(self) -> ServerSentEvent | None:
        async with asyncio.timeout(LIMIT):
            while not self._waiting:
                try:
                    piece = await anext(self._pieces)
                except StopAsyncIteration:
                    return None
                self.raw += piece
                # One without data only tells an id.
                self._waiting = [event for event in self._parser.feed(piece) if event.data]
        return self._waiting.pop(0)

    async def message(self) -> Json:
        event = await self.next()
        assert event is not None
        return json.loads(event.data)

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(LIMIT):
            while text not in self.raw:
                self.raw += await anext(self._pieces)


@contextlib.asynccontextmanager
async def events(web: Web, method: str, path: str, session: str = "", message: Any = None) -> AsyncIterator[Events]:
    headers = {"Mcp-Session-Id": session} if session else {}
    content = None if message is None else json.dumps(message)
    async with web.http.stream(method, path, headers=headers, content=content) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        yield Events(answer)


# Who is let in.


async def test_health_needs_no_token_and_tells_when_everything_is_loaded(web: Web) -> None:
    headers = {"Authorization": ""}
    assert (await web.http.get("/health", headers=headers)).status_code == 200
    web.ready = False
    assert (await web.http.get("/health", headers=headers)).status_code == 503


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/message?sessionId=1"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://[::1"}, 403),
    ],
)
async def test_strangers_are_refused_everywhere(web: Web, path: str, headers: dict[str, str], status: int) -> None:
    session = await web.open()
    answer = await web.http.post(path, json=web.call(), headers={"Mcp-Session-Id": session, **headers})
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert web.server.last.requests("tools/call") == []


async def test_another_path_leads_to_the_endpoint_for_whoever_has_the_token(web: Web) -> None:
    answer = await web.http.get("/sse2", headers={"Authorization": f"bearer  {TOKEN}"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/mcp")


# Plain answers.


@pytest.mark.parametrize("padding", ["", LARGE])
async def test_a_call_without_messages_before_its_answer_is_answered_as_json(web: Web, padding: str) -> None:
    session = await web.open()
    for number in range(3):
        answer = await web.post(web.call(f"id {number}", padding=padding), session)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["id"] == f"id {number}"
        assert answer.json()["result"]["content"][0]["text"] == "s:t"


async def test_notifications_and_answers_are_accepted_without_a_body(web: Web) -> None:
    session = await web.open()
    for message in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 5, "result": {}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": [1]}},
    ):
        answer = await web.post(message, session)
        assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"null", -32700),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32700),
        (b"[" * 50_000, -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
    ],
    ids=["empty", "cut off", "null", "boolean id", "deep", "batch"],
)
async def test_a_body_that_is_no_message_is_a_bad_request(web: Web, body: bytes, code: int) -> None:
    answer = await web.post(body, await web.open())
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["id"]) == (400, code, None)


async def test_a_body_that_is_too_large_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_LIMIT", 200_000)
    session = await web.open()
    answer = await web.post(web.call(padding=LARGE * 5), session)
    assert answer.status_code == 413
    assert (await web.post(web.call(), session)).status_code == 200


async def test_without_a_session_only_initialize_is_taken(web: Web) -> None:
    answer = await web.post(web.call())
    assert answer.status_code == 400
    assert "initialize" in answer.json()["error"]["message"]
    assert (await web.http.get("/mcp")).status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_session_is_not_found(web: Web, method: str) -> None:
    content = json.dumps(web.call()) if method == "POST" else None
    answer = await web.http.request(method, "/mcp", content=content, headers={"Mcp-Session-Id": "unknown"})
    assert answer.status_code == 404


async def test_a_protocol_version_we_do_not_speak_is_a_bad_request(web: Web) -> None:
    session = await web.open()
    answer = await web.post(web.call(), session, **{"MCP-Protocol-Version": "1999-01-01"})
    assert answer.status_code == 400
    assert "1999-01-01" in answer.json()["error"]["message"]
    assert (await web.post(web.call(), session, **{"MCP-Protocol-Version": "2025-06-18"})).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(web: Web, method: str) -> None:
    answer = await web.http.request(method, "/mcp")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, DELETE")


async def test_a_stream_needs_a_client_that_takes_one(web: Web) -> None:
    session = await web.open()
    answer = await web.http.get("/mcp", headers={"Mcp-Session-Id": session, "Accept": "application/json"})
    assert answer.status_code == 406


# Streams.


@pytest.mark.parametrize("padding", ["", LARGE])
async def test_a_call_with_messages_before_its_answer_is_answered_as_a_stream(web: Web, padding: str) -> None:
    web.server.held.add("tools/call")
    session = await web.open()

    async def work() -> None:
        sent = await web.server.last.wait_for("tools/call")
        web.server.last.tell("notifications/message", {"level": "info", "data": "one"})
        web.server.last.tell("notifications/message", {"level": "info", "data": "two\nlines"})
        web.server.last.reply(sent["id"], {"done": True})

    working = asyncio.create_task(work())
    async with events(web, "POST", "/mcp", session, web.call("c", padding=padding)) as stream:
        assert (await stream.message())["params"]["data"] == "one"
        assert (await stream.message())["params"]["data"] == "two\nlines"
        assert await stream.message() == {"jsonrpc": "2.0", "id": "c", "result": {"done": True}}
        assert await stream.next() is None
    await working


@pytest.mark.parametrize("padding", ["", LARGE])
async def test_a_long_call_shows_signs_of_life(web: Web, monkeypatch: pytest.MonkeyPatch, padding: str) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.02)
    web.server.held.add("tools/call")
    session = await web.open()
    async with events(web, "POST", "/mcp", session, web.call(padding=padding)) as stream:
        await stream.until(b": alive\n\n: alive\n\n")
        web.server.last.reply(web.server.last.requests("tools/call")[0]["id"], {"done": True})
        assert (await stream.message())["result"] == {"done": True}
        assert await stream.next() is None


async def test_changed_lists_come_on_the_open_stream_also_those_from_before_it_opened(web: Web) -> None:
    session = await web.open()
    web.server.tools.append(tool("early"))
    web.server.last.tell("notifications/tools/list_changed")
    await eventually(lambda: "early" in web.rig.gateway.offer.tool_routes)
    async with events(web, "GET", "/mcp", session) as stream:
        assert (await stream.message())["method"] == "notifications/tools/list_changed"
        web.server.tools.append(tool("late"))
        web.server.last.tell("notifications/tools/list_changed")
        assert (await stream.message())["method"] == "notifications/tools/list_changed"


@pytest.mark.parametrize("padding", ["", LARGE])
async def test_a_question_of_a_server_comes_on_the_stream_of_the_call(web: Web, padding: str) -> None:
    web.server.held.add("tools/call")
    session = await web.open(**EVERYTHING)

    async def work() -> None:
        sent = await web.server.last.wait_for("tools/call")
        web.server.last.ask("q", "roots/list")
        answer = await web.server.last.wait_for_answer("q")
        web.server.last.reply(sent["id"], answer["result"])

    working = asyncio.create_task(work())
    async with events(web, "POST", "/mcp", session, web.call(padding=padding)) as stream:
        question = await stream.message()
        assert question["method"] == "roots/list"
        reply = {"jsonrpc": "2.0", "id": question["id"], "result": {"roots": [{"uri": "file:///x"}]}}
        assert (await web.post(reply, session)).status_code == 202
        assert (await stream.message())["result"] == {"roots": [{"uri": "file:///x"}]}
    await working


async def test_a_stream_that_broke_off_loses_nothing_for_the_next_one(web: Web) -> None:
    session = await web.open()
    async with events(web, "GET", "/mcp", session):
        await eventually(lambda: web.rig.gateway.sessions[session].listening)
    await eventually(lambda: not web.rig.gateway.sessions[session].listening)
    web.server.tools.append(tool("new"))
    web.server.last.tell("notifications/tools/list_changed")
    await eventually(lambda: "new" in web.rig.gateway.offer.tool_routes)
    async with events(web, "GET", "/mcp", session) as stream:
        assert (await stream.message())["method"] == "notifications/tools/list_changed"


async def test_cancelling_ends_the_request_without_an_answer(web: Web) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    asking = asyncio.create_task(web.post(web.call("c"), session))
    await web.server.last.wait_for("tools/call")
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "c"}}
    await web.post(cancel, session)
    assert (await asking).status_code == 202
    await web.server.last.wait_for("notifications/cancelled")


# The end of sessions.


async def test_deleting_a_session_cancels_its_calls_and_ends_its_streams(web: Web) -> None:
    web.server.held.add("tools/call")
    session, other = await web.open(), await web.open()
    async with events(web, "GET", "/mcp", session) as stream:
        await eventually(lambda: web.rig.gateway.sessions[session].listening)
        asking = asyncio.create_task(web.post(web.call(), session))
        await web.server.last.wait_for("tools/call")
        answer = await web.http.delete("/mcp", headers={"Mcp-Session-Id": session})
        assert answer.status_code == 200
        await web.server.last.wait_for("notifications/cancelled")
        assert await stream.next() is None
    assert (await asking).json()["error"]["message"] == "The session has ended"
    assert (await web.post(web.call(), session)).status_code == 404
    assert list(web.rig.gateway.sessions) == [other]


async def test_sessions_whose_clients_went_silently_are_ended_and_listening_ones_kept(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.02)
    listening, silent = await web.open(), None
    async with events(web, "GET", "/mcp", listening):
        await eventually(lambda: web.rig.gateway.sessions[listening].listening)
        monkeypatch.setattr(http_endpoint, "_SESSION_IDLE", 0.0)
        silent = await web.open()
        await eventually(lambda: silent not in web.rig.gateway.sessions)
        assert listening in web.rig.gateway.sessions


async def test_a_client_that_closes_its_connection_in_the_middle_of_a_call_does_no_harm(web: Web) -> None:
    web.server.held.add("tools/call")
    session = await web.open()
    asking = asyncio.create_task(web.post(web.call(), session))
    sent = await web.server.last.wait_for("tools/call")
    asking.cancel()
    await asyncio.wait([asking])
    web.server.last.reply(sent["id"])
    web.server.held.clear()
    assert (await web.post(web.call(2), session)).json()["id"] == 2


async def test_many_calls_at_once_on_many_connections_get_their_own_answers(web: Web) -> None:
    web.server.handlers["tools/call"] = lambda _, message: {"echo": message["params"]["arguments"]}
    sessions = [await web.open() for _ in range(5)]

    async def one(session: str, number: int) -> None:
        answer = await web.post(web.call(number, arguments={"n": number}), session)
        assert (answer.json()["id"], answer.json()["result"]) == (number, {"echo": {"n": number}})

    await asyncio.gather(*(one(session, number) for session in sessions for number in range(20)))


# HTTP with SSE (2024-11-05).


async def test_over_sse_everything_comes_on_the_one_stream_and_its_end_ends_the_session(web: Web) -> None:
    async with events(web, "GET", "/sse") as stream:
        endpoint = await stream.next()
        assert endpoint is not None
        assert endpoint.event == "endpoint"
        target = endpoint.data.decode()

        async def say(message: Any) -> httpx.Response:
            content = message if isinstance(message, bytes) else json.dumps(message).encode()
            return await web.http.post(target, content=content)

        params = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {}}
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        assert (await say(hello)).status_code == 202
        assert (await stream.message())["result"]["protocolVersion"] == "2024-11-05"
        await say(web.call("c"))
        assert (await stream.message())["id"] == "c"
        bad = await say(b"{")
        assert (bad.status_code, bad.json()["error"]["code"]) == (400, -32700)
        (session,) = web.rig.gateway.sessions.values()
        assert session.transport == "sse"
    await eventually(lambda: web.rig.gateway.sessions == {})
    assert (await say(web.call())).status_code == 404
    assert (await web.http.delete("/sse")).status_code == 405


async def test_closing_the_listener_ends_open_streams_quickly(rig: Rig) -> None:
    await rig.start(FakeServer("s", "t"))
    bound = bind_tcp("127.0.0.1", 0)
    listener = HttpListener(HttpEndpoint(rig.gateway, Access(None), lambda: True), bound)
    await listener.start()
    base = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with (
        httpx.AsyncClient(base_url=base, timeout=LIMIT, trust_env=False) as http,
        http.stream("GET", "/sse") as answer,
    ):
        stream = Events(answer)
        assert await stream.next() is not None
        async with asyncio.timeout(3):
            await listener.close()
        assert await stream.next() is None
