"""The place Catalog: hundreds of servers found by typing and chips, and turned on in one flow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.modeltest import ModelTester

from desktop.host import CatalogEntry, SecretNeed
from desktop.servers.status import ServerKind, ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.catalog_list import CatalogFilter, CatalogList, EntryRole
from desktop.tray.catalog_page import CatalogPage
from desktop.tray.main_window import MainWindow
from desktop.tray.server_settings_dialog import ServerSettingsDialog
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import FakeHost, many_servers
from tests.tray.conftest import Run


@pytest.fixture
def page(bridge: Bridge, actions: Actions, theme: Theme) -> Iterator[CatalogPage]:
    page = CatalogPage(bridge, actions, theme)
    page.resize(1000, 600)
    yield page
    page.hide()
    page.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def shown(page: CatalogPage) -> list[str]:
    return [page.order.index(row, 0).data(EntryRole).name for row in range(page.order.rowCount())]


def choose(page: CatalogPage, name: str) -> None:
    page.view.setCurrentIndex(page.order.mapFromSource(page.model.index_of(name)))


def texts(page: CatalogPage) -> str:
    return "\n".join(label.text() for label in page.detail.findChildren(QLabel) if label.isVisible())


def test_typing_finds_by_rank_and_by_name_and_chips_narrow(run: Run, host: FakeHost, page: CatalogPage) -> None:
    async def story() -> None:
        page.show()
        assert shown(page) == sorted(shown(page), key=lambda name: page.model.index_of(name).data().casefold())
        host.found["get teh time"] = ("time", "fetch")
        page.search.setText("get teh time")
        assert shown(page) == ["time", "fetch"]
        page.search.setText("hub")
        assert shown(page) == ["github-official"]
        page.search.clear()
        page._chips[CatalogFilter.REMOTE].click()
        assert {page.order.index(row, 0).data(EntryRole).kind for row in range(page.order.rowCount())} == {
            ServerKind.REMOTE
        }
        page._chips[CatalogFilter.NO_KEY].click()
        assert "notion" not in shown(page)
        page.categories.setCurrentIndex(1)
        assert 0 < len(shown(page)) < 7
        page.search.setText("zzzz")
        assert page.empty.words().startswith("Nothing found")
        page.empty.button.click()
        assert len(shown(page)) == 7

    run(story())


def test_the_drawer_says_what_it_may_before_it_is_turned_on(run: Run, host: FakeHost, page: CatalogPage) -> None:
    async def story() -> None:
        page.show()
        assert not page.detail.isVisible()
        choose(page, "fetch")
        shown_texts = texts(page)
        assert "•  use the secret TOKEN\n•  reach the network" in shown_texts
        assert "3 tools" in shown_texts
        assert "fetch_list\nCan list things" in shown_texts
        assert page.detail.switch.text() == "Turn on"
        page.detail.switch.click()
        await until(lambda: ("set_enabled", "fetch", True) in host.calls)
        await until(lambda: page.detail.switch.text() == "Turn off")
        assert page.detail.show_server.isVisible()

    run(story())


def test_a_server_that_needs_a_key_asks_for_it_when_it_is_turned_on(
    run: Run, host: FakeHost, page: CatalogPage
) -> None:
    host.secrets["fetch"] = (SecretNeed(name="fetch.key", variable="FETCH_KEY"),)

    async def story() -> None:
        page.show()
        page.model.refresh()
        choose(page, "fetch")
        page.detail.switch.click()
        await until(lambda: page.window().findChild(ServerSettingsDialog))
        dialog = page.window().findChild(ServerSettingsDialog)
        assert dialog is not None
        (line,) = [line for line in dialog.findChildren(QLineEdit) if line.accessibleName() == "FETCH_KEY"]
        line.setText("k")
        dialog.save.click()
        await until(lambda: ("set_secret", "fetch.key", "k") in host.calls)
        await until(lambda: not page.window().findChildren(ServerSettingsDialog))
        host.change("fetch", enabled=False, state=ServerState.OFF)
        await until(lambda: page.detail.switch.text() == "Turn on")
        page.detail.switch.click()
        await until(lambda: page.detail.switch.text() == "Turn off")
        await asyncio.sleep(0.05)
        assert not page.window().findChildren(ServerSettingsDialog)

    run(story())


def test_from_a_card_the_way_leads_to_the_server(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        window.show()
        page = window.open_place("catalog")
        assert isinstance(page, CatalogPage)
        choose(page, "time")
        page.detail.show_server.click()
        assert window.current is window.page
        assert window.page.detail.server == "time"

    run(story())


def test_everything_is_reached_by_keyboard(run: Run, host: FakeHost, page: CatalogPage) -> None:
    async def story() -> None:
        page.show()
        page.focus_first()
        QTest.keyClick(page.search, Qt.Key.Key_Down)
        assert page.view.currentIndex().isValid()
        assert page.detail.isVisible()
        QTest.keyClick(page.view, Qt.Key.Key_Escape)
        assert not page.detail.isVisible()
        page.set_narrow(True)
        choose(page, "time")
        QTest.keyClick(page.view, Qt.Key.Key_Return)
        assert page.detail.isVisible()
        assert not page.view.isVisible()
        QTest.keyClick(page, Qt.Key.Key_Escape)
        assert page.view.isVisible()

    run(story())


def test_the_model_keeps_what_qt_asks_of_one(
    run: Run, host: FakeHost, bridge: Bridge, request: pytest.FixtureRequest
) -> None:
    tester = ModelTester(request.config)

    async def story() -> None:
        model = CatalogList(bridge)
        tester.check(model)
        host.change("fetch", enabled=True)
        await until(lambda: model.index_of("fetch").data(EntryRole).enabled)
        host.set_servers(many_servers(300))
        await until(lambda: model.rowCount() == 300)
        host.set_servers([])
        await until(lambda: model.rowCount() == 0)

    run(story())
    tester._cleanup()


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_long_texts_and_none_leave_the_page_whole(
    run: Run, host: FakeHost, page: CatalogPage, theme: Theme, look: Look
) -> None:
    theme.set_look(look)
    long = CatalogEntry(name="long", title="T" * 200, description="word " * 300, source="s" * 300, category="c" * 80)

    async def story() -> None:
        page.show()
        host.set_servers([])
        await until(lambda: page.empty.words().startswith("The catalogs are empty"))
        host.catalogs.more = (long,)
        host.set_servers([])
        await until(lambda: shown(page) == ["long"])
        choose(page, "long")
        assert page.width() == 1000
        page.grab()

    run(story())
