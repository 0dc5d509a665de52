"""A table as the window shows it: whole rows are chosen, and columns go where there is no room for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

__all__ = ["Index", "Rows", "Table"]

Index = QModelIndex | QPersistentModelIndex

CELL_PADDING = 26
WIDE_LETTERS = 20


class Rows(QAbstractTableModel):
    """What tables with a search have in common: rows that are shown out of all there are, and names of the columns."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._text = ""

    @abstractmethod
    def _count(self) -> int:
        """How many rows are shown."""

    @abstractmethod
    def _headings(self) -> tuple[str, ...]:
        """The names of the columns."""

    @abstractmethod
    def _filter(self) -> None:
        """Show the rows that fit the search."""

    def set_search(self, text: str) -> None:
        """Show the rows that have all words of the text."""
        self._text = text
        self._filter()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of rows shown."""
        return 0 if parent.isValid() else self._count()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of columns."""
        return 0 if parent.isValid() else len(self._headings())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """The names of the columns."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        return self._headings()[section] if role == Qt.ItemDataRole.DisplayRole else None


class Table(QTableView):
    """Read-only; the model's rows are its own.

    Args:
        name: What a screen reader calls it.
        model: The rows.
        wide: The column that takes the room the others leave.
        samples: The other columns, the most telling first, with the longest text that must fit.

    Signals:
        opened: Return, or a double click, on the current row.
    """

    opened = Signal()

    def __init__(self, name: str, model: QAbstractItemModel, *, wide: int, samples: Mapping[int, str]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 7)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
        self._by_worth: Sequence[int] = tuple(samples)
        self._widths = {
            column: self.fontMetrics().horizontalAdvance(sample) + CELL_PADDING for column, sample in samples.items()
        }
        for column, width in self._widths.items():
            self.setColumnWidth(column, width)
        self.doubleClicked.connect(lambda _index: self.opened.emit())

    def choose(self, index: QModelIndex) -> None:
        """Make a row the current one; the first where there is no such one."""
        if not index.isValid():
            index = self.model().index(0, 0)
        self.setCurrentIndex(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room for all columns, those that say least go first."""
        super().resizeEvent(event)
        left = self.width() - self.verticalScrollBar().sizeHint().width()
        left -= self.fontMetrics().averageCharWidth() * WIDE_LETTERS
        kept = set()
        for column in self._by_worth:
            left -= self._widths[column]
            if left < 0:
                break
            kept.add(column)
        for column in self._by_worth:
            self.setColumnHidden(column, column not in kept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return opens the row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit()
        else:
            super().keyPressEvent(event)
