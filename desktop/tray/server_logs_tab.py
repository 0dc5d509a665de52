"""The tab with what a server wrote: searched, followed, copied, exported."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QStackedLayout, QVBoxLayout

from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.log_view import LogModel, LogView
from desktop.tray.parts import EmptyState, tool_button
from desktop.tray.server_tab import ServerTab
from desktop.tray.theme import Theme

__all__ = ["ServerLogsTab"]

FOLLOW_INTERVAL = 1_000
"""Milliseconds between two looks at what the server wrote, only while the tab is seen and follows."""


class ServerLogsTab(ServerTab):
    """The last messages of a server."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__(actions)
        self._bridge = bridge
        self._theme = theme
        self._mark = 0
        self.model = LogModel(self)
        self.view = LogView(self.model, actions)
        self.view.setAccessibleName(self.tr("Last messages of the server"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search messages"))
        self.search.setAccessibleName(self.tr("Search messages"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search)
        self.follow = QPushButton(self.tr("Follow"))
        self.follow.setCheckable(True)
        self.follow.setProperty("segment", True)
        self.follow.setChecked(True)
        self.follow.setToolTip(self.tr("Keep the newest lines in view"))
        self.follow.toggled.connect(lambda _on: self.refresh())
        self.copy = tool_button(self.tr("Copy messages"))
        self.copy.clicked.connect(self.view.copy_chosen)
        self.export = tool_button(self.tr("Export messages…"))
        self.export.clicked.connect(self._ask_where)
        self.empty = EmptyState()
        self._timer = QTimer(self)
        self._timer.setInterval(FOLLOW_INTERVAL)
        self._timer.timeout.connect(self.refresh)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.search, 1)
        head.addSpacing(4)
        for button in (self.follow, self.copy, self.export):
            head.addWidget(button)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(self._stack, 1)
        theme.changed.connect(self._tint)
        self._tint()

    def showEvent(self, event: QShowEvent) -> None:
        """Seen: look, and go on looking."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: stop following."""
        super().hideEvent(event)
        self._timer.stop()

    def forget(self) -> None:
        """Another server comes."""
        self._mark = 0
        self.model.clear()
        self.search.clear()

    def refresh(self) -> None:
        """Take over what was written since the last look, unless the person holds the view still."""
        if self.status is not None and self.follow.isChecked():
            lines, self._mark = self._bridge.server_log(self.status.name, self._mark)
            if lines:
                self.model.add(lines)
                self.view.scrollToBottom()
        self._show_lines_or_words()

    def _on_search(self, text: str) -> None:
        self.model.search(text)
        self.view.scrollToBottom()
        self._show_lines_or_words()

    def _show_lines_or_words(self) -> None:
        some = bool(self.model.shown)
        self.copy.setEnabled(some)
        self.export.setEnabled(bool(self.model.lines))
        if some:
            self._stack.setCurrentWidget(self.view)
            return
        if self.model.lines:
            text = words.elided(self.search.text(), 60)
            self.empty.say(self.tr("Nothing found"), self.tr("No message has “{text}”.").format(text=text))
        else:
            self.empty.say(self.tr("No messages"), self.tr("The server wrote nothing yet."))
        self._stack.setCurrentWidget(self.empty)

    def _ask_where(self) -> None:
        dialog = QFileDialog(self, self.tr("Export messages"), f"{self.server}.log", self.tr("Log files (*.log)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("log")
        dialog.fileSelected.connect(self.export_to)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_to(self, file: str) -> None:
        """Write every message that is kept to a file."""
        name, told = self.server, self.tr("Messages exported")
        self._actions.ask(
            lambda host: host.server_logs.export(name, Path(file)), lambda _count: self._actions.noticed.emit(told)
        )

    def _tint(self) -> None:
        muted = QColor(self._theme.tokens.muted)
        self.copy.setIcon(artwork.icon("copy", muted))
        self.export.setIcon(artwork.icon("export", muted))
