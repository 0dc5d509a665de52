"""The model of the list, its order, and the row's switch."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QListView
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.servers.status import ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.server_delegate import ServerDelegate
from desktop.tray.server_list import ServerFilter, ServerList, ServerOrder, StatusRole
from desktop.tray.theme import Theme
from tests.helpers.fake_host import FakeHost, few_servers, long_names, many_servers
from tests.tray.conftest import Run


class RecordedActions(Actions):
    """Notes switches instead of moving them."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.switched: list[tuple[str, bool]] = []

    def set_enabled(self, name: str, enabled: bool) -> None:
        self.switched.append((name, enabled))


@pytest.fixture
def recorded(bridge: Bridge) -> RecordedActions:
    return RecordedActions(bridge)


@pytest.fixture
def model(bridge: Bridge, recorded: RecordedActions) -> ServerList:
    return ServerList(bridge, recorded)


@pytest.fixture
def order(model: ServerList) -> ServerOrder:
    return ServerOrder(model)


@pytest.fixture
def view(order: ServerOrder, theme: Theme, qtbot: QtBot) -> Iterator[QListView]:
    view = QListView()
    qtbot.addWidget(view)
    view.setModel(order)
    view.setItemDelegate(ServerDelegate(theme, view))
    view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
    view.resize(480, 600)
    view.show()
    return view


def names(order: ServerOrder) -> list[str]:
    return [order.index(row, 0).data(StatusRole).name for row in range(order.rowCount())]


def test_the_models_keep_qts_rules(
    model: ServerList, order: ServerOrder, bridge: Bridge, host: FakeHost, qtmodeltester: ModelTester, qtbot: QtBot
) -> None:
    qtmodeltester.check(model)
    qtmodeltester.check(order)
    for servers in (many_servers(300), [], many_servers(1), long_names(), few_servers()):
        with qtbot.waitSignal(bridge.servers_changed):
            host.set_servers(servers)
        assert order.rowCount() == len(servers)
        order.set_search("server 1")
        order.set_filter(ServerFilter.ON)
        order.set_search("")
        order.set_filter(ServerFilter.ALL)


def test_enabled_servers_come_first_and_titles_order_the_rest(order: ServerOrder) -> None:
    assert names(order) == ["github-official", "notion-remote", "playwright", "postgres", "slack", "time", "fetch"]


def test_search_finds_words_in_any_field(order: ServerOrder) -> None:
    order.set_search("browser SCREENSHOTS")
    assert names(order) == ["playwright"]
    order.set_search("package")
    assert names(order) == ["time"]
    order.set_search("ghcr.io")
    assert names(order) == ["github-official"]
    order.set_search("by a tool", ["fetch"])
    assert names(order) == ["fetch"]
    order.set_search("no such thing")
    assert names(order) == []


def test_filters_show_what_they_say(order: ServerOrder) -> None:
    order.set_filter(ServerFilter.ATTENTION)
    assert names(order) == ["notion-remote", "postgres", "slack"]
    order.set_filter(ServerFilter.ON)
    assert "fetch" not in names(order)


def test_a_switched_row_stays_under_the_pointer_until_the_list_settles(
    order: ServerOrder, bridge: Bridge, host: FakeHost, qtbot: QtBot
) -> None:
    before = names(order)
    with qtbot.waitSignal(bridge.servers_changed):
        host.change("github-official", enabled=False, state=ServerState.OFF)
    assert names(order) == before
    order.settle()
    assert names(order)[-2:] == ["fetch", "github-official"]


def test_one_change_redraws_one_row(model: ServerList, bridge: Bridge, host: FakeHost, qtbot: QtBot) -> None:
    with qtbot.waitSignal(model.dataChanged) as changed, qtbot.assertNotEmitted(model.modelReset):
        host.change("time", state=ServerState.READY)
    top, bottom = changed.args[:2]
    assert top == bottom == model.index_of("time")


def test_a_row_speaks_to_a_screen_reader(model: ServerList) -> None:
    spoken = model.index_of("slack").data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Slack, on, needs setting, container, SLACK_BOT_TOKEN is not set"
    assert model.index_of("fetch").data(Qt.ItemDataRole.AccessibleTextRole) == "Fetch, switched off, container"


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_click_on_the_switch_moves_it_and_one_beside_does_not(
    view: QListView, order: ServerOrder, recorded: RecordedActions, qtbot: QtBot, direction: Qt.LayoutDirection
) -> None:
    view.setLayoutDirection(direction)
    delegate = view.itemDelegate()
    assert isinstance(delegate, ServerDelegate)
    index = order.index(0, 0)
    place = delegate.switch_rectangle(view, index)
    assert (place.center().x() > 240) is (direction is Qt.LayoutDirection.LeftToRight)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert recorded.switched == [("github-official", False)]
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(240, place.center().y()))
    assert len(recorded.switched) == 1
    assert view.currentIndex() == index


def test_two_quick_clicks_on_the_switch_move_it_twice(
    view: QListView, order: ServerOrder, recorded: RecordedActions
) -> None:
    delegate = view.itemDelegate()
    assert isinstance(delegate, ServerDelegate)
    place = delegate.switch_rectangle(view, order.index(0, 0)).center()
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    kinds = QEvent.Type
    for kind, held in (
        (kinds.MouseButtonPress, left),
        (kinds.MouseButtonRelease, none),
        (kinds.MouseButtonDblClick, left),
        (kinds.MouseButtonRelease, none),
    ):
        there = view.viewport().mapToGlobal(place)
        event = QMouseEvent(kind, QPointF(place), QPointF(there), left, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view.viewport(), event)
    assert len(recorded.switched) == 2


def test_space_moves_the_switch_of_the_current_row(
    view: QListView, order: ServerOrder, recorded: RecordedActions, qtbot: QtBot
) -> None:
    view.setCurrentIndex(order.index(6, 0))
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert recorded.switched == [("fetch", True)]


def test_the_switch_shows_what_was_asked_while_the_host_is_at_it(run: Run, bridge: Bridge, host: FakeHost) -> None:
    actions = Actions(bridge)
    model = ServerList(bridge, actions)
    host.delay = 0.02

    async def story() -> None:
        model.setData(model.index_of("fetch"), Qt.CheckState.Checked, int(Qt.ItemDataRole.CheckStateRole))
        assert model.index_of("fetch").data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        assert not host.servers()[0].enabled
        await actions.close()

    run(story())


@pytest.mark.parametrize("servers", [[], many_servers(1), many_servers(300), long_names()])
def test_any_list_is_painted(
    view: QListView, host: FakeHost, bridge: Bridge, qtbot: QtBot, servers: list[object]
) -> None:
    with qtbot.waitSignal(bridge.servers_changed):
        host.set_servers(servers)  # type: ignore[arg-type]
    for width in (200, 480, 1200):
        view.resize(width, 600)
        assert not view.grab().isNull()


def test_painting_three_hundred_rows_is_fast(view: QListView, host: FakeHost, bridge: Bridge, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bridge.servers_changed):
        host.set_servers(many_servers(300))
    began = time.perf_counter()
    view.grab()
    assert time.perf_counter() - began < 0.25
