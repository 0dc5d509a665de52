"""The window says what is so, in any size, for mouse, keyboard and screen reader."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop.errors import StateFileError
from desktop.host import EndpointStatus
from desktop.servers.status import ServerKind, ServerState
from desktop.sharing import Sharing
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.main_window import MainWindow
from desktop.tray.memory import Memory
from desktop.tray.server_list import ServerFilter
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import NO_DOCKER, FakeHost, long_names, many_servers
from tests.tray.conftest import Run


def shown(window: MainWindow, qtbot: QtBot, width: int = 1040, height: int = 680) -> None:
    window.resize(width, height)
    with qtbot.waitExposed(window):
        window.show()


def test_all_focusable_widgets_have_names(window: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    shown(window, qtbot)
    window.show_failure("It failed", "Try again.")
    host.set_engine(NO_DOCKER)
    host.set_problems("config.yaml, line 3: a list is expected")
    host.change("time", needs_consent=True)
    window.show_server("time")
    qtbot.waitUntil(window.banners.problems.isVisible)
    for width in (1040, 720):
        window.resize(width, 680)
        assert nameless(window) == []


def nameless(window: MainWindow) -> list[QWidget]:
    """The widgets the keyboard reaches and a screen reader could not name."""
    found = []
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or not widget.isVisible():
            continue
        interface: QAccessibleInterface | None = QAccessible.queryAccessibleInterface(widget)
        if interface is not None and not interface.text(QAccessible.Text.Name).strip():
            found.append(widget)
    return found


def test_tab_reaches_the_important_controls(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    window.page.search.setFocus()
    reached = set()
    for _ in range(40):
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        reached.add(window.focusWidget())
    for widget in (window.page.view, window.page.search, window.status.copy, window.sidebar.menu_button):
        assert widget in reached


def test_two_hundred_rounds_of_showing_leave_no_windows_behind(
    window: MainWindow, qtbot: QtBot, qapp: QApplication
) -> None:
    shown(window, qtbot)
    before = len(qapp.topLevelWidgets())
    for round_ in range(200):
        window.show()
        window.show_failure(f"Failure {round_}", "")
        qapp.processEvents()
        window.hide()
    qapp.processEvents()
    assert len(qapp.topLevelWidgets()) == before


def test_list_and_detail_take_turns_where_it_is_narrow(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    page = window.page
    assert page.view.isVisible()
    assert page.detail.isVisible()
    window.resize(720, 480)
    qtbot.waitUntil(lambda: not page.detail.isVisible())
    page.view.setFocus()
    qtbot.keyClick(page.view, Qt.Key.Key_Return)
    assert page.detail.isVisible()
    assert not page.view.isVisible()
    qtbot.keyClick(page.detail, Qt.Key.Key_Escape)
    assert page.view.isVisible()
    assert not page.detail.isVisible()


def test_it_fits_seven_hundred_and_twenty_by_four_hundred_and_eighty(
    window: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    host.set_servers(long_names())
    host.set_engine(NO_DOCKER)
    shown(window, qtbot, 720, 480)
    qtbot.waitUntil(window.banners.engine.isVisible)
    assert (window.width(), window.height()) == (720, 480)
    assert window.minimumSizeHint().width() <= 720
    assert window.minimumSizeHint().height() <= 480


def test_showing_a_server_overrides_search_and_filter(window: MainWindow, qtbot: QtBot) -> None:
    shown(window, qtbot)
    window.page.search.setText("github")
    window.page.set_filter(ServerFilter.ON)
    window.show_server("fetch")
    assert window.page.detail.server == "fetch"
    assert window.page.search.text() == ""


def test_empty_lists_have_words(bridge: Bridge, host: FakeHost, window: MainWindow, qtbot: QtBot) -> None:
    page = window.page
    page.search.setText("nothing like this")
    assert "No server matches" in page.empty.words()
    page.empty.button.click()
    assert page.search.text() == ""
    for name in ("slack", "postgres", "notion-remote"):
        host.change(name, state=ServerState.READY)
    page.set_filter(ServerFilter.ATTENTION)
    qtbot.waitUntil(lambda: page.empty.words().startswith("All is well"))
    host.set_servers([])
    qtbot.waitUntil(lambda: page.empty.words().startswith("No servers yet"))
    host.set_servers([status for status in many_servers(5) if not status.enabled])
    page.set_filter(ServerFilter.ON)
    qtbot.waitUntil(lambda: page.empty.words().startswith("No server"))


def test_before_the_host_is_there_the_window_says_so(actions: Actions, theme: Theme, memory: Memory) -> None:
    window = MainWindow(Bridge(), actions, theme, memory)
    assert window.page.empty.words().startswith("Starting…")
    assert window.status.text() == "Starting…"
    window.deleteLater()


def test_the_status_line_tells_endpoint_clients_and_tools(window: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    assert window.status.text() == "127.0.0.1:8811 · 2 clients · 40 tools"
    host.set_endpoint(EndpointStatus(url="http://127.0.0.1:9/mcp", clients=1, tools=1, calls=1))
    qtbot.waitUntil(lambda: window.status.text() == "127.0.0.1:9 · 1 client · 1 tool · 1 call running")
    host.set_endpoint(EndpointStatus(reason="Port 8811 is in use"))
    qtbot.waitUntil(lambda: window.status.text() == "Not listening")
    assert window.banners.endpoint.text() == "Port 8811 is in use."
    assert not window.status.copy.isEnabled()


def test_problems_and_engine_trouble_have_banners_that_can_be_dismissed(
    window: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    shown(window, qtbot)
    host.set_problems(*(f"config.yaml, line {line}: a list is expected" for line in range(5)))
    host.set_engine(NO_DOCKER)
    qtbot.waitUntil(lambda: window.banners.problems.isVisible() and window.banners.engine.isVisible())
    assert "line 2" in window.banners.problems.text()
    assert "And 2 more." in window.banners.problems.text()
    window.banners.engine._close.click()
    host.set_endpoint(None)
    qtbot.wait(80)
    assert not window.banners.engine.isVisible()
    host.set_problems()
    qtbot.waitUntil(lambda: not window.banners.isVisible())


def test_a_refused_request_is_told_in_the_window_and_can_be_copied(
    run: Run, window: MainWindow, host: FakeHost, actions: Actions, qtbot: QtBot
) -> None:
    shown(window, qtbot)
    host.fail_next = StateFileError("registry.yaml", "permission denied", line=3, hint="Change its owner.")

    async def story() -> None:
        actions.set_enabled("fetch", True)
        await asyncio.sleep(0.05)

    run(story())
    assert window.banners.failure.isVisible()
    window.banners.failure._copy.click()
    assert QApplication.clipboard().text() == "registry.yaml, line 3: permission denied.\nChange its owner."


def test_the_detail_offers_what_applies(window: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    shown(window, qtbot)
    detail = window.page.detail.overview
    window.show_server("fetch")
    assert detail._switch.text() == "Turn on"
    assert not detail._restart.isVisible()
    window.show_server("postgres")
    assert detail._switch.text() == "Turn off"
    assert detail._restart.isVisible()
    assert not detail._consent.isVisible()
    host.change("postgres", needs_consent=True, state=ServerState.NEEDS_SETTING)
    qtbot.waitUntil(detail._consent.isVisible)


def test_who_shares_a_server_is_shown_and_chosen_in_the_detail(
    run: Run, window: MainWindow, host: FakeHost, qtbot: QtBot
) -> None:
    shown(window, qtbot)
    window.show_server("postgres")
    detail = window.page.detail.overview
    assert detail._sharing.text() == "shared"
    assert [choice.isChecked() for choice in detail._sharing_choices.values()] == [True, False, False]

    async def story() -> None:
        detail._sharing_choices[Sharing.SHARED].trigger()
        detail._sharing_choices[Sharing.PER_CALL].trigger()
        await asyncio.sleep(0.1)

    run(story())
    assert [call for call in host.calls if call[0] == "set_sharing"] == [("set_sharing", "postgres", Sharing.PER_CALL)]
    assert detail._sharing.text() == "per call"
    assert [choice.isChecked() for choice in detail._sharing_choices.values()] == [False, False, True]
    host.change("postgres", kind=ServerKind.TOOLS)
    qtbot.waitUntil(lambda: not detail._sharing.isVisible())


@pytest.mark.parametrize("agreed", [True, False])
def test_running_without_a_container_is_asked_first(
    run: Run, window: MainWindow, host: FakeHost, qtbot: QtBot, agreed: bool
) -> None:
    shown(window, qtbot)
    host.change("time", needs_consent=True, state=ServerState.NEEDS_SETTING)
    window.show_server("time")

    async def story() -> None:
        await asyncio.sleep(0.1)
        window.page.detail.overview._consent.click()
        question = window.findChild(QMessageBox)
        assert question is not None
        assert "your rights" in question.informativeText()
        wanted = QMessageBox.ButtonRole.AcceptRole if agreed else QMessageBox.ButtonRole.RejectRole
        next(button for button in question.buttons() if question.buttonRole(button) is wanted).click()
        await asyncio.sleep(0.1)

    run(story())
    assert host.calls == ([("allow_without_container", "time")] if agreed else [])


@pytest.mark.parametrize("servers", [0, 1, 5, 300, -1])
@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_it_can_be_painted_in_every_condition(
    window: MainWindow,
    theme: Theme,
    host: FakeHost,
    qtbot: QtBot,
    servers: int,
    look: Look,
    direction: Qt.LayoutDirection,
) -> None:
    theme.set_look(look)
    window.setLayoutDirection(direction)
    host.set_servers(long_names() if servers < 0 else many_servers(servers))
    for size in ((1040, 680), (720, 480)):
        shown(window, qtbot, *size)
        assert not window.grab().isNull()


def test_place_and_size_are_remembered(
    bridge: Bridge, actions: Actions, theme: Theme, memory: Memory, window: MainWindow
) -> None:
    window.resize(760, 500)
    window.remember()
    again = MainWindow(bridge, actions, theme, memory)
    assert (again.width(), again.height()) == (760, 500)
    again.deleteLater()


def test_no_text_begs_or_shouts() -> None:
    for path in (Path(__file__).parents[2] / "desktop" / "tray").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "please" not in text.lower(), path.name
        assert '!"' not in text, path.name
