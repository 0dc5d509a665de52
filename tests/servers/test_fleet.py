"""The life of servers in trouble and at its end: failures and their pauses, idle stops, the set that is turned on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from desktop.catalog.configuration import Configuration
from desktop.engine.ports import PullProgress
from desktop.errors import (
    ConsentRequiredError,
    EnginePermissionError,
    EngineUnavailableError,
    MissingSettingError,
    PackageConsentError,
    ServerGoneError,
    ServerStartError,
    SignInRequiredError,
)
from desktop.servers.managed_server import Timing
from desktop.servers.status import ServerState
from tests.helpers.fake_mcp import FakeServer, eventually
from tests.servers.conftest import Rig, client, used

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
        pauses.append(round(managed._back_off.retry_at - loop_time(), 1))
        managed._back_off.retry_at = 0.0
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
        (ConsentRequiredError("it may not read the folder /x"), ServerState.NEEDS_SETTING),
        (PackageConsentError("it may not run without a container"), ServerState.NEEDS_SETTING),
        (SignInRequiredError("s wants you to sign in"), ServerState.NEEDS_SIGN_IN),
    ],
)
async def test_what_a_server_waits_for_is_its_state(rig: Rig, error: Any, state: ServerState) -> None:
    server = FakeServer("s", "t")
    server.start_error = error
    fleet = await rig.started(server)
    status = fleet.servers["s"].status
    assert (status.state, status.reason, status.hint) == (state, error.message, error.hint)
    assert status.needs_consent is isinstance(error, PackageConsentError)
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
