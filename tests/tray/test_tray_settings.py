"""The place Settings: choices are applied as they are made, and always show what is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSpinBox

from desktop.errors import UsageError
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.settings_page import SettingsPage
from desktop.tray.theme import DARK, Theme
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run


class Login:
    """A system whose start at login may refuse to be changed."""

    def __init__(self) -> None:
        self.on = False
        self.refuses = False

    def is_on(self) -> bool:
        return self.on

    def set_on(self, on: bool) -> None:
        if self.refuses:
            raise PermissionError(13, "Permission denied")
        self.on = on


@pytest.fixture
def login() -> Login:
    return Login()


@pytest.fixture
def page(bridge: Bridge, actions: Actions, theme: Theme, login: Login) -> Iterator[SettingsPage]:
    page = SettingsPage(bridge, actions, theme, login)
    page.resize(800, 700)
    yield page
    page.hide()
    page.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def test_each_choice_reaches_the_host_at_once(run: Run, host: FakeHost, page: SettingsPage, theme: Theme) -> None:
    async def story() -> None:
        before = host.preferences.current
        page.show()
        page.look.setCurrentIndex(2)
        assert theme.tokens is DARK
        page.port.setValue(9000)
        page.secrets.setCurrentIndex(1)
        page.keep.click()
        await until(lambda: not host.preferences.current.keep_calls)
        now = replace(before, look="dark", port=9000, block_secrets="redact", keep_calls=False)
        assert host.preferences.current == now
        assert not page.days.isEnabled()
        assert not page.details.isEnabled()

    run(story())


def test_a_port_is_tried_only_when_it_was_typed_whole(run: Run, host: FakeHost, page: SettingsPage) -> None:
    async def story() -> None:
        page.show()
        page.port.setFocus()
        page.port.selectAll()
        QTest.keyClicks(page.port, "9123")
        await asyncio.sleep(0.02)
        assert host.preferences.current.port == 8811
        page.most.setFocus()
        page.port.editingFinished.emit()
        page.port.clearFocus()
        page.port.interpretText()
        page.port.setValue(9123)
        await until(lambda: host.preferences.current.port == 9123)

    run(story())


def test_a_refused_choice_goes_back_and_says_why(
    run: Run, host: FakeHost, page: SettingsPage, actions: Actions
) -> None:
    told: list[str] = []
    actions.failed.connect(lambda message, _hint: told.append(message))

    async def story() -> None:
        page.show()
        host.preferences.refusal = UsageError("Port 80 can't be used", "Choose another one")
        page.port.setValue(80)
        await until(lambda: told)
        assert told == ["Port 80 can't be used"]
        assert page.port.value() == 8811

    run(story())


def test_starting_at_login_shows_what_the_system_really_does(
    run: Run, page: SettingsPage, login: Login, actions: Actions
) -> None:
    told: list[str] = []
    actions.failed.connect(lambda message, _hint: told.append(message))

    async def story() -> None:
        page.show()
        page.at_login.click()
        assert login.on
        login.on = False
        page._fill()
        assert not page.at_login.isChecked()
        login.refuses = True
        page.at_login.click()
        assert told == ["Starting at login could not be changed"]
        assert not page.at_login.isChecked()

    run(story())


def test_without_a_host_nothing_can_be_chosen(
    run: Run, bridge: Bridge, actions: Actions, theme: Theme, login: Login
) -> None:
    bridge.detach()
    page = SettingsPage(bridge, actions, theme, login)
    assert not page.isEnabled()
    page.deleteLater()


def test_every_control_has_a_name_for_screen_readers(page: SettingsPage) -> None:
    for kind in (QComboBox, QSpinBox):
        for widget in page.findChildren(kind):
            assert widget.accessibleName(), widget
    for button in page.findChildren(QAbstractButton):
        assert button.text() or button.accessibleName(), button
