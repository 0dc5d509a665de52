"""Small widgets used in several places."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.tray import artwork, words
from desktop.tray.theme import Theme

__all__ = [
    "AddButton",
    "ElidedLabel",
    "EmptyState",
    "MenuButton",
    "PlaceButton",
    "caption",
    "enlarge",
    "heading",
    "muted",
    "rule",
    "tool_button",
]


class ElidedLabel(QLabel):
    """One line that ends in "…" where there is no room, and tells the whole in its tooltip."""

    def __init__(self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show ``text``."""
        text = words.in_one_line(text)
        if text != self.text():
            self.setText(text)
            self.setToolTip(words.elided(text, 400))

    def minimumSizeHint(self) -> QSize:
        """May become as narrow as a few letters."""
        return QSize(self.fontMetrics().averageCharWidth() * 4, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        align = Qt.AlignmentFlag.AlignVCenter | QStyle.visualAlignment(
            self.layoutDirection(), Qt.AlignmentFlag.AlignLeft
        )
        painter.drawText(self.rect(), int(align), text)


class PlaceButton(QAbstractButton):
    """A place in the navigation column: icon, name, count."""

    def __init__(self, theme: Theme, drawing: str, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._drawing = drawing
        self._count = ""
        self.compact = False
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)

    def set_count(self, count: int) -> None:
        """The number at the end of the row; none for zero."""
        self._count = str(count) if count else ""
        self.update()

    def sizeHint(self) -> QSize:
        """One line with air."""
        return QSize(36, self.fontMetrics().height() + 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plate = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tokens.accent), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        if self.isChecked():
            painter.setBrush(QColor(tokens.selection))
        elif self.underMouse():
            painter.setBrush(QColor(tokens.hover))
        painter.drawRoundedRect(plate, 6, 6)
        edge = 16
        mark = self.rect().adjusted(10, 0, 0, 0)
        mark.setSize(QSize(edge, edge))
        mark.moveTop((self.height() - edge) // 2)
        if self.compact:
            mark.moveLeft((self.width() - edge) // 2)
        direction = self.layoutDirection()
        place = QStyle.visualRect(direction, self.rect(), mark)
        colour = QColor(tokens.text)
        artwork.paint(painter, self._drawing, QRectF(place), colour)
        if self.compact:
            return
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(colour)
        text = QStyle.visualRect(direction, self.rect(), self.rect().adjusted(36, 0, -40, 0))
        start = Qt.AlignmentFlag.AlignVCenter | QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignLeft)
        painter.drawText(text, int(start), words.elided_to(self.text(), QFontMetrics(font), text.width()))
        painter.setFont(self.font())
        painter.setPen(QColor(tokens.muted))
        end = Qt.AlignmentFlag.AlignVCenter | QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignRight)
        painter.drawText(self.rect().adjusted(10, 0, -10, 0), int(end), self._count)


class MenuButton(QToolButton):
    """A boxed button with a word that opens a menu."""

    def __init__(self, theme: Theme, text: str, menu: QMenu) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("boxed")
        self.setText(text)
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button, and the sign that a menu opens below."""
        super().paintEvent(event)
        edge = 14
        place = QRect(self.width() - edge - 9, (self.height() - edge) // 2, edge, edge)  # in the style sheet's padding
        colour = QColor(self._theme.tokens.text if self.isEnabled() else self._theme.tokens.muted)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        artwork.paint(painter, "chevron-down", QRectF(place), colour)


class AddButton(QPushButton):
    """Opens the dialog that adds a server."""

    def __init__(self, theme: Theme, wished: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self.setText(self.tr("Add"))
        self.setAccessibleName(self.tr("Add a server"))
        self.setToolTip(self.tr("Add a server by pasting what its page shows (Ctrl+N)"))
        self.clicked.connect(lambda _on=False: wished())
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(artwork.icon("add", QColor(self._theme.tokens.text)))


class EmptyState(QWidget):
    """What a list says when it has nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = heading("", +1)
        self._text = muted("")
        self.button = QPushButton()
        self._on_click: Callable[[], None] | None = None
        self.button.clicked.connect(self._click)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        for label in (self._heading, self._text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        column.addSpacing(4)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def say(self, title: str, text: str = "", button: str = "", on_click: Callable[[], None] | None = None) -> None:
        """Show these words and perhaps a button."""
        self._heading.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._on_click = on_click

    def words(self) -> str:
        """What it says."""
        return f"{self._heading.text()}\n{self._text.text()}".strip()

    def _click(self) -> None:
        if self._on_click is not None:
            self._on_click()


def heading(text: str, larger: int) -> QLabel:
    """A semibold label, some points larger than the base font."""
    label = QLabel(text)
    enlarge(label, larger)
    return label


def enlarge(label: QLabel, larger: int) -> None:
    """Make a label a heading."""
    font = QFont(label.font())
    font.setPointSizeF(font.pointSizeF() + larger)
    font.setWeight(QFont.Weight.DemiBold)
    label.setFont(font)
    label.setTextFormat(Qt.TextFormat.PlainText)


def caption(text: str) -> QLabel:
    """A small semibold label over a section."""
    label = heading(text, 0)
    label.setObjectName("muted")
    return label


def muted(text: str) -> QLabel:
    """A label for what matters less."""
    label = QLabel(text)
    label.setObjectName("muted")
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def rule(vertical: bool = False) -> QFrame:
    """A line of one pixel."""
    line = QFrame()
    line.setObjectName("rule")
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


def tool_button(name: str) -> QToolButton:
    """A button that shows an icon alone and is named for screen readers."""
    button = QToolButton()
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setIconSize(QSize(16, 16))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
