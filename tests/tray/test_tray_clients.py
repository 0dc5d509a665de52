"""The place Clients: connected and disconnected with one click, and the pane that says what that means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar
from pytestqt.modeltest import ModelTester

from desktop.clients.view import ClientState, ClientView
from desktop.errors import StateFileError
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_list import ClientList, ViewRole
from desktop.tray.clients_page import ClientsPage
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import FakeHost, some_clients
from tests.tray.conftest import Run


@pytest.fixture
def page(bridge: Bridge, actions: Actions, theme: Theme) -> Iterator[ClientsPage]:
    page = ClientsPage(bridge, actions, theme)
    page.resize(900, 600)
    yield page
    page.hide()
    page.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def shown(page: ClientsPage) -> list[str]:
    return [page.order.index(row, 0).data(ViewRole).id for row in range(page.order.rowCount())]


def choose(page: ClientsPage, id: str) -> None:
    page.view.setCurrentIndex(page.order.mapFromSource(page.model.index_of(id)))


def texts(page: ClientsPage) -> str:
    return "\n".join(label.text() for label in page.detail.findChildren(QLabel) if label.isVisible())


def test_what_needs_attention_comes_first_and_absent_clients_only_when_asked_for(run: Run, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        assert shown(page) == ["vscode", "zed", "claude-code", "cursor", "windsurf"]
        assert page._here.text() == "Here  5"
        page._all.click()
        assert shown(page)[-1] == "goose"
        page._here.click()
        page.search.setText("goose")
        assert shown(page) == ["goose"]
        page.search.setText("nobody")
        assert page.empty.words().startswith("Nothing found")

    run(story())


def test_the_switch_of_a_row_connects_and_disconnects(run: Run, host: FakeHost, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        index = page.order.mapFromSource(page.model.index_of("windsurf"))
        place: QPoint = page.delegate.switch_rectangle(page.view, index).center()
        QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        await until(lambda: ("connect_client", "windsurf") in host.calls)
        index = page.model.index_of("windsurf")
        await until(lambda: page.model.index_of("windsurf").data(ViewRole).state is ClientState.WAITING)
        assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        choose(page, "windsurf")
        page.view.setFocus()
        QTest.keyClick(page.view, Qt.Key.Key_Space)
        await until(lambda: ("disconnect_client", "windsurf") in host.calls)

    run(story())


def test_a_refused_connection_goes_back_and_says_why(
    run: Run, host: FakeHost, page: ClientsPage, actions: Actions
) -> None:
    told: list[str] = []
    actions.failed.connect(lambda message, _hint: told.append(message))

    async def story() -> None:
        page.show()
        host.fail_next = StateFileError("/home/ada/.cursor/mcp.json", "it is read-only")
        actions.set_connected("windsurf", True)
        assert page.model.index_of("windsurf").data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        await until(lambda: told)
        assert told == ["/home/ada/.cursor/mcp.json: it is read-only"]
        assert page.model.index_of("windsurf").data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked

    run(story())


def test_a_dropped_entry_is_restored_with_one_click(run: Run, host: FakeHost, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        choose(page, "vscode")
        assert "VS Code dropped the entry." in texts(page)
        assert "connected as MCP_DOCKER" in texts(page)
        assert page.detail.again.isVisible()
        assert not page.detail.connect_button.isVisible()
        page.detail.again.click()
        await until(lambda: ("connect_client", "vscode") in host.calls)
        await until(lambda: not page.detail.again.isVisible())
        assert page.detail.connect_button.text() == "Disconnect"

    run(story())


def test_the_change_is_shown_before_anything_is_written(run: Run, host: FakeHost, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        choose(page, "windsurf")
        page.detail.show_change.click()
        await until(page.detail._change.isVisible)
        assert '+  "mcp-gateway"' in page.detail._change.toPlainText()
        assert [call[0] for call in host.calls if call[0] != "refresh_clients"] == ["plan_client"]
        choose(page, "cursor")
        assert not page.detail._change.isVisible()

    run(story())


def test_the_meter_tells_whether_the_tools_fit_the_client(run: Run, host: FakeHost, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        choose(page, "cursor")
        assert "52 of 40 tools · 12 tools too many" in texts(page)
        meter = page.detail.findChild(QProgressBar)
        assert meter is not None
        assert meter.property("over")
        choose(page, "claude-code")
        assert not meter.isVisible()

    run(story())


def test_a_broken_file_is_named_and_offers_no_switch(run: Run, page: ClientsPage) -> None:
    async def story() -> None:
        page.show()
        choose(page, "zed")
        assert "settings.json, line 12, column 3" in texts(page)
        assert not page.detail.connect_button.isVisible()
        assert not page.delegate.row(page.model.index_of("zed")).switchable

    run(story())


def test_the_model_keeps_what_qt_asks_of_one(
    run: Run, host: FakeHost, bridge: Bridge, actions: Actions, request: pytest.FixtureRequest
) -> None:
    tester = ModelTester(request.config)

    async def story() -> None:
        model = ClientList(bridge, actions)
        tester.check(model)
        host.change_client("cursor", state=ClientState.CONNECTED)
        await until(lambda: model.index_of("cursor").data(ViewRole).state is ClientState.CONNECTED)
        host.set_clients(*some_clients()[:2])
        await until(lambda: model.rowCount() == 2)
        host.set_clients()
        await until(lambda: model.rowCount() == 0)

    run(story())
    tester._cleanup()


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_long_names_and_no_clients_leave_the_page_whole(
    run: Run, host: FakeHost, page: ClientsPage, theme: Theme, look: Look
) -> None:
    theme.set_look(look)
    long = ClientView(
        id="long", name="N" * 200, state=ClientState.BROKEN, line="x" * 400, installed=True, file="/" + "f" * 300
    )

    async def story() -> None:
        page.show()
        host.set_clients(long)
        await until(lambda: shown(page) == ["long"])
        assert page.width() == 900
        host.set_clients()
        await until(lambda: page.empty.isVisible())
        assert page.empty.words().startswith("Looking for clients")

    run(story())
