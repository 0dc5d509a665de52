"""The first steps come once, work without an engine, and do at once what is chosen in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListView

from desktop.clients.view import ClientState
from desktop.errors import ClientFileError
from desktop.host import CatalogEntry
from desktop.state.app_settings import AppSettings
from desktop.tray.actions import Actions
from desktop.tray.application import TrayApplication
from desktop.tray.bridge import Bridge
from desktop.tray.client_list import ViewRole
from desktop.tray.main_window import MainWindow
from desktop.tray.memory import Memory
from desktop.tray.server_list import StatusRole
from desktop.tray.theme import Theme
from desktop.tray.welcome import Welcome
from desktop.tray.welcome_steps import SUGGESTED
from tests.helpers.fake_host import NO_DOCKER, FakeHost, few_servers, many_servers
from tests.tray.conftest import Run


@pytest.fixture
def welcome(bridge: Bridge, actions: Actions, theme: Theme, run: Run) -> Iterator[Welcome]:
    async def made() -> Welcome:
        welcome = Welcome(bridge, actions, theme)
        welcome.show()
        await until(lambda: bool(names(welcome)))
        return welcome

    welcome = run(made())
    yield welcome
    if shiboken6.isValid(welcome):
        welcome.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def names(welcome: Welcome) -> list[str]:
    """The servers offered."""
    model = welcome.servers.view.model()
    return [model.index(row, 0).data(StatusRole).name for row in range(model.rowCount())]


def row_of(view: QListView, title: str) -> int:
    model = view.model()
    return next(row for row in range(model.rowCount()) if model.index(row, 0).data() == title)


def click_switch(view: QListView, delegate: object, title: str) -> None:
    index = view.model().index(row_of(view, title), 0)
    place: QPoint = delegate.switch_rectangle(view, index).center()  # type: ignore[attr-defined]
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_six_servers_that_want_nothing_are_offered_and_one_click_turns_one_on(
    run: Run, host: FakeHost, welcome: Welcome
) -> None:
    host.catalogs.more = (CatalogEntry(name="keyed", title="A key", needs_key=True),)
    assert len(names(welcome)) == SUGGESTED
    assert "keyed" not in names(welcome)
    assert welcome.go.text() == "Continue"
    welcome.go.click()
    assert welcome.step == 1

    async def story() -> None:
        click_switch(welcome.servers.view, welcome.servers.delegate, "Fetch")
        await until(lambda: ("set_enabled", "fetch", True) in host.calls)

    run(story())


def test_without_an_engine_it_says_what_to_do_and_offers_what_runs_all_the_same(
    run: Run, host: FakeHost, welcome: Welcome
) -> None:
    async def story() -> None:
        host.set_engine(NO_DOCKER)
        await until(lambda: welcome.engine.found.text() == "Docker is not running")
        assert welcome.go.text() == "Continue without"
        assert welcome.engine.retry.isVisible()
        await until(lambda: names(welcome) == ["notion-remote"])
        welcome.engine.retry.click()
        await until(lambda: welcome.engine.found.text() == "Docker 28.2 was found")
        assert not welcome.engine.retry.isVisible()
        await until(lambda: len(names(welcome)) == SUGGESTED)

    run(story())


def test_a_step_in_which_nothing_was_done_is_skipped_by_name(
    run: Run, bridge: Bridge, actions: Actions, theme: Theme, host: FakeHost
) -> None:
    async def story() -> None:
        host.set_servers([status for status in many_servers(30) if not status.enabled])
        host.set_clients(*(view for view in host.clients() if view.id == "windsurf"))
        welcome = Welcome(bridge, actions, theme)
        welcome.show()
        await until(lambda: bool(names(welcome)))
        welcome.go.click()
        assert welcome.go.text() == "Skip"
        welcome.go.click()
        assert welcome.go.text() == "Skip"
        assert welcome.leave.isHidden()
        click_switch(welcome.clients.view, welcome.clients.delegate, "Windsurf")
        await until(lambda: welcome.go.text() == "Done")
        assert ("connect_client", "windsurf") in host.calls
        welcome.back.click()
        assert welcome.step == 1
        welcome.close()

    run(story())


def test_a_client_that_cant_be_connected_is_told_in_the_same_window(run: Run, host: FakeHost, welcome: Welcome) -> None:
    async def story() -> None:
        welcome.go.click()
        welcome.go.click()
        await until(lambda: ("refresh_clients",) in host.calls)
        shown = welcome.clients.view.model()
        assert ClientState.ABSENT not in [shown.index(row, 0).data(ViewRole).state for row in range(shown.rowCount())]
        host.fail_next = ClientFileError("/home/ada/.codeium/windsurf/mcp_config.json", "it is locked")
        click_switch(welcome.clients.view, welcome.clients.delegate, "Windsurf")
        await until(welcome.banners.failure.isVisible)
        assert "mcp_config.json" in welcome.banners.failure.text()

    run(story())


def test_the_steps_are_walked_by_keyboard_alone(run: Run, host: FakeHost, welcome: Welcome) -> None:
    async def story() -> None:
        QTest.keyClick(welcome, Qt.Key.Key_Return)
        assert welcome.step == 1
        view = welcome.servers.view
        view.setCurrentIndex(view.model().index(row_of(view, "Fetch"), 0))
        QTest.keyClick(view, Qt.Key.Key_Space)
        await until(lambda: ("set_enabled", "fetch", True) in host.calls)
        QTest.keyClick(view, Qt.Key.Key_Return)
        assert welcome.step == 2
        QTest.keyClick(welcome, Qt.Key.Key_Escape)
        assert not welcome.isVisible()

    run(story())


def test_they_come_once_and_again_from_the_window_s_menu(run: Run, qapp: QApplication, memory: Memory) -> None:
    host = FakeHost(few_servers())
    host.preferences.current = AppSettings()

    async def start(hidden: bool) -> TrayApplication:
        tray = TrayApplication(qapp, host.running, memory)
        serving.append(asyncio.create_task(tray.main(hidden)))
        await until(lambda: tray.bridge.host is not None)
        return tray

    async def end(tray: TrayApplication) -> None:
        tray.quit()
        await serving.pop()

    serving: list[asyncio.Task[None]] = []

    async def story() -> None:
        tray = await start(hidden=True)
        assert tray.first_run.shown is None
        tray.open_window()
        first = tray.first_run.shown
        assert first is not None
        await until(lambda: host.preferences.current.welcomed)
        first.close()
        await end(tray)
        tray = await start(hidden=False)
        assert tray.first_run.shown is None
        tray.window.welcome_requested.emit()
        assert tray.first_run.shown is not None
        await end(tray)

    run(story())


def test_the_window_s_menu_has_the_first_steps(window: MainWindow) -> None:
    asked: list[bool] = []
    window.welcome_requested.connect(lambda: asked.append(True))
    next(entry for entry in window._palette_entries() if entry.name == "First steps…").run()
    assert asked == [True]
