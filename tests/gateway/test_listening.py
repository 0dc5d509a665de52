"""Modern clients that listen: what they hear, under which name, and when servers are told that nobody listens any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop import jsonrpc
from desktop.gateway import http_endpoint, subscriptions
from tests.gateway.conftest import Rig, listening
from tests.helpers.fake_mcp import FakeServer, eventually, modern, tool
from tests.helpers.modern_client import ModernWeb, OpenStream

Json = dict[str, Any]
ID = "io.modelcontextprotocol/subscriptionId"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def watched(name: str = "s") -> FakeServer:
    return FakeServer(name, "t", resources=[{"uri": "x://1"}, {"uri": "x://2"}], prompts=[{"name": "p"}])


@pytest.fixture
async def http(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    await rig.start(watched())
    async with listening(rig) as made:
        yield made
        await rig.gateway.close()


@pytest.fixture
def web(http: httpx.AsyncClient) -> ModernWeb:
    return ModernWeb(http)


def server_of(rig: Rig) -> FakeServer:
    return rig.launcher.servers["s"]


@contextlib.asynccontextmanager
async def heard(web: ModernWeb, id: Any = "L", **wanted: Any) -> AsyncIterator[tuple[OpenStream, Json]]:
    """An open stream and what its acknowledgement says."""
    async with web.stream("subscriptions/listen", {"notifications": wanted}, id=id) as stream:
        first = await stream.message()
        assert first is not None
        assert first["method"] == ACKNOWLEDGED
        assert first["params"]["_meta"] == {ID: id}
        yield stream, first["params"]["notifications"]


async def new_tool(rig: Rig, name: str) -> None:
    server_of(rig).tools.append(tool(name))
    server_of(rig).working.tell("notifications/tools/list_changed")
    await eventually(lambda: name in rig.gateway.offer.tool_routes)


async def test_only_what_was_asked_for_is_told_under_the_id_of_the_stream(rig: Rig, web: ModernWeb) -> None:
    async with heard(web, toolsListChanged=True, promptsListChanged=False) as (stream, agreed):
        assert agreed == {"toolsListChanged": True}
        server_of(rig).prompts.append({"name": "q"})
        server_of(rig).working.tell("notifications/prompts/list_changed")
        await eventually(lambda: "q" in rig.gateway.offer.prompt_routes)
        await new_tool(rig, "new")
        assert await stream.message() == {
            "jsonrpc": "2.0",
            "method": "notifications/tools/list_changed",
            "params": {"_meta": {ID: "L"}},
        }


async def test_every_stream_hears_for_itself(rig: Rig, web: ModernWeb) -> None:
    async with heard(web, 1, toolsListChanged=True) as (one, _), heard(web, 2, toolsListChanged=True) as (two, _):
        await new_tool(rig, "new")
        for stream, id in ((one, 1), (two, 2)):
            message = await stream.message()
            assert message is not None
            assert message["params"]["_meta"] == {ID: id}


async def test_a_client_that_does_not_listen_is_told_nothing(rig: Rig, web: ModernWeb) -> None:
    await web.call("t")
    await new_tool(rig, "new")
    async with heard(web, toolsListChanged=True) as (stream, _):
        await new_tool(rig, "newer")
        assert (await stream.message() or {})["method"] == "notifications/tools/list_changed"


async def test_resources_are_followed_until_nobody_listens_any_more(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    async with heard(web, 1, resourceSubscriptions=["x://1"]) as (one, agreed):
        assert agreed == {"resourceSubscriptions": ["x://1"]}
        async with heard(web, 2, resourceSubscriptions=["x://1", "x://2"]) as (two, _):
            asked = [message["params"]["uri"] for message in server.working.requests("resources/subscribe")]
            assert asked == ["x://1", "x://2"]
            server.working.tell("notifications/resources/updated", {"uri": "x://2", "_meta": {"own": 1}})
            server.working.tell("notifications/resources/updated", {"uri": "x://1"})
            first = await one.message()
            assert first is not None
            assert first["params"] == {"uri": "x://1", "_meta": {ID: 1}}
            heard_by_two = [await two.message() for _ in range(2)]
            assert [message["params"] for message in heard_by_two if message] == [
                {"uri": "x://2", "_meta": {"own": 1, ID: 2}},
                {"uri": "x://1", "_meta": {ID: 2}},
            ]
        left = await server.working.wait_for("resources/unsubscribe")
        assert left["params"]["uri"] == "x://2"
    await server.working.wait_for("resources/unsubscribe", 2)
    assert server.working.requests("resources/unsubscribe")[1]["params"]["uri"] == "x://1"


async def test_another_client_keeps_what_it_follows(rig: Rig, web: ModernWeb, http: httpx.AsyncClient) -> None:
    other = await rig.client()
    await other.ask("resources/subscribe", {"uri": "x://1"}).result()
    async with heard(web, resourceSubscriptions=["x://1"]):
        pass
    await eventually(lambda: all(not session.calls for session in rig.gateway.sessions.values()))
    assert server_of(rig).working.requests("resources/unsubscribe") == []
    server_of(rig).working.tell("notifications/resources/updated", {"uri": "x://1"})
    assert (await other.wait_for("notifications/resources/updated"))["params"] == {"uri": "x://1"}


async def test_a_resource_that_can_not_be_followed_is_not_agreed_to(rig: Rig, web: ModernWeb) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("no")

    server_of(rig).handlers["resources/subscribe"] = refuse
    async with heard(web, toolsListChanged=True, resourceSubscriptions=["x://1"]) as (_, agreed):
        assert agreed == {"toolsListChanged": True}
    assert all(not session.subscriptions for session in rig.gateway.sessions.values())


async def test_a_server_that_is_slow_does_not_hold_up_the_acknowledgement(
    rig: Rig, web: ModernWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_ACKNOWLEDGED_WITHIN", 0.05)
    server_of(rig).held.add("resources/subscribe")
    async with heard(web, resourceSubscriptions=["x://1"]) as (_, agreed):
        assert agreed == {"resourceSubscriptions": ["x://1"]}


async def test_what_happens_before_the_acknowledgement_is_told_after_it(rig: Rig, web: ModernWeb) -> None:
    server = server_of(rig)
    server.held.add("resources/subscribe")

    async def change() -> None:
        sent = await server.working.wait_for("resources/subscribe")
        await new_tool(rig, "new")
        server.working.reply(sent["id"])

    changing = asyncio.create_task(change())
    async with heard(web, toolsListChanged=True, resourceSubscriptions=["x://1"]) as (stream, _):
        assert (await stream.message() or {})["method"] == "notifications/tools/list_changed"
    await changing


async def test_the_end_of_the_gateway_ends_the_stream_properly(rig: Rig) -> None:
    await rig.start(watched())
    async with contextlib.AsyncExitStack() as stack:
        ending = await stack.enter_async_context(contextlib.AsyncExitStack())
        web = ModernWeb(await ending.enter_async_context(listening(rig)))
        stream, _ = await ending.enter_async_context(heard(web, 8, toolsListChanged=True))
        closing = asyncio.create_task(rig.gateway.close())
        last = await stream.message()
        await closing
        assert last is not None
        assert (last["id"], last["result"]["resultType"], last["result"]["_meta"][ID]) == (8, "complete", 8)
        assert await stream.message() is None


async def test_a_stream_shows_signs_of_life(web: ModernWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoint, "_HEARTBEAT", 0.01)
    async with heard(web, toolsListChanged=True) as (stream, _):
        async with asyncio.timeout(5):
            while b": alive" not in stream.raw:
                stream.raw += await anext(stream._pieces)


async def test_a_client_that_takes_no_events_can_not_listen(web: ModernWeb) -> None:
    message = web.request("subscriptions/listen", {"notifications": {}})
    answer = await web.post(message, Accept="application/json")
    assert answer.status_code == 406


@pytest.mark.parametrize("notifications", [None, 3, {"resourceSubscriptions": "x://1"}, {"toolsListChanged": "yes"}])
async def test_a_filter_that_can_not_be_read_is_refused(web: ModernWeb, notifications: Any) -> None:
    answer = await web.post(web.request("subscriptions/listen", {"notifications": notifications}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, jsonrpc.INVALID_PARAMS)


async def test_following_too_many_resources_is_refused(web: ModernWeb) -> None:
    uris = [f"x://{number}" for number in range(1001)]
    answer = await web.post(web.request("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}}))
    assert answer.json()["error"]["code"] == jsonrpc.INVALID_PARAMS


async def test_resources_of_a_modern_server_are_followed_on_a_stream_of_ours(rig: Rig) -> None:
    server = modern(watched())
    await rig.start(server)

    async def serve() -> None:
        sent = await server.working.wait_for("subscriptions/listen")
        wanted = sent["params"]["notifications"]
        meta = {"_meta": {ID: sent["id"]}}
        server.working.tell("notifications/subscriptions/acknowledged", {"notifications": wanted, **meta})
        server.working.tell("notifications/resources/updated", {"uri": "x://2", **meta})

    async with listening(rig) as http:
        serving = asyncio.create_task(serve())
        async with heard(ModernWeb(http), 5, resourceSubscriptions=["x://2"]) as (stream, agreed):
            assert agreed == {"resourceSubscriptions": ["x://2"]}
            assert (await stream.message() or {})["params"] == {"uri": "x://2", "_meta": {ID: 5}}
        await serving
        await rig.gateway.close()
