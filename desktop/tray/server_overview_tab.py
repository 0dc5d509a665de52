"""The tab that says where a server stands and why, what can be done about it, and what it is and uses."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QColor, QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QMenu, QMessageBox, QPushButton, QVBoxLayout, QWidget

from desktop.facets.server import ServerImage, ServerUse
from desktop.servers.status import ServerKind, ServerState, ServerStatus
from desktop.sharing import Sharing
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.duplicate_dialog import DuplicateDialog
from desktop.tray.flow_row import FlowRow
from desktop.tray.parts import ElidedLabel, muted, rule, tool_button
from desktop.tray.server_tab import ServerTab, scrolling
from desktop.tray.sign_in_panel import SignInPanel
from desktop.tray.theme import Theme

__all__ = ["ServerOverviewTab"]

USE_INTERVAL = 3_000
"""Milliseconds between two looks at what the server's containers use, only while the tab is seen."""


class ServerOverviewTab(ServerTab):
    """What matters first about a server."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__(actions)
        self._bridge = bridge
        self._theme = theme
        self._image: ServerImage | None = None
        self._looking = False
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(USE_INTERVAL)
        self._timer.timeout.connect(self._look_at_use)
        bridge.status_changed.connect(self._refresh_if_seen)
        actions.wishes_changed.connect(lambda _name: self._refresh_if_seen())
        theme.changed.connect(self._refresh_if_seen)

    def showEvent(self, event: QShowEvent) -> None:
        """Seen: look at what it uses, and go on looking."""
        super().showEvent(event)
        self._look_at_image()
        self._look_at_use()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: ask the engine no more."""
        super().hideEvent(event)
        self._timer.stop()

    def forget(self) -> None:
        """Another server comes."""
        self._looking = False
        self._show_image(None)
        self._show_use(None)
        if self.isVisible():
            self._look_at_image()
            self._look_at_use()

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _build(self) -> None:
        self._description = QLabel()
        self._reason = QLabel()
        self._hint = muted("")
        self._facts = muted("")
        for label in (self._description, self._reason, self._hint, self._facts):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self._reason, self._hint):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._switch = QPushButton()
        self._switch.clicked.connect(self._toggle)
        self._restart = QPushButton(self.tr("Restart"))
        self._restart.clicked.connect(lambda: self._actions.restart(self.server))
        self._sharing = QPushButton()
        self._sharing.setToolTip(self.tr("How many instances of this server run"))
        self._sharing_menu = QMenu(self._sharing)
        self._sharing_choices = {sharing: self._sharing_action(sharing) for sharing in Sharing}
        self._sharing.setMenu(self._sharing_menu)
        self._consent = QPushButton(self.tr("Run without a container…"))
        self._consent.setProperty("primary", True)
        self._consent.clicked.connect(self._ask_consent)
        self._sign_in = SignInPanel(self._bridge, self._actions)
        self._settings = QPushButton(self.tr("Set…"))
        self._settings.setProperty("primary", True)
        self._settings.clicked.connect(lambda: self._actions.edit_settings(self.server, self._theme, self.window()))
        self._duplicate = QPushButton(self.tr("Second account…"))
        self._duplicate.setToolTip(self.tr("Have this server a second time, with secrets of its own"))
        self._duplicate.clicked.connect(self._ask_duplicate)
        self._image_name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._digest = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._copy_image = tool_button(self.tr("Copy image and digest"))
        self._copy_image.clicked.connect(lambda: self._actions.copy(_reference(self._image)))
        self._use = muted("")
        self._use.setWordWrap(True)
        buttons = FlowRow(8)
        for button in (self._settings, self._switch, self._restart, self._sharing, self._duplicate):
            buttons.add(button)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(0)
        about = QVBoxLayout()
        about.setSpacing(4)
        for label in (self._reason, self._hint):
            about.addWidget(label)
        doing = QVBoxLayout()
        doing.setSpacing(8)
        doing.addLayout(about)
        doing.addWidget(self._sign_in)
        doing.addWidget(self._consent, 0, Qt.AlignmentFlag.AlignLeading)
        doing.addWidget(buttons)
        column.addLayout(doing)
        column.addSpacing(16)
        column.addWidget(rule())
        column.addSpacing(12)
        lower = QVBoxLayout()
        lower.setSpacing(8)
        lower.addWidget(self._description)
        lower.addWidget(self._facts)
        lower.addWidget(self._facts_of_the_machine())
        column.addLayout(lower)
        column.addStretch(1)
        scrolling(content, QVBoxLayout(self))

    def _facts_of_the_machine(self) -> QWidget:
        """Image, digest and use, each with its word."""
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self._image_word, self._digest_word, self._use_word = (
            muted(self.tr("Image")),
            muted(self.tr("Digest")),
            muted(self.tr("Uses")),
        )
        digest = QHBoxLayout()
        digest.setSpacing(4)
        digest.addWidget(self._digest, 1)
        digest.addWidget(self._copy_image)
        grid.addWidget(self._image_word, 0, 0)
        grid.addWidget(self._image_name, 0, 1)
        grid.addWidget(self._digest_word, 1, 0)
        grid.addLayout(digest, 1, 1)
        grid.addWidget(self._use_word, 2, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._use, 2, 1)
        return box

    def _sharing_action(self, sharing: Sharing) -> QAction:
        action = QAction(words.sharing_meaning(sharing), self._sharing_menu)
        action.setCheckable(True)
        action.triggered.connect(lambda _checked=False: self._choose_sharing(sharing))
        self._sharing_menu.addAction(action)
        return action

    def _choose_sharing(self, sharing: Sharing) -> None:
        self._mark_sharing()  # the host's answer moves the mark
        if self.status and self.status.sharing is not sharing:
            self._actions.set_sharing(self.status.name, sharing)

    def _mark_sharing(self) -> None:
        if self.status:
            self._sharing.setText(words.sharing_word(self.status.sharing))
            for sharing, action in self._sharing_choices.items():
                action.setChecked(sharing is self.status.sharing)

    def refresh(self) -> None:
        """Show what holds now."""
        status = self.status
        self._sign_in.show_server(status)
        if status is None:
            return
        self._copy_image.setIcon(artwork.icon("copy", QColor(self._theme.tokens.muted)))
        for label, text in (
            (self._description, words.elided(status.description, 600)),
            (self._facts, self._facts_of(status)),
            (self._reason, words.sentence(status.reason)),
            (self._hint, words.sentence(status.hint)),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        wish = self._actions.wish(status.name)
        on = status.enabled if wish is None else wish
        self._switch.setText(self.tr("Turn off") if on else self.tr("Turn on"))
        self._switch.setProperty("primary", not on)
        self._switch.style().unpolish(self._switch)
        self._switch.style().polish(self._switch)
        self._restart.setVisible(on and not self._bridge.paused and status.state is not ServerState.IDLE)
        self._mark_sharing()
        self._sharing.setVisible(on and status.kind is not ServerKind.TOOLS)
        self._consent.setVisible(on and status.needs_consent)
        self._settings.setVisible(status.state is ServerState.NEEDS_SETTING and not status.needs_consent)

    def _facts_of(self, status: ServerStatus) -> str:
        facts = [
            words.tools(status.tool_count) if status.tool_count is not None else "",
            words.prompts(status.prompt_count) if status.prompt_count else "",
            words.resources(status.resource_count) if status.resource_count else "",
            self.tr("used {when}").format(when=time.strftime("%H:%M", time.localtime(status.last_used)))
            if time.time() - status.last_used < 12 * 3600
            else "",
        ]
        return " · ".join(fact for fact in facts if fact)

    def _toggle(self) -> None:
        if self.status:
            wish = self._actions.wish(self.status.name)
            self._actions.set_enabled(self.status.name, not (self.status.enabled if wish is None else wish))

    def _look_at_image(self) -> None:
        status = self.status
        if status is None or status.kind is not ServerKind.CONTAINER:
            return
        self.read(lambda host: host.server_resources.image(status.name), self._show_image)

    def _show_image(self, image: ServerImage | None) -> None:
        self._image = image
        told = image.digest or image.id if image is not None else ""
        self._image_name.say(image.name if image is not None else "")
        self._digest.say(told)
        self._digest_word.setText(self.tr("Digest") if image is None or image.digest else self.tr("Image id"))
        self._image_word.setVisible(image is not None)
        self._image_name.setVisible(image is not None)
        self._digest_word.setVisible(bool(told))
        self._digest.setVisible(bool(told))
        self._copy_image.setVisible(bool(told))

    def _look_at_use(self) -> None:
        status = self.status
        if status is None or status.kind is ServerKind.REMOTE or not status.enabled or not self._actions.ready:
            self._show_use(None)
            return
        if self._looking:
            return
        self._looking = True

        def seen(use: ServerUse | None) -> None:
            self._looking = False
            self._show_use(use)

        self.read(lambda host: host.server_resources.use(status.name), seen)

    def _show_use(self, use: ServerUse | None) -> None:
        self._use_word.setVisible(use is not None)
        self._use.setVisible(use is not None)
        if use is None:
            return
        told = [words.containers(use.containers), self.tr("{size} memory").format(size=words.size(use.memory))]
        if use.processors is not None:
            told.append(self.tr("{share} % of a processor").format(share=round(use.processors * 100)))
        self._use.setText(" · ".join(told))

    def _ask_duplicate(self) -> None:
        if self.status is not None:
            DuplicateDialog(self.status, self._bridge, self._actions, self._theme, self.window()).open()

    def _ask_consent(self) -> None:
        status = self.status
        if status is None:
            return
        title = words.elided(words.title_of(status), 60)
        question = QMessageBox(self)
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.setWindowModality(Qt.WindowModality.WindowModal)
        question.setWindowTitle(self.tr("Run without a container"))
        question.setIcon(QMessageBox.Icon.Warning)
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setText(self.tr("Run {title} without a container?").format(title=title))
        question.setInformativeText(
            self.tr(
                "Its package will run as an ordinary program with your rights: it can read and change your files "
                "and use your network. A container would keep it apart from both.\n\nPackage: {source}"
            ).format(source=words.elided(status.source, 120))
        )
        run = question.addButton(self.tr("Run without a container"), QMessageBox.ButtonRole.AcceptRole)
        cancel = question.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(cancel)
        question.setEscapeButton(cancel)
        name = status.name

        def answered(_result: int) -> None:
            if question.clickedButton() is run:
                self._actions.allow_without_container(name)

        question.finished.connect(answered)
        question.open()


def _reference(image: ServerImage | None) -> str:
    """What names exactly this image: with the digest it is pinned to, else the id of the local copy after it."""
    if image is None:
        return ""
    return f"{image.name}@{image.digest}" if image.digest else f"{image.name} {image.id}".strip()
