"""The place "Settings": the person's choices for the program itself, applied as they are made."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop import __version__
from desktop.errors import GatewayError
from desktop.state.app_settings import LANGUAGES, LOOKS, AppSettings
from desktop.state.paths import Paths
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.autostart import Autostart, autostart
from desktop.tray.bridge import Bridge
from desktop.tray.page import Page
from desktop.tray.parts import caption, heading, muted
from desktop.tray.theme import Look, Theme

__all__ = ["SettingsPage"]

WIDTH_IN_CHARACTERS = 90
SYSTEM_LOGIN_ERRORS = (OSError, GatewayError)
log = logging.getLogger(__name__)


class SettingsPage(Page):
    """Sections below each other; nothing has to be saved."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, start: Autostart | None = None) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._autostart = start if start is not None else autostart()
        self._filling = False
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self._column.setContentsMargins(20, 16, 20, 16)
        self._build()
        bridge.status_changed.connect(self._fill)
        bridge.phase_changed.connect(self._fill)
        self._fill()

    def focus_first(self) -> None:
        """Put the focus on the first choice."""
        self.at_login.setFocus()

    def _build(self) -> None:
        self._section(self.tr("General"))
        self.at_login = QCheckBox(self.tr("Start at login"))
        self.at_login.setToolTip(self.tr("In the tray, without a window"))
        self.at_login.toggled.connect(self._set_autostart)
        self._column.addWidget(self.at_login)
        self.look = self._choice(
            self.tr("Look"), LOOKS, (self.tr("As the system"), self.tr("Light"), self.tr("Dark")), "look"
        )
        self.language = self._choice(
            self.tr("Language"), LANGUAGES, (self.tr("As the system"), "English", "Deutsch"), "language"
        )
        self._remark(self.tr("Another language is used from the next start on."))
        self._section(self.tr("Gateway"))
        self.port = self._number(self.tr("Port"), 1, 65535, "port")
        self._remark(self.tr("Connected clients keep the old one in their files until they are connected again."))
        copy = QPushButton(self.tr("Copy token"))
        copy.clicked.connect(self._actions.copy_token)
        self._row(self.tr("Bearer token for clients you set up yourself"), copy)
        self.most = self._number(self.tr("Servers that run at once, at most"), 1, 1000, "most_running")
        self._section(self.tr("Secrets in calls"))
        self.secrets = self._choice(
            self.tr("A call with a secret in it"),
            ("block", "redact", ""),
            (self.tr("fails"), self.tr("goes on without the secret"), self.tr("goes on")),
            "block_secrets",
        )
        self._remark(
            self.tr("Keys of known services, and the secrets you have stored, are found in arguments and results.")
        )
        self._section(self.tr("Activity"))
        self.keep = self._switch(self.tr("Keep calls"), "keep_calls")
        self.details = self._switch(self.tr("With arguments and results"), "keep_details")
        self.days = self._number(self.tr("Days"), 1, 3650, "keep_days")
        self._section(self.tr("Data"))
        folders = Paths.of_user()
        for name, folder in (
            (self.tr("Shared with Docker's gateway"), folders.docker_mcp),
            (self.tr("Of this program alone"), folders.own),
        ):
            show = QPushButton(self.tr("Open folder"))
            show.clicked.connect(lambda _on=False, folder=folder: QDesktopServices.openUrl(QUrl.fromLocalFile(folder)))
            self._row(f"{name}: {folder}", show)
        self._section(self.tr("About"))
        about = muted(
            self.tr("MCP Gateway {version} · Python {python}").format(
                version=__version__, python=sys.version.split()[0]
            )
        )
        about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column.addWidget(about)
        self._column.addStretch(1)
        content = QWidget()
        content.setLayout(self._column)
        content.setMaximumWidth(self.fontMetrics().averageCharWidth() * WIDTH_IN_CHARACTERS)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        card = QFrame()
        card.setObjectName("card")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.addWidget(scroll)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(12)
        whole.addWidget(heading(self.tr("Settings"), 4))
        whole.addWidget(card, 1)

    def _section(self, name: str) -> None:
        if self._column.count():
            self._column.addSpacing(16)
        self._column.addWidget(caption(name))
        self._column.addSpacing(2)

    def _remark(self, text: str) -> None:
        label = muted(text)
        label.setWordWrap(True)
        self._column.addWidget(label)

    def _row(self, name: str, widget: QWidget) -> None:
        label = QLabel(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setBuddy(widget)
        widget.setAccessibleName(name)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(label, 1)
        row.addWidget(widget)
        self._column.addLayout(row)

    def _choice(self, name: str, values: Sequence[str], texts: Sequence[str], setting: str) -> QComboBox:
        box = QComboBox()
        for value, text in zip(values, texts, strict=True):
            box.addItem(text, value)
        box.setMinimumWidth(self.fontMetrics().averageCharWidth() * 26)
        box.currentIndexChanged.connect(lambda _index: self._change(**{setting: box.currentData()}))
        self._row(name, box)
        return box

    def _number(self, name: str, least: int, most: int, setting: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(least, most)
        box.setKeyboardTracking(False)
        box.setMinimumWidth(self.fontMetrics().averageCharWidth() * 14)
        box.valueChanged.connect(lambda value: self._change(**{setting: value}))
        self._row(name, box)
        return box

    def _switch(self, name: str, setting: str) -> QCheckBox:
        box = QCheckBox(name)
        box.toggled.connect(lambda on: self._change(**{setting: on}))
        self._column.addWidget(box)
        return box

    def _fill(self) -> None:
        """Show what is in force."""
        host = self._bridge.host
        chosen = host.preferences.current if host is not None else AppSettings()
        self._filling = True
        self.setEnabled(host is not None)
        self.at_login.setChecked(self._autostart.is_on())
        for box, value in (
            (self.look, chosen.look),
            (self.language, chosen.language),
            (self.secrets, chosen.block_secrets),
        ):
            box.setCurrentIndex(max(box.findData(value), 0))
        self.port.setValue(chosen.port)
        self.most.setValue(chosen.most_running)
        self.days.setValue(chosen.keep_days)
        self.keep.setChecked(chosen.keep_calls)
        self.details.setChecked(chosen.keep_details)
        for widget in (self.details, self.days):
            widget.setEnabled(chosen.keep_calls)
        self._filling = False

    def _change(self, **changes: Any) -> None:
        if self._filling:
            return
        if "look" in changes:
            self._theme.set_look(Look(changes["look"]))
        self._actions.attempt(lambda host: host.preferences.change(**changes), self._changed)

    def _changed(self, error: GatewayError | None) -> None:
        if error is not None:
            self._actions.failed.emit(error.message, error.hint)
        self._fill()

    def _set_autostart(self, on: bool) -> None:
        if self._filling:
            return
        try:
            self._autostart.set_on(on)
        except SYSTEM_LOGIN_ERRORS as error:
            log.warning("starting at login can't be set: %s", error)
            self._actions.failed.emit(
                self.tr("Starting at login could not be changed"),
                words.sentence(str(getattr(error, "strerror", error))),
            )
        self._fill()
