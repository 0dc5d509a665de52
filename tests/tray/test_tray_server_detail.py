"""The tabs of a server's detail, used as a person does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.errors import UsageError
from desktop.facets.server import ServerImage, ServerOffer, ServerUse
from desktop.host import SecretNeed
from desktop.servers.status import OfferedTool, ServerState
from desktop.tray.duplicate_dialog import DuplicateDialog
from desktop.tray.log_view import LogModel
from desktop.tray.main_window import MainWindow
from desktop.tray.server_detail import DetailTab, ServerDetail
from desktop.tray.server_settings_dialog import ServerSettingsDialog
from desktop.tray.tool_list import OfferRole, ToolList, ToolOrder
from tests.helpers.fake_facets import some_permissions, some_tools
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run
from tests.tray.test_tray_window import shown


@pytest.fixture
def detail(window: MainWindow, host: FakeHost, qtbot: QtBot) -> ServerDetail:
    host.server_tools.offers["github-official"] = some_tools()
    host.server_permissions.found["github-official"] = some_permissions()
    shown(window, qtbot)
    window.show_server("github-official")
    return window.page.detail


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


def text_of(widget: object) -> str:
    assert isinstance(widget, ServerDetail)
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def switch(detail: ServerDetail, name: str) -> None:
    """Move a tool's switch with the keyboard."""
    order = detail.tools.order
    row = next(row for row in range(order.rowCount()) if order.index(row, 0).data(OfferRole).name == name)
    index = order.index(row, 0)
    detail.tools.view.setCurrentIndex(index)
    assert order.setData(
        index,
        Qt.CheckState.Unchecked if index.data(OfferRole).on else Qt.CheckState.Checked,
        int(Qt.ItemDataRole.CheckStateRole),
    )


def test_the_tabs_are_reached_by_keyboard(detail: ServerDetail, qtbot: QtBot) -> None:
    first = detail._segments[DetailTab.OVERVIEW]
    first.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(first, Qt.Key.Key_Right)
    focused = QApplication.focusWidget()
    assert focused is detail._segments[DetailTab.TOOLS]
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    assert detail.tools.isVisible()
    assert not detail.overview.isVisible()


def test_tabs_wrap_instead_of_being_cut_and_swap_sides_with_the_language(detail: ServerDetail, qtbot: QtBot) -> None:
    buttons = list(detail._segments.values())
    detail.resize(300, 500)
    row = buttons[0].parentWidget()
    qtbot.waitUntil(lambda: all(row.rect().contains(button.geometry()) for button in buttons))
    row.resize(200, row.heightForWidth(200))
    assert buttons[-1].y() > buttons[0].y()
    detail.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    qtbot.waitUntil(lambda: buttons[0].geometry().right() == row.width() - 1)


def test_what_is_used_is_asked_only_while_the_overview_is_seen(run: Run, detail: ServerDetail, host: FakeHost) -> None:
    host.server_resources.uses["github-official"] = ServerUse(containers=2, memory=84_000_000, processors=0.25)
    detail.overview._timer.setInterval(10)

    async def story() -> None:
        await until(lambda: host.server_resources.looks >= 3)
        assert "2 containers · 84.0 MB memory · 25 % of a processor" in text_of(detail)
        detail.show_tab(DetailTab.PERMISSIONS)
        before = host.server_resources.looks
        await asyncio.sleep(0.1)
        assert host.server_resources.looks == before

    run(story())


def test_the_image_is_copied_with_its_digest(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    host.server_resources.images["fetch"] = ServerImage(name="mcp/fetch:1", digest="sha256:abc")

    async def story() -> None:
        window.show_server("fetch")
        await until(detail.overview._copy_image.isVisible)
        detail.overview._copy_image.click()
        assert QApplication.clipboard().text() == "mcp/fetch:1@sha256:abc"
        window.show_server("postgres")
        assert not detail.overview._copy_image.isVisible()

    run(story())


def test_a_missing_secret_has_one_button_that_opens_the_dialog(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    host.secrets["slack"] = (SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN"),)

    async def story() -> None:
        window.show_server("slack")
        assert "SLACK_BOT_TOKEN is not set." in text_of(detail)
        assert detail.overview._settings.text() == "Set…"
        detail.overview._settings.click()
        await until(lambda: window.findChild(ServerSettingsDialog))
        window.findChild(ServerSettingsDialog).close()

    run(story())


def test_a_second_account_asks_for_its_name_and_then_for_its_secrets(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    host.secrets["github-official-2"] = (SecretNeed(name="github-official-2.token"),)

    async def story() -> None:
        detail.overview._duplicate.click()
        dialog = window.findChild(DuplicateDialog)
        assert dialog.name.text() == "github-official-2"
        host.fail_next = UsageError("there is a server called x already", "Choose another name")
        dialog.make.click()
        await until(dialog._problem.isVisible)
        assert dialog._problem.text() == "there is a server called x already. Choose another name."
        dialog.make.click()
        await until(lambda: window.findChild(ServerSettingsDialog))
        assert host.server("github-official-2") is not None
        window.findChild(ServerSettingsDialog).close()

    run(story())
    assert [call for call in host.calls if call[0] == "duplicate"] == [
        ("duplicate", "github-official", "github-official-2")
    ] * 2


def test_tools_are_searched_and_switched_in_the_file(run: Run, detail: ServerDetail, host: FakeHost) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.TOOLS)
        await until(lambda: detail.tools.order.rowCount() == 40)
        assert detail.tools.sum.text() == "34 of 38 tools · about 9100 tokens"
        detail.tools.search.setText("pull page")
        assert detail.tools.order.rowCount() == 6
        switch(detail, "get_pull_requests")
        switch(detail, "list_pull_requests")
        await until(lambda: len(host.server_tools.chosen) == 2)
        await until(lambda: not detail.tools._wishes)
        on = host.server_tools.offers["github-official"].on
        assert not on & {"get_pull_requests", "list_pull_requests"}
        assert detail.tools.sum.text().startswith("32 of 38 tools")
        detail.tools.all_off.click()
        await until(lambda: not detail.tools._wishes and not detail.tools._busy)
        left = host.server_tools.offers["github-official"].on
        assert left
        assert not [name for name in left if name.endswith("pull_requests")]

    run(story())


def test_a_refused_switch_goes_back_and_says_why(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.TOOLS)
        await until(lambda: detail.tools.order.rowCount() == 40)
        host.server_tools.refusal = UsageError("tools.yaml is broken")
        switch(detail, "get_issues")
        await until(window.banners.failure.isVisible)
        await until(lambda: not detail.tools._busy)
        assert next(row for row in detail.tools.model.entries() if row.name == "get_issues").on

    run(story())


def test_tools_of_another_server_are_never_shown_under_this_one(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.TOOLS)
        window.show_server("time")
        await until(lambda: "No tools known yet" in text_of(detail))
        await asyncio.sleep(0.05)
        assert detail.tools.model.rowCount() == 0

    run(story())


def test_a_tools_row_tells_a_screen_reader_everything(qapp: QApplication) -> None:
    model = ToolList()
    wipe = OfferedTool(name="wipe", exposed="a__wipe", description="Wipes\nit.", destructive=True, tokens=123)
    model.show(ServerOffer(tools=(wipe,), on=frozenset({"wipe"}), listed=True), {})
    told = model.index(0).data(int(Qt.ItemDataRole.AccessibleTextRole))
    assert told == "a__wipe, destructive, about 120 tokens, Wipes it."


def test_the_models_keep_qts_rules(qtmodeltester: ModelTester, qapp: QApplication) -> None:
    model = ToolList()
    order = ToolOrder(model)
    model.show(some_tools(20), {})
    order.set_search("issues")
    qtmodeltester.check(model)
    qtmodeltester.check(order)


def test_three_hundred_tools_are_shown_and_searched_within_frames(
    run: Run, detail: ServerDetail, host: FakeHost
) -> None:
    host.server_tools.offers["github-official"] = some_tools(300)

    async def story() -> None:
        detail.show_tab(DetailTab.TOOLS)
        await until(lambda: detail.tools.order.rowCount() == 302)
        painted = detail.tools.view.grab()
        assert not painted.isNull()
        detail.tools.search.setText("delete")
        assert detail.tools.order.rowCount() == 50

    run(story())


def test_settings_show_values_and_whether_secrets_are_set_but_none_of_them(
    run: Run, detail: ServerDetail, host: FakeHost, window: MainWindow
) -> None:
    host.secrets["slack"] = (
        SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN"),
        SecretNeed(name="slack.team", is_required=False, is_set=True),
    )
    host.settings_desk.schemas["slack"] = {
        "properties": {"channels": {"type": "array"}, "limit": {"type": "integer", "default": 100}}
    }
    host.settings_desk.values["slack"] = {"channels": ["a", "b"]}

    async def story() -> None:
        window.show_server("slack")
        detail.show_tab(DetailTab.SETTINGS)
        await until(lambda: "SLACK_BOT_TOKEN\nnot set\nslack.team\nset" in text_of(detail))
        assert "channels\na, b\nlimit\n100" in text_of(detail)
        assert detail.settings.change.isVisible()
        window.show_server("time")
        await until(lambda: "nothing to set" in text_of(detail))
        assert not detail.settings.change.isVisible()

    run(story())


def test_the_log_follows_until_it_is_held(window: MainWindow, host: FakeHost, detail: ServerDetail) -> None:
    logs = detail.logs
    window.show_server("time")
    detail.show_tab(DetailTab.LOGS)
    host.write("time", "one", "two")
    logs.refresh()
    host.write("time", "three")
    logs.refresh()
    assert list(logs.model.shown) == ["one", "two", "three"]
    logs.follow.setChecked(False)
    host.write("time", "four")
    logs.refresh()
    assert list(logs.model.shown) == ["one", "two", "three"]
    logs.follow.setChecked(True)
    assert list(logs.model.shown) == ["one", "two", "three", "four"]
    window.show_server("fetch")
    assert list(logs.model.shown) == []
    assert "The server wrote nothing yet." in text_of(detail)


def test_the_log_is_searched_copied_and_exported(
    run: Run, window: MainWindow, host: FakeHost, detail: ServerDetail, tmp_path: Path
) -> None:
    host.write("time", "GET /a", "oops: Failed", "GET /b")

    async def story() -> None:
        window.show_server("time")
        detail.show_tab(DetailTab.LOGS)
        logs = detail.logs
        logs.copy.click()
        assert QApplication.clipboard().text() == "GET /a\noops: Failed\nGET /b"
        logs.search.setText("failed")
        assert list(logs.model.shown) == ["oops: Failed"]
        host.write("time", "fine", "failed again")
        logs.refresh()
        assert list(logs.model.shown) == ["oops: Failed", "failed again"]
        logs.view.selectRow(1)
        logs.view.copy_chosen()
        assert QApplication.clipboard().text() == "failed again"
        logs.search.setText("nowhere")
        assert "No message has “nowhere”." in text_of(detail)
        logs.export_to(str(tmp_path / "time.log"))
        await until((tmp_path / "time.log").exists)

    run(story())
    lines = (tmp_path / "time.log").read_text(encoding="utf-8").splitlines()
    assert lines == ["GET /a", "oops: Failed", "GET /b", "fine", "failed again"]


def test_a_log_keeps_its_newest_lines_and_cuts_what_is_too_long_to_show(detail: ServerDetail) -> None:
    model = detail.logs.model
    model.add([f"line {number}" for number in range(99_999)])
    model.add(["x" * 50_000, "last"])
    assert model.rowCount() == 100_000
    assert model.index(0, 0).data() == "line 1"
    assert len(model.index(99_998, 0).data()) == 2_001
    assert model.rowCount(QModelIndex()) == len(model.lines)


def test_of_a_long_log_only_the_lines_that_are_seen_are_asked_for(
    window: MainWindow, host: FakeHost, detail: ServerDetail, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    asked: set[int] = set()
    data = LogModel.data

    def noting(model: LogModel, index: QModelIndex, role: int = 0) -> object:
        asked.add(index.row())
        return data(model, index, role)

    monkeypatch.setattr(LogModel, "data", noting)
    host.write("time", *(f"line {number}" for number in range(100_000)))
    window.show_server("time")
    detail.show_tab(DetailTab.LOGS)
    view = detail.logs.view
    qtbot.waitUntil(lambda: 99_999 in asked)
    view.verticalScrollBar().setValue(50_000)
    view.grab()
    seen = view.viewport().height() // view.rowHeight(0) + 2
    assert {50_000} <= asked
    assert len(asked) <= 4 * seen
    view.selectAll()
    view.copy_chosen()
    assert QApplication.clipboard().text().count("\n") == 99_999


def test_a_consent_is_taken_back(run: Run, detail: ServerDetail, host: FakeHost) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.PERMISSIONS)
        await until(lambda: "ask tool *:create_*" in text_of(detail))
        buttons = [button for button in detail.permissions.findChildren(QPushButton) if button.text() == "Take back"]
        assert buttons[0].accessibleName() == "Take back: read the folder /home/ada/Documents/projects"
        buttons[0].click()
        await until(lambda: "read the folder" not in text_of(detail))
        assert "call its tool create_issues" in text_of(detail)

    run(story())
    assert host.server_permissions.asked[0][:3] == ("take_back", "github-official", "mount")


def test_the_time_limit_is_chosen_and_taken_away(run: Run, detail: ServerDetail, host: FakeHost) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.PERMISSIONS)
        permissions = detail.permissions
        await until(permissions.limited.isVisible)
        assert not permissions.seconds.isEnabled()
        permissions.limited.click()
        await until(lambda: host.server_permissions.asked)
        permissions.seconds.setValue(90)
        permissions.seconds.editingFinished.emit()
        await until(lambda: len(host.server_permissions.asked) == 2)
        permissions.limited.click()
        await until(lambda: len(host.server_permissions.asked) == 3)

    run(story())
    assert [call[2] for call in host.server_permissions.asked] == [60.0, 90.0, None]


def test_secrets_that_docker_inspect_shows_are_told(run: Run, detail: ServerDetail, host: FakeHost) -> None:
    async def story() -> None:
        detail.show_tab(DetailTab.PERMISSIONS)
        await until(lambda: "It may" in text_of(detail))
        assert "docker inspect" not in text_of(detail)
        host.change("github-official", reveals_secrets=True, state=ServerState.READY)
        await until(lambda: "sees its secrets with docker inspect" in text_of(detail))

    run(story())
