"""The pane about one AI client: how it stands, what fits it, what connecting changes in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.clients.view import ClientState, ClientView
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_list import client_colour, client_drawing, is_connected, state_word
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, rule, tool_button
from desktop.tray.theme import Theme

if TYPE_CHECKING:
    from desktop.clients.roster import Plan

__all__ = ["ClientDetail"]


class ClientDetail(QFrame):
    """Shows one client and offers what can be done with it.

    Signals:
        left: The person wants back to the list.
    """

    left = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._view: ClientView | None = None
        self._build()
        bridge.clients_changed.connect(self._read_again)
        bridge.status_changed.connect(self._refresh)
        actions.clients_wished.connect(lambda _id: self._refresh())
        theme.changed.connect(self._refresh)
        self._refresh()

    @property
    def client(self) -> str:
        """Id of the client shown; empty when none is."""
        return self._view.id if self._view else ""

    def show_client(self, view: ClientView | None) -> None:
        """Show another client, or none."""
        if view is None or view.id != self.client:
            self._change.hide()
        self._view = view
        self._refresh()

    def set_page(self, page: bool) -> None:
        """Whether the pane fills the window and needs a way back."""
        self._back.setVisible(page)

    def _build(self) -> None:
        self._back = tool_button(self.tr("Back to the list"))
        self._back.clicked.connect(self.left)
        self._back.hide()
        self._title = ElidedLabel()
        enlarge(self._title, 4)
        self._file = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._file.setObjectName("muted")
        self._mark = QLabel()
        self._mark.setFixedSize(16, 16)
        self._word = caption("")
        self._word.setObjectName("")
        self._line = QLabel()
        self._hint = muted("")
        self._way = muted("")
        self._others = muted("")
        self._reference = muted("")
        for label in (self._line, self._hint, self._way, self._others, self._reference):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.connect_button = QPushButton()
        self.connect_button.clicked.connect(self._toggle)
        self.again = QPushButton(self.tr("Connect again"))
        self.again.setProperty("primary", True)
        self.again.clicked.connect(lambda: self._actions.set_connected(self.client, True))
        self.show_change = QPushButton(self.tr("Show change"))
        self.show_change.setToolTip(self.tr("See what connecting would write, before anything is written"))
        self.show_change.clicked.connect(self._ask_change)
        self._meter_head = caption(self.tr("Fits this client"))
        self._meter = QProgressBar()
        self._meter.setTextVisible(False)
        self._meter.setFixedHeight(6)
        self._meter_text = muted("")
        self._meter_text.setWordWrap(True)
        self._change = QPlainTextEdit()
        self._change.setReadOnly(True)
        self._change.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._change.setAccessibleName(self.tr("What connecting would write"))
        self._change.setTabChangesFocus(True)
        self._change.setMinimumHeight(self.fontMetrics().height() * 9)
        self._change.hide()
        self._nothing = muted(self.tr("Choose a client to see how it stands."))
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
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
        for button in (self.again, self.connect_button, self.show_change):
            buttons.addWidget(button)
        buttons.addStretch(1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._file)
        column.addSpacing(12)
        column.addWidget(rule())
        column.addSpacing(8)
        column.addLayout(state)
        for label in (self._line, self._hint, self._way, self._others, self._reference):
            column.addWidget(label)
        column.addSpacing(12)
        column.addLayout(buttons)
        column.addSpacing(16)
        column.addWidget(self._meter_head)
        column.addWidget(self._meter)
        column.addWidget(self._meter_text)
        column.addSpacing(12)
        column.addWidget(self._change, 1)
        column.addStretch(0)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(self._scroll)
        outer.addWidget(self._nothing, 1)

    def _read_again(self) -> None:
        if self._view is not None:
            id = self._view.id
            self._view = next((view for view in self._bridge.clients() if view.id == id), None)
        self._refresh()

    def _refresh(self) -> None:
        view, tokens = self._view, self._theme.tokens
        self._scroll.setVisible(view is not None)
        self._nothing.setVisible(view is None)
        self._back.setIcon(artwork.icon("back", QColor(tokens.text)))
        if view is None:
            return
        colour = QColor(client_colour(tokens, view.state))
        self._title.say(f"{view.name} {view.version}".strip())
        self._file.say(view.file)
        self._file.setVisible(bool(view.file))
        self._mark.setPixmap(artwork.pixmap(client_drawing(view.state), 16, colour, self.devicePixelRatioF()))
        self._word.setText(state_word(view.state))
        palette = self._word.palette()
        palette.setColor(self._word.foregroundRole(), colour)
        self._word.setPalette(palette)
        self._say(self._line, words.sentence(view.line) if view.line != view.state.value else "")
        self._say(self._hint, words.sentence(view.hint))
        ways = {
            "http": self.tr("It reaches the gateway over HTTP, with a token of its own."),
            "stdio": self.tr("It starts a small program that joins the gateway."),
        }
        self._say(self._way, ways.get(view.way, ""))
        names = ", ".join(view.servers)
        self._say(self._others, self.tr("Its own servers: {names}.").format(names=names) if names else "")
        told = self.tr("Docker's own gateway is connected as {name}.").format(name=view.reference)
        self._say(self._reference, told if view.reference else "")
        wish = self._actions.client_wish(view.id)
        on = is_connected(view) if wish is None else wish
        usable = bool(view.file) and view.state is not ClientState.BROKEN
        again = view.state in (ClientState.DROPPED, ClientState.OUTDATED) and wish is None
        self.again.setVisible(again)
        self.connect_button.setText(self.tr("Disconnect") if on else self.tr("Connect"))
        self.connect_button.setVisible(usable and (on or not again))
        self.connect_button.setEnabled(wish is None)
        self.connect_button.setProperty("primary", not on)
        self.connect_button.style().unpolish(self.connect_button)
        self.connect_button.style().polish(self.connect_button)
        self.show_change.setVisible(usable and (again or not is_connected(view)))
        self._show_meter(view)

    def _show_meter(self, view: ClientView) -> None:
        offered = view.tools or self._bridge.endpoint().tools
        most = view.most_tools
        for widget in (self._meter_head, self._meter, self._meter_text):
            widget.setVisible(bool(most))
        if not most:
            return
        self._meter.setRange(0, most)
        self._meter.setValue(min(offered, most))
        self._meter.setProperty("over", offered > most)
        self._meter.style().unpolish(self._meter)
        self._meter.style().polish(self._meter)
        text = self.tr("{offered} of {most} tools").format(offered=offered, most=most)
        if offered > most:
            surplus = words.tools(offered - most)
            text += " · " + self.tr("{count} too many: turn off servers or single tools.").format(count=surplus)
        self._meter_text.setText(text)
        self._meter.setAccessibleName(text)

    def _say(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))

    def _toggle(self) -> None:
        if self._view is not None:
            self._actions.set_connected(self._view.id, not is_connected(self._view))

    def _ask_change(self) -> None:
        if self._view is not None:
            id = self._view.id
            self._actions.ask(lambda host: host.plan_client(id), lambda plan: self._show_plan(id, plan))

    def _show_plan(self, id: str, plan: Plan) -> None:
        if shiboken6.isValid(self) and id == self.client:
            self._change.setPlainText(plan.diff or self.tr("Nothing would change."))
            self._change.show()
