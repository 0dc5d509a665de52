"""The place Secrets: what is kept and what is missing, set and removed without ever showing a value."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop.errors import PassphraseError, SecretStoreError
from desktop.host import EnvLine, KeptSecret, SecretPlace, SecretsStatus, SecretUse, SignInState, SignInStatus
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.env_import_dialog import EnvImportDialog
from desktop.tray.main_window import MainWindow
from desktop.tray.secret_dialog import PassphraseDialog, SecretDialog
from desktop.tray.secret_list import SecretColumn, SecretList
from desktop.tray.secrets_page import SecretsPage
from desktop.tray.sign_in_list import SignInColumn, SignInList
from desktop.tray.theme import Theme
from tests.helpers.fake_host import FakeHost
from tests.helpers.fake_secrets import many_secrets, some_lines, some_secrets, some_sign_ins
from tests.tray.conftest import Run
from tests.tray.test_tray_window import nameless, shown


@pytest.fixture
def page(bridge: Bridge, actions: Actions, theme: Theme, host: FakeHost) -> Iterator[SecretsPage]:
    host.secret_desk.show(*some_secrets())
    host.set_sign_ins(*some_sign_ins())
    page = SecretsPage(bridge, actions, theme)
    page.resize(900, 600)
    yield page
    page.hide()
    page.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def names(page: SecretsPage) -> list[str]:
    model = page.secrets.model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def row(page: SecretsPage, name: str) -> list[str]:
    index = page.secrets.model.index_of(name)
    return [index.siblingAtColumn(column).data() for column in SecretColumn]


async def filled(page: SecretsPage) -> None:
    page.show()
    await until(lambda: page.secrets.model.rowCount() and page.secrets.protection.text())


def choose(page: SecretsPage, name: str) -> None:
    page.secrets.view.setCurrentIndex(page.secrets.model.index_of(name))


D = TypeVar("D", bound=QDialog)


def dialog(page: SecretsPage, kind: type[D]) -> D:
    (found,) = page.findChildren(kind)
    return found


def test_what_is_missing_comes_first_and_no_value_is_anywhere(run: Run, page: SecretsPage) -> None:
    async def story() -> None:
        await filled(page)
        assert names(page) == [
            "slack.bot_token",
            "brave.api_key",
            "github.personal_access_token",
            "nobody.asks",
            "notion.token",
            "postgres.url",
            "slack.team",
        ]
        assert row(page, "slack.bot_token")[1:] == ["Slack", "not set", ""]
        assert row(page, "github.personal_access_token")[3] == "keychain"
        assert row(page, "brave.api_key")[3] == "this session"
        assert row(page, "nobody.asks")[1] == "no server"
        assert row(page, "notion.token")[2:] == ["–", "sign-in to Notion"]
        assert row(page, "postgres.url")[3] == ".env file"
        assert page.secrets.protection.text() == "Sealed in a file whose key is in your system's keychain."
        assert page.secrets.trouble.isHidden()
        assert page.secrets_button.text() == "Secrets  7"
        page.secrets._missing.click()
        assert names(page) == ["slack.bot_token"]
        page.secrets._all.click()
        page.search.setText("postgres data")
        assert names(page) == ["postgres.url"]
        page.search.setText("nothing like it")
        assert page.secrets.body.empty.words() == "Nothing found"

    run(story())


def test_a_missing_secret_is_set_with_what_was_pasted(run: Run, page: SecretsPage, host: FakeHost) -> None:
    async def story() -> None:
        await filled(page)
        assert page.secrets.detail.set.text() == "Set…"
        assert "under OAuth &amp; Permissions" in page.secrets.detail._uses.text()
        QTest.keyClick(page.secrets.view, Qt.Key.Key_Return)
        asked = dialog(page, SecretDialog)
        assert "looks like xoxb" in asked.about.text()
        assert not asked.save.isEnabled()
        QGuiApplication.clipboard().setText(' export SLACK_BOT_TOKEN="xoxb-1"\n')
        asked.value.paste()
        asked.save.click()
        await until(lambda: ("set_secret", "slack.bot_token", "xoxb-1") in host.calls)
        await until(lambda: names(page)[0] == "brave.api_key")
        assert page.secrets._missing.isHidden()
        assert page.secrets.detail.set.text() == "Replace…"
        assert "xoxb-1" not in " ".join(row(page, "slack.bot_token"))

    run(story())


def test_a_key_of_several_lines_stays_whole(run: Run, page: SecretsPage, host: FakeHost) -> None:
    async def story() -> None:
        await filled(page)
        page.secrets.add()
        asked = dialog(page, SecretDialog)
        asked.name.setText(" my.key ")
        QGuiApplication.clipboard().setText("-----BEGIN KEY-----\nabc=\n-----END KEY-----\n")
        asked.value.paste()
        asked.save.click()
        value = "-----BEGIN KEY-----\nabc=\n-----END KEY-----"
        await until(lambda: ("set_secret", "my.key", value) in host.calls)

    run(story())


def test_a_secret_that_can_not_be_kept_stays_in_the_dialog_with_the_reason(
    run: Run, page: SecretsPage, host: FakeHost
) -> None:
    async def story() -> None:
        await filled(page)
        page.secrets.set_secret()
        asked = dialog(page, SecretDialog)
        asked.value.setText("x")
        host.fail_next = SecretStoreError("The keychain is locked", "Unlock it")
        asked.save.click()
        await until(lambda: asked._problem.isVisible())
        assert asked._problem.text() == "The keychain is locked. Unlock it."
        assert asked.save.isEnabled()
        asked.reject()

    run(story())


def test_removing_asks_and_says_who_needs_it(run: Run, page: SecretsPage, host: FakeHost) -> None:
    async def story() -> None:
        await filled(page)
        choose(page, "github.personal_access_token")
        page.secrets.detail.remove.click()
        box = dialog(page, QMessageBox)
        assert box.informativeText() == "GitHub can't run without it. Its value can't be brought back."
        assert not [call for call in host.calls if call[0] == "remove_secret"]
        next(button for button in box.findChildren(QPushButton) if button.text() == "Remove").click()
        await until(lambda: ("remove_secret", "github.personal_access_token") in host.calls)
        await until(lambda: row(page, "github.personal_access_token")[2] == "not set")

    run(story())


def test_only_what_is_kept_here_can_be_removed_and_a_sign_in_is_shown(run: Run, page: SecretsPage) -> None:
    async def story() -> None:
        await filled(page)
        detail = page.secrets.detail
        for name, wanted in (
            ("nobody.asks", ["Replace…", "Remove…"]),
            ("postgres.url", ["Set…"]),
            ("slack.team", ["Set…"]),
            ("notion.token", ["Show sign-in"]),
        ):
            choose(page, name)
            buttons = (detail.set, detail.sign_in, detail.remove)
            assert [button.text() for button in buttons if button.isVisible()] == wanted
        detail.sign_in.click()
        assert page.tab is page.sign_ins
        assert page.sign_ins.detail._title.text() == "Notion"

    run(story())


def test_locked_secrets_are_unlocked_with_the_passphrase(run: Run, page: SecretsPage, host: FakeHost) -> None:
    host.secrets_kept = SecretsStatus(protection="passphrase", reason="They are locked")

    async def story() -> None:
        await filled(page)
        assert page.secrets.trouble.text().startswith("Your secrets are locked.")
        page.secrets.trouble._action.click()
        asked = dialog(page, PassphraseDialog)
        assert asked.again is None
        asked.passphrase.setText("wrong")
        host.fail_next = PassphraseError("That is not the passphrase", "Try again")
        asked.save.click()
        await until(lambda: asked._problem.isVisible())
        asked.passphrase.setText("correct horse")
        asked.save.click()
        await until(lambda: ("unlock_secrets", "correct horse") in host.calls)
        await until(lambda: page.secrets.trouble.isHidden())
        assert row(page, "github.personal_access_token")[3] == "passphrase"

    run(story())


def test_without_a_keychain_a_passphrase_is_chosen_twice(run: Run, page: SecretsPage, host: FakeHost) -> None:
    host.secrets_kept = SecretsStatus(protection="this session only")

    async def story() -> None:
        page.show()
        await until(lambda: page.secrets.trouble.isVisible())
        assert page.secrets.trouble.text().startswith("Secrets are kept for this session only.")
        page.secrets.trouble._action.click()
        asked = dialog(page, PassphraseDialog)
        assert asked.again is not None
        asked.passphrase.setText("short")
        assert not asked.save.isEnabled()
        asked.passphrase.setText("correct horse")
        asked.again.setText("correct house")
        asked.save.click()
        assert asked._problem.text() == "The two passphrases differ."
        asked.again.setText("correct horse")
        asked.save.click()
        await until(lambda: ("unlock_secrets", "correct horse") in host.calls)

    run(story())


def test_a_keychain_that_waits_for_its_owner_is_told_and_looked_at_again(
    run: Run, page: SecretsPage, host: FakeHost
) -> None:
    async def story() -> None:
        answer = asyncio.Event()

        async def waits() -> SecretsStatus:
            await answer.wait()
            return SecretsStatus(protection="keychain", reason="It hasn't answered", hint="Answer its window")

        host.secrets_status = waits
        page.secrets._patience.setInterval(1)
        page.show()
        await until(lambda: page.secrets.trouble.text().startswith("The keychain waits for its owner."))
        answer.set()
        await until(lambda: page.secrets.trouble.text() == "It hasn't answered.\nAnswer its window.")
        del host.secrets_status
        host.secret_desk.show(*some_secrets())
        await until(lambda: page.secrets.trouble.isHidden())

    run(story())


def test_an_env_file_is_shown_before_it_is_imported(run: Run, page: SecretsPage, host: FakeHost) -> None:
    host.secret_desk.lines = some_lines()

    async def story() -> None:
        await filled(page)
        page.secrets.look_into("/home/ada/.env")
        await until(lambda: page.findChildren(EnvImportDialog))
        asked = dialog(page, EnvImportDialog)
        told = [asked.table.item(line, 2).text() for line in range(4)]
        assert told == [
            "is set",
            "replaces what is set",
            "may stand for brave.api_key, exa.api_key",
            "can't be stored: a secret's name consists of letters and digits",
        ]
        assert asked.chosen() == ["slack.bot_token", "API_KEY"]
        asked.table.item(2, 0).setCheckState(Qt.CheckState.Unchecked)
        asked.table.item(1, 0).setCheckState(Qt.CheckState.Checked)
        assert asked.save.text() == "Import 2"
        asked.save.click()
        wanted = ("import_env", ".env", "github.personal_access_token", "slack.bot_token")
        await until(lambda: wanted in host.calls)
        await until(lambda: row(page, "slack.bot_token")[3] == "keychain")

    run(story())


def test_an_env_file_without_anything_can_not_be_imported(
    run: Run, page: SecretsPage, actions: Actions, theme: Theme
) -> None:
    async def story() -> None:
        asked = EnvImportDialog(Path("/empty.env"), (), actions, theme, page)
        assert not asked.save.isEnabled()
        refused = EnvImportDialog(
            Path("/bad.env"), (EnvLine(variable="a b", name="a b", refused="no"),), actions, theme
        )
        assert not refused.save.isEnabled()
        refused.deleteLater()

    run(story())


def test_nothing_kept_yet_says_so_and_offers_to_add(run: Run, page: SecretsPage, host: FakeHost) -> None:
    host.secret_desk.show()

    async def story() -> None:
        page.show()
        await until(lambda: page.secrets.body.empty.words().startswith("No secrets yet"))
        page.secrets.body.empty.button.click()
        assert dialog(page, SecretDialog).windowTitle().startswith("Add a secret")

    run(story())


def test_sign_ins_are_listed_with_what_waits_first(run: Run, page: SecretsPage, host: FakeHost) -> None:
    async def story() -> None:
        page.show()
        page.show_sign_in()
        await until(lambda: page.sign_ins.model.rowCount() == 6)
        model = page.sign_ins.model
        told = [(model.index(line, 0).data()[:6], model.index(line, SignInColumn.STATE).data()) for line in range(6)]
        assert told == [
            ("Linear", "signing in"),
            ("Notion", "needs sign-in"),
            ("Slack", "signing in"),
            ("Time", "wants more"),
            ("GitHub", "signed in"),
            ("Zotero", "not signed in"),
        ]
        page.show_sign_in("slack")
        panel = page.sign_ins.detail.panel
        assert panel._code.text() == "WDJB-MJHT"
        page.show_sign_in("github")
        assert page.sign_ins.detail._lines["ends"].text().startswith("by itself before ")
        assert panel._scopes.text() == "It may: repo, read user, read org"
        page.show_sign_in("notion")
        assert panel._about.text() == "Notion has ended the sign-in. Sign in again."
        panel._sign_in.click()
        await until(lambda: ("sign_in", "notion") in host.calls)
        page.search.setText("no such")
        assert page.sign_ins.body.empty.words() == "Nothing found"
        page.search.clear()
        host.set_sign_ins()
        await until(lambda: page.sign_ins.body.empty.words().startswith("Nothing to sign in to"))

    run(story())


def test_in_a_narrow_window_the_drawer_takes_the_place_of_the_table(run: Run, page: SecretsPage) -> None:
    async def story() -> None:
        await filled(page)
        page.set_narrow(True)
        assert not page.secrets.detail.isVisible()
        QTest.keyClick(page.secrets.view, Qt.Key.Key_Return)
        assert page.secrets.detail.isVisible()
        assert not page.secrets.view.isVisible()
        QTest.keyClick(page.secrets.detail, Qt.Key.Key_Escape)
        assert page.secrets.view.isVisible()

    run(story())


def test_everything_the_keyboard_reaches_has_a_name(run: Run, window: MainWindow, host: FakeHost, qtbot: QtBot) -> None:
    host.secret_desk.show(*some_secrets())
    host.set_sign_ins(*some_sign_ins())
    shown(window, qtbot)

    async def story() -> None:
        page = window.open_place("secrets")
        assert isinstance(page, SecretsPage)
        await until(lambda: page.secrets.model.rowCount())
        assert page.secrets.view.hasFocus()
        assert nameless(window) == []
        for app in ("slack", "linear", "github"):
            page.show_sign_in(app)
            page.sign_ins.detail.panel._begin_paste()
            assert nameless(window) == []

    run(story())


def test_the_models_keep_their_promises(
    run: Run, qapp: QApplication, theme: Theme, bridge: Bridge, host: FakeHost, qtmodeltester: ModelTester
) -> None:
    model = SecretList(theme)
    qtmodeltester.check(model)
    model.show(many_secrets(300))
    assert model.rowCount() == 300
    model.show_protection("keychain")
    model.set_only_missing(True)
    model.set_only_missing(False)
    model.set_search("server001")
    assert model.rowCount() == 1
    host.set_sign_ins(*some_sign_ins())
    sign_ins = SignInList(bridge, theme)
    qtmodeltester.check(sign_ins)

    async def story() -> None:
        host.set_sign_ins(*some_sign_ins(), SignInStatus(app="a", title="A", state=SignInState.NEEDED))
        await until(lambda: sign_ins.rowCount() == 7)

    run(story())


def test_a_secret_of_many_servers_names_the_first_and_links_where_one_gets_it(page: SecretsPage) -> None:
    uses = tuple(
        SecretUse(server=f"s{number}", title=f"S <{number}>", about="See https://example.org/keys. Then copy")
        for number in range(20)
    )
    page.secrets.detail.show_secret(KeptSecret(name="a", uses=uses, place=SecretPlace.STORE), "keychain")
    told = page.secrets.detail._uses.text()
    assert '<a href="https://example.org/keys">https://example.org/keys</a>. Then copy' in told
    assert "S &lt;0&gt;" in told
    assert "And 8 more." in told
