"""Dialogs that take something secret: a secret's value, and the passphrase that protects all of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.errors import GatewayError
from desktop.host import Host
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import caption, muted
from desktop.tray.theme import Theme

__all__ = ["PassphraseDialog", "SecretDialog"]

WIDTH_IN_CHARACTERS = 64
SHORTEST_PASSPHRASE = 8


class _SecretiveDialog(QDialog):
    """A column of fields with Save and Cancel; stays open with the reason when saving fails. Opened with `open`."""

    def __init__(self, actions: Actions, theme: Theme, title: str, save: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._actions = actions
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setStyleSheet(f"color: {theme.tokens.bad}")
        self._problem.hide()
        buttons = QDialogButtonBox()
        self.save = buttons.addButton(save, QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setProperty("primary", True)
        self.save.setDefault(True)
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        self._fields = QVBoxLayout()
        self._fields.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        column.addLayout(self._fields)
        column.addStretch(1)
        column.addWidget(self._problem)
        column.addWidget(buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * WIDTH_IN_CHARACTERS)

    def _hidden_field(self, name: str) -> QLineEdit:
        """A field for something secret, with a button that shows what was typed."""
        line = QLineEdit()
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setAccessibleName(name)
        line.textChanged.connect(lambda _text: self._check())
        show = QPushButton(self.tr("Show"))
        show.setCheckable(True)
        show.setAutoDefault(False)
        show.setProperty("segment", True)
        show.setToolTip(self.tr("Show what was typed"))
        show.toggled.connect(
            lambda on: line.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)
        )
        label = caption(name)
        label.setBuddy(line)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(line, 1)
        row.addWidget(show)
        self._fields.addWidget(label)
        self._fields.addLayout(row)
        self._fields.addSpacing(8)
        return line

    def _note(self, text: str) -> QLabel:
        note = muted(text)
        note.setWordWrap(True)
        self._fields.addWidget(note)
        self._fields.addSpacing(8)
        return note

    def _check(self) -> None:
        """Let Save be possible or not."""

    def _save(self) -> None:
        """Ask for it to be kept."""

    def _attempt(self, request: Callable[[Host], Coroutine[Any, Any, None]]) -> None:
        self.save.setEnabled(False)
        self._problem.hide()
        self._actions.attempt(request, self._answered)

    def _answered(self, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        if error is None:
            self.accept()
            return
        self._check()
        self._tell(" ".join(words.sentence(part) for part in (error.message, error.hint) if part))

    def _tell(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.show()


class SecretDialog(_SecretiveDialog):
    """Takes a secret's value, and its name where it is a new one.

    Args:
        actions: Keeps it.
        name: The secret; empty to ask for its name.
        known: Names that servers ask for, with the variable and where one gets it.
    """

    def __init__(
        self,
        actions: Actions,
        theme: Theme,
        name: str,
        known: Mapping[str, tuple[str, str]],
        *,
        is_set: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        title = self.tr("Add a secret")
        if name:
            title = (self.tr("Replace {name}") if is_set else self.tr("Set {name}")).format(name=words.elided(name, 60))
        super().__init__(actions, theme, title, self.tr("Save"), parent)
        self._known = known
        self.name = QLineEdit(name)
        self.name.setAccessibleName(self.tr("Name"))
        if not name:
            label = caption(self.tr("Name"))
            label.setBuddy(self.name)
            self.name.setPlaceholderText(self.tr("as servers ask for it, such as github.token"))
            completer = QCompleter(sorted(known), self.name)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self.name.setCompleter(completer)
            self.name.textChanged.connect(lambda _text: self._check())
            self._fields.addWidget(label)
            self._fields.addWidget(self.name)
            self._fields.addSpacing(8)
        self.value = self._hidden_field(self.tr("Value"))
        self.about = self._note("")
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._note(self.tr("Only the servers that ask for it get it. It is never shown again."))
        self._check()
        (self.value if name else self.name).setFocus()

    def _check(self) -> None:
        name = self.name.text().strip()
        _variable, about = self._known.get(name, ("", ""))
        self.about.setText(about)
        self.about.setVisible(bool(about))
        self.save.setEnabled(bool(name and self.value.text().strip()))

    def _save(self) -> None:
        name = self.name.text().strip()
        value = self._bare_value(name)
        if name and value:
            self._attempt(lambda host: host.set_secret(name, value))

    def _bare_value(self, name: str) -> str:
        """What was pasted, without what often comes along: blanks, a line break, ``NAME=`` and quotes from a `.env` file."""
        value = self.value.text().strip()
        for prefix in (name, self._known.get(name, ("", ""))[0]):
            if prefix and value.removeprefix("export ").startswith(f"{prefix}="):
                value = value.removeprefix("export ").removeprefix(f"{prefix}=").strip()
                if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                    value = value[1:-1]
        return value


class PassphraseDialog(_SecretiveDialog):
    """Takes the passphrase that opens the secrets, or a new one for them, twice."""

    def __init__(self, actions: Actions, theme: Theme, *, is_new: bool, parent: QWidget | None = None) -> None:
        title = self.tr("Choose a passphrase") if is_new else self.tr("Unlock your secrets")
        super().__init__(actions, theme, title, self.tr("Choose") if is_new else self.tr("Unlock"), parent)
        if is_new:
            self._note(
                self.tr("Your secrets are sealed with it. MCP Gateway asks for it at each start, and can't recover it.")
            )
        self.passphrase = self._hidden_field(self.tr("Passphrase"))
        self.again = self._hidden_field(self.tr("Once more")) if is_new else None
        self._check()
        self.passphrase.setFocus()

    def _check(self) -> None:
        given = self.passphrase.text()
        self.save.setEnabled(len(given) >= SHORTEST_PASSPHRASE if self.again is not None else bool(given))
        if self.again is not None:
            self.passphrase.setPlaceholderText(self.tr("{count} characters at least").format(count=SHORTEST_PASSPHRASE))

    def _save(self) -> None:
        given = self.passphrase.text()
        if self.again is not None and self.again.text() != given:
            self._tell(self.tr("The two passphrases differ."))
            return
        self._attempt(lambda host: host.unlock_secrets(given))
