"""The dialog in which a server gets a second account: what it is called the second time."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.errors import GatewayError
from desktop.servers.status import ServerStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import muted
from desktop.tray.theme import Theme

__all__ = ["DuplicateDialog"]

WIDTH_IN_CHARACTERS = 48


class DuplicateDialog(QDialog):
    """Asks for the name, makes the duplicate, and then for what that one needs. Opened with `open`.

    Args:
        server: The server to have a second time.
        bridge: Knows which names are taken.
        actions: Makes it.
        theme: For the colours.
        parent: The window it belongs to.
    """

    def __init__(
        self, server: ServerStatus, bridge: Bridge, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Second account"))
        self._server = server
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        title = words.elided(words.title_of(server), 60)
        about = QLabel(
            self.tr("{title} runs a second time under another name, with secrets and settings of its own.").format(
                title=title
            )
        )
        about.setWordWrap(True)
        about.setTextFormat(Qt.TextFormat.PlainText)
        self.name = QLineEdit(self._free_name())
        self.name.setAccessibleName(self.tr("Name of the second one"))
        self.name.selectAll()
        rule = muted(self.tr("Letters, digits, dots, dashes and underscores."))
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setStyleSheet(f"color: {theme.tokens.bad}")
        self._problem.hide()
        self.name.textChanged.connect(self._problem.hide)
        buttons = QDialogButtonBox()
        self.make = buttons.addButton(self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.make.setProperty("primary", True)
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._make)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        for widget in (about, self.name, rule, self._problem):
            column.addWidget(widget)
        column.addStretch(1)
        column.addSpacing(8)
        column.addWidget(buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * WIDTH_IN_CHARACTERS)
        self.name.setFocus()

    def _free_name(self) -> str:
        number = 2
        while self._bridge.server(f"{self._server.name[:50]}-{number}") is not None:
            number += 1
        return f"{self._server.name[:50]}-{number}"

    def _make(self) -> None:
        name = self.name.text().strip()
        self.make.setEnabled(False)

        def answered(error: GatewayError | None) -> None:
            if error is None:
                window = self.parentWidget() if shiboken6.isValid(self) else None
                self._actions.edit_settings(name, self._theme, window, only_missing=True)
            if not shiboken6.isValid(self):
                return
            if error is None:
                self.accept()
                return
            self.make.setEnabled(True)
            self._problem.setText(" ".join(filter(None, map(words.sentence, (error.message, error.hint)))))
            self._problem.show()

        self._actions.attempt(lambda host: host.duplicate(self._server.name, name), answered)
