"""The line at the bottom: where clients reach us, how many do, and what they get; with the ways to copy it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.parts import ElidedLabel, MenuButton
from desktop.tray.theme import Theme

__all__ = ["StatusLine"]

NOTICE_TIME = 2_500


class StatusLine(QWidget):
    """Endpoint, clients and tools."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, copy_url: QAction, copy_token: QAction) -> None:
        super().__init__()
        self._bridge = bridge
        self._text = ElidedLabel()
        self._text.setObjectName("statusText")
        menu = QMenu(self)
        menu.addActions([copy_url, copy_token])
        self.copy = MenuButton(theme, self.tr("Copy"), menu)
        self.copy.setAccessibleName(self.tr("Copy URL or token"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._text, 1)
        row.addWidget(self.copy)
        self._notice = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NOTICE_TIME)
        self._timer.timeout.connect(self._forget)
        actions.noticed.connect(self._tell)
        bridge.status_changed.connect(self._refresh)
        self._refresh()

    def text(self) -> str:
        """What the line says."""
        return self._text.text()

    def _tell(self, notice: str) -> None:
        self._notice = notice
        self._timer.start()
        self._refresh()

    def _forget(self) -> None:
        self._notice = ""
        self._refresh()

    def _refresh(self) -> None:
        endpoint = self._bridge.endpoint()
        self.copy.setEnabled(bool(endpoint.url))
        if self._bridge.phase is Phase.STARTING:
            text = self.tr("Starting…")
        elif self._bridge.phase is Phase.CLOSING:
            text = self.tr("Stopping servers…")
        elif not endpoint.url:
            text = self.tr("Not listening")
        else:
            parts = [words.address(endpoint), words.clients(endpoint.clients), words.tools(endpoint.tools)]
            if endpoint.calls:
                parts.append(words.calls(endpoint.calls))
            text = " · ".join(parts)
        self._text.say(f"{self._notice}  ·  {text}" if self._notice else text)
