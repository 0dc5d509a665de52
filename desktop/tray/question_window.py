"""The window in which the person decides what a client may do: allow or refuse, before the time is up."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QColor, QFontDatabase, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.policy.question import Answer, Question
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import enlarge, muted
from desktop.tray.theme import Theme

__all__ = ["QuestionWindow", "headline"]

TICK = 1_000
WIDTH_IN_CHARACTERS = 62
WIDTH_FOR_A_CALL = 80
LINES_SHOWN = 6
"""Lines of what it is about that have room without scrolling."""
LINES_OF_A_CALL = 14
NAME_LENGTH = 60
READY_AFTER = 700
"""Milliseconds before a question can be allowed, so that a click meant for the one before does not answer it."""


def headline(question: Question) -> str:
    """Who wants what, in one line."""
    translate = QCoreApplication.translate
    title = words.elided(words.in_one_line(question.title), NAME_LENGTH)
    if question.kind == "mount":
        return translate("QuestionWindow", "{title} wants a folder of yours").format(title=title)
    if question.kind == "call-tool":
        asker = words.elided(words.in_one_line(question.asker), NAME_LENGTH) or translate("QuestionWindow", "A client")
        return translate("QuestionWindow", "{asker} wants to call a tool of {title}").format(asker=asker, title=title)
    asker = words.elided(words.in_one_line(question.asker), NAME_LENGTH)
    asker = asker or translate("QuestionWindow", "A client")
    return translate("QuestionWindow", "{asker} wants to use {title}").format(asker=asker, title=title)


class QuestionWindow(QWidget):
    """Shows the oldest open question, comes and goes with the questions, and never takes the keyboard by itself."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Dialog | Qt.WindowType.WindowStaysOnTopHint)
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._question: Question | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowIcon(artwork.app_icon())
        self.setWindowTitle(self.tr("MCP Gateway asks you"))
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tell_time)
        self._ready = QTimer(self)
        self._ready.setInterval(READY_AFTER)
        self._ready.setSingleShot(True)
        self._ready.timeout.connect(lambda: self._let_allow(True))
        theme.changed.connect(self._tint)
        bridge.questions_changed.connect(self._refresh)
        self._tint()
        self._refresh()

    @property
    def question(self) -> Question | None:
        """The question shown."""
        return self._question

    def closeEvent(self, event: QCloseEvent) -> None:
        """Who closes it does not agree."""
        event.ignore()
        self._answer(Answer.REFUSE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape refuses; no key but those of the buttons allows."""
        if event.key() == Qt.Key.Key_Escape:
            self._answer(Answer.REFUSE)
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self._mark = QLabel()
        self._mark.setFixedSize(24, 24)
        self._headline = QLabel()
        enlarge(self._headline, 3)
        self._intro = QLabel()
        self._matters = QLabel()
        self._details = QLabel()
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._note = muted("")
        for label in (self._headline, self._intro, self._matters, self._details, self._note):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        about = QWidget()
        self._about = QVBoxLayout(about)
        self._about.setContentsMargins(12, 8, 12, 8)
        self._about.setSpacing(8)
        for label in (self._matters, self._details):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
            self._about.addWidget(label)
        self._about.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("card")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(about)
        self._time = muted("")
        self._allow = QPushButton(self.tr("Allow"))
        self._allow.clicked.connect(lambda: self._answer(Answer.ALWAYS))
        self._allow_once = QPushButton(self.tr("Allow once"))
        self._allow_once.clicked.connect(lambda: self._answer(Answer.ONCE))
        self._allow_session = QPushButton(self.tr("Allow this session"))
        self._allow_session.clicked.connect(lambda: self._answer(Answer.SESSION))
        self._refuse = QPushButton(self.tr("Refuse"))
        self._refuse.setProperty("primary", True)
        self._refuse.clicked.connect(lambda: self._answer(Answer.REFUSE))
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._headline, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self._allow_once)
        buttons.addWidget(self._allow_session)
        buttons.addWidget(self._allow)
        buttons.addWidget(self._refuse)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self._intro)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._note)
        column.addWidget(self._time)
        column.addLayout(buttons)
        self.setTabOrder(self._refuse, self._allow_once)
        self.setTabOrder(self._allow_once, self._allow_session)
        self.setTabOrder(self._allow_session, self._allow)

    def _refresh(self) -> None:
        """Follow the questions."""
        waiting = self._bridge.questions()
        if not waiting:
            self._question = None
            self._timer.stop()
            self.hide()
            return
        if self._question is None or waiting[0].id != self._question.id:
            self._question = waiting[0]
            self._show(waiting[0])
        more = len(waiting) - 1
        if self._question.kind == "add-server":
            note = self.tr("Your answer is kept for exactly this, and changes nothing in your list of servers.")
        elif self._question.repeats:
            note = self.tr("Your policy says to ask. “Always” is kept for this tool, whatever it is called with.")
        else:
            note = self.tr("Your answer is kept for exactly this.")
        self._note.setText(note + (" " + self.tr("More waiting: {count}.").format(count=more) if more else ""))
        self._tell_time()
        self._timer.start()
        self._fit()
        if not self.isVisible():
            self.show()
            self.raise_()
            self._refuse.setFocus()

    def _show(self, question: Question) -> None:
        self._let_allow(False)
        self._ready.start()
        self._allow.setText(self.tr("Always allow") if question.repeats else self.tr("Allow"))
        self._allow_once.setVisible(question.repeats)
        self._allow_session.setVisible(question.repeats)
        self._details.setText(question.details)
        self._details.setVisible(bool(question.details))
        self._headline.setText(headline(question))
        title = words.elided(words.in_one_line(question.title), NAME_LENGTH)
        self._intro.setText(self.tr("If you allow it, {title} may").format(title=title))
        self._matters.setText("\n".join(f"•  {words.in_one_line(matter)}" for matter in question.matters))
        self.setAccessibleName(self._headline.text())
        self.setAccessibleDescription(f"{self._intro.text()}: {', '.join(question.matters)}")

    def _fit(self) -> None:
        """As high as the text asks for; a long list scrolls."""
        metrics = self.fontMetrics()
        repeats = self._question is not None and self._question.repeats
        width = metrics.averageCharWidth() * (WIDTH_FOR_A_CALL if repeats else WIDTH_IN_CHARACTERS)
        column = self.layout()
        assert column is not None
        column.invalidate()
        width = max(width, column.minimumSize().width())
        lines = self._about.heightForWidth(width - 40)
        shown = LINES_OF_A_CALL if repeats else LINES_SHOWN
        self._scroll.setFixedHeight(min(lines, metrics.lineSpacing() * shown + 16) + 2)
        self.setFixedWidth(width)
        self.setFixedHeight(column.totalHeightForWidth(width))

    def _tell_time(self) -> None:
        if self._question is None:
            return
        left = max(0, math.ceil(self._question.asked_at + self._question.seconds - time.monotonic()))
        self._time.setText(self.tr("Refused in {time}").format(time=f"{left // 60}:{left % 60:02}"))

    def _let_allow(self, allowed: bool) -> None:
        for button in (self._allow, self._allow_once, self._allow_session):
            button.setEnabled(allowed)

    def _answer(self, answer: Answer) -> None:
        if self._question is not None:
            self._actions.answer(self._question.id, answer)

    def _tint(self) -> None:
        self._mark.setPixmap(artwork.pixmap("warning", 24, QColor(self._theme.tokens.warn), self.devicePixelRatioF()))
