"""Small widgets beside one another like words: in further lines where a line is full."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

__all__ = ["FlowRow"]


class FlowRow(QWidget):
    """As many widgets in a line as fit; hidden ones take no room. Mirrored for right-to-left.

    Args:
        spacing: Pixels between two widgets, and between two lines.
    """

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self._spacing = spacing
        self._widgets: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Take one more."""
        widget.setParent(self)
        self._widgets.append(widget)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """How many lines there are depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all lines."""
        return self._arrange(width, move=False)

    def sizeHint(self) -> QSize:
        """All in one line, or as many as the width at hand makes of it."""
        sizes = [widget.sizeHint() for widget in self._there()]
        width = sum(size.width() for size in sizes) + self._spacing * max(len(sizes) - 1, 0)
        return QSize(width, self._arrange(self.width() or width, move=False))

    def minimumSizeHint(self) -> QSize:
        """The widest of them alone."""
        widest = max((widget.sizeHint().width() for widget in self._there()), default=0)
        return QSize(widest, self._arrange(max(self.width(), widest), move=False))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put them in their places."""
        super().resizeEvent(event)
        self._arrange(self.width(), move=True)
        self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        """One of them has come, gone, or changed its size."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.LayoutDirectionChange):
            self._arrange(self.width(), move=True)
            self.updateGeometry()
        return super().event(event)

    def _there(self) -> list[QWidget]:
        return [widget for widget in self._widgets if not widget.isHidden()]

    def _arrange(self, width: int, *, move: bool) -> int:
        left = top = line = 0
        area = QRect(0, 0, width, self.height())
        for widget in self._there():
            size = widget.sizeHint()
            if left and left + size.width() > width:
                left, top, line = 0, top + line + self._spacing, 0
            if move:
                widget.setGeometry(QStyle.visualRect(self.layoutDirection(), area, QRect(QPoint(left, top), size)))
            left += size.width() + self._spacing
            line = max(line, size.height())
        return top + line
