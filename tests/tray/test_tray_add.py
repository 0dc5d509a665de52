"""Adding a server: whatever is pasted becomes a form at once, and Add writes it and leads to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QMessageBox, QPushButton

from desktop.clients.draft import Draft
from desktop.errors import SecretStoreError
from desktop.tray.add_dialog import AddDialog
from desktop.tray.catalog_page import CatalogPage
from desktop.tray.draft_form import DraftForm
from desktop.tray.main_window import MainWindow
from desktop.tray.servers_page import ServersPage
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run

FILES = {"command": "npx", "args": ["-y", "@acme/files", "/data"], "env": {"ACME_KEY": "k3y", "MODE": "<mode>"}}


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def opened(window: MainWindow) -> AddDialog:
    window.show()
    window.add_server()
    (dialog,) = window.findChildren(AddDialog)
    assert isinstance(dialog, AddDialog)
    return dialog


def field(form: DraftForm, name: str) -> QLineEdit:
    (line,) = [line for line in form.findChildren(QLineEdit) if line.accessibleName() == name]
    return line


def told(dialog: AddDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


async def pasted(dialog: AddDialog, text: str) -> DraftForm:
    dialog.text.setPlainText(text)
    await until(lambda: dialog.forms)
    return dialog.forms[0]


def added(host: FakeHost) -> list[Draft]:
    return [call[2] for call in host.calls if call[0] == "add" and isinstance(call[2], Draft)]


def test_what_is_pasted_becomes_a_form_and_what_is_changed_there_is_added(
    run: Run, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        dialog = opened(window)
        assert not dialog.add.isEnabled()
        form = await pasted(dialog, json.dumps({"mcpServers": {"files": FILES}}))
        assert (form.name.text(), form.title.text()) == ("files", "Files")
        assert "package · npx @acme/files" in told(dialog)
        assert "/data" in told(dialog)
        assert field(form, "ACME_KEY").echoMode() is QLineEdit.EchoMode.Password
        assert (field(form, "MODE").text(), field(form, "MODE").placeholderText()) == ("", "not set")
        assert not form.chosen.isVisible()
        form.name.setText("my-files")
        field(form, "MODE").setText("fast")
        dialog.add.click()
        await until(lambda: added(host))
        (draft,) = added(host)
        assert draft.name == "my-files"
        assert {value.name: (value.value, value.is_secret) for value in draft.values} == {
            "ACME_KEY": ("k3y", True),
            "MODE": ("fast", False),
        }
        await until(lambda: window.page.detail.server == "my-files")
        assert window.current is window.page
        await until(lambda: not window.findChildren(AddDialog))

    run(story())


def test_what_is_not_understood_is_said_while_typing_and_can_not_be_added(
    run: Run, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        dialog = opened(window)
        QTest.keyClicks(dialog.text, "docker run -e 'A")
        await until(lambda: "A quotation mark in the command is not closed." in told(dialog))
        assert not dialog.add.isEnabled()
        QTest.keyClicks(dialog.text, "B=c' -i acme/it")
        await until(lambda: dialog.add.isEnabled())
        assert "not closed" not in told(dialog)
        dialog.text.setPlainText("npx it --api-key=abcdef123")
        await until(lambda: "a key stands among its arguments" in told(dialog))
        assert not dialog.add.isEnabled()
        dialog.text.clear()
        await until(lambda: not dialog.forms)
        dialog.reject()

    run(story())


def test_of_several_servers_those_that_are_ticked_are_added(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = opened(window)
        await pasted(dialog, json.dumps({"a": FILES, "b": {"url": "https://b.example/mcp"}, "c": {"command": "./c"}}))
        assert [form.chosen.isChecked() for form in dialog.forms] == [True, True, False]
        assert dialog.add.text() == "Add 2"
        dialog.forms[0].chosen.click()
        assert dialog.add.text() == "Add"
        dialog.forms[2].chosen.click()
        assert not dialog.add.isEnabled()
        dialog.forms[2].chosen.click()
        dialog.add.click()
        await until(lambda: [draft.name for draft in added(host)] == ["b"])

    run(story())


def test_a_name_leads_to_its_card_in_the_catalog(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = opened(window)
        dialog.text.setPlainText("time")
        await until(lambda: dialog.show_card.isVisible())
        assert not dialog.add.isVisible()
        dialog.show_card.click()
        page = window.current
        assert isinstance(page, CatalogPage)
        assert page.detail.server == "time"
        await until(lambda: not window.findChildren(AddDialog))
        other = opened(window)
        other.text.setPlainText("nobody")
        await until(lambda: 'No catalog has a server called "nobody".' in told(other))
        other.reject()

    run(story())


def test_what_can_not_be_written_stays_entered_with_the_reason(run: Run, host: FakeHost, window: MainWindow) -> None:
    host.adding.refusal = SecretStoreError("The keychain is locked", "Unlock it")

    async def story() -> None:
        dialog = opened(window)
        form = await pasted(dialog, json.dumps(FILES))
        field(form, "ACME_KEY").setText("other")
        dialog.add.click()
        await until(lambda: "The keychain is locked. Unlock it." in told(dialog))
        assert field(form, "ACME_KEY").text() == "other"
        await until(dialog.add.isEnabled)
        dialog.reject()

    run(story())


def test_a_value_can_be_made_a_secret_and_a_secret_a_value(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = opened(window)
        form = await pasted(dialog, "docker run -i -e A=plain -e API_KEY=k3y acme/it")
        boxes = {box.accessibleName(): box for box in form.findChildren(QCheckBox)}
        boxes["A is a secret"].click()
        boxes["API_KEY is a secret"].click()
        assert field(form, "A").echoMode() is QLineEdit.EchoMode.Password
        assert field(form, "API_KEY").echoMode() is QLineEdit.EchoMode.Normal
        dialog.add.click()
        await until(lambda: added(host))
        assert [value.is_secret for value in added(host)[0].values] == [True, False]

    run(story())


def test_it_opens_from_both_pages_and_by_keyboard(run: Run, window: MainWindow) -> None:
    async def story() -> None:
        window.show()
        for place in ("servers", "catalog"):
            page = window.open_place(place)
            (button,) = [each for each in page.findChildren(QPushButton) if each.accessibleName() == "Add a server"]
            button.click()
            (dialog,) = window.findChildren(AddDialog)
            assert dialog.text.hasFocus() or dialog.focusWidget() is dialog.text
            dialog.reject()
            await until(lambda: not window.findChildren(AddDialog))
        assert isinstance(window.open_place("servers"), ServersPage)
        (action,) = [each for each in window.actions() if each.shortcut().toString() == "Ctrl+N"]
        action.trigger()
        await until(lambda: window.findChildren(AddDialog))
        QTest.keyClick(window.findChildren(AddDialog)[0], Qt.Key.Key_Escape)
        await until(lambda: not window.findChildren(AddDialog))

    run(story())


def test_what_was_added_can_be_removed_in_the_catalog_and_nothing_else(
    run: Run, host: FakeHost, window: MainWindow
) -> None:
    async def story() -> None:
        dialog = opened(window)
        await pasted(dialog, "https://mine.example/mcp")
        dialog.add.click()
        await until(lambda: window.page.detail.server == "mine")
        window.show_card("time")
        page = window.current
        assert isinstance(page, CatalogPage)
        await asyncio.sleep(0)
        assert not page.detail.remove.isVisible()
        window.show_card("mine")
        await until(page.detail.remove.isVisible)
        page.detail.remove.click()
        (question,) = page.detail.findChildren(QMessageBox)
        next(button for button in question.buttons() if button.text() == "Keep it").click()
        assert ("forget", "mine") not in host.calls
        await until(lambda: not page.detail.findChildren(QMessageBox))
        page.detail.remove.click()
        (question,) = page.detail.findChildren(QMessageBox)
        next(button for button in question.buttons() if button.text() == "Remove").click()
        await until(lambda: ("forget", "mine") in host.calls)
        await until(lambda: not page.model.index_of("mine").isValid())

    run(story())


def test_nothing_anybody_pastes_makes_the_dialog_fall(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        dialog = opened(window)
        for text in (
            "{" * 3000,
            "\0",
            "a" * 10_000 + "!",
            "[[[[",
            '{"command": 5}',
            "x" * 200 + " " + "y" * 200,
            "  \n",
        ):
            generation = dialog._generation
            dialog.text.setPlainText(text)
            await until(lambda generation=generation: dialog._generation > generation)
            await asyncio.sleep(0)
            assert not dialog.add.isEnabled()
        huge = QMimeData()
        huge.setText("a" * 250_000)
        dialog.text.clear()
        dialog.text.insertFromMimeData(huge)
        assert dialog.text.toPlainText() == ""
        assert "too much text" in told(dialog)
        form = await pasted(dialog, "docker run -i " + "registry.example.com/" + "deep/" * 40 + "image:" + "1" * 200)
        assert form.name.text()
        assert dialog.minimumSizeHint().width() <= dialog.width()
        dialog.reject()

    run(story())
