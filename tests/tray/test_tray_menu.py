"""The tray menu and the icon tell what is, and do what is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.clients.view import ClientState
from desktop.host import EndpointStatus, RunningCall, SignInState, SignInStatus
from desktop.servers.status import ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.icon import TrayIcon, TrayState, tooltip_of, tray_state
from desktop.tray.menu import MORE_SHOWN, SERVERS_SHOWN, TrayMenu
from desktop.tray.theme import Theme
from tests.helpers.fake_host import NO_DOCKER, FakeHost, long_names, many_servers
from tests.tray.conftest import Run


@pytest.fixture
def menu(bridge: Bridge, actions: Actions) -> Iterator[TrayMenu]:
    menu = TrayMenu(bridge, actions)
    yield menu
    menu.close()


def texts(menu: TrayMenu) -> list[str]:
    """The visible lines; separators as dashes, as desktops fold them."""
    lines = ["-" if action.isSeparator() else action.text() for action in menu.menu.actions() if action.isVisible()]
    return [line for line, before in zip(lines, [None, *lines], strict=False) if line != "-" or before != "-"]


def action(menu: TrayMenu, text: str) -> QAction:
    return next(entry for entry in menu.menu.actions() if entry.text().startswith(text))


def test_the_menu_is_in_the_order_of_the_design(menu: TrayMenu) -> None:
    assert texts(menu) == [
        "Open MCP Gateway",
        "-",
        "PostgreSQL is failing…",
        "Sign in to Notion…",
        "Slack needs a setting…",
        "-",
        "Playwright  ·  starting",
        "GitHub  ·  ready",
        "PostgreSQL  ·  failing",
        "Time  ·  idle",
        "Notion  ·  needs sign-in",
        "Slack  ·  needs setting",
        "More servers",
        "-",
        "Clients",
        "-",
        "Pause all",
        "-",
        "Settings…",
        "Quit",
    ]
    assert menu.menu.defaultAction().text() == "Open MCP Gateway"
    assert menu.menu.defaultAction().font().bold()


def test_without_servers_only_what_applies_is_there(
    bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(bridge.servers_changed):
        host.set_servers([])
    assert texts(menu) == ["Open MCP Gateway", "-", "Clients", "-", "Pause all", "-", "Settings…", "Quit"]


def test_an_absent_engine_is_told_and_can_be_looked_for_again(
    run: Run, bridge: Bridge, host: FakeHost, menu: TrayMenu
) -> None:
    async def story() -> None:
        host.set_engine(NO_DOCKER)
        await asyncio.sleep(0.1)
        line = action(menu, "Docker is not running — Retry")
        assert line.isVisible()
        line.trigger()
        await asyncio.sleep(0.15)
        assert not menu.engine.isVisible()

    run(story())
    assert host.calls == [("retry_engine",)]


def test_a_server_turned_off_stays_to_be_turned_on_again(run: Run, host: FakeHost, menu: TrayMenu) -> None:
    async def story() -> None:
        entry = action(menu, "GitHub")
        assert entry.isChecked()
        entry.trigger()
        await asyncio.sleep(0.15)
        assert action(menu, "GitHub") is entry
        assert entry.text() == "GitHub  ·  off"
        assert not entry.isChecked()
        entry.trigger()
        await asyncio.sleep(0.15)
        assert entry.isChecked()

    run(story())
    assert host.calls == [("set_enabled", "github-official", False), ("set_enabled", "github-official", True)]


def test_a_change_of_state_keeps_the_action_objects(
    bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    before = menu.menu.actions()
    with qtbot.waitSignal(bridge.servers_changed):
        host.change("time", state=ServerState.READY, last_used=9e9)
    assert menu.menu.actions() == before
    assert action(menu, "Time").text() == "Time  ·  ready"
    menu.menu.aboutToShow.emit()
    assert texts(menu)[6] == "Time  ·  ready"


def test_three_hundred_servers_leave_the_menu_short(
    bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(bridge.servers_changed):
        host.set_servers(many_servers(300))
    assert len(texts(menu)) <= SERVERS_SHOWN + 5 + 12
    menu.more.aboutToShow.emit()
    entries = [entry for entry in menu.more.actions() if entry.isVisible() and not entry.isSeparator()]
    assert len(entries) <= MORE_SHOWN + 1
    assert entries[-1].text() == "All servers…"
    with qtbot.waitSignal(menu.all_requested):
        entries[-1].trigger()


def test_names_are_shortened_and_marks_escaped(bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bridge.servers_changed):
        host.set_servers(long_names())
    assert all(len(entry.text()) < 60 for entry in menu.menu.actions())
    assert any(text.startswith("under_score_&&_more") for text in texts(menu))
    menu.doubles_underscores = True
    menu.menu.aboutToShow.emit()
    assert any(text.startswith("under__score__&&__more") for text in texts(menu))


def test_pause_is_marked_when_the_host_says_so(run: Run, host: FakeHost, menu: TrayMenu) -> None:
    async def story() -> None:
        menu.pause.trigger()
        assert not menu.pause.isChecked()
        await asyncio.sleep(0.15)
        assert menu.pause.isChecked()

    run(story())
    assert host.calls == [("set_paused", True)]


def test_an_attention_line_leads_to_what_helps(bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(menu.setting_requested) as wanted:
        action(menu, "Slack needs").trigger()
    assert wanted.args == ["slack"]
    with qtbot.waitSignal(menu.opened) as opened:
        action(menu, "PostgreSQL is").trigger()
    assert opened.args == ["postgres"]
    with qtbot.waitSignal(bridge.servers_changed):
        host.change("slack", needs_consent=True)
    with qtbot.waitSignal(menu.opened) as opened:
        action(menu, "Slack needs").trigger()
    assert opened.args == ["slack"]


def test_one_click_signs_in_and_one_more_shows_how_far_it_is(
    run: Run, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    async def story() -> None:
        with qtbot.waitSignal(menu.opened) as opened:
            action(menu, "Sign in to Notion…").trigger()
        assert opened.args == ["notion-remote"]
        status = SignInStatus(app="notes", title="Notion", servers=("notion-remote",), state=SignInState.NEEDED)
        host.set_sign_ins(status)
        await asyncio.sleep(0.1)
        action(menu, "Sign in to Notion…").trigger()
        await asyncio.sleep(0.05)
        assert ("sign_in", "notes") in host.calls
        host.set_sign_ins(replace(status, state=SignInState.SIGNING_IN))
        await asyncio.sleep(0.1)
        with qtbot.waitSignal(menu.sign_in_requested) as wanted:
            action(menu, "Signing in to Notion…").trigger()
        assert wanted.args == ["notes"]
        assert [call[0] for call in host.calls].count("sign_in") == 1

    run(story())


def test_clients_are_listed_with_their_state_and_choosing_one_leads_to_it(
    bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    def lines() -> list[str]:
        return [entry.text() for entry in menu.clients.actions() if entry.isVisible() and not entry.isSeparator()]

    assert lines() == [
        "Claude Code 2.4.1  ·  connected",
        "Cursor 2.3.0  ·  not here now",
        "VS Code  ·  entry dropped",
        "Connect a client…",
    ]
    cursor = menu.clients.actions()[1]
    with qtbot.waitSignal(bridge.clients_changed):
        host.change_client("cursor", state=ClientState.CONNECTED, sessions=1)
    assert menu.clients.actions()[1] is cursor
    assert cursor.text() == "Cursor 2.3.0  ·  connected"
    with qtbot.waitSignal(menu.client_requested) as wanted:
        cursor.trigger()
    assert wanted.args == ["cursor"]
    with qtbot.waitSignal(bridge.clients_changed):
        host.set_clients()
    assert lines() == ["Connect a client…"]
    with qtbot.waitSignal(menu.client_requested) as wanted:
        menu.clients.actions()[-1].trigger()
    assert wanted.args == [""]


def test_the_menu_leads_to_the_settings(menu: TrayMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(menu.settings_requested):
        action(menu, "Settings").trigger()


def test_the_icon_tells_the_worst(bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    assert tray_state(bridge) is TrayState.ATTENTION
    assert tooltip_of(bridge).endswith("6 servers, 40 tools · 3 waiting for you")
    for name in ("slack", "postgres", "notion-remote"):
        host.change(name, state=ServerState.READY)
    assert tray_state(bridge) is TrayState.WORKING
    host.change("playwright", state=ServerState.READY)
    assert tray_state(bridge) is TrayState.OK
    host.set_engine(NO_DOCKER)
    assert tray_state(bridge) is TrayState.ATTENTION
    host.set_servers([status for status in host.servers() if status.name == "time"])
    assert tray_state(bridge) is TrayState.OK
    assert tooltip_of(bridge).endswith("1 server, 2 tools")
    host.set_endpoint(EndpointStatus(reason="port 8811 is in use"))
    assert tray_state(bridge) is TrayState.ATTENTION


def test_a_short_start_does_not_flicker_the_icon(
    bridge: Bridge, host: FakeHost, theme: Theme, menu: TrayMenu, qtbot: QtBot
) -> None:
    host.set_servers([status for status in host.servers() if status.name == "time"])
    icon = TrayIcon(bridge, theme, menu.menu)
    assert icon.state is TrayState.OK
    with qtbot.waitSignal(bridge.servers_changed):
        host.change("time", state=ServerState.STARTING)
    assert icon.state is TrayState.OK
    qtbot.waitUntil(lambda: icon.state is TrayState.WORKING, timeout=2_000)
    with qtbot.waitSignal(bridge.servers_changed):
        host.change("time", state=ServerState.READY)
    qtbot.waitUntil(lambda: icon.state is TrayState.OK)


def test_a_double_click_opens_once(bridge: Bridge, theme: Theme, menu: TrayMenu) -> None:
    icon = TrayIcon(bridge, theme, menu.menu)
    opened: list[bool] = []
    icon.opened.connect(lambda: opened.append(True))
    reasons = QSystemTrayIcon.ActivationReason
    for reason in (reasons.Trigger, reasons.Trigger, reasons.DoubleClick, reasons.Context):
        icon._icon.activated.emit(reason)
    assert opened == [True]


@pytest.mark.parametrize(
    ("system", "button", "opens"),
    [
        ("linux", "Trigger", True),
        ("linux", "DoubleClick", True),
        ("linux", "MiddleClick", False),
        ("linux", "Context", False),
        ("win32", "Trigger", True),
        ("win32", "MiddleClick", False),
        ("darwin", "Trigger", False),
        ("darwin", "DoubleClick", False),
    ],
)
def test_a_click_does_what_the_system_s_own_icons_do(
    bridge: Bridge, theme: Theme, menu: TrayMenu, monkeypatch: pytest.MonkeyPatch, system: str, button: str, opens: bool
) -> None:
    icon = TrayIcon(bridge, theme, menu.menu)
    opened: list[bool] = []
    icon.opened.connect(lambda: opened.append(True))
    monkeypatch.setattr("sys.platform", system)
    icon._icon.activated.emit(QSystemTrayIcon.ActivationReason[button])
    assert bool(opened) is opens


def running_call(
    id: int, tool: str = "search_issues", server: str = "github-official", seconds: float = 12.9
) -> RunningCall:
    return RunningCall(id=id, client="Claude Code 2.1", server=server, tool=tool, seconds=seconds)


def test_calls_under_way_are_listed_and_choosing_one_cancels_it(
    run: Run, bridge: Bridge, host: FakeHost, menu: TrayMenu, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(bridge.status_changed):
        host.set_running_calls(running_call(1), running_call(2, "a_b", "gone", 200.0))
    assert texts(menu)[-7:] == ["Clients", "Calls running (2)", "-", "Pause all", "-", "Settings…", "Quit"]
    lines = [entry.text() for entry in menu.calls.actions() if entry.isVisible()]
    assert lines == [
        "Cancel search_issues  ·  GitHub  ·  12 s  ·  Claude Code 2.1",
        "Cancel a_b  ·  gone  ·  3 min  ·  Claude Code 2.1",
    ]

    async def story() -> None:
        menu.calls.actions()[0].trigger()
        await asyncio.sleep(0.2)

    run(story())
    assert ("cancel_call", 1) in host.calls
    assert "Calls running (1)" in texts(menu)


def test_without_calls_the_menu_has_no_line_about_them(menu: TrayMenu) -> None:
    assert not any(line.startswith("Calls running") for line in texts(menu))
