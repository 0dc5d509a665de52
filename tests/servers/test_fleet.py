"""The life of servers: started when needed, shared, listed, restarted with patience, stopped when idle or turned off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from desktop.catalog.configuration import Configuration
from desktop.engine.ports import PullProgress
from desktop.errors import (
    ConsentRequiredError,
    EnginePermissionError,
    EngineUnavailableError,
    MissingSettingError,
    ServerGoneError,
    ServerStartError,
    SignInRequiredError,
)
from desktop.gateway.session import Session
from desktop.jsonrpc import Envelope
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import ManagedServer, Timing
from desktop.servers.status import ServerState
from desktop.servers.upstream import CallSink, SessionPort, Upstream
from tests.helpers.fake_mcp import FakeLauncher, FakeServer, eventually, fleet_of, tool
from tests.servers.test_upstream import Sink, call


class Listener:
    """What the gateway would be told."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self.asked: list[SessionPort | None] = []
        self.told: list[str] = []
        self.offers: list[str] = []

    def server_request(
        self, upstream: Upstream, message: Envelope, sink: CallSink | None, session: SessionPort | None
    ) -> None:
        self.asked.append(session)

    def server_notification(self, upstream: Upstream, message: Envelope, sink: CallSink | None) -> None:
        self.told.append(message.method or "")

    def server_changed(self, name: str, *, offer: bool) -> None:
        assert self.fleet is not None
        if offer:
            self.offers.append(name)
        self.fleet.announce(name)


class Rig:
    """A fleet over fake servers in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.cache = ListingCache(folder)
        self.fleets: list[Fleet] = []
        self.listener = Listener()

    def fleet(self, *servers: FakeServer, timing: Timing | None = None, **more: Any) -> Fleet:
        self.launcher = FakeLauncher(*servers)
        fleet = fleet_of(self.launcher, self.cache, timing=timing, **more)
        self.listener = Listener()
        self.listener.fleet = fleet
        fleet.attach(self.listener)
        self.fleets.append(fleet)
        return fleet

    async def started(self, *servers: FakeServer, **more: Any) -> Fleet:
        fleet = self.fleet(*servers, **more)
        await fleet.apply(self.launcher.configuration())
        assert await fleet.settled(5)
        return fleet


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    before = asyncio.all_tasks()
    rig = Rig(tmp_path)
    yield rig
    for fleet in rig.fleets:
        await fleet.close()
    for server in rig.launcher.servers.values():
        assert server.live == []
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


def client(**capabilities: Any) -> Session:
    session = Session("stdio")
    session.introduce({"capabilities": Raw(msgspec.json.encode(capabilities))})
    return session


async def used(server: ManagedServer, session: Session, sink: Sink | None = None) -> Upstream:
    upstream = await server.acquire(session)
    upstream.forward(call(), sink or Sink(session))
    return upstream


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
    fleet.servers["s"]._retry_at = 0.0
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
    await eventually(lambda: (found := rig.cache.load("s", fleet.servers["s"]._hash)) and found.interactive)
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


# Trouble.


async def test_a_server_that_ends_soon_after_its_start_is_failing_with_its_words(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    server.last.break_off("s ended with exit code 7: oops")
    status = fleet.servers["s"].status
    assert (status.state, status.reason, status.tool_count) == (
        ServerState.FAILING,
        "s ended with exit code 7: oops",
        1,
    )
    with pytest.raises(ServerStartError, match="oops"):
        await fleet.servers["s"].acquire(client())
    assert len(server.transports) == 1


async def test_after_its_pause_a_server_that_failed_is_started_by_the_next_call(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, timing=Timing(longest_pause=0.02))
    server.last.break_off()

    async def call_again() -> bool:
        with contextlib.suppress(ServerStartError):
            await used(fleet.servers["s"], client())
            return True
        return False

    async with asyncio.timeout(5):
        while not await call_again():
            await asyncio.sleep(0.005)
    assert fleet.servers["s"].status.state is ServerState.READY
    assert fleet.servers["s"].status.reason == ""


async def test_pauses_get_longer_up_to_a_limit(rig: Rig) -> None:
    server = FakeServer("s")
    server.start_error = ServerStartError("no")
    fleet = await rig.started(server, timing=Timing(longest_pause=3.0))
    managed = fleet.servers["s"]
    loop_time, pauses = __import__("time").monotonic, []
    for _ in range(4):
        pauses.append(round(managed._retry_at - loop_time(), 1))
        managed._retry_at = 0.0
        with contextlib.suppress(ServerStartError):
            await managed.acquire(None)
    assert pauses[:3] == [pytest.approx(1.0, abs=0.2), pytest.approx(2.0, abs=0.2), pytest.approx(3.0, abs=0.2)]
    assert pauses[3] == pytest.approx(3.0, abs=0.2)


async def test_an_error_that_is_given_again_and_again_does_not_grow(rig: Rig) -> None:
    server = FakeServer("s")
    server.start_error = ServerStartError("no")
    fleet = await rig.started(server)
    lengths = []
    for _ in range(3):
        with pytest.raises(ServerStartError) as caught:
            await fleet.servers["s"].acquire(None)
        lengths.append(len(caught.traceback))
    assert len(set(lengths)) == 1


async def test_restarting_forgets_the_failure_and_its_pause(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.start_error = ServerStartError("no")
    fleet = await rig.started(server)
    server.start_error = None
    await fleet.restart("s")
    assert fleet.servers["s"].status.state is ServerState.READY
    await fleet.restart("s")
    assert len(server.live) == 1
    await fleet.restart("unknown")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (EngineUnavailableError("Docker is not running"), ServerState.FAILING),
        (EnginePermissionError("You may not use Docker"), ServerState.FAILING),
        (MissingSettingError("API_KEY is not set", "Set it"), ServerState.NEEDS_SETTING),
        (ConsentRequiredError("it may not run without a container"), ServerState.NEEDS_SETTING),
        (SignInRequiredError("s wants you to sign in"), ServerState.NEEDS_SIGN_IN),
    ],
)
async def test_what_a_server_waits_for_is_its_state(rig: Rig, error: Any, state: ServerState) -> None:
    server = FakeServer("s", "t")
    server.start_error = error
    fleet = await rig.started(server)
    status = fleet.servers["s"].status
    assert (status.state, status.reason, status.hint) == (state, error.message, error.hint)
    assert status.needs_consent is isinstance(error, ConsentRequiredError)
    server.start_error = None
    if isinstance(error, SignInRequiredError):
        await fleet.servers["s"].retry()
    else:
        fleet.retry_missing()
    await eventually(lambda: fleet.servers["s"].status.state is ServerState.READY)


async def test_a_programming_error_while_starting_is_a_sentence_too(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer("s")
    server.start_error = ZeroDivisionError("1/0")  # type: ignore[assignment]
    fleet = await rig.started(server)
    assert fleet.servers["s"].status.reason == "s could not be started: ZeroDivisionError"
    caplog.clear()


# Stopping.


async def test_an_idle_server_is_stopped_and_its_tools_stay(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, timing=Timing(idle=0.02))
    fleet.watch_idle()
    await eventually(lambda: fleet.servers["s"].status.state is ServerState.IDLE)
    assert (server.live, fleet.servers["s"].status.tool_count) == ([], 1)
    await used(fleet.servers["s"], client())
    assert len(server.live) == 1


async def test_a_server_with_a_call_under_way_or_somebody_following_a_resource_is_not_idle(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    fleet = await rig.started(server, timing=Timing(idle=0.0))
    managed = fleet.servers["s"]
    await used(managed, client())
    await managed.stop_idle()
    assert len(server.live) == 1
    server.last.reply(server.last.requests("tools/call")[0]["id"])
    managed.subscribed.add("x://1")
    await managed.stop_idle()
    assert len(server.live) == 1
    managed.subscribed.clear()
    await managed.stop_idle()
    assert server.live == []


async def test_turning_a_server_off_while_it_starts_tells_those_who_wait(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    fleet = rig.fleet(server)
    await fleet.apply(rig.launcher.configuration())
    managed = fleet.servers["s"]
    waiting = asyncio.create_task(managed.acquire(client()))
    await eventually(lambda: server.transports)
    await fleet.apply(Configuration(servers=rig.launcher.configuration().servers))
    with pytest.raises(ServerGoneError, match="s was stopped while it was starting"):
        await waiting
    with pytest.raises(ServerGoneError, match="s is turned off"):
        await managed.acquire(client())
    await eventually(lambda: server.last.closed)


async def test_restarting_while_it_starts_tells_those_who_wait(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server, long_lived=True)
    server.gate.clear()
    waiting = asyncio.create_task(fleet.servers["s"].acquire(client()))
    await eventually(lambda: len(server.transports) == 2)
    restarting = asyncio.create_task(fleet.restart("s"))
    with pytest.raises(ServerGoneError):
        await waiting
    server.gate.set()
    await restarting


# The set.


async def test_only_what_changed_is_stopped_or_started(rig: Rig) -> None:
    servers = [FakeServer(name, name) for name in ("a", "b", "c")]
    fleet = await rig.started(*servers)
    everything = rig.launcher.configuration()
    await fleet.apply(Configuration(enabled=("a", "c"), servers=everything.servers, values={"c": {"x": 1}}))
    assert await fleet.settled(5)
    await eventually(lambda: [len(server.live) for server in servers] == [1, 0, 1])
    assert [len(server.transports) for server in servers] == [1, 1, 2]
    assert list(fleet.servers) == ["a", "c"]
    off = fleet.status("b")
    assert off is not None
    assert (off.enabled, off.state) == (False, ServerState.OFF)


async def test_a_server_that_stops_slowly_holds_nobody_up(rig: Rig) -> None:
    slow, other = FakeServer("slow", "t"), FakeServer("other", "t")
    fleet = rig.fleet(slow, other)
    await fleet.apply(rig.launcher.configuration("slow"))
    assert await fleet.settled(5)
    release = asyncio.Event()
    transport, close = slow.last, slow.last.close

    async def close_slowly() -> None:
        await release.wait()
        await close()

    transport.close = close_slowly  # type: ignore[method-assign]
    async with asyncio.timeout(1):
        await fleet.apply(rig.launcher.configuration("other"))
        assert await fleet.settled(1)
    closing = asyncio.create_task(fleet.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    release.set()
    await closing
    assert transport.closed


async def test_an_enabled_server_no_catalog_knows_is_shown_with_a_reason_and_holds_nobody_up(rig: Rig) -> None:
    fleet = rig.fleet(FakeServer("s", "t"))
    known = rig.launcher.configuration()
    await fleet.apply(Configuration(enabled=("gone", "s"), servers=known.servers))
    assert await fleet.settled(5)
    status = fleet.status("gone")
    assert status is not None
    assert (status.enabled, status.state, status.reason) == (
        True,
        ServerState.FAILING,
        "No catalog has a server called gone",
    )
    assert status.hint
    assert fleet.status("never heard of") is None


async def test_pausing_stops_everything_and_keeps_what_is_enabled(rig: Rig) -> None:
    server = FakeServer("s", "t")
    fleet = await rig.started(server)
    await fleet.pause(True)
    await eventually(lambda: server.live == [])
    status = fleet.status("s")
    assert status is not None
    assert (status.enabled, status.state, dict(fleet.servers)) == (True, ServerState.OFF, {})
    assert await fleet.settled(0.01)
    await fleet.pause(False)
    assert fleet.servers["s"].status.state is ServerState.IDLE


async def test_how_far_a_pull_is_stands_in_the_status_only_while_it_pulls(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    fleet = rig.fleet(server)
    await fleet.apply(rig.launcher.configuration())
    fleet.pulled("s", PullProgress(image="img@sha256:0", status="Downloading", done=1, total=4))
    status = fleet.status("s")
    assert status is not None
    assert status.reason == "Pulling img 25 %"
    server.gate.set()
    assert await fleet.settled(5)
    server.gate.clear()
    restarting = asyncio.create_task(fleet.restart("s"))
    await eventually(lambda: len(server.transports) == 2)
    status = fleet.status("s")
    assert status is not None
    assert (status.state, status.reason) == (ServerState.STARTING, "")
    server.gate.set()
    await restarting


async def test_standard_error_is_kept_while_the_server_is_off_and_echoed_when_asked_for(rig: Rig) -> None:
    echoed: list[tuple[str, str]] = []
    fleet = rig.fleet(FakeServer("s"), echo=lambda name, line: echoed.append((name, line)))
    fleet.log_of("s").add(b"caf\xe9 \n")
    assert fleet.log_of("s").lines() == ("caf� ".rstrip(),)
    assert echoed == [("s", "caf�")]
    assert fleet.log_of("s").last() == "caf�"
    mark = fleet.log_of("s").mark
    assert fleet.log_of("s").last(mark) == ""
