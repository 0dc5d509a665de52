"""Messages inside the window: what happened, why, what to do, with Copy and at most one button that does it."""

from __future__ import annotations

import enum
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop.tray import artwork
from desktop.tray.theme import Theme

__all__ = ["Banner", "BannerKind", "Banners"]


class BannerKind(enum.Enum):
    """How bad it is; the value names the drawing."""

    BAD = "bad"
    WARN = "warn"
    INFO = "info"


class Banner(QFrame):
    """One message."""

    def __init__(self, theme: Theme, kind: BannerKind, on_copy: Callable[[str], None]) -> None:
        super().__init__()
        self._theme = theme
        self._kind = kind
        self._on_copy = on_copy
        self._on_action: Callable[[], None] | None = None
        self.setProperty("banner", True)
        self.setProperty("kind", kind.value)
        self._mark = QLabel()
        self._mark.setFixedSize(20, 20)
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._hint = QLabel()
        self._hint.setObjectName("muted")
        self._hint.setWordWrap(True)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._action = QPushButton()
        self._action.clicked.connect(self._act)
        self._copy = QToolButton()
        self._copy.clicked.connect(lambda: self._on_copy(self.text()))
        self._close = QToolButton()
        self._close.clicked.connect(self.hide)
        for button, name in ((self._copy, self.tr("Copy message")), (self._close, self.tr("Dismiss"))):
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.setIconSize(QSize(16, 16))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self._action, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._tint)
        self._tint()
        self.hide()

    def text(self) -> str:
        """Message and hint as plain text."""
        return "\n".join(part for part in (self._message.text(), self._hint.text()) if part)

    def say(self, message: str, hint: str = "", action: str = "", on_action: Callable[[], None] | None = None) -> None:
        """Show the message; the same one dismissed before stays away until it changed."""
        fresh = (message, hint) != (self._message.text(), self._hint.text())
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self._on_action = on_action
        self.setAccessibleName(self.text())
        if fresh:
            self.show()

    def clear(self) -> None:
        """Take the message away and forget it."""
        self._message.clear()
        self._hint.clear()
        self.hide()

    def _act(self) -> None:
        if self._on_action is not None:
            self._on_action()

    def _tint(self) -> None:
        tokens = self._theme.tokens
        colour = {BannerKind.BAD: tokens.bad, BannerKind.WARN: tokens.warn, BannerKind.INFO: tokens.accent}[self._kind]
        name = "info" if self._kind is BannerKind.INFO else "warning"
        self._mark.setPixmap(artwork.pixmap(name, 20, QColor(colour), self.devicePixelRatioF()))
        self._copy.setIcon(artwork.icon("copy", QColor(tokens.muted)))
        self._close.setIcon(artwork.icon("close", QColor(tokens.muted)))


class Banners(QWidget):
    """The stack of banners at the top of the window, one per subject."""

    def __init__(self, theme: Theme, on_copy: Callable[[str], None]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.failure = Banner(theme, BannerKind.BAD, on_copy)
        self.endpoint = Banner(theme, BannerKind.BAD, on_copy)
        self.engine = Banner(theme, BannerKind.WARN, on_copy)
        self.problems = Banner(theme, BannerKind.WARN, on_copy)
        self.paused = Banner(theme, BannerKind.INFO, on_copy)
        self.all = (self.failure, self.endpoint, self.engine, self.problems, self.paused)
        for banner in self.all:
            column.addWidget(banner)
            banner.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Takes no room while there is nothing to tell."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self.setVisible(any(not banner.isHidden() for banner in self.all))
        return False
