"""Events become signals, few of them, and requests become calls of the host."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.errors import ServerStartError
from desktop.host import EngineStatus
from desktop.servers.status import ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from tests.helpers.fake_host import NO_DOCKER, FakeHost
from tests.tray.conftest import Run


def test_a_burst_of_events_becomes_few_signals(bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    rounds: list[frozenset[str]] = []
    bridge.servers_changed.connect(rounds.append)
    for number in range(500):
        host.change("time", tool_count=number)
        host.change("fetch", tool_count=number)
    qtbot.waitUntil(lambda: bool(rounds))
    assert rounds == [frozenset({"time", "fetch"})]


def test_a_change_of_all_servers_outweighs_single_ones(bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    rounds: list[frozenset[str]] = []
    bridge.servers_changed.connect(rounds.append)
    host.change("time", tool_count=1)
    host.set_servers(host.servers())
    host.change("fetch", tool_count=1)
    qtbot.waitUntil(lambda: bool(rounds))
    assert rounds == [frozenset()]


def test_each_kind_of_event_has_its_signal(bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bridge.problems_changed):
        host.set_problems("config.yaml, line 3: a list is expected")
    assert bridge.problems() == ("config.yaml, line 3: a list is expected",)
    with qtbot.waitSignal(bridge.status_changed):
        host.set_engine(NO_DOCKER)
    assert bridge.engine() is NO_DOCKER


def test_reading_is_safe_without_a_host(qapp: QApplication) -> None:
    bridge = Bridge()
    assert bridge.phase is Phase.STARTING
    assert bridge.servers() == ()
    assert bridge.server("time") is None
    assert bridge.engine() == EngineStatus()
    assert bridge.endpoint().url == ""
    assert bridge.problems() == ()
    assert bridge.server_log("time", 0) == ((), 0)
    assert not bridge.paused


def test_nothing_is_heard_after_the_host_went(bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    bridge.detach()
    with qtbot.assertNotEmitted(bridge.servers_changed, wait=120):
        host.change("time", tool_count=9)
    assert bridge.phase is Phase.CLOSING


def test_a_failed_request_becomes_a_sentence(run: Run, host: FakeHost, actions: Actions) -> None:
    told: list[tuple[str, str]] = []
    actions.failed.connect(lambda *words: told.append(words))
    host.fail_next = ServerStartError("The image can't be had", hint="Check the network.")

    async def story() -> None:
        actions.restart("time")
        await asyncio.sleep(0.02)

    run(story())
    assert told == [("The image can't be had", "Check the network")]


def test_the_last_position_of_a_switch_wins(run: Run, host: FakeHost, actions: Actions) -> None:
    host.delay = 0.02

    async def story() -> None:
        for wanted in (True, False, True):
            actions.set_enabled("fetch", wanted)
        assert actions.wish("fetch") is True
        async with asyncio.timeout(2):
            while actions.wish("fetch") is not None:
                await asyncio.sleep(0.01)

    run(story())
    assert host.calls == [("set_enabled", "fetch", True)]
    status = host.server("fetch")
    assert status is not None
    assert status.state is ServerState.READY


def test_a_switch_moved_back_meanwhile_is_followed(run: Run, host: FakeHost, actions: Actions) -> None:
    host.delay = 0.03

    async def story() -> None:
        actions.set_enabled("fetch", True)
        await asyncio.sleep(0.01)
        actions.set_enabled("fetch", False)
        async with asyncio.timeout(2):
            while actions.wish("fetch") is not None:
                await asyncio.sleep(0.01)

    run(story())
    assert [call[2] for call in host.calls] == [True, False]


def test_a_request_before_the_host_is_there_is_told(run: Run) -> None:
    actions = Actions(Bridge())
    told: list[str] = []
    actions.failed.connect(lambda message, _hint: told.append(message))
    actions.set_enabled("time", True)
    actions.set_paused(True)
    assert told == ["MCP Gateway is not ready yet"] * 2
    assert actions.wish("time") is None


def test_the_token_is_copied_and_marked_as_secret(run: Run, host: FakeHost, actions: Actions) -> None:
    async def story() -> None:
        actions.copy_token()
        await asyncio.sleep(0.02)

    run(story())
    data = QApplication.clipboard().mimeData()
    assert data.text() == "token-of-the-fake-host"
    assert bytes(data.data("x-kde-passwordManagerHint").data()) == b"secret"
