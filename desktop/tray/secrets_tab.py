"""The secrets: how they are protected, the table, the drawer about the chosen one, add, replace, remove, import."""

from __future__ import annotations

from pathlib import Path

import shiboken6
from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from desktop.host import EnvLine, KeptSecret, SecretsStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.banner import Banner, BannerKind
from desktop.tray.bridge import Bridge
from desktop.tray.env_import_dialog import EnvImportDialog
from desktop.tray.parts import ElidedLabel
from desktop.tray.secret_detail import SecretDetail
from desktop.tray.secret_dialog import PassphraseDialog, SecretDialog
from desktop.tray.secret_list import SecretColumn, SecretList, SecretRole
from desktop.tray.secret_words import protection_words
from desktop.tray.table import Table
from desktop.tray.table_and_drawer import TableAndDrawer
from desktop.tray.theme import Theme

__all__ = ["SecretsTab"]

READ_PAUSE = 300
"""Milliseconds after a change of servers until the secrets are read: at the start, changes come in crowds."""
KEYCHAIN_PATIENCE = 800
"""Milliseconds without an answer after which the keychain seems to wait for its owner."""

A_LONG_DAY = 1_766_664_000.0
"""A day in seconds of the clock that takes two digits for day and month each."""


class SecretsTab(QWidget):
    """First tab of the place "Secrets".

    Signals:
        counted: How many secrets there are is new.
        sign_in_wanted: A secret comes from a sign-in, which is to be shown.
    """

    counted = Signal()
    sign_in_wanted = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._chosen = ""
        self._stale = True
        self._known = False
        self._status: SecretsStatus | None = None
        self.model = SecretList(theme, self)
        self.detail = SecretDetail(theme)
        samples: dict[int, str] = {
            SecretColumn.SET: max(
                words.day(A_LONG_DAY) + " ",
                "     " + self.model.missing_word(),
                key=self.fontMetrics().horizontalAdvance,
            ),
            SecretColumn.USED_BY: "GitHub, Slack",
            SecretColumn.KEPT: self.tr("sign-in to GitHub"),
        }
        self.view = Table(self.tr("Secrets"), self.model, wide=SecretColumn.NAME, samples=samples)
        self.body = TableAndDrawer(self.view, self.detail)
        self.trouble = Banner(theme, BannerKind.WARN, actions.copy)
        self.protection = ElidedLabel()
        self.protection.setObjectName("muted")
        self._all = self._segment(lambda: self.model.set_only_missing(False))
        self._missing = self._segment(lambda: self.model.set_only_missing(True))
        self._reading_pause = QTimer(self)
        self._reading_pause.setSingleShot(True)
        self._reading_pause.setInterval(READ_PAUSE)
        self._reading_pause.timeout.connect(self._read)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(KEYCHAIN_PATIENCE)
        self._patience.timeout.connect(self._keychain_waits)
        self._build()
        self._connect()
        self._show_rows_or_words()

    def seen(self) -> None:
        """The tab is shown: read what is new since."""
        if self._stale:
            self._read()
            self._read_status()

    def add(self) -> None:
        """Ask for a new secret."""
        self._open_dialog("", is_set=False)

    def set_secret(self) -> None:
        """Ask for the value of the chosen secret."""
        secret = self.detail.secret
        if secret is not None and not self.detail.set.isHidden():
            self._open_dialog(secret.name, is_set=secret.set_at is not None)

    def import_file(self) -> None:
        """Let a `.env` file be chosen."""
        dialog = QFileDialog(self, self.tr("Import a .env file"), "", self.tr("All files (*)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.look_into)
        dialog.open()

    def look_into(self, file: str) -> None:
        """Show what a `.env` file would set."""
        path = Path(file)
        self._actions.ask(lambda host: host.secret_desk.read_env(path), lambda lines: self._show_import(path, lines))

    def _build(self) -> None:
        group = QButtonGroup(self)
        for button in (self._all, self._missing):
            group.addButton(button)
        self._all.setChecked(True)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.protection, 1)
        line.addWidget(self._all)
        line.addWidget(self._missing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.trouble)
        column.addLayout(line)
        column.addWidget(self.body, 1)

    def _connect(self) -> None:
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.view.opened.connect(self._open)
        self.model.modelReset.connect(self._show_rows_or_words)
        self.detail.left.connect(self.body.close_drawer)
        self.detail.set_wanted.connect(self.set_secret)
        self.detail.remove_wanted.connect(self._ask_to_remove)
        self.detail.sign_in_wanted.connect(self.sign_in_wanted)
        self._bridge.secrets_changed.connect(self._changed)
        self._bridge.phase_changed.connect(self._changed)
        self._bridge.servers_changed.connect(lambda _names: self._soon())
        self._theme.changed.connect(self.view.viewport().update)

    def _segment(self, chosen: object) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.clicked.connect(chosen)
        return button

    # Reading.

    def _soon(self) -> None:
        self._stale = True
        if self.isVisible() and not self._reading_pause.isActive():
            self._reading_pause.start()

    def _changed(self) -> None:
        self._stale = True
        if self.isVisible():
            self._read()
            self._read_status()

    def _read(self) -> None:
        if self._actions.ready:
            self._stale = False
            self._actions.ask(lambda host: host.secret_desk.overview(), self._show)

    def _read_status(self) -> None:
        if self._actions.ready:
            self._patience.start()
            self._actions.ask(lambda host: host.secrets_status(), self._show_status)

    def _show(self, secrets: tuple[KeptSecret, ...]) -> None:
        if not shiboken6.isValid(self):
            return
        self._known = True
        self.model.show(secrets)
        if not self.model.rowCount():
            self._show_rows_or_words()
        self.counted.emit()

    def _show_status(self, status: SecretsStatus) -> None:
        if not shiboken6.isValid(self):
            return
        self._patience.stop()
        self._status = status
        session = status.protection == "this session only"  # then the message above says it
        self.protection.say("" if session else protection_words(status))
        self.model.show_protection(status.protection)
        self._show_secret()
        locked = words.sentence(status.reason), words.sentence(status.hint)
        if status.protection == "passphrase" and status.reason:
            self.trouble.say(
                self.tr("Your secrets are locked."),
                self.tr("Servers that need one wait until you give the passphrase."),
                self.tr("Unlock…"),
                lambda: self._open_passphrase(is_new=False),
            )
        elif status.reason:
            self.trouble.say(*locked, self.tr("Try again"), self._read_status)
        elif session:
            self.trouble.say(
                self.tr("Secrets are kept for this session only."),
                self.tr("There is no keychain here. With a passphrase they last."),
                self.tr("Choose a passphrase…"),
                lambda: self._open_passphrase(is_new=True),
            )
        else:
            self.trouble.clear()

    def _keychain_waits(self) -> None:
        self.trouble.say(
            self.tr("The keychain waits for its owner."),
            self.tr("Your system asks for the keychain's password, perhaps in a window behind this one."),
        )

    # Showing.

    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        secret = current.data(SecretRole) if current.isValid() else None
        if secret is not None:
            self._chosen = secret.name
        self._show_secret()

    def _show_secret(self) -> None:
        index = self.view.currentIndex()
        protection = self._status.protection if self._status is not None else ""
        self.detail.show_secret(index.data(SecretRole) if index.isValid() else None, protection)
        self.body.arrange()
        self.detail.set_page(self.body.reading)

    def _show_rows_or_words(self) -> None:
        missing, count = self.model.missing, len(self.model.secrets)
        for button, name, number in ((self._all, self.tr("All"), count), (self._missing, self.tr("Missing"), missing)):
            button.setText(f"{name}  {number}" if number else name)
            button.setAccessibleName(f"{name}, {number}")
            button.setVisible(missing > 0 or self._missing.isChecked())
        if self.model.rowCount():
            self.view.choose(self.model.index_of(self._chosen))
        elif count:
            self.body.empty.say(
                self.tr("Nothing found") if not self._missing.isChecked() else self.tr("Nothing is missing"),
                self.tr("Every server that is on has the secrets it needs.") if self._missing.isChecked() else "",
                self.tr("Show all"),
                self._show_all,
            )
        elif self._known:
            self.body.empty.say(
                self.tr("No secrets yet"),
                self.tr("Tokens and keys that servers need are kept here, and never shown again."),
                self.tr("Add a secret…"),
                self.add,
            )
        else:
            self.body.empty.say(self.tr("Looking for your secrets…"))
        self._show_secret()

    def _show_all(self) -> None:
        self._all.click()
        self.model.set_search("")

    def _open(self) -> None:
        self.body.open_drawer()
        self.detail.set_page(self.body.reading)
        if not self.body.reading:
            self.set_secret()

    # Dialogs.

    def _open_dialog(self, name: str, *, is_set: bool) -> None:
        known: dict[str, tuple[str, str]] = {}
        for secret in self.model.secrets:
            told = [use for use in secret.uses if use.about] or list(secret.uses)
            if told:
                known[secret.name] = (told[0].variable, words.sentence(told[0].about))
        SecretDialog(self._actions, self._theme, name, known, is_set=is_set, parent=self).open()

    def _open_passphrase(self, *, is_new: bool) -> None:
        PassphraseDialog(self._actions, self._theme, is_new=is_new, parent=self).open()

    def _show_import(self, file: Path, lines: tuple[EnvLine, ...]) -> None:
        if shiboken6.isValid(self):
            EnvImportDialog(file, lines, self._actions, self._theme, self).open()

    def _ask_to_remove(self) -> None:
        secret = self.detail.secret
        if secret is None:
            return
        name = secret.name
        needing = [words.elided(use.title, 60) for use in secret.uses if use.enabled and use.is_required]
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("Remove a secret"))
        box.setText(self.tr("Remove {name}?").format(name=words.elided(name, 80)))
        text = self.tr("Its value can't be brought back.")
        if needing:
            text = self.tr("{servers} can't run without it.").format(servers=", ".join(needing[:3])) + " " + text
        box.setInformativeText(text)
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        remove.clicked.connect(lambda: self._actions.ask(lambda host: host.remove_secret(name), lambda _none: None))
        box.open()
