"""The servers clients have, as a model of what can be moved, and the rows it draws."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.clients.candidates import Candidate
from desktop.tray import words
from desktop.tray.switch_row import Row, SwitchRowDelegate
from desktop.tray.theme import Theme

__all__ = ["CandidateRole", "ImportDelegate", "ImportList"]

Index = QModelIndex | QPersistentModelIndex
CandidateRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `Candidate`."""
CLIENTS_SHOWN = 28


class ImportList(QAbstractListModel):
    """One row per server, each chosen or not.

    Signals:
        chosen_changed: Others are chosen now.
    """

    chosen_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Candidate, ...] = ()
        self._chosen: set[str] = set()

    def show_candidates(self, rows: tuple[Candidate, ...]) -> None:
        """Show these; what can be moved is chosen."""
        self.beginResetModel()
        self._rows = tuple(sorted(rows, key=lambda row: (bool(row.reason), row.entry.casefold(), row.name)))
        self._chosen = {row.name for row in rows if not row.reason}
        self.endResetModel()
        self.chosen_changed.emit()

    def chosen(self) -> tuple[str, ...]:
        """Names of the chosen servers, in the order they are shown."""
        return tuple(row.name for row in self._rows if row.name in self._chosen)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of servers."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the delegate and a screen reader want to know of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.entry
            case Qt.ItemDataRole.CheckStateRole if not row.reason:
                return Qt.CheckState.Checked if row.name in self._chosen else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.AccessibleTextRole:
                parts = (row.entry, remark(row), row.reason or row.about, ", ".join(row.clients))
                return ", ".join(part for part in parts if part)
            case Qt.ItemDataRole.ToolTipRole:
                return words.elided(" · ".join((*row.clients, *row.keys, row.reason or row.about)), 400)
            case _ if role == CandidateRole:
                return row
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Choose a server or leave it."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid() or self._rows[index.row()].reason:
            return False
        name = self._rows[index.row()].name
        if Qt.CheckState(value) == Qt.CheckState.Checked:
            self._chosen.add(name)
        else:
            self._chosen.discard(name)
        self.dataChanged.emit(index, index, [Qt.ItemDataRole.CheckStateRole])
        self.chosen_changed.emit()
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be looked at; what can be moved can be chosen."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags if self._rows[index.row()].reason else flags | Qt.ItemFlag.ItemIsUserCheckable


class ImportDelegate(SwitchRowDelegate):
    """The row of a server that clients have."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)

    def row(self, index: Index) -> Row:
        """What it says."""
        row: Candidate = index.data(CandidateRole)
        tokens = self._theme.tokens
        reason = words.translate("Import", "Can't be moved: {reason}").format(reason=row.reason)
        return Row(
            drawing="warning" if row.keys else "servers",
            colour=tokens.warn if row.keys else tokens.muted,
            title=row.entry,
            faded=bool(row.reason),
            below=reason if row.reason else row.about,
            word=remark(row),
            note=words.elided(", ".join(row.clients), CLIENTS_SHOWN),
            switchable=not row.reason,
        )


def remark(row: Candidate) -> str:
    """What is to be noticed of a server, in some words."""
    if row.keys:
        return words.plain_keys(len(row.keys))
    if row.differs:
        return words.translate("Import", "differs between clients")
    return words.in_clients(len(row.clients)) if len(row.clients) > 1 else ""
