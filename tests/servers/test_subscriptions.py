"""The one stream on which a modern server tells of changes: opened as wanted, renewed, and opened again when it ends."""

from __future__ import annotations

from typing import Any

import pytest

from desktop import jsonrpc
from desktop.gateway.session import Session
from desktop.servers import subscriptions
from desktop.servers.managed_server import ManagedServer
from desktop.servers.upstream import Upstream
from tests.helpers.fake_mcp import FakeServer, FakeTransport, Refusal, eventually, modern
from tests.servers.conftest import Rig, client
from tests.servers.test_upstream import Sink

Json = dict[str, Any]
LISTEN = "subscriptions/listen"
OF_STREAM = "io.modelcontextprotocol/subscriptionId"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(subscriptions, "_LONGEST_PAUSE", 0.02)


def changing() -> FakeServer:
    server = modern(FakeServer("s", "t", resources=[{"uri": "x://1"}, {"uri": "x://2"}], prompts=[{"name": "p"}]))
    server.capabilities.update(
        tools={"listChanged": True}, resources={"subscribe": True}, prompts={"listChanged": False}
    )
    return server


async def started(rig: Rig, server: FakeServer) -> tuple[ManagedServer, FakeTransport]:
    found = (await rig.started(server)).servers["s"]
    await found.acquire(client())
    return found, server.last


def agree(transport: FakeTransport, listen: Json, **agreed: Any) -> None:
    wanted = listen["params"]["notifications"]
    transport.tell(
        "notifications/subscriptions/acknowledged",
        {"notifications": agreed or wanted, "_meta": {OF_STREAM: listen["id"]}},
    )


def subscribe(upstream: Upstream, uri: str, method: str = "subscribe") -> Sink:
    sink = Sink(client())
    message = jsonrpc.parse(jsonrpc.request(5, f"resources/{method}", jsonrpc.encode({"uri": uri})))
    upstream.forward(message, sink)
    return sink


async def test_what_the_server_announces_is_followed_from_the_beginning(rig: Rig) -> None:
    _, transport = await started(rig, changing())
    listen = await transport.wait_for(LISTEN)
    assert listen["params"]["notifications"] == {"toolsListChanged": True}
    assert listen["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"


async def test_a_server_that_announces_nothing_is_not_listened_to(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    found, transport = await started(rig, server)
    assert transport.requests(LISTEN) == []
    assert found.ready(None) is not None


async def test_a_subscription_is_answered_when_it_is_in_force(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    agree(transport, await transport.wait_for(LISTEN))
    sink = subscribe(upstream, "x://1")
    second = await transport.wait_for(LISTEN, 2)
    assert second["params"]["notifications"] == {"toolsListChanged": True, "resourceSubscriptions": ["x://1"]}
    assert sink.finished == transport.requests("notifications/cancelled") == []
    agree(transport, second)
    await eventually(lambda: sink.finished)
    assert sink.finished == [{"jsonrpc": "2.0", "id": 5, "result": {}}]
    first_ends = await transport.wait_for("notifications/cancelled")
    assert first_ends["params"] == {"requestId": transport.requests(LISTEN)[0]["id"]}
    assert upstream.calls == 0
    assert transport.requests("resources/subscribe") == []


async def test_the_stream_follows_what_is_wanted_now(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    agree(transport, await transport.wait_for(LISTEN))
    sinks = [subscribe(upstream, "x://1"), subscribe(upstream, "x://2")]
    both = await transport.wait_for(LISTEN, 2)
    assert both["params"]["notifications"]["resourceSubscriptions"] == ["x://1", "x://2"]
    agree(transport, both)
    await eventually(lambda: all(sink.finished for sink in sinks))
    assert subscribe(upstream, "x://1", "unsubscribe").finished[0]["result"] == {}
    third = await transport.wait_for(LISTEN, 3)
    assert third["params"]["notifications"]["resourceSubscriptions"] == ["x://2"]
    assert subscribe(upstream, "x://9", "unsubscribe").finished[0]["result"] == {}
    assert len(transport.requests(LISTEN)) == 3


async def test_a_server_that_does_not_agree_to_tell_of_resources_fails_the_subscription(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    agree(transport, await transport.wait_for(LISTEN))
    sink = subscribe(upstream, "x://1")
    agree(transport, await transport.wait_for(LISTEN, 2), toolsListChanged=True)
    await eventually(lambda: sink.finished)
    reason = "s can't be followed: the server does not tell of changed resources"
    assert sink.finished[0]["error"] == {"code": jsonrpc.METHOD_NOT_FOUND, "message": reason}


async def test_a_server_without_listening_is_asked_once(rig: Rig) -> None:
    server = changing()
    server.held.discard(LISTEN)

    def refuse(*_: Any) -> Any:
        raise Refusal(-32601, "Method not found")

    server.handlers[LISTEN] = refuse
    found, transport = await started(rig, server)
    await transport.wait_for(LISTEN)
    upstream = await found.acquire(client())
    await eventually(lambda: upstream.calls == 0)
    sink = subscribe(upstream, "x://1")
    await eventually(lambda: sink.finished)
    assert sink.finished[0]["error"]["message"] == "s can't be followed: Method not found"
    assert len(transport.requests(LISTEN)) == 1


@pytest.mark.parametrize("how", ["result", "error", "cancelled"])
async def test_a_stream_that_ends_is_opened_again_and_what_was_missed_is_told(rig: Rig, how: str) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    agree(transport, await transport.wait_for(LISTEN))
    sink = subscribe(upstream, "x://1")
    second = await transport.wait_for(LISTEN, 2)
    agree(transport, second)
    await eventually(lambda: sink.finished)
    rig.listener.told.clear()
    listed = len(transport.requests("tools/list"))
    if how == "result":
        transport.reply(second["id"], {"resultType": "complete", "_meta": {OF_STREAM: second["id"]}})
    elif how == "error":
        transport.say({"jsonrpc": "2.0", "id": second["id"], "error": {"code": -32603, "message": "oh"}})
    else:
        transport.tell("notifications/cancelled", {"requestId": second["id"]})
    third = await transport.wait_for(LISTEN, 3)
    assert third["params"]["notifications"] == second["params"]["notifications"]
    assert rig.listener.told == []
    agree(transport, third)
    await transport.wait_for("tools/list", listed + 1)
    assert rig.listener.told == ["notifications/resources/updated"]
    assert upstream.calls == 0


async def test_a_stream_that_ends_again_and_again_is_opened_again_and_again(rig: Rig) -> None:
    server = changing()
    server.held.discard(LISTEN)
    _, transport = await started(rig, server)
    await transport.wait_for(LISTEN, 5)


async def test_changes_reach_their_readers_without_the_mark_of_the_stream(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    listen = await transport.wait_for(LISTEN)
    agree(transport, listen)
    listed = len(transport.requests("tools/list"))
    transport.tell("notifications/tools/list_changed", {"_meta": {OF_STREAM: listen["id"]}})
    await transport.wait_for("tools/list", listed + 1)
    seen: list[bytes] = []
    rig.listener.server_notification = lambda upstream, message, sink: seen.append(bytes(message.params))  # type: ignore[assignment]
    transport.tell("notifications/resources/updated", {"uri": "x://1", "_meta": {OF_STREAM: listen["id"]}})
    assert seen == [b'{"uri":"x://1"}']
    assert found.failure is None


async def test_a_subscription_whose_client_has_cancelled_it_is_not_answered(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    agree(transport, await transport.wait_for(LISTEN))
    sink = Sink(Session("stdio"))
    message = jsonrpc.parse(jsonrpc.request(5, "resources/subscribe", b'{"uri":"x://1"}'))
    upstream.cancel(upstream.forward(message, sink), {})
    agree(transport, await transport.wait_for(LISTEN, 2))
    await eventually(lambda: len(transport.requests("notifications/cancelled")) >= 1)
    assert sink.finished == []


async def test_a_connection_that_ends_fails_the_subscriptions_that_wait(rig: Rig) -> None:
    found, transport = await started(rig, changing())
    upstream = await found.acquire(client())
    sink = subscribe(upstream, "x://1")
    transport.break_off("s ended with exit code 2")
    assert sink.finished[0]["error"]["message"] == "s ended with exit code 2"
    late = subscribe(upstream, "x://1")
    assert late.finished[0]["error"]["message"] == "s ended with exit code 2"


async def test_a_server_that_asks_although_it_must_not_is_refused(rig: Rig) -> None:
    _, transport = await started(rig, changing())
    transport.ask("q", "elicitation/create", {"message": "?"})
    assert (await transport.wait_for_answer("q"))["error"]["code"] == jsonrpc.METHOD_NOT_FOUND
    assert rig.listener.asked == []
