"""Servers are started when needed, listed, and shared by the sessions as far as they can be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from desktop.errors import (
    ServerGoneError,
    ServerStartError,
)
from desktop.servers.managed_server import Timing
from desktop.servers.status import ServerState
from tests.helpers.fake_mcp import FakeServer, eventually, tool
from tests.servers.conftest import Rig, client, used
from tests.servers.test_upstream import Sink

# Listing.


async def test_a_server_that_was_never_listed_is_started_once_to_be_listed(rig: Rig) -> None:
    server = FakeServer(
        "s", "t", prompts=[{"name": "p"}], resources=[{"uri": "x://1"}], templates=[{"uriTemplate": "y"}]
    )
    fleet = await rig.started(server)
    status = fleet.status("s")
    assert status is not None
    assert (status.state, status.tool_count, status.prompt_count, status.resource_count) == (ServerState.READY, 1, 1, 2)
    assert len(server.transports) == 1
    assert len(server.last.requests("tools/list")) == 1


async def test_a_server_in_the_cache_is_not_started_before_it_is_used(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await (await rig.started(server)).close()
    again = FakeServer("s", "t", "new")
    fleet = await rig.started(again)
    assert again.transports == []
    assert fleet.servers["s"].status.state is ServerState.IDLE
    assert fleet.servers["s"].status.tool_count == 1
    await used(fleet.servers["s"], client())
    await eventually(lambda: fleet.servers["s"].status.tool_count == 2)
    assert rig.listener.offers[-1] == "s"


async def test_values_that_change_make_a_stored_listing_worthless(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    await fleet.apply(rig.launcher.configuration(values={"s": {"folder": "/x"}}))
    assert await fleet.settled(5)
    assert len(server.transports) == 2
    await eventually(lambda: len(server.live) == 1)


async def test_a_changed_list_is_read_again_and_an_unchanged_one_changes_nothing(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    offers = len(rig.listener.offers)
    server.last.tell("notifications/tools/list_changed")
    await server.last.wait_for("tools/list", 2)
    await asyncio.sleep(0.01)
    assert len(rig.listener.offers) == offers
    server.tools.append(tool("u"))
    server.last.tell("notifications/tools/list_changed")
    await eventually(lambda: fleet.servers["s"].status.tool_count == 2)
    assert len(rig.listener.offers) == offers + 1


async def test_a_storm_of_changes_is_read_a_few_times_and_ends_with_the_last_state(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    for number in range(200):
        server.tools.append(tool(f"t{number}"))
        server.last.tell("notifications/tools/list_changed")
    await eventually(lambda: fleet.servers["s"].status.tool_count == 201)
    assert len(server.last.requests("tools/list")) <= 4


async def test_a_change_while_the_list_is_being_read_is_not_missed(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    server.held.add("tools/list")
    server.last.tell("notifications/tools/list_changed")
    reading = await server.last.wait_for("tools/list", 2)
    server.held.clear()
    server.tools.append(tool("late"))
    server.last.tell("notifications/tools/list_changed")
    server.last.reply(reading["id"], {"tools": [tool("t")]})
    await eventually(lambda: fleet.servers["s"].status.tool_count == 2)


async def test_a_server_that_can_not_be_listed_is_failing_and_tried_again(rig: Rig) -> None:
    server = FakeServer("s", "t")

    def refuse(*_: Any) -> Any:
        raise ValueError("not yet")

    server.handlers["tools/list"] = refuse
    fleet = await rig.started(server)
    status = fleet.servers["s"].status
    assert (status.state, status.reason) == (
        ServerState.FAILING,
        "s can't be listed: s answered tools/list with: not yet",
    )
    server.handlers.clear()
    await eventually(lambda: fleet.servers["s"].status.tool_count == 1)
    assert (fleet.servers["s"].status.state, fleet.servers["s"].status.reason) == (ServerState.READY, "")


async def test_a_server_that_does_not_answer_when_it_is_listed_says_so(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/list")
    fleet = await rig.started(server, timing=Timing(listing=0.02))
    assert fleet.servers["s"].status.reason == "s did not answer tools/list in time"


async def test_one_server_that_hangs_or_fails_does_not_hide_another(rig: Rig) -> None:
    good, hangs, fails = FakeServer("good", "t"), FakeServer("hangs"), FakeServer("fails")
    hangs.gate.clear()
    fails.start_error = ServerStartError("fails can't")
    fleet = rig.fleet(good, hangs, fails)
    await fleet.apply(rig.launcher.configuration())
    await eventually(lambda: fleet.servers["good"].settled and fleet.servers["fails"].settled)
    states = {name: server.status.state for name, server in fleet.servers.items()}
    assert states == {"good": ServerState.READY, "hangs": ServerState.STARTING, "fails": ServerState.FAILING}
    assert not await fleet.settled(0.01)
    hangs.gate.set()
    assert await fleet.settled(5)


async def test_a_new_image_is_listed_again_and_the_old_one_is_not(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = rig.fleet(server)
    rig.launcher.image_ids["s"] = "sha256:1"
    await fleet.apply(rig.launcher.configuration())
    assert await fleet.settled(5)
    await fleet.close()
    again = FakeServer("s", "t", "new")
    fleet = rig.fleet(again)
    rig.launcher.image_ids["s"] = "sha256:1"
    await fleet.apply(rig.launcher.configuration())
    await fleet.list_new_images()
    assert again.transports == []
    rig.launcher.image_ids["s"] = "sha256:2"
    await fleet.list_new_images()
    assert fleet.servers["s"].status.tool_count == 2
    assert len(again.transports) == 1


# Sharing.


async def test_sessions_share_one_connection(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    upstreams = await asyncio.gather(*(fleet.servers["s"].acquire(client(sampling={})) for _ in range(20)))
    assert len(set(map(id, upstreams))) == 1
    assert len(server.transports) == 1


async def test_twenty_sessions_at_once_start_a_stopped_server_once(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    server.last.break_off()
    fleet.servers["s"]._back_off.retry_at = 0.0
    await asyncio.gather(*(fleet.servers["s"].acquire(client()) for _ in range(20)))
    assert len(server.transports) == 2


async def test_a_server_that_keeps_state_gets_a_connection_for_each_session(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, long_lived=True)
    a, b = client(), client()
    first, second = await used(fleet.servers["s"], a), await used(fleet.servers["s"], b)
    assert (first.owner, second.owner) == (a, b)
    assert await fleet.servers["s"].acquire(a) is first
    await fleet.release(a)
    assert not first.alive
    assert second.alive
    assert len(server.live) == 2  # the one it was listed with, and b's


async def test_a_server_that_asks_for_the_first_time_goes_over_to_the_session_it_asked(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    fleet = await rig.started(server)
    asked, other = client(sampling={}), client(sampling={})
    first = await used(fleet.servers["s"], asked)
    server.last.ask(1, "sampling/createMessage")
    assert rig.listener.asked == [asked]
    assert first.owner is asked
    second = await used(fleet.servers["s"], other)
    assert second is not first
    assert second.owner is other
    assert await fleet.servers["s"].acquire(asked) is first


async def test_that_a_server_asks_is_remembered_over_restarts(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    fleet = await rig.started(server)
    await used(fleet.servers["s"], client(sampling={}))
    server.last.ask(1, "sampling/createMessage")
    await eventually(lambda: (found := rig.cache.load("s", fleet.servers["s"]._offering._hash)) and found.interactive)
    await fleet.close()
    again = FakeServer("s", "t")
    fleet = await rig.started(again)
    session = client(sampling={})
    assert (await used(fleet.servers["s"], session)).owner is session


async def test_a_question_that_can_not_be_attributed_is_nobodys_but_the_next_calls_are_apart(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    fleet = await rig.started(server)
    a, b = client(sampling={}), client(sampling={})
    shared = await used(fleet.servers["s"], a)
    await used(fleet.servers["s"], b)
    server.last.ask(1, "sampling/createMessage")
    assert rig.listener.asked == [None]
    assert shared.owner is None
    assert (await used(fleet.servers["s"], a)).owner is a
    assert (await used(fleet.servers["s"], b)).owner is b


async def test_a_connection_that_was_begun_for_a_session_is_not_lost_when_it_is_asked_on_the_shared_one(
    rig: Rig,
) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    fleet = await rig.started(server)
    a, b = client(sampling={}), client(sampling={})
    on_shared = Sink(a)
    shared = await used(fleet.servers["s"], a, on_shared)
    number = server.last.requests("tools/call")[0]["id"]
    other = Sink(b)
    await used(fleet.servers["s"], b, other)
    server.last.ask(1, "sampling/createMessage")  # whose is it? now it is known that it asks
    server.last.reply(server.last.requests("tools/call")[1]["id"])
    server.gate.clear()
    own = asyncio.create_task(fleet.servers["s"].acquire(a))
    await eventually(lambda: len(server.transports) == 2)
    server.transports[0].ask(2, "sampling/createMessage")
    server.gate.set()
    assert (await own).owner is a
    server.transports[0].reply(number)
    assert len(on_shared.finished) == 1
    await fleet.release(a)
    await fleet.servers["s"].stop()
    assert server.live == []
    assert not shared.alive


async def test_a_session_that_leaves_while_its_connection_starts_leaves_nothing(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, long_lived=True)
    session = client()
    server.gate.clear()
    waiting = asyncio.create_task(fleet.servers["s"].acquire(session))
    await eventually(lambda: len(server.transports) == 2)
    await fleet.release(session)
    with pytest.raises(ServerGoneError):
        await waiting
    server.gate.set()
    await eventually(lambda: server.last.closed)
    assert len(server.live) == 1
