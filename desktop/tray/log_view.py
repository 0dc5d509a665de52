"""A long log: a model over lines and the table that shows the few of them that are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFontDatabase, QFontMetrics, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from desktop.tray.actions import Actions

__all__ = ["LogModel", "LogView"]

Index = QModelIndex | QPersistentModelIndex
LINES_KEPT: Final = 100_000
LETTERS_SHOWN: Final = 2_000
LINES_AT_LEAST: Final = 7


class LogModel(QAbstractTableModel):
    """One row a line; the newest are kept."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[str] = []
        self._shown: list[str] = []
        self._needle = ""
        self.longest = 0

    @property
    def lines(self) -> Sequence[str]:
        """Every line, oldest first."""
        return self._all

    @property
    def shown(self) -> Sequence[str]:
        """The lines with what is searched."""
        return self._shown

    @property
    def narrowed(self) -> bool:
        """Whether something is searched."""
        return bool(self._needle)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of lines."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """The line itself."""
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """A line, as much of it as anyone reads in a row; copying takes it whole."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        line = self._shown[index.row()]
        return line if len(line) <= LETTERS_SHOWN else line[:LETTERS_SHOWN] + "…"

    def clear(self) -> None:
        """Forget every line."""
        self.beginResetModel()
        self._all, self._shown, self.longest = [], [], 0
        self.endResetModel()

    def add(self, lines: Sequence[str]) -> None:
        """Take further lines."""
        if not lines:
            return
        self._all.extend(lines)
        surplus = len(self._all) - LINES_KEPT
        if surplus > 0 or not self._shown:
            del self._all[: max(surplus, 0)]
            self._show_anew()
            return
        fitting = self._fitting(lines)
        if fitting:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(fitting) - 1)
            self._shown.extend(fitting)
            self._measure(fitting)
            self.endInsertRows()

    def search(self, text: str) -> None:
        """Show only the lines with this text, whatever its case; an empty text shows all."""
        needle = text.strip().lower()
        if needle != self._needle:
            self._needle = needle
            self._show_anew()

    def _show_anew(self) -> None:
        self.beginResetModel()
        self._shown = self._fitting(self._all)
        self.longest = 0
        self._measure(self._shown)
        self.endResetModel()

    def _fitting(self, lines: Sequence[str]) -> list[str]:
        needle = self._needle
        return [line for line in lines if needle in line.lower()] if needle else list(lines)

    def _measure(self, lines: Sequence[str]) -> None:
        self.longest = max(self.longest, min(max(map(len, lines), default=0), LETTERS_SHOWN + 1))


class LogView(QTableView):
    """The lines in a font of equal letters, left to right in every language; Ctrl+C copies the chosen ones."""

    def __init__(self, model: LogModel, actions: Actions) -> None:
        super().__init__()
        self._lines = model
        self._actions = actions
        self.setObjectName("log")
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(QFontMetrics(self.font()).lineSpacing() + 2)
        self.setModel(model)
        model.modelReset.connect(self._fit)
        model.rowsInserted.connect(self._fit)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Room for a few lines."""
        return QSize(super().minimumSizeHint().width(), self.fontMetrics().lineSpacing() * LINES_AT_LEAST)

    def sizeHint(self) -> QSize:
        """No more than that."""
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The lines reach to the edge."""
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the chosen lines."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_chosen()
        else:
            super().keyPressEvent(event)

    def copy_chosen(self) -> None:
        """Put the chosen lines on the clipboard, all shown ones where none is chosen."""
        chosen = self.selectionModel().selection()
        ranges = sorted((chosen.at(place).top(), chosen.at(place).bottom()) for place in range(chosen.count()))
        shown = self._lines.shown
        lines = [line for first, last in ranges for line in shown[first : last + 1]]
        self._actions.copy("\n".join(lines or shown))

    def _fit(self) -> None:
        wanted = self.fontMetrics().averageCharWidth() * (self._lines.longest + 2)
        self.setColumnWidth(0, max(wanted, self.viewport().width()))
