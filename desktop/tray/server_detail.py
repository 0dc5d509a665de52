"""The pane about one server: what it is, where it stands and why, what can be done, what it wrote last."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QFontDatabase, QHideEvent, QShowEvent, QTextOption
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.servers.status import ServerKind, ServerState, ServerStatus
from desktop.sharing import Sharing
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, rule, tool_button
from desktop.tray.sign_in_panel import SignInPanel
from desktop.tray.theme import Theme, state_colour

__all__ = ["ServerDetail"]

LOG_LINES = 1_000
LOG_LINES_SHOWN = 7
FOLLOW_INTERVAL = 1_000
"""Milliseconds between two looks at what the server wrote, only while the pane is seen and follows."""


class _Log(QPlainTextEdit):
    """Read-only lines that ask for little room, and take what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setMaximumBlockCount(LOG_LINES)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)

    def minimumSizeHint(self) -> QSize:
        """Room for a few lines."""
        return QSize(super().minimumSizeHint().width(), self.fontMetrics().lineSpacing() * LOG_LINES_SHOWN)

    def sizeHint(self) -> QSize:
        """No more than that: the pane scrolls only when even this does not fit."""
        return self.minimumSizeHint()


class ServerDetail(QFrame):
    """Shows one server and offers what can be done with it.

    Signals:
        left: The person wants to go back to the list.
    """

    left = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._status: ServerStatus | None = None
        self._lines: tuple[str, ...] = ()
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(FOLLOW_INTERVAL)
        self._timer.timeout.connect(self._read_lines)
        bridge.servers_changed.connect(self._on_servers_changed)
        bridge.status_changed.connect(self._refresh)
        actions.wishes_changed.connect(lambda _name: self._refresh())
        theme.changed.connect(self._refresh)

    @property
    def server(self) -> str:
        """Name of the server shown; empty when none is."""
        return self._status.name if self._status else ""

    def show_server(self, name: str) -> None:
        """Show another server, or none for an empty name."""
        if name != self.server:
            self._lines = ()
            self._log.clear()
        self._status = self._bridge.server(name) if name else None
        self._refresh()
        self._read_lines()

    def set_page(self, page: bool) -> None:
        """Whether the pane fills the window and needs a way back."""
        self._back.setVisible(page)

    def showEvent(self, event: QShowEvent) -> None:
        """Seen again: look at the log."""
        super().showEvent(event)
        self._read_lines()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: stop following."""
        super().hideEvent(event)
        self._timer.stop()

    def _build(self) -> None:
        self._back = tool_button(self.tr("Back to the list"))
        self._back.clicked.connect(self.left)
        self._back.hide()
        self._title = ElidedLabel()
        enlarge(self._title, 4)
        self._source = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._source.setObjectName("muted")
        self._description = QLabel()
        self._description.setWordWrap(True)
        self._description.setTextFormat(Qt.TextFormat.PlainText)
        self._mark = QLabel()
        self._mark.setFixedSize(16, 16)
        self._word = caption("")
        self._word.setObjectName("")
        self._facts = muted("")
        self._facts.setWordWrap(True)
        self._reason = QLabel()
        self._hint = muted("")
        for label in (self._reason, self._hint):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
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
        self._settings = QPushButton(self.tr("Settings…"))
        self._settings.clicked.connect(lambda: self._actions.edit_settings(self.server, self._theme, self.window()))
        self._follow = QPushButton(self.tr("Follow"))
        self._follow.setCheckable(True)
        self._follow.setProperty("segment", True)
        self._follow.setChecked(True)
        self._follow.setToolTip(self.tr("Keep the newest lines in view"))
        self._follow.toggled.connect(lambda _on: self._read_lines())
        self._copy = tool_button(self.tr("Copy messages"))
        self._copy.clicked.connect(lambda: self._actions.copy("\n".join(self._lines)))
        self._log = _Log()
        self._log.setAccessibleName(self.tr("Last messages of the server"))
        self._log.setPlaceholderText(self.tr("The server wrote nothing yet."))
        self._nothing = muted(self.tr("Choose a server to see what it does."))
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
        self._content = QWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        state = QHBoxLayout()
        state.setSpacing(8)
        state.addWidget(self._mark)
        state.addWidget(self._word)
        state.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._switch, self._settings, self._restart, self._sharing):
            buttons.addWidget(button)
        buttons.addStretch(1)
        log_head = QHBoxLayout()
        log_head.setSpacing(8)
        log_head.addWidget(caption(self.tr("Last messages")))
        log_head.addStretch(1)
        log_head.addWidget(self._follow)
        log_head.addWidget(self._copy)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(0)
        column.addLayout(head)
        column.addSpacing(4)
        column.addWidget(self._source)
        column.addSpacing(12)
        column.addWidget(self._description)
        column.addSpacing(16)
        column.addWidget(rule())
        column.addSpacing(12)
        column.addLayout(state)
        column.addSpacing(4)
        about = QVBoxLayout()
        about.setSpacing(4)
        for label in (self._reason, self._hint, self._facts):
            about.addWidget(label)
        column.addLayout(about)
        column.addSpacing(16)
        doing = QVBoxLayout()
        doing.setSpacing(8)
        doing.addWidget(self._sign_in)
        doing.addWidget(self._consent, 0, Qt.AlignmentFlag.AlignLeading)
        doing.addLayout(buttons)
        column.addLayout(doing)
        column.addSpacing(20)
        column.addLayout(log_head)
        column.addSpacing(4)
        column.addWidget(self._log, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._content)
        outer.addWidget(self._scroll)
        outer.addWidget(self._nothing, 1)
        self._refresh()

    def _sharing_action(self, sharing: Sharing) -> QAction:
        action = QAction(words.sharing_meaning(sharing), self._sharing_menu)
        action.setCheckable(True)
        action.triggered.connect(lambda _checked=False: self._choose_sharing(sharing))
        self._sharing_menu.addAction(action)
        return action

    def _choose_sharing(self, sharing: Sharing) -> None:
        self._mark_sharing()  # the host's answer moves the mark
        if self._status and self._status.sharing is not sharing:
            self._actions.set_sharing(self._status.name, sharing)

    def _mark_sharing(self) -> None:
        if self._status:
            self._sharing.setText(words.sharing_word(self._status.sharing))
            for sharing, action in self._sharing_choices.items():
                action.setChecked(sharing is self._status.sharing)

    def _on_servers_changed(self, names: frozenset[str]) -> None:
        if self._status and (not names or self._status.name in names):
            self.show_server(self._status.name)

    def _refresh(self) -> None:
        status = self._status
        self._scroll.setVisible(status is not None)
        self._nothing.setVisible(status is None)
        tokens = self._theme.tokens
        self._back.setIcon(artwork.icon("back", QColor(tokens.text)))
        self._copy.setIcon(artwork.icon("copy", QColor(tokens.muted)))
        self._sign_in.show_server(status)
        if status is None:
            return
        colour = QColor(state_colour(tokens, status.state))
        self._title.say(words.title_of(status))
        self._source.say(f"{words.kind_word(status.kind)} · {status.source}".rstrip(" ·"))
        self._description.setText(words.elided(status.description, 600))
        self._description.setVisible(bool(status.description))
        ratio = self.devicePixelRatioF()
        self._mark.setPixmap(artwork.pixmap(artwork.state_drawing(status.state), 16, colour, ratio))
        self._word.setText(words.state_word(status.state))
        palette = self._word.palette()
        palette.setColor(self._word.foregroundRole(), colour)
        self._word.setPalette(palette)
        facts = self._facts_of(status)
        self._facts.setText(facts)
        self._facts.setVisible(bool(facts))
        self._reason.setText(words.sentence(status.reason))
        self._reason.setVisible(bool(status.reason))
        self._hint.setText(words.sentence(status.hint))
        self._hint.setVisible(bool(status.hint))
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
        needed = status.state is ServerState.NEEDS_SETTING and not status.needs_consent
        self._settings.setText(self.tr("Set…") if needed else self.tr("Settings…"))
        self._settings.setProperty("primary", needed)
        self._settings.style().unpolish(self._settings)
        self._settings.style().polish(self._settings)

    def _facts_of(self, status: ServerStatus) -> str:
        facts = [
            words.tools(status.tool_count) if status.tool_count is not None else "",
            words.prompts(status.prompt_count) if status.prompt_count else "",
            words.resources(status.resource_count) if status.resource_count else "",
            self.tr("used {when}").format(when=time.strftime("%H:%M", time.localtime(status.last_used)))
            if time.time() - status.last_used < 12 * 3600
            else "",
            self.tr("docker inspect shows its secrets") if status.reveals_secrets else "",
        ]
        return " · ".join(fact for fact in facts if fact)

    def _toggle(self) -> None:
        if self._status:
            wish = self._actions.wish(self._status.name)
            self._actions.set_enabled(self._status.name, not (self._status.enabled if wish is None else wish))

    def _ask_consent(self) -> None:
        status = self._status
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

    def _read_lines(self) -> None:
        """Take over what was written since the last look, unless the person holds the view still."""
        if self._status is None or not self._follow.isChecked():
            return
        lines = self._bridge.stderr(self._status.name)
        if lines == self._lines:
            return
        if self._lines and lines[: len(self._lines)] == self._lines:
            self._log.appendPlainText("\n".join(lines[len(self._lines) :]))
        else:
            self._log.setPlainText("\n".join(lines))
        self._lines = lines
        bar = self._log.verticalScrollBar()
        bar.setValue(bar.maximum())
