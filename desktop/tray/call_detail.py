"""What is to say about one call: who, what, when, what it was given and what came back."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from desktop.activity.record import CallDetails, CallRecord
from desktop.host import RunningCall
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, tool_button
from desktop.tray.theme import Theme

__all__ = ["CallDetail"]


class CallDetail(QFrame):
    """The drawer at the side of the table.

    Signals:
        left: The person wants back to the table.
    """

    left = Signal()

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._actions = actions
        self._theme = theme
        self._call: CallRecord | RunningCall | None = None
        self._back = tool_button(self.tr("Back to the calls"))
        self._back.clicked.connect(self.left)
        self._tool = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        enlarge(self._tool, 3)
        self._facts = QFormLayout()
        self._facts.setHorizontalSpacing(16)
        self._facts.setVerticalSpacing(4)
        self._lines = {name: ElidedLabel(Qt.TextElideMode.ElideMiddle) for name in ("client", "server", "when", "how")}
        for name, title in (
            ("client", self.tr("Client")),
            ("server", self.tr("Server")),
            ("when", self.tr("Time")),
            ("how", self.tr("Outcome")),
        ):
            self._facts.addRow(muted(title), self._lines[name])
        self._reason = QLabel()
        self._reason.setWordWrap(True)
        self._reason.setTextFormat(Qt.TextFormat.PlainText)
        self._reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.cancel = QPushButton(self.tr("Cancel call"))
        self.cancel.clicked.connect(self._cancel)
        self.arguments = self._text(self.tr("Arguments"))
        self.result = self._text(self.tr("Result"))
        self._copies = []
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._tool, 1)
        column.addLayout(head)
        column.addLayout(self._facts)
        column.addWidget(self._reason)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignLeft)
        for name, text, stretch in ((self.tr("Arguments"), self.arguments, 2), (self.tr("Result"), self.result, 3)):
            row = QHBoxLayout()
            row.addWidget(caption(name))
            row.addStretch(1)
            copy = tool_button(self.tr("Copy {what}").format(what=name.lower()))
            copy.clicked.connect(lambda _on=False, text=text: self._actions.copy(text.toPlainText()))
            self._copies.append(copy)
            row.addWidget(copy)
            column.addLayout(row)
            column.addWidget(text, stretch)
        theme.changed.connect(self._tint)
        self._tint()
        self.show_call(None)

    @property
    def call(self) -> CallRecord | RunningCall | None:
        """The call shown."""
        return self._call

    def set_page(self, alone: bool) -> None:
        """Alone in the window, with a way back, or beside the table."""
        self._back.setVisible(alone)

    def show_call(self, call: CallRecord | RunningCall | None) -> None:
        """Show this one; None shows nothing."""
        if call is not None and call == self._call:
            return
        self._call = call
        ended = call if isinstance(call, CallRecord) else None
        self.cancel.setVisible(isinstance(call, RunningCall))
        self._reason.setVisible(bool(ended and ended.reason))
        self.arguments.setPlainText("")
        self.result.setPlainText("")
        if call is None:
            self._tool.say("")
            for line in self._lines.values():
                line.say("")
            return
        self._tool.say(call.tool)
        self._lines["client"].say(call.client or self.tr("unknown"))
        self._lines["server"].say(call.server or "–")
        if ended is None:
            self._lines["when"].say(self.tr("now"))
            self._lines["how"].say(self.tr("running"))
            return
        self._lines["when"].say(words.moment(ended.at))
        how = (words.outcome_word(ended.outcome), words.took(ended.seconds), words.size(ended.received))
        self._lines["how"].say(" · ".join(how))
        self._reason.setText(words.sentence(ended.reason))
        wanted = ended.id
        self._actions.ask(
            lambda host: host.activity.details(wanted), lambda details: self._show_details(wanted, details)
        )

    def _show_details(self, wanted: int, details: CallDetails | None) -> None:
        if not shiboken6.isValid(self) or not isinstance(self._call, CallRecord) or self._call.id != wanted:
            return
        nothing = self.tr("not kept")
        self.arguments.setPlainText(details.arguments if details is not None else nothing)
        self.result.setPlainText(details.result if details is not None else nothing)

    def _cancel(self) -> None:
        if isinstance(self._call, RunningCall):
            self._actions.cancel_call(self._call.id)

    def _text(self, name: str) -> QPlainTextEdit:
        text = QPlainTextEdit()
        text.setObjectName("log")
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setAccessibleName(name)
        text.setTabChangesFocus(True)
        text.setMinimumHeight(text.fontMetrics().height() * 3)
        return text

    def _tint(self) -> None:
        colour = QColor(self._theme.tokens.text)
        self._back.setIcon(artwork.icon("back", colour))
        for copy in self._copies:
            copy.setIcon(artwork.icon("copy", colour))
        self._reason.setStyleSheet(f"color: {self._theme.tokens.bad}")
