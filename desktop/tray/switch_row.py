"""Draws rows of lists whose entries can be switched: a mark, two lines, two words at the side, and a switch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.tray import artwork, words
from desktop.tray.theme import Theme

__all__ = ["Row", "SwitchRowDelegate"]

Index = QModelIndex | QPersistentModelIndex

MARGIN = 12
GAP = 12
LINE_GAP = 4
SWITCH = QSize(34, 18)
MARK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a row says.

    Attributes:
        drawing, colour: The mark at its start and its colour, which is that of ``word`` too.
        title: The first line; muted when ``faded``.
        below: The second line, and its colour.
        word, note: At the side: the state's word, and what is counted.
        switchable: Whether there is a switch.
    """

    drawing: str
    colour: str
    title: str
    faded: bool = False
    below: str = ""
    below_colour: str = ""
    word: str = ""
    note: str = ""
    switchable: bool = True


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the parts of a row are, mirrored for right-to-left."""

    mark: QRect
    title: QRect
    below: QRect
    state: QRect
    count: QRect
    switch: QRect


class SwitchRowDelegate(QStyledItemDelegate):
    """A row; what it says is told by `row`."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text with air around them."""
        fonts = _fonts(option.font)
        height = QFontMetrics(fonts[0]).height() + LINE_GAP + QFontMetrics(fonts[1]).height() + 2 * MARGIN
        return QSize(240, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        row = self.row(index)
        tokens = self._theme.tokens
        strong, small = _fonts(option.font)
        places = self._places(option, row)
        align = Qt.AlignmentFlag.AlignVCenter | QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
        end = Qt.AlignmentFlag.AlignVCenter | QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignRight)
        painter.save()
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # names keep the order of their own script
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, option)
        colour = QColor(row.colour)
        artwork.paint(painter, row.drawing, QRectF(places.mark), colour)
        painter.setFont(strong)
        painter.setPen(QColor(tokens.muted if row.faded else tokens.text))
        title = words.elided_to(row.title, QFontMetrics(strong), places.title.width())
        painter.drawText(places.title, int(align), title)
        painter.setFont(small)
        painter.setPen(QColor(row.below_colour or tokens.muted))
        painter.drawText(
            places.below, int(align), words.elided_to(row.below, QFontMetrics(small), places.below.width())
        )
        painter.setPen(colour)
        painter.drawText(places.state, int(end), row.word)
        painter.setPen(QColor(tokens.muted))
        painter.drawText(places.count, int(end), row.note)
        if row.switchable:
            on = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
            self._switch(painter, places.switch, on)
        painter.restore()

    @abstractmethod
    def row(self, index: Index) -> Row:
        """What the row at this place says."""

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        """Move the switch on a click on it and on Space."""
        if not self.row(index).switchable:
            return False
        if isinstance(event, QMouseEvent):
            inside = self._switch_area(option, index).contains(event.position().toPoint())
            if event.button() != Qt.MouseButton.LeftButton or not inside:
                return False
            # The second click of two quick ones comes as a double click, and its release never comes here.
            if event.type() in (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick):
                return self._toggle(model, index)
            # A press on the switch is taken too, so that it does not select the row.
            return event.type() == QEvent.Type.MouseButtonPress
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Space:
            return self._toggle(model, index)
        return False

    def switch_rectangle(self, view: QAbstractItemView, index: QModelIndex) -> QRect:
        """Where the switch of a row is, in the view's own coordinates."""
        option = QStyleOptionViewItem()
        option.rect = view.visualRect(index)
        option.direction = view.layoutDirection()
        option.font = view.font()
        return self._places(option, self.row(index)).switch

    def _toggle(self, model: QAbstractItemModel, index: Index) -> bool:
        checked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        wanted = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
        return model.setData(index, wanted, int(Qt.ItemDataRole.CheckStateRole))

    def _switch_area(self, option: QStyleOptionViewItem, index: Index) -> QRect:
        return self._places(option, self.row(index)).switch.adjusted(-8, -10, 8, 10)

    def _places(self, option: QStyleOptionViewItem, row: Row) -> _Places:
        line = option.rect.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        strong, small = (QFontMetrics(font) for font in _fonts(option.font))
        switch = QRect(line.right() - SWITCH.width() + 1, 0, SWITCH.width(), SWITCH.height())
        switch.moveTop(option.rect.center().y() - SWITCH.height() // 2)
        side = max(small.horizontalAdvance(row.word), small.horizontalAdvance(row.note)) + 2
        side_left = switch.left() - GAP - side
        text_left = line.left() + MARK + GAP
        title = QRect(text_left, line.top(), side_left - GAP - text_left, strong.height())
        below = QRect(text_left, title.bottom() + 1 + LINE_GAP, title.width(), small.height())
        state = QRect(side_left, title.top(), side, title.height())
        mark = QRect(line.left(), 0, MARK, MARK)
        mark.moveTop(title.center().y() - MARK // 2 + 1)
        count = QRect(side_left, below.top(), side, below.height())

        def seen(rectangle: QRect) -> QRect:
            return QStyle.visualRect(option.direction, option.rect, rectangle)

        return _Places(seen(mark), seen(title), seen(below), seen(state), seen(count), seen(switch))

    def _background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        tokens = self._theme.tokens
        flags = option.state
        selected = bool(flags & QStyle.StateFlag.State_Selected)
        plate = QRectF(option.rect).adjusted(4.5, 1.5, -4.5, -1.5)
        if selected or flags & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selection if selected else tokens.hover))
            painter.drawRoundedRect(plate, 6, 6)
        by_keyboard = flags & QStyle.StateFlag.State_KeyboardFocusChange
        if by_keyboard and flags & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(plate.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _switch(self, painter: QPainter, place: QRect, on: bool) -> None:
        tokens = self._theme.tokens
        body = QRectF(place).adjusted(0.75, 0.75, -0.75, -0.75)
        radius = body.height() / 2
        knob = body.height() - 6
        painter.setPen(QPen(QColor(tokens.accent if on else tokens.strong_border), 1.5))
        painter.setBrush(QColor(tokens.accent if on else tokens.surface))
        painter.drawRoundedRect(body, radius, radius)
        at_right = on is (self.parent_direction() is Qt.LayoutDirection.LeftToRight)
        left = body.right() - knob - 3 if at_right else body.left() + 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.on_accent if on else tokens.strong_border))
        painter.drawEllipse(QRectF(left, body.top() + 3, knob, knob))

    def parent_direction(self) -> Qt.LayoutDirection:
        """Reading direction of the view this delegate draws for."""
        view = self.parent()
        return view.layoutDirection() if isinstance(view, QAbstractItemView) else Qt.LayoutDirection.LeftToRight


def _fonts(base: QFont) -> tuple[QFont, QFont]:
    """The fonts of the first and the second line."""
    strong, small = QFont(base), QFont(base)
    strong.setWeight(QFont.Weight.DemiBold)
    small.setPointSizeF(max(base.pointSizeF() - 0.5, 7.0))
    return strong, small
