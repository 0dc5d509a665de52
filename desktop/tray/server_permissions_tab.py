"""The tab with what a server may: by being on, by consent, by policy; and how long its calls may take."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from desktop.errors import GatewayError
from desktop.facets.server import GivenConsent, ServerPermissions
from desktop.host import Host
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import caption, muted
from desktop.tray.server_tab import ServerTab, scrolling
from desktop.tray.theme import Theme

__all__ = ["ServerPermissionsTab"]

USUAL_LIMIT = 60
LONGEST_LIMIT = 86_400


class ServerPermissionsTab(ServerTab):
    """What a server may, with what can be taken back."""

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__(actions)
        self._theme = theme
        self._shown: tuple[ServerPermissions, bool] | None = None
        self._filling = False
        self._rows = QWidget()
        self.limited = QCheckBox(self.tr("End calls that take longer than"))
        self.limited.toggled.connect(lambda _on: self._limit())
        self.seconds = QSpinBox()
        self.seconds.setRange(1, LONGEST_LIMIT)
        self.seconds.setValue(USUAL_LIMIT)
        unit = self.tr("s")
        self.seconds.setSuffix(f" {unit}")
        self.seconds.setAccessibleName(self.tr("Seconds a call may take"))
        self.seconds.setKeyboardTracking(False)
        self.seconds.editingFinished.connect(self._limit)
        self._limit_box = QWidget()
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.seconds)
        line.addStretch(1)
        limit = QVBoxLayout(self._limit_box)
        limit.setContentsMargins(0, 0, 0, 0)
        limit.setSpacing(4)
        limit.addWidget(caption(self.tr("Time limit")))
        limit.addWidget(self.limited)
        limit.addLayout(line)
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(16, 12, 16, 16)
        self._column.setSpacing(16)
        self._column.addWidget(self._rows)
        self._column.addWidget(self._limit_box)
        self._column.addStretch(1)
        self._limit_box.hide()
        scrolling(content, QVBoxLayout(self))

    def forget(self) -> None:
        """Another server comes."""
        self._shown = None
        self._replace_rows(QWidget())
        self._limit_box.hide()

    def refresh(self) -> None:
        """Read what the server may."""
        name = self.server
        if not name:
            return
        self.read(lambda host: host.server_permissions.read(name), self._show)

    def _show(self, found: ServerPermissions | None) -> None:
        if found is None:
            self.forget()
            return
        reveals = self.status is not None and self.status.reveals_secrets
        if self._shown == (found, reveals):
            return
        self._shown = (found, reveals)
        rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(caption(self.tr("It may")))
        for phrase in found.may:
            column.addWidget(_line(f"· {phrase}"))
        if reveals:
            warning = _line(self.tr("Whoever can use Docker on this computer sees its secrets with docker inspect."))
            warning.setStyleSheet(f"color: {self._theme.tokens.warn}")
            column.addWidget(warning)
        column.addSpacing(12)
        column.addWidget(caption(self.tr("You agreed that it may")))
        for consent in found.consents:
            column.addWidget(self._consent(consent))
        if not found.consents:
            column.addWidget(_muted_line(self.tr("Nothing was asked.")))
        column.addSpacing(12)
        column.addWidget(caption(self.tr("Policy")))
        if found.broken:
            column.addWidget(_line(words.sentence(found.broken)))
        for rule in found.rules:
            line = _line(words.elided(rule, 300))
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(line)
        if not found.rules and not found.broken:
            column.addWidget(_muted_line(self.tr("No rule concerns this server.")))
        self._replace_rows(rows)
        self._show_limit(found.call_timeout)

    def _consent(self, consent: GivenConsent) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(8)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(_line(words.elided(consent.what, 300)))
        if since := _moment(consent.granted_at):
            text.addWidget(_muted_line(self.tr("since {when}").format(when=since)))
        row.addLayout(text, 1)
        back = QPushButton(self.tr("Take back"))
        back.setAccessibleName(self.tr("Take back: {what}").format(what=words.elided(consent.what, 120)))
        back.clicked.connect(lambda: self._take_back(consent))
        row.addWidget(back, 0, Qt.AlignmentFlag.AlignTop)
        return box

    def _take_back(self, consent: GivenConsent) -> None:
        name = self.server
        self._attempt(name, lambda host: host.server_permissions.take_back(name, consent.kind, consent.subject))

    def _show_limit(self, seconds: float | None) -> None:
        self._filling = True
        self.limited.setChecked(seconds is not None)
        if seconds is not None:
            self.seconds.setValue(max(round(seconds), 1))
        self.seconds.setEnabled(seconds is not None)
        self._filling = False
        self._limit_box.show()

    def _limit(self) -> None:
        if self._filling or self._shown is None:
            return
        wanted = float(self.seconds.value()) if self.limited.isChecked() else None
        self.seconds.setEnabled(wanted is not None)
        now = self._shown[0].call_timeout
        if wanted == now or (wanted is not None and now is not None and round(now) == wanted):
            return
        name = self.server
        self._attempt(name, lambda host: host.server_permissions.limit_calls(name, wanted))

    def _attempt(self, name: str, request: Callable[[Host], Coroutine[Any, Any, object]]) -> None:
        def answered(error: GatewayError | None) -> None:
            if error is not None:
                self._actions.failed.emit(error.message, error.hint)
            if shiboken6.isValid(self) and self.server == name:
                self._shown = None if error is not None else self._shown
                self.refresh()

        self._actions.attempt(request, answered)

    def _replace_rows(self, rows: QWidget) -> None:
        self._column.replaceWidget(self._rows, rows)
        self._rows.hide()
        self._rows.deleteLater()
        self._rows = rows


def _line(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _muted_line(text: str) -> QLabel:
    label = muted(text)
    label.setWordWrap(True)
    return label


def _moment(text: str) -> str:
    """A time (RFC 3339) as people write it; empty for one that can't be read."""
    try:
        return words.moment(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return ""
