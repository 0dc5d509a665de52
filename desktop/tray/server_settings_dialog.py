"""The dialog in which a server is told what it has to know: its secrets and its settings."""

from __future__ import annotations

from collections.abc import Mapping

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.errors import GatewayError
from desktop.host import SecretNeed, ServerSettings
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import caption, heading, muted
from desktop.tray.schema_fields import ObjectField
from desktop.tray.theme import Theme

__all__ = ["ServerSettingsDialog"]

WIDTH_IN_CHARACTERS = 72
HEIGHT_IN_LINES = 32


class ServerSettingsDialog(QDialog):
    """Shows the fields; Save writes them, and stays open with the reason when that fails. Opened with `open`.

    Args:
        settings: What the server can be told, and what it was.
        actions: Writes it.
        parent: The window it belongs to.
    """

    def __init__(self, settings: ServerSettings, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Settings of {title}").format(title=words.elided(settings.title, 60)))
        self._settings = settings
        self._actions = actions
        self._theme = theme
        self._secrets: dict[str, QLineEdit] = {}
        self._objects = [ObjectField(schema) for schema in settings.schemas if schema.get("properties")]
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setStyleSheet(f"color: {theme.tokens.bad}")
        self._problem.hide()
        self._build()
        for made in self._objects:
            made.set_value(settings.values)

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(20, 20, 20, 12)
        column.setSpacing(4)
        if self._settings.secrets:
            column.addWidget(heading(self.tr("Secrets"), 1))
            kept = muted(self.tr("Kept encrypted on this computer, given to this server alone, never shown again."))
            kept.setWordWrap(True)
            column.addWidget(kept)
            column.addSpacing(8)
            for need in self._settings.secrets:
                self._add_secret(column, need)
        if self._objects:
            column.addWidget(heading(self.tr("Settings"), 1))
            column.addSpacing(4)
            for made in self._objects:
                column.addWidget(made.widget)
        if not self._settings.secrets and not self._objects:
            column.addWidget(muted(self.tr("There is nothing to set for this server.")))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self.buttons = QDialogButtonBox()
        self.save = self.buttons.addButton(self.tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setProperty("primary", True)
        self.buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self.reject)
        foot = QVBoxLayout()
        foot.setContentsMargins(20, 8, 20, 16)
        foot.setSpacing(8)
        foot.addWidget(self._problem)
        foot.addWidget(self.buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addLayout(foot)
        metrics = self.fontMetrics()
        wanted = content.sizeHint().height() + self.buttons.sizeHint().height() + 48
        self.resize(
            metrics.averageCharWidth() * WIDTH_IN_CHARACTERS, min(wanted, metrics.lineSpacing() * HEIGHT_IN_LINES)
        )

    def _add_secret(self, column: QVBoxLayout, need: SecretNeed) -> None:
        line = QLineEdit()
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setAccessibleName(need.variable or need.name)
        line.setPlaceholderText(self.tr("set; type to replace it") if need.is_set else self.tr("not set"))
        self._secrets[need.name] = line
        show = QPushButton(self.tr("Show"))
        show.setCheckable(True)
        show.setProperty("segment", True)
        show.setToolTip(self.tr("Show what was typed"))
        show.setEnabled(False)
        show.toggled.connect(
            lambda on: line.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)
        )
        line.textChanged.connect(lambda text: show.setEnabled(bool(text)))
        name = need.variable or need.name
        if need.is_required:
            name += "  · " + self.tr("required")
        label = caption(name)
        label.setToolTip(need.name)
        label.setBuddy(line)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(line, 1)
        row.addWidget(show)
        column.addWidget(label)
        column.addLayout(row)
        if need.about:
            about = muted(" ".join(need.about.split()))
            about.setWordWrap(True)
            about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(about)
        column.addSpacing(8)

    def _save(self) -> None:
        # A name or token that is pasted often brings a line break or blanks along, which are never part of it.
        secrets = {name: text for name, line in self._secrets.items() if (text := line.text().strip())}
        values: dict[str, object] = dict(self._settings.values) if not self._objects else {}
        for made in self._objects:
            entered = made.value()
            if isinstance(entered, Mapping):
                values.update(entered)
        self.save.setEnabled(False)
        self._problem.hide()
        name = self._settings.name
        self._actions.attempt(lambda host: host.settings_desk.write(name, values, secrets), self._saved)

    def _saved(self, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        if error is None:
            self.accept()
            return
        self.save.setEnabled(True)
        self._problem.setText(" ".join(words.sentence(part) for part in (error.message, error.hint) if part))
        self._problem.show()
