"""Who shares a running server: what was chosen, changes of it while it runs, and a container a call."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from desktop.errors import ServerGoneError, ServerStartError
from desktop.servers.managed_server import Timing
from desktop.servers.status import ServerState
from desktop.sharing import Sharing
from desktop.state.server_choices import ServerChoice
from tests.helpers.fake_mcp import FakeServer, eventually, holding
from tests.servers.conftest import Rig, client, used
from tests.servers.test_upstream import Sink

PER_CALL = {"s": ServerChoice(sharing=Sharing.PER_CALL)}
PER_CLIENT = {"s": ServerChoice(sharing=Sharing.PER_CLIENT)}


async def choose(rig: Rig, sharing: Sharing | None) -> None:
    configuration = rig.launcher.configuration()
    await rig.fleets[-1].apply(dataclasses.replace(configuration, choices={"s": ServerChoice(sharing=sharing)}))


async def test_a_server_chosen_to_be_per_client_has_a_connection_for_each(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CLIENT)
    a, b = client(), client()
    assert (await used(fleet.servers["s"], a)).owner is a
    assert (await used(fleet.servers["s"], b)).owner is b
    assert fleet.servers["s"].status.sharing is Sharing.PER_CLIENT


async def test_choosing_anew_holds_from_the_next_call_and_interrupts_none(rig: Rig) -> None:
    server = holding("s", "t")
    fleet = await rig.started(server)
    managed, session, sink = fleet.servers["s"], client(), Sink()
    sink.session = session
    shared = await used(managed, session, sink)
    await choose(rig, Sharing.PER_CLIENT)
    assert fleet.servers["s"] is managed
    own = await used(managed, session)
    assert own.owner is session
    assert own is not shared
    await choose(rig, Sharing.SHARED)
    assert managed.ready(session) is shared
    assert own.alive  # its call is still under way
    server.transports[0].reply(server.transports[0].requests("tools/call")[0]["id"])
    assert len(sink.finished) == 1
    server.transports[1].reply(server.transports[1].requests("tools/call")[0]["id"])
    await managed.stop_idle()
    assert not own.alive
    assert server.live == [server.transports[0]]


async def test_a_call_time_limit_is_followed_while_the_server_runs(rig: Rig) -> None:
    fleet = await rig.started(FakeServer("s", "t"))
    configuration = rig.launcher.configuration()
    await fleet.apply(dataclasses.replace(configuration, choices={"s": ServerChoice(call_timeout=30.0)}))
    assert fleet.servers["s"].call_timeout == 30.0
    await fleet.apply(configuration)
    assert fleet.servers["s"].call_timeout is None


# A container a call.


async def test_each_call_has_a_container_of_its_own_which_ends_with_the_answer(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)

    async def one_call() -> None:
        sink = Sink(client())
        upstream = await used(fleet.servers["s"], sink.session, sink)  # type: ignore[arg-type]
        await eventually(lambda: sink.finished)
        await eventually(lambda: not upstream.alive)

    for _ in range(3):
        await one_call()
    assert [len(transport.requests("tools/call")) for transport in server.transports[:3]] == [1, 1, 1]
    await eventually(lambda: len(server.live) == 1)  # the spare
    assert all(len(transport.requests("tools/list")) <= 1 for transport in server.transports)
    assert sum(len(transport.requests("tools/list")) for transport in server.transports) == 1


async def test_what_was_started_to_be_listed_before_each_call_got_its_own_stops_when_it_is_listed(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    fleet = rig.fleet(server)
    await fleet.apply(rig.launcher.configuration())
    await eventually(lambda: server.transports)
    await choose(rig, Sharing.PER_CALL)
    server.gate.set()
    assert await fleet.settled(5)
    await eventually(lambda: server.live == [])
    sink = Sink(client())
    await used(fleet.servers["s"], sink.session, sink)  # type: ignore[arg-type]
    await eventually(lambda: sink.finished)


async def test_a_listing_under_way_ends_before_its_container_does(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/list")
    fleet = rig.fleet(server)
    await fleet.apply(rig.launcher.configuration())
    await eventually(lambda: server.live)
    first = server.last
    asked = await first.wait_for("tools/list")
    server.held.clear()
    await choose(rig, Sharing.PER_CALL)
    assert first.up
    first.reply(asked["id"], {"tools": server.tools})
    assert await fleet.settled(5)
    await eventually(lambda: not first.up)
    listing = fleet.servers["s"].listing
    assert listing is not None
    assert len(listing.tools) == 1


async def test_a_call_after_the_first_finds_a_spare_that_is_ready(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    await used(fleet.servers["s"], client())
    await eventually(lambda: len(server.transports) == 2)
    await server.last.wait_for("notifications/initialized")
    server.gate.clear()  # nothing can be started from now on
    async with asyncio.timeout(1):
        await used(fleet.servers["s"], client())
    server.gate.set()


async def test_calls_at_once_do_not_meet(rig: Rig) -> None:
    server = holding("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    sinks = [Sink(client()) for _ in range(5)]
    upstreams = await asyncio.gather(*(used(fleet.servers["s"], sink.session, sink) for sink in sinks))  # type: ignore[arg-type]
    assert len(set(map(id, upstreams))) == 5
    await eventually(lambda: len(server.live) == 6)
    for transport in server.transports:
        for request in transport.requests("tools/call"):
            transport.reply(request["id"])
    await eventually(lambda: len(server.live) == 1)
    assert [len(sink.finished) for sink in sinks] == [1] * 5


async def test_a_call_that_is_cancelled_ends_its_container(rig: Rig) -> None:
    server = holding("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    session = client()
    upstream = await used(fleet.servers["s"], session)
    await fleet.release(session)
    await eventually(lambda: not upstream.alive)
    await eventually(lambda: len(server.live) == 1)


async def test_a_start_nobody_waits_for_any_more_becomes_the_spare(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    await used(fleet.servers["s"], client())
    server.gate.clear()
    await eventually(lambda: len(server.transports) == 2)
    waiting = asyncio.create_task(fleet.servers["s"].acquire(client()))
    await eventually(lambda: len(server.transports) == 3)
    waiting.cancel()
    server.gate.set()
    await eventually(lambda: len(server.live) == 2)
    server.gate.clear()
    first = await used(fleet.servers["s"], client())
    second = await used(fleet.servers["s"], client())
    assert first is not second
    server.gate.set()


async def test_a_container_for_a_call_that_can_not_be_started_is_the_calls_error(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    server.last.break_off()
    fleet.servers["s"]._back_off.retry_at = 0.0
    server.start_error = ServerStartError("no such image")
    with pytest.raises(ServerStartError, match="no such image"):
        await fleet.servers["s"].acquire(client())
    assert server.live == []


async def test_turning_it_off_while_a_call_waits_for_its_container_tells_so(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    server.last.break_off()
    fleet.servers["s"]._back_off.retry_at = 0.0
    server.gate.clear()
    waiting = asyncio.create_task(fleet.servers["s"].acquire(client()))
    await eventually(lambda: len(server.transports) == 3)
    await fleet.servers["s"].stop()
    with pytest.raises(ServerGoneError, match="s was stopped while it was starting"):
        await waiting


async def test_the_spare_is_stopped_when_no_call_comes(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL, timing=Timing(idle=0.02))
    await used(fleet.servers["s"], client())
    await eventually(lambda: len(server.live) == 1)
    fleet.watch_idle()
    await eventually(lambda: fleet.servers["s"].status.state is ServerState.IDLE)
    assert server.live == []
    await used(fleet.servers["s"], client())


@pytest.mark.parametrize("ready", [True, False])
async def test_spares_go_when_the_server_is_shared_again(rig: Rig, ready: bool) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CALL)
    await used(fleet.servers["s"], client())
    if ready:
        await eventually(lambda: len(server.transports) == 2)
        await server.last.wait_for("notifications/initialized")
    await choose(rig, Sharing.SHARED)
    await eventually(lambda: server.live == [])
    assert await used(fleet.servers["s"], client()) is await used(fleet.servers["s"], client())


# Idle, and too many.


async def test_what_a_client_has_for_itself_is_stopped_too_when_it_is_idle_for_longer(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, choices=PER_CLIENT, timing=Timing(idle=0.0, own_idle=0.05))
    session, sink = client(), Sink()
    sink.session = session
    own = await used(fleet.servers["s"], session, sink)
    await eventually(lambda: sink.finished)
    await fleet.servers["s"].stop_idle()
    assert own.alive
    await asyncio.sleep(0.06)
    await fleet.servers["s"].stop_idle()
    assert server.live == []
    assert (await used(fleet.servers["s"], session)).owner is session


async def test_when_enough_servers_run_the_one_idle_longest_makes_room(rig: Rig) -> None:
    servers = [FakeServer(name, name) for name in ("a", "b", "c")]
    fleet = await rig.started(*servers[:2], most_running=2)
    old, recent = (fleet.servers[name].ready(None) for name in ("a", "b"))
    assert old is not None
    assert recent is not None
    old.last_used -= 10
    recent.last_used -= 5
    rig.launcher.servers["c"] = servers[2]
    await fleet.apply(rig.launcher.configuration())
    await used(fleet.servers["c"], client())
    assert [len(server.live) for server in servers] == [0, 1, 1]
    assert fleet.servers["a"].status.state is ServerState.IDLE


async def test_while_all_are_busy_a_call_waits_for_the_first_that_is_not(rig: Rig) -> None:
    busy, other = holding("busy", "t"), FakeServer("other", "u")
    fleet = await rig.started(busy, most_running=1)
    upstream = await used(fleet.servers["busy"], client())
    rig.launcher.servers["other"] = other
    await fleet.apply(rig.launcher.configuration())
    waiting = asyncio.create_task(fleet.servers["other"].acquire(client()))
    await asyncio.sleep(0.02)
    assert other.transports == []
    busy.last.reply(busy.last.requests("tools/call")[0]["id"])
    upstream.last_used -= 10
    assert (await waiting).alive
    assert busy.live == []


async def test_a_start_that_finds_no_room_in_time_is_a_sentence(rig: Rig) -> None:
    busy = holding("busy", "t")
    fleet = await rig.started(busy, most_running=1)
    fleet._running._patience = 0.02
    await used(fleet.servers["busy"], client())
    rig.launcher.servers["other"] = FakeServer("other", "u")
    await fleet.apply(rig.launcher.configuration())
    with pytest.raises(ServerStartError, match="1 servers run at once at most, and all of them are busy"):
        await fleet.servers["other"].acquire(client())


async def test_a_start_that_fails_takes_no_room(rig: Rig) -> None:
    broken, fine = FakeServer("broken", "t"), FakeServer("fine", "u")
    broken.start_error = ServerStartError("no")
    fleet = await rig.started(broken, most_running=1)
    rig.launcher.servers["fine"] = fine
    await fleet.apply(rig.launcher.configuration())
    async with asyncio.timeout(1):
        await used(fleet.servers["fine"], client())
