"""The import: what clients have is chosen, looked through, moved and, if wanted, brought back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.modeltest import ModelTester

from desktop.clients.candidates import Candidate
from desktop.errors import ClientFileError, SecretStoreError
from desktop.tray.clients_page import ClientsPage
from desktop.tray.import_dialog import ImportDialog
from desktop.tray.import_list import CandidateRole, ImportList
from desktop.tray.main_window import MainWindow
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import FakeHost
from tests.helpers.fake_importing import some_candidates
from tests.tray.conftest import Run


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def opened(window: MainWindow) -> ImportDialog:
    window.show()
    page = window.open_place("clients")
    assert isinstance(page, ClientsPage)
    page.importing.click()
    (dialog,) = window.findChildren(ImportDialog)
    assert isinstance(dialog, ImportDialog)
    await until(lambda: dialog.model.rowCount() or "No client" in dialog.empty.words())
    return dialog


def told(dialog: ImportDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def asked(host: FakeHost, what: str) -> list[object]:
    return [call[1] for call in host.calls if call[0] == what]


def test_what_can_be_moved_is_chosen_at_first_and_what_can_not_says_why(run: Run, window: MainWindow) -> None:
    async def story() -> None:
        dialog = await opened(window)
        rows = [dialog.model.index(row) for row in range(dialog.model.rowCount())]
        assert [index.data() for index in rows] == ["fetch", "filesystem", "GitHub", "sentry", "own"]
        assert dialog.model.chosen() == ("fetch", "filesystem", "github", "sentry")
        said = {index.data(): dialog.delegate.row(index) for index in rows}
        assert said["GitHub"].word == "1 key in plain text"
        assert said["filesystem"].word == "in 2 clients"
        assert said["sentry"].word == "differs between clients"
        assert said["fetch"].word == ""
        assert said["own"].below == "Can't be moved: it starts the program python, which the gateway does not run"
        assert not said["own"].switchable
        assert dialog.move_button.text() == "Move 4 servers"
        assert "1 key in plain text" in rows[2].data(Qt.ItemDataRole.AccessibleTextRole)
        dialog.reject()

    run(story())


def test_the_change_is_shown_before_and_only_what_is_chosen_is_moved(
    run: Run, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        dialog = await opened(window)
        dialog.view.setFocus()
        QTest.keyClick(dialog.view, Qt.Key.Key_Space)
        assert dialog.move_button.text() == "Move 3 servers"
        dialog.look.click()
        await until(lambda: dialog.change.isVisible())
        assert '+    "mcp-gateway"' in dialog.change.toPlainText()
        assert "Into the secret store: github.token" in dialog.change.toPlainText()
        assert dialog.look.text() == "Show list"
        dialog.look.click()
        assert dialog.view.isVisible()
        dialog.move_button.click()
        await until(lambda: "3 servers moved" in told(dialog))
        assert asked(host, "plan_import") == asked(host, "import") == [("filesystem", "github", "sentry")]
        assert not dialog.move_button.isVisible()
        assert dialog.leave.text() == "Close"
        dialog.leave.click()

    run(story())


def test_one_undo_is_offered_at_once_and_when_it_is_opened_again(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = await opened(window)
        assert not dialog.undo.isVisible()
        dialog.move_button.click()
        await until(dialog.undo.isVisible)
        dialog.undo.click()
        await until(lambda: "Everything is as it was" in told(dialog))
        await until(dialog.move_button.isVisible)
        assert not dialog.undo.isVisible()
        dialog.move_button.click()
        await until(dialog.undo.isVisible)
        dialog.leave.click()
        await until(lambda: not window.findChildren(ImportDialog))
        again = await opened(window)
        await until(again.undo.isVisible)
        assert again.undo.text() == "Undo last import"
        again.undo.click()
        await until(lambda: again.model.rowCount() == 5)
        assert host.importing.moved == []
        again.reject()

    run(story())


def test_what_fails_is_told_and_can_be_tried_again(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = await opened(window)
        host.importing.refusal = ClientFileError("settings.json", "it is read-only")
        dialog.look.click()
        await until(lambda: "settings.json" in told(dialog))
        assert not dialog.look.isChecked()
        assert dialog.view.isVisible()
        host.importing.refusal = SecretStoreError("The keychain is locked", "Unlock it")
        dialog.move_button.click()
        await until(lambda: "The keychain is locked. Unlock it." in told(dialog))
        assert dialog.view.isVisible()
        dialog.move_button.click()
        await until(dialog.undo.isVisible)
        host.importing.refusal = ClientFileError("mcp.json", "it is not JSON")
        dialog.undo.click()
        await until(lambda: "mcp.json" in told(dialog))
        assert dialog.undo.isEnabled()
        dialog.leave.click()

    run(story())


def test_without_servers_it_says_so(run: Run, host: FakeHost, window: MainWindow) -> None:
    host.importing.found = ()

    async def story() -> None:
        dialog = await opened(window)
        assert dialog.empty.words().startswith("No client has servers of its own")
        assert not dialog.move_button.isEnabled()
        assert not dialog.look.isEnabled()
        dialog.reject()

    run(story())


def test_it_may_be_closed_while_it_looks_or_moves(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = await opened(window)
        dialog.move_button.click()
        dialog.reject()
        await until(lambda: not window.findChildren(ImportDialog))
        await until(lambda: host.importing.moved)
        await asyncio.sleep(0)

    run(story())


def test_the_model_keeps_qts_rules_and_long_names_are_drawn(
    run: Run, qtmodeltester: ModelTester, host: FakeHost, window: MainWindow, theme: Theme
) -> None:
    model = ImportList()
    model.show_candidates(some_candidates())
    qtmodeltester.check(model)
    assert model.index(0).data(CandidateRole).name == "fetch"
    assert not model.setData(model.index(4), Qt.CheckState.Checked, int(Qt.ItemDataRole.CheckStateRole))
    host.importing.found = tuple(
        Candidate(name=f"{number}" + "x" * 200, entry="y" * 200, about="z " * 200, clients=("Client " * 20,) * 30)
        for number in range(300)
    )

    async def story() -> None:
        dialog = await opened(window)
        for look in (Look.LIGHT, Look.DARK):
            theme.set_look(look)
            assert not dialog.grab().isNull()
        dialog.reject()

    run(story())
