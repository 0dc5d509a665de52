"""A table in a card with a drawer about the chosen row beside it, or one at a time where the window is narrow."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from desktop.tray.parts import EmptyState
from desktop.tray.table import Table

__all__ = ["TableAndDrawer"]


class TableAndDrawer(QWidget):
    """Lays them out; what they show is up to the page.

    Args:
        table: The rows.
        drawer: About the current row; it has a button back, which calls `close_drawer`.

    Attributes:
        empty: What is said while there are no rows.
        reading: Whether the drawer has the window for itself.
    """

    def __init__(self, table: Table, drawer: QWidget) -> None:
        super().__init__()
        self._table = table
        self._drawer = drawer
        self._narrow = False
        self.reading = False
        self.empty = EmptyState()
        self._card = QFrame()
        self._card.setObjectName("card")
        self._card.setMinimumWidth(300)
        self._stack = QStackedLayout(self._card)
        self._stack.setContentsMargins(1, 4, 1, 4)
        self._stack.addWidget(table)
        self._stack.addWidget(self.empty)
        drawer.setMinimumWidth(270)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(12)
        splitter.addWidget(self._card)
        splitter.addWidget(drawer)
        splitter.setStretchFactor(0, 5)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([520, 280])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)

    def set_narrow(self, narrow: bool) -> None:
        """Show table and drawer one at a time, or side by side."""
        self._narrow = narrow
        self.reading = False
        self.arrange()

    def open_drawer(self) -> None:
        """Where the window is narrow, give it to the drawer."""
        if self._narrow and self._table.currentIndex().isValid():
            self.reading = True
            self.arrange()
            self._drawer.setFocus(Qt.FocusReason.OtherFocusReason)
            self.focusNextChild()

    def close_drawer(self) -> None:
        """Back to the table."""
        if self.reading:
            self.reading = False
            self.arrange()
            self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def arrange(self) -> None:
        """Show what there is room for."""
        has_rows = self._table.model().rowCount() > 0
        self.reading = self.reading and has_rows
        self._stack.setCurrentWidget(self._table if has_rows else self.empty)
        self._card.setVisible(not self.reading)
        self._drawer.setVisible(self.reading or (has_rows and not self._narrow))
        if has_rows and self.hasFocus():
            self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_table(self) -> None:
        """Put the focus on the table, at the latest when it has rows."""
        (self._table if self._table.model().rowCount() else self).setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back from the drawer to the table."""
        if event.key() == Qt.Key.Key_Escape and self.reading:
            self.close_drawer()
        else:
            super().keyPressEvent(event)
