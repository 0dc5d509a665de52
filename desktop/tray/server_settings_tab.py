"""The tab with what a server was told: its settings and which of its secrets are set."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.host import SecretNeed, ServerSettings
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import caption, muted
from desktop.tray.server_tab import ServerTab, scrolling
from desktop.tray.theme import Theme

__all__ = ["ServerSettingsTab"]

LETTERS_SHOWN = 300


class ServerSettingsTab(ServerTab):
    """Shows settings and secrets, never a secret's value; one button changes them."""

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__(actions)
        self._theme = theme
        self._shown: ServerSettings | None = None
        self.change = QPushButton(self.tr("Change…"))
        self.change.clicked.connect(lambda: self._actions.edit_settings(self.server, self._theme, self.window()))
        self._rows = QWidget()
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(16, 12, 16, 16)
        self._column.setSpacing(12)
        self._column.addWidget(self._rows)
        self._column.addWidget(self.change, 0, Qt.AlignmentFlag.AlignLeading)
        self._column.addStretch(1)
        scrolling(content, QVBoxLayout(self))

    def forget(self) -> None:
        """Another server comes."""
        self._show(None)

    def refresh(self) -> None:
        """Read what is set."""
        name = self.server
        if not name:
            return
        self.read(lambda host: host.settings_desk.read(name), self._show)

    def _show(self, settings: ServerSettings | None) -> None:
        if settings == self._shown and settings is not None:
            return
        self._shown = settings
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        if settings is not None:
            self._fill(column, settings)
        self._column.replaceWidget(self._rows, rows)
        self._rows.hide()
        self._rows.deleteLater()
        self._rows = rows
        self.change.setVisible(settings is not None and bool(settings.secrets or settings.schemas))

    def _fill(self, column: QVBoxLayout, settings: ServerSettings) -> None:
        if settings.secrets:
            column.addWidget(caption(self.tr("Secrets")))
            for need in settings.secrets:
                self._add(
                    column, need.variable or need.name, self._state(need), bad=need.is_required and not need.is_set
                )
        values = _values(settings)
        if values:
            if settings.secrets:
                column.addSpacing(12)
            column.addWidget(caption(self.tr("Settings")))
            for name, value in values.items():
                self._add(column, name, value or self.tr("not set"))
        if not settings.secrets and not values:
            nothing = muted(self.tr("There is nothing to set for this server."))
            nothing.setWordWrap(True)
            column.addWidget(nothing)

    def _state(self, need: SecretNeed) -> str:
        if need.is_set:
            return self.tr("set")
        return self.tr("not set") if need.is_required else self.tr("not set, not needed")

    def _add(self, column: QVBoxLayout, name: str, value: str, *, bad: bool = False) -> None:
        label = QLabel(words.elided(name, 120))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        said = muted(words.elided(value, LETTERS_SHOWN))
        said.setWordWrap(True)
        if bad:
            said.setStyleSheet(f"color: {self._theme.tokens.warn}")
        column.addWidget(label)
        column.addWidget(said)
        column.addSpacing(4)


def _values(settings: ServerSettings) -> dict[str, str]:
    """Every property of the schemas, and what else is set, with its value; empty for one that isn't set."""
    names = [name for schema in settings.schemas for name in schema.get("properties") or {}]
    defaults = {
        name: property["default"]
        for schema in settings.schemas
        for name, property in (schema.get("properties") or {}).items()
        if isinstance(property, dict) and "default" in property
    }
    found: dict[str, Any] = {name: settings.values.get(name, defaults.get(name)) for name in names}
    found |= {name: value for name, value in settings.values.items() if name not in found}
    return {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
