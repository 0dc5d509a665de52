"""Every place of the window and every window of the tray, opened as a person would, so that tests can walk them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import shiboken6
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget

from desktop.host import SecretNeed
from desktop.servers.status import ServerState
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.main_window import MainWindow
from desktop.tray.places import places
from desktop.tray.question_window import QuestionWindow
from desktop.tray.server_settings_dialog import ServerSettingsDialog
from desktop.tray.theme import Theme
from tests.helpers.fake_activity import some_calls
from tests.helpers.fake_host import FakeHost, call_question

if TYPE_CHECKING:
    from tests.tray.conftest import Run

__all__ = ["PLACES", "WINDOWS", "Stage"]

T = TypeVar("T")
PLACES = tuple(place.id for place in places())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a window needs to be opened."""

    window: MainWindow
    host: FakeHost
    bridge: Bridge
    actions: Actions
    theme: Theme
    run: Run

    def furnish(self) -> None:
        """Give every place something to show."""
        self.host.activity.records = some_calls(40)
        self.host.secrets["slack"] = (
            SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN", about="From Slack's page of your app"),
            SecretNeed(name="slack.team", variable="SLACK_TEAM_ID", is_required=False, is_set=True),
        )
        self.host.settings_desk.schemas["slack"] = {
            "type": "object",
            "required": ["channel_ids"],
            "properties": {
                "channel_ids": {"type": "array", "items": {"type": "string"}, "description": "Channels it may see"},
                "level": {"type": "string", "enum": ["read", "write"], "default": "read"},
                "limit": {"type": "integer", "default": 100, "description": "Messages it reads at once"},
                "threads": {"type": "boolean", "default": True, "description": "Look into threads as well"},
            },
        }

    def visit(self, place: str) -> QWidget:
        """Go to a place and let its questions to the host be answered."""
        self.run(self._visit(place))
        return self.window

    async def _visit(self, place: str) -> None:
        self.window.open_place(place)
        await settle()

    def within(self, doing: Callable[[], T]) -> T:
        """Do something as the running program would, so that it may ask the host."""

        async def done() -> T:
            result = doing()
            await settle()
            return result

        return self.run(done())

    def close(self, widget: QWidget) -> None:
        """Close a window of the tour and let it be gone."""
        if not isinstance(widget, MainWindow):
            self.within(lambda: _close(widget))

    def top(self, kind: type[QWidget]) -> QWidget:
        """The window of that kind that is open."""
        return next(one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible())


async def settle() -> None:
    """Let what was asked be answered and drawn."""
    for _ in range(5):  # never by processEvents: other tasks can't go on inside of this one
        await asyncio.sleep(0.002)


def _palette(stage: Stage) -> QWidget:
    from desktop.tray.palette import Palette

    stage.window.open_palette()
    return stage.top(Palette)


def _server_settings(stage: Stage) -> QWidget:
    async def opened() -> None:
        stage.actions.edit_settings("slack", stage.theme, stage.window)
        await settle()

    stage.run(opened())
    return stage.top(ServerSettingsDialog)


def _question(stage: Stage) -> QWidget:
    window = QuestionWindow(stage.bridge, stage.actions, stage.theme)
    stage.host.set_questions(call_question(seconds=120.0))
    stage.run(_drawn(window))
    return window


async def _drawn(widget: QWidget) -> None:
    async with asyncio.timeout(5):
        while not widget.isVisible():
            await asyncio.sleep(0.01)


def _consent(stage: Stage) -> QWidget:
    async def asked() -> None:
        stage.window.show_server("time")
        stage.host.change("time", needs_consent=True, state=ServerState.NEEDS_SETTING)
        button = next(
            one for one in stage.window.page.findChildren(QPushButton) if one.text() == "Run without a container…"
        )
        await _drawn(button)
        button.click()
        await settle()

    stage.run(asked())
    return stage.top(QMessageBox)


WINDOWS: dict[str, Callable[[Stage], QWidget]] = {
    "palette": _palette,
    "server settings": _server_settings,
    "question": _question,
    "consent": _consent,
}
"""How each window beside the main one is opened."""


def _close(widget: QWidget) -> None:
    if shiboken6.isValid(widget):
        widget.close()
    if shiboken6.isValid(widget):
        widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
