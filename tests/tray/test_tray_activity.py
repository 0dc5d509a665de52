"""The place Activity: calls as they happen, found again, looked into, and forgotten when the person wants that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtTest import QTest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.activity.record import Outcome
from desktop.activity.retention import Retention
from desktop.host import RunningCall
from desktop.tray import call_list
from desktop.tray.actions import Actions
from desktop.tray.activity_page import ActivityPage
from desktop.tray.bridge import Bridge
from desktop.tray.call_list import CallList, Column
from desktop.tray.theme import Theme
from tests.helpers.fake_activity import some_calls
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run


@pytest.fixture
def page(bridge: Bridge, actions: Actions, theme: Theme, host: FakeHost) -> Iterator[ActivityPage]:
    page = ActivityPage(bridge, actions, theme)
    page.resize(900, 600)
    yield page
    page.hide()
    page.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def cells(model: QAbstractItemModel, row: int) -> list[str]:
    return [model.index(row, column).data() or "" for column in Column]


def tools(page: ActivityPage) -> list[str]:
    return [cells(page.model, row)[Column.TOOL] for row in range(page.model.rowCount())]


def test_what_was_kept_is_shown_and_a_call_appears_as_it_ends(run: Run, host: FakeHost, page: ActivityPage) -> None:
    host.activity.add(tool="earlier", seconds=1.25, received=1500, outcome=Outcome.ERROR, reason="It broke")

    async def story() -> None:
        page.show()
        await until(lambda: tools(page) == ["earlier"])
        row = cells(page.model, 0)
        assert row[Column.CLIENT : Column.TOOK + 1] == ["claude-code 2.4.1", "github-official", "earlier", "1.2 s"]
        assert row[Column.SIZE].startswith("1.5")
        assert row[Column.OUTCOME] == "error"
        host.call_ended(tool="later", outcome=Outcome.CANCELLED)
        await until(lambda: tools(page) == ["later", "earlier"])
        assert cells(page.model, 0)[Column.OUTCOME] == "cancelled"

    run(story())


def test_calls_under_way_stand_on_top_and_can_be_cancelled(run: Run, host: FakeHost, page: ActivityPage) -> None:
    async def story() -> None:
        page.show()
        host.call_ended(tool="done")
        await until(lambda: tools(page) == ["done"])
        host.set_running_calls(RunningCall(id=7, client="Cursor 2", server="fetch", tool="fetch", seconds=3.0))
        await until(lambda: tools(page) == ["fetch", "done"])
        assert cells(page.model, 0)[Column.OUTCOME] == "running"
        page.view.selectRow(0)
        assert page.detail.cancel.isVisible()
        page.detail.cancel.click()
        await until(lambda: ("cancel_call", 7) in host.calls)
        host.set_running_calls()
        await until(lambda: tools(page) == ["done"])

    run(story())


def test_search_and_the_failed_ones_narrow_what_is_shown_and_what_comes(
    run: Run, host: FakeHost, page: ActivityPage
) -> None:
    host.activity.add(tool="list_issues")
    host.activity.add(tool="get_time", server="time")
    host.activity.add(tool="list_repos", outcome=Outcome.TOOL_ERROR, reason="Not found")

    async def story() -> None:
        page.show()
        page.search.setText("github LIST")
        await until(lambda: tools(page) == ["list_repos", "list_issues"])
        host.call_ended(tool="get_time", server="time")
        host.call_ended(tool="list_stars")
        await until(lambda: tools(page) == ["list_stars", "list_repos", "list_issues"])
        page._failed.click()
        await until(lambda: tools(page) == ["list_repos"])
        page.search.setText("nothing like it")
        await until(lambda: page.empty.words().startswith("Nothing found"))
        page.empty.button.click()
        await until(lambda: len(tools(page)) == 5)

    run(story())


def test_the_drawer_shows_arguments_and_result_of_the_chosen_call(run: Run, host: FakeHost, page: ActivityPage) -> None:
    host.activity.add(tool="broken", outcome=Outcome.TOOL_ERROR, reason="The repository was not found")

    async def story() -> None:
        page.show()
        await until(lambda: tools(page))
        assert not page.detail.isVisible()
        page.view.selectRow(0)
        assert page.detail.isVisible()
        await until(lambda: "tools listed twice" in page.detail.arguments.toPlainText())
        assert '"content"' in page.detail.result.toPlainText()
        assert "The repository was not found." in page.detail._reason.text()

    run(story())


def test_in_a_narrow_window_table_and_drawer_take_turns_by_keyboard(
    run: Run, host: FakeHost, page: ActivityPage
) -> None:
    host.activity.add()

    async def story() -> None:
        page.set_narrow(True)
        page.show()
        await until(lambda: tools(page))
        page.view.selectRow(0)
        assert not page.detail.isVisible()
        QTest.keyClick(page.view, Qt.Key.Key_Return)
        assert page.detail.isVisible()
        assert not page.view.isVisible()
        QTest.keyClick(page, Qt.Key.Key_Escape)
        assert page.view.isVisible()

    run(story())


def test_older_calls_are_fetched_page_by_page(
    run: Run, host: FakeHost, page: ActivityPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_list, "PAGE", 50)
    host.activity.records = some_calls(120)

    async def story() -> None:
        page.show()
        await until(lambda: page.model.rowCount() == 50)
        while page.model.canFetchMore(page.model.index(-1, -1)):
            page.model.fetchMore(page.model.index(-1, -1))
            await until(lambda: page.model.known)
        assert page.model.rowCount() == 120
        assert not page.model.canFetchMore(page.model.index(-1, -1))

    run(story())


def test_the_model_keeps_what_qt_asks_of_one(
    run: Run,
    host: FakeHost,
    bridge: Bridge,
    actions: Actions,
    theme: Theme,
    qtbot: QtBot,
    request: pytest.FixtureRequest,
) -> None:
    tester = ModelTester(request.config)
    host.activity.records = some_calls(30)

    async def story() -> None:
        model = CallList(bridge, actions, theme)
        tester.check(model)
        model.read_again()
        await until(lambda: model.rowCount() == 30)
        host.set_running_calls(RunningCall(id=1, client="c", server="s", tool="t", seconds=0.1))
        host.call_ended(tool="new")
        await until(lambda: model.rowCount() == 32)
        host.set_running_calls()
        await until(lambda: model.rowCount() == 31)

    run(story())
    tester._cleanup()


def test_what_is_kept_is_chosen_in_the_menu(run: Run, host: FakeHost, page: ActivityPage) -> None:
    async def story() -> None:
        page.show()
        page._menu.aboutToShow.emit()
        page._days[30].trigger()
        await until(lambda: host.activity.retention == Retention(days=30))
        page._on.trigger()
        await until(lambda: not host.activity.retention.on)
        await until(lambda: page.empty.words().startswith("Calls are not kept"))
        page.empty.button.click()
        await until(lambda: host.activity.retention == Retention(days=30))

    run(story())


def test_names_of_two_hundred_characters_and_no_names_leave_the_table_whole(
    run: Run, host: FakeHost, page: ActivityPage
) -> None:
    host.activity.add(tool="t" * 200, server="s" * 200, client="")

    async def story() -> None:
        page.show()
        await until(lambda: tools(page))
        assert cells(page.model, 0)[Column.CLIENT] == "unknown"
        page.view.selectRow(0)
        await asyncio.sleep(0)
        assert page.width() == 900
        hidden = [column for column in Column if page.view.isColumnHidden(column)]
        assert Column.TOOL not in hidden
        assert Column.SIZE in hidden

    run(story())
