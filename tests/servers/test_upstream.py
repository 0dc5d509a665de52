"""One connection to a server, shared by many sessions: nothing is mixed up, nothing hangs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import ServerGoneError, ServerStartError, SignInRequiredError
from desktop.gateway.session import Session
from desktop.jsonrpc import Envelope
from desktop.servers.call_sink import CallSink
from desktop.servers.stderr_log import StderrLog
from desktop.servers.upstream import EVERY_CAPABILITY, Upstream
from tests.helpers.fake_mcp import LIMIT, FakeServer, FakeTransport

Json = dict[str, Any]


class Sink:
    """The asking side of one request."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session
        self.sent: list[Json] = []
        self.finished: list[Json] = []

    def send(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    def finish(self, message: bytes) -> None:
        self.finished.append(json.loads(message))


class Listener:
    """Keeps what the server says on its own account."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, CallSink | None]] = []
        self.told: list[tuple[str, CallSink | None]] = []
        self.closed: list[str] = []
        self.renewed = 0
        self.ended = 0

    def server_request(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        self.asked.append((message.method or "", sink))

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        self.told.append((message.method or "", sink))

    def upstream_renewed(self, upstream: Upstream) -> None:
        self.renewed += 1

    def upstream_closed(self, upstream: Upstream, reason: str) -> None:
        self.closed.append(reason)

    def upstream_ended(self, upstream: Upstream) -> None:
        self.ended += 1


def built(
    server: FakeServer | None = None, owner: Session | None = None
) -> tuple[Upstream, FakeTransport, Listener, FakeServer]:
    server = server or FakeServer("srv", "t")
    server.held.add("tools/call")
    listener = Listener()
    transport = FakeTransport(server, StderrLog(lambda text: text))
    return Upstream("srv", transport, listener, owner), transport, listener, server


async def opened(owner: Session | None = None) -> tuple[Upstream, FakeTransport, Listener]:
    upstream, transport, listener, _ = built(owner=owner)
    await upstream.open(time_limit=LIMIT)
    return upstream, transport, listener


def call(id: Any = 1, params: Json | None = None) -> Envelope:
    data = json.dumps({"name": "t"} if params is None else params).encode()
    return jsonrpc.parse(jsonrpc.request(id, "tools/call", data))


async def test_the_handshake_says_who_we_are_and_what_clients_can() -> None:
    upstream, transport, _ = await opened()
    hello, done = transport.got
    assert hello["params"]["capabilities"] == json.loads(EVERY_CAPABILITY)
    assert hello["params"]["protocolVersion"] == transport.version == "2025-11-25"
    assert done == {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (upstream.alive, upstream.calls) == (True, 0)


async def test_a_connection_of_a_sessions_own_tells_the_server_what_that_client_can() -> None:
    session = Session("stdio")
    session.introduce({"capabilities": Raw(b'{"sampling":{"tools":{}},"experimental":{"x":1}}')})
    _, transport, _ = await opened(owner=session)
    assert transport.got[0]["params"]["capabilities"] == {"sampling": {"tools": {}}, "experimental": {"x": 1}}


@pytest.mark.parametrize(
    "result",
    [
        {},
        [],
        "text",
        {"protocolVersion": "2025-11-25", "capabilities": []},
        {"capabilities": {}},
    ],
)
async def test_an_answer_to_initialize_that_is_not_mcp_is_named(result: Any) -> None:
    upstream, _, _, server = built()
    server.handlers["initialize"] = lambda *_: result
    with pytest.raises(ServerStartError, match="srv answered initialize with something that is not MCP"):
        await upstream.open(time_limit=LIMIT)


async def test_an_error_to_initialize_is_passed_on_in_words() -> None:
    upstream, _, _, server = built()

    def refuse(*_: Any) -> Any:
        raise ValueError("no licence")

    server.handlers["initialize"] = refuse
    with pytest.raises(ServerStartError, match="srv answered initialize with: no licence"):
        await upstream.open(time_limit=LIMIT)


async def test_a_server_that_never_answers_fails_after_its_time_with_its_last_words() -> None:
    upstream, transport, _, server = built()
    server.held.add("initialize")
    transport.log.add(b"waiting for the database")
    with pytest.raises(ServerStartError, match=r"^srv did not answer within 0 s: waiting for the database") as caught:
        await upstream.open(time_limit=0.02)
    assert caught.value.hint
    assert not transport.requests("notifications/cancelled")


async def test_a_server_that_ends_during_the_handshake_gives_its_own_reason() -> None:
    upstream, transport, listener, server = built()
    server.held.add("initialize")
    opening = asyncio.create_task(upstream.open(time_limit=LIMIT))
    await transport.wait_for("initialize")
    transport.break_off("srv ended with exit code 3: no key")
    with pytest.raises(ServerStartError) as caught:
        await opening
    assert caught.value.message == "srv ended with exit code 3: no key"
    assert listener.closed == []


async def test_a_server_that_ends_right_behind_its_answer_has_not_started() -> None:
    upstream, _, _, server = built()

    def answer_and_end(via: FakeTransport, message: Json) -> Any:
        asyncio.get_running_loop().call_soon(via.break_off, "srv ended")
        return {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}

    server.handlers["initialize"] = answer_and_end
    with pytest.raises(ServerStartError, match=r"^srv ended$"):
        await upstream.open(time_limit=LIMIT)
    assert not upstream.alive


async def test_the_cause_a_transport_knows_is_the_error_that_is_raised() -> None:
    upstream, transport, _, server = built()
    server.held.add("initialize")
    opening = asyncio.create_task(upstream.open(time_limit=LIMIT))
    await transport.wait_for("initialize")
    upstream.closed("srv wants you to sign in", SignInRequiredError("srv wants you to sign in"))
    with pytest.raises(SignInRequiredError):
        await opening


async def test_ids_of_any_type_and_session_come_back_to_whoever_used_them() -> None:
    upstream, transport, _ = await opened()
    sinks = [Sink() for _ in range(6)]
    ids: list[Any] = [1, "1", 1, 1.5, "a", 123456789012345678901234567890]
    numbers = [upstream.forward(call(id), sink) for id, sink in zip(ids, sinks, strict=True)]
    assert len(set(numbers)) == 6
    for number in reversed(numbers):
        transport.reply(number, {"for": number})
    for id, sink, number in zip(ids, sinks, numbers, strict=True):
        assert sink.finished == [{"jsonrpc": "2.0", "id": id, "result": {"for": number}}]
    assert upstream.calls == 0


async def test_equal_progress_tokens_of_two_sessions_reach_only_their_own_call() -> None:
    upstream, transport, _ = await opened()
    a, b = Sink(Session("a")), Sink(Session("b"))
    tokens: dict[str, Any] = {"name": "t", "_meta": {"progressToken": "same", "x-keep": 1.5}}
    numbers = [upstream.forward(call(1, tokens), sink) for sink in (a, b)]
    seen = [message["params"]["_meta"] for message in transport.requests("tools/call")]
    assert seen == [{"progressToken": number, "x-keep": 1.5} for number in numbers]
    transport.tell("notifications/progress", {"progressToken": numbers[1], "progress": 0.5, "x": 1})
    assert a.sent == []
    assert b.sent[0]["params"] == {"progressToken": "same", "progress": 0.5, "x": 1}


@pytest.mark.parametrize("token", [99, "1", True, None, [1], 1.5])
async def test_progress_for_nobody_is_dropped(token: Any) -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    upstream.forward(call(1, {"name": "t", "_meta": {"progressToken": 7}}), sink)
    transport.tell("notifications/progress", {"progressToken": token, "progress": 1})
    transport.tell("notifications/progress")
    assert sink.sent == []


async def test_a_call_without_a_progress_token_gets_no_progress() -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call(1, {"name": "progressToken"}), sink)
    transport.tell("notifications/progress", {"progressToken": number, "progress": 1})
    assert sink.sent == []


async def test_a_cancelled_call_is_cancelled_at_the_server_and_its_late_answer_dropped() -> None:
    upstream, transport, _ = await opened()
    sink, other = Sink(), Sink()
    number = upstream.forward(call("c"), sink)
    upstream.forward(call("d"), other)
    upstream.cancel(number, {"requestId": Raw(b'"c"'), "reason": Raw(b'"why"')})
    cancelled = transport.requests("notifications/cancelled")
    assert [message["params"] for message in cancelled] == [{"requestId": number, "reason": "why"}]
    transport.reply(number)
    upstream.cancel(number, {})
    assert (sink.finished, other.finished, upstream.calls) == ([], [], 1)
    assert len(transport.requests("notifications/cancelled")) == 1


async def test_answers_nobody_waits_for_are_dropped() -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call(), sink)
    for id in (number + 1, str(number), None, 0, -1):
        transport.reply(id)
    assert sink.finished == []
    transport.reply(float(number))
    transport.reply(number)
    assert len(sink.finished) == 1


async def test_an_error_without_an_id_on_the_stream_of_a_call_answers_that_call() -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call("x"), sink)
    transport.say({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "bad"}}, number)
    assert sink.finished == [{"jsonrpc": "2.0", "id": "x", "error": {"code": -32600, "message": "bad"}}]


async def test_closing_answers_everything_under_way_and_what_comes_after() -> None:
    upstream, transport, listener = await opened()
    sinks = [Sink() for _ in range(3)]
    for sink in sinks[:2]:
        upstream.forward(call("x"), sink)
    await upstream.close()
    upstream.forward(call("x"), sinks[2])
    for sink in sinks:
        (answer,) = sink.finished
        assert (answer["id"], answer["error"]) == ("x", {"code": -32000, "message": "srv was stopped"})
    assert (upstream.alive, transport.closed, listener.closed) == (False, True, [])


async def test_a_crash_answers_everything_under_way_and_is_told_once() -> None:
    upstream, transport, listener = await opened()
    sink = Sink()
    upstream.forward(call(), sink)
    sent = len(transport.got)
    transport.break_off("srv ended with exit code 7: oops")
    upstream.closed("again")
    upstream.notify("notifications/roots/list_changed")
    upstream.answer(jsonrpc.response(5, b"{}"))
    assert sink.finished[0]["error"]["message"] == "srv ended with exit code 7: oops"
    assert listener.closed == ["srv ended with exit code 7: oops"]
    assert len(transport.got) == sent


async def test_a_question_of_ours_that_is_too_slow_is_cancelled_at_the_server() -> None:
    upstream, transport, _ = await opened()
    with pytest.raises(TimeoutError):
        await upstream.request("tools/call", time_limit=0.02)
    number = transport.requests("tools/call")[0]["id"]
    assert transport.requests("notifications/cancelled")[0]["params"] == {"requestId": number}
    assert upstream.calls == 0


async def test_a_question_of_ours_fails_with_the_servers_words() -> None:
    upstream, transport, _ = await opened()
    asking = asyncio.create_task(upstream.request("tools/call", time_limit=LIMIT))
    number = (await transport.wait_for("tools/call"))["id"]
    transport.say({"jsonrpc": "2.0", "id": number, "error": {"code": 1, "message": "not today"}})
    with pytest.raises(ServerGoneError, match="srv answered tools/call with: not today"):
        await asking


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"id":true}', b'{"jsonrpc":5}'])
async def test_something_that_is_no_message_disturbs_nothing(data: bytes) -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call(), sink)
    transport.say(data)
    transport.reply(number)
    assert len(sink.finished) == 1


async def test_something_that_is_no_message_on_the_stream_of_a_call_ends_that_call() -> None:
    upstream, transport, _ = await opened()
    sink, other = Sink(), Sink()
    number = upstream.forward(call("x"), sink)
    upstream.forward(call("y"), other)
    transport.say(b"<html>", number)
    assert sink.finished[0]["error"]["message"] == "srv sent an answer that is not JSON-RPC"
    assert other.finished == []


async def test_a_malformed_notification_on_the_stream_of_a_call_does_not_end_it() -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call(), sink)
    transport.say(b'{"jsonrpc":"2.0","method":"notifications/progress","params":[]}', number)
    assert sink.finished == []


async def test_an_answer_with_half_an_emoji_still_arrives() -> None:
    upstream, transport, _ = await opened()
    sink = Sink()
    number = upstream.forward(call(), sink)
    transport.say(b'{"jsonrpc":"2.0","id":%d,"result":{"text":"cut \\ud83d"}}' % number)
    assert sink.finished[0]["result"] == {"text": "cut �"}


async def test_a_ping_of_the_server_is_answered_here() -> None:
    _, transport, listener = await opened()
    transport.ask("p", "ping")
    assert transport.answers() == [{"jsonrpc": "2.0", "id": "p", "result": {}}]
    assert listener.asked == []


async def test_a_question_belongs_to_the_only_call_or_to_nobody() -> None:
    upstream, transport, listener = await opened()
    one, two = Sink(Session("a")), Sink(Session("b"))
    transport.ask(1, "roots/list")
    first = upstream.forward(call(), one)
    transport.ask(2, "roots/list")
    upstream.forward(call(), two)
    transport.ask(3, "roots/list")
    transport.say({"jsonrpc": "2.0", "id": 4, "method": "roots/list"}, first)
    assert [sink for _, sink in listener.asked] == [None, one, None, one]
    assert upstream.sole_session() is None


async def test_a_session_with_several_calls_is_still_the_only_session() -> None:
    upstream, _, _ = await opened()
    session = Session("a")
    for _ in range(2):
        upstream.forward(call(), Sink(session))
    assert upstream.sole_session() is session


async def test_a_session_that_goes_takes_only_its_own_calls_along() -> None:
    upstream, transport, _ = await opened()
    gone, stays = Session("a"), Session("b")
    number = upstream.forward(call(), Sink(gone))
    kept = Sink(stays)
    upstream.forward(call(), kept)
    upstream.forget(gone)
    assert [m["params"]["requestId"] for m in transport.requests("notifications/cancelled")] == [number]
    assert (upstream.calls, kept.finished) == (1, [])


async def test_an_answer_is_passed_on_byte_for_byte() -> None:
    class Bytes(Sink):
        raw = b""

        def finish(self, message: bytes) -> None:
            self.raw = message

    upstream, transport, _ = await opened()
    sink = Bytes()
    number = upstream.forward(call("id-é"), sink)
    payload = b'{"n":1e400,"f":1.0,"big":123456789012345678901234567890,"t":"\\u00e9", "_x" : [ ]}'
    transport.say(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (number, payload))
    assert sink.raw == '{"jsonrpc":"2.0","id":"id-é","result":'.encode() + payload + b"}"


async def test_params_are_passed_on_byte_for_byte() -> None:
    upstream, transport, _ = await opened()
    payload = b'{"name":"t","arguments":{"n":1e400,"f":1.0,"t":"\\u00e9"}, "_x" : [ ]}'
    number = upstream.forward(jsonrpc.parse(jsonrpc.request(1, "tools/call", payload)), Sink())
    assert transport.raw[-1] == b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":%b}' % (number, payload)
