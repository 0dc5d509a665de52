"""Signing in and out in the detail of a server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.clients.view import ClientState
from desktop.errors import SignInCancelledError, SignInError, UsageError
from desktop.host import SignInState, SignInStatus
from desktop.servers.status import ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.clients_page import ClientsPage
from desktop.tray.main_window import MainWindow
from desktop.tray.memory import Memory
from desktop.tray.scope_words import scope_words, scopes_words
from desktop.tray.sign_in_notice import SignInNotice
from desktop.tray.sign_in_panel import SignInPanel
from tests.helpers.fake_host import FakeHost, few_servers
from tests.tray.conftest import Run
from tests.tray.test_tray_application import make
from tests.tray.test_tray_window import shown

STATUS = SignInStatus(app="time", title="Time", servers=("time",), state=SignInState.NEEDED)


@pytest.fixture
def panel(window: MainWindow, host: FakeHost, qtbot: QtBot) -> SignInPanel:
    shown(window, qtbot)
    window.show_server("time")
    return window.page.detail.overview._sign_in


def seen(panel: SignInPanel) -> list[str]:
    """The buttons that are there."""
    buttons = (panel._sign_in, panel._copy_code, panel._copy, panel._cancel, panel._sign_out, panel._paste, panel._use)
    return [button.text() for button in buttons if button.isVisible()]


async def settled() -> None:
    await asyncio.sleep(0.1)


def test_it_is_hidden_where_there_is_nothing_to_sign_in_to(run: Run, panel: SignInPanel, host: FakeHost) -> None:
    async def story() -> None:
        assert not panel.isVisible()
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNED_OUT))
        await settled()
        assert not panel.isVisible()
        host.change("time", enabled=True, state=ServerState.NEEDS_SIGN_IN)
        await settled()
        assert seen(panel) == ["Sign in…"]

    run(story())


def test_each_state_has_its_words_and_buttons(run: Run, panel: SignInPanel, host: FakeHost) -> None:
    async def story() -> None:
        for status, sentence, buttons in (
            (STATUS, "Your browser opens", ["Sign in…"]),
            (replace(STATUS, reason="It failed", hint="Try again"), "It failed. Try again.", ["Sign in…"]),
            (replace(STATUS, state=SignInState.SIGNING_IN), "Asking Time how to sign in…", ["Cancel"]),
            (
                replace(STATUS, state=SignInState.SIGNING_IN, link="https://a"),
                "Finish signing in to Time in your browser.",
                ["Copy link", "Cancel", "Paste the address…"],
            ),
            (
                replace(STATUS, state=SignInState.SIGNING_IN, link="https://a", user_code="AB-CD"),
                "Type this code on the page of Time that opens:",
                ["Copy code", "Copy link", "Cancel"],
            ),
            (replace(STATUS, state=SignInState.SIGNED_IN, scopes=("r",)), "You are signed in to Time.", ["Sign out"]),
            (
                replace(STATUS, state=SignInState.SIGNED_IN, scopes=("r",), wanted=("w",)),
                "Time wants you to allow more.",
                ["Allow more…", "Sign out"],
            ),
        ):
            host.set_sign_ins(status)
            await settled()
            assert panel._about.text().startswith(sentence)
            assert seen(panel) == buttons
            assert panel._code.isVisible() == bool(status.user_code)
        assert panel._scopes.text() == "It asks to: w"

    run(story())


def test_the_buttons_ask_the_host(run: Run, panel: SignInPanel, host: FakeHost) -> None:
    async def story() -> None:
        host.set_sign_ins(STATUS)
        await settled()
        panel._sign_in.click()
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNING_IN, link="https://a/b"))
        await settled()
        panel._copy.click()
        assert QGuiApplication.clipboard().text() == "https://a/b"
        panel._cancel.click()
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNED_IN))
        await settled()
        panel._sign_out.click()
        await settled()
        assert host.calls == [("sign_in", "time"), ("cancel_sign_in", "time"), ("sign_out", "time")]

    run(story())


def test_a_browser_on_another_machine_ends_with_a_pasted_address(run: Run, panel: SignInPanel, host: FakeHost) -> None:
    async def story() -> None:
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNING_IN, link="https://a/b"))
        await settled()
        panel._paste.click()
        assert seen(panel) == ["Copy link", "Cancel", "Finish"]
        assert not panel._use.isEnabled()
        panel._address.setText(" http://127.0.0.1:1/callback?code=c&state=s ")
        host.fail_next = UsageError("that is not the address of this sign-in", "Copy all of it")
        panel._use.click()
        await settled()
        assert panel._problem.text() == "that is not the address of this sign-in. Copy all of it."
        assert panel._problem.isVisible()
        panel._use.click()
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNED_IN))
        await settled()
        assert host.calls[-1] == ("finish_sign_in", "time", "http://127.0.0.1:1/callback?code=c&state=s")
        assert seen(panel) == ["Sign out"]
        assert panel._address.text() == ""
        assert not panel._problem.isVisible()

    run(story())


def test_an_app_is_shown_in_every_state(
    run: Run, bridge: Bridge, actions: Actions, host: FakeHost, qtbot: QtBot
) -> None:
    panel = SignInPanel(bridge, actions)
    qtbot.addWidget(panel)

    async def story() -> None:
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNED_OUT))
        panel.show_app("time")
        assert seen(panel) == ["Sign in…"]
        host.set_sign_ins(replace(STATUS, state=SignInState.SIGNED_IN))
        await settled()
        assert seen(panel) == ["Sign out"]
        panel.show_app("")
        assert not panel.isVisible()

    run(story())


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("openid", "know who you are"),
        ("offline_access", "stay signed in"),
        ("read:org", "read org"),
        ("issues:write", "read and change issues"),
        ("https://www.googleapis.com/auth/drive.readonly", "read drive"),
        ("admin:public_key", "administer public key"),
        ("chat:write.customize", "read and change chat customize"),
        ("mail.send", "send mail"),
        ("posts:create", "add posts"),
        ("repo", "repo"),
        ("read", "read"),
    ],
)
def test_scopes_are_told_in_plain_words(scope: str, said: str) -> None:
    assert scope_words(scope) == said


def test_many_scopes_are_told_in_one_line() -> None:
    assert scopes_words(["email", "email", "repo"]) == "see your email address, repo"
    assert scopes_words([f"s{number}" for number in range(9)]).endswith("s7 …")


@pytest.mark.parametrize(
    ("error", "told"),
    [(SignInCancelledError("called off"), []), (SignInError("Signing in failed"), ["Signing in failed"])],
)
def test_a_failure_is_told_and_calling_it_off_is_none(
    run: Run, panel: SignInPanel, host: FakeHost, error: SignInError, told: list[str]
) -> None:
    said: list[str] = []
    panel._actions.failed.connect(lambda message, hint: said.append(message))

    async def story() -> None:
        host.set_sign_ins(STATUS)
        await settled()
        host.fail_next = error
        panel._sign_in.click()
        await settled()
        assert said == told

    run(story())


def test_a_sign_in_that_ends_by_itself_is_noticed_once_and_no_other(run: Run, bridge: Bridge, host: FakeHost) -> None:
    said: list[tuple[str, str]] = []
    notice = SignInNotice(bridge)
    notice.ended.connect(lambda title, server: said.append((title, server)))

    async def story() -> None:
        host.change("time", enabled=True)
        for state in (SignInState.NEEDED, SignInState.SIGNED_IN, SignInState.SIGNED_OUT, SignInState.NEEDED):
            host.set_sign_ins(replace(STATUS, state=state))
            await settled()
        assert said == []
        for state in (SignInState.SIGNED_IN, SignInState.NEEDED, SignInState.NEEDED):
            host.set_sign_ins(replace(STATUS, state=state))
            await settled()
        assert said == [("Time", "time")]
        host.change("time", enabled=False)
        for state in (SignInState.SIGNED_IN, SignInState.NEEDED):
            host.set_sign_ins(replace(STATUS, state=state))
            await settled()
        assert said == [("Time", "time")]

    run(story())


def test_a_client_that_drops_the_entry_is_told_once_and_the_window_is_there(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("desktop.tray.icon.TrayIcon.notify", lambda _icon, title, _text: told.append(title) or True)
    host = FakeHost(few_servers())
    tray = make(qapp, memory, host.running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        async with asyncio.timeout(10):
            while tray.bridge.host is None:
                await asyncio.sleep(0.02)
        host.change_client("cursor", state=ClientState.CONNECTED)
        await settled()
        assert told == []  # that of VS Code is not news
        for state in (ClientState.DROPPED, ClientState.DROPPED):
            host.change_client("cursor", state=state)
            await settled()
        assert told == ["Cursor is no longer connected"]
        page = tray.window.current
        assert isinstance(page, ClientsPage)
        assert page.detail.client == "cursor"
        tray.quit()
        await serving

    run(story())


def test_it_is_told_by_a_notification(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("desktop.tray.icon.TrayIcon.notify", lambda _icon, title, _text: told.append(title) or True)
    host = FakeHost(few_servers())
    host.change("time", enabled=True)
    tray = make(qapp, memory, host.running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        async with asyncio.timeout(10):
            while tray.bridge.host is None:
                await asyncio.sleep(0.02)
        for state in (SignInState.SIGNED_IN, SignInState.NEEDED):
            host.set_sign_ins(replace(STATUS, state=state))
            await settled()
        assert tray.window.page.detail.server == "time"
        tray.quit()
        await serving

    run(story())
    assert "Time wants you to sign in again" in told
