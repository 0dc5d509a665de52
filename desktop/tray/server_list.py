"""The list of servers: a model over snapshots, and its search, filter and order."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from desktop.servers.status import ServerState, ServerStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge

__all__ = ["ServerFilter", "ServerList", "ServerOrder", "StatusRole"]

Index = QModelIndex | QPersistentModelIndex
StatusRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `ServerStatus`."""


class ServerFilter(enum.Enum):
    """Which servers the list shows."""

    ON = "on"
    ALL = "all"
    ATTENTION = "needs attention"


class ServerList(QAbstractListModel):
    """One row per server, in the host's order; rows are replaced when their server's status changes."""

    def __init__(self, bridge: Bridge, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self._rows: list[ServerStatus] = list(bridge.servers())
        self._row_of: dict[str, int] = {}
        self._index_rows()
        bridge.servers_changed.connect(self._refresh)
        actions.wishes_changed.connect(self._redraw)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of servers."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the delegate, the filter and a screen reader want to know of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        status = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return words.title_of(status)
            case Qt.ItemDataRole.CheckStateRole:
                return Qt.CheckState.Checked if self.is_on(status) else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.ToolTipRole:
                return self._tool_tip(status)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(status)
            case _ if role == StatusRole:
                return status
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Move a row's switch: asks the host, which answers with an event."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        self._actions.set_enabled(self._rows[index.row()].name, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be chosen and switched."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
            | Qt.ItemFlag.ItemNeverHasChildren
        )

    def is_on(self, status: ServerStatus) -> bool:
        """Position of the switch: what the person asked for last, else what is."""
        wish = self._actions.wish(status.name)
        return status.enabled if wish is None else wish

    def index_of(self, name: str) -> QModelIndex:
        """The row of a server; invalid when there is none."""
        row = self._row_of.get(name)
        return QModelIndex() if row is None else self.index(row)

    def statuses(self) -> tuple[ServerStatus, ...]:
        """All rows."""
        return tuple(self._rows)

    def _refresh(self, names: frozenset[str]) -> None:
        if not names or any(name not in self._row_of for name in names):
            self._read_all()
            return
        for name in names:
            status = self._bridge.server(name)
            if status is None:
                self._read_all()
                return
            self._replace(self._row_of[name], status)

    def _read_all(self) -> None:
        """Read everything; rows keep their identity as long as the same servers are there."""
        rows = list(self._bridge.servers())
        if [status.name for status in rows] == [status.name for status in self._rows]:
            for row, status in enumerate(rows):
                self._replace(row, status)
            return
        self.beginResetModel()
        self._rows = rows
        self._index_rows()
        self.endResetModel()

    def _replace(self, row: int, status: ServerStatus) -> None:
        if self._rows[row] != status:
            self._rows[row] = status
            self.dataChanged.emit(self.index(row), self.index(row))

    def _redraw(self, name: str) -> None:
        index = self.index_of(name)
        if index.isValid():
            self.dataChanged.emit(index, index, [int(Qt.ItemDataRole.CheckStateRole)])

    def _index_rows(self) -> None:
        self._row_of = {status.name: row for row, status in enumerate(self._rows)}

    def _tool_tip(self, status: ServerStatus) -> str:
        lines = [words.title_of(status), status.source, status.reason, status.hint]
        return "\n".join(words.elided(line, 300) for line in lines if line)

    def _spoken(self, status: ServerStatus) -> str:
        parts = [
            words.title_of(status),
            self.tr("on") if self.is_on(status) else self.tr("switched off"),
            words.state_word(status.state) if status.state is not ServerState.OFF else "",
            words.tools(status.tool_count) if status.tool_count is not None and status.enabled else "",
            words.kind_word(status.kind),
            status.reason,
        ]
        return ", ".join(part for part in parts if part)


class ServerOrder(QSortFilterProxyModel):
    """Search, filter and order: enabled servers first, then by title.

    A row that is switched stays where it is, under the pointer, until `settle` is called: by a new search or filter, by
    new servers, or when the window is shown.
    """

    def __init__(self, model: ServerList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._needles: tuple[str, ...] = ()
        self._found: frozenset[str] = frozenset()
        self._filter = ServerFilter.ALL
        self._on: frozenset[str] = frozenset()
        model.modelReset.connect(self._note_on)  # before the proxy's own answer to the reset
        self.setSourceModel(model)
        self.setDynamicSortFilter(True)
        self.sort(0)
        self.settle()

    @property
    def filter(self) -> ServerFilter:
        """Which servers are shown."""
        return self._filter

    def set_filter(self, which: ServerFilter) -> None:
        """Show only these servers."""
        self._filter = which
        self.settle()

    def set_search(self, text: str, found: Iterable[str] = ()) -> None:
        """Show only servers in which every word of ``text`` occurs, and those the catalogs' search has ``found``."""
        self._needles = tuple(text.casefold().split())
        self._found = frozenset(found)
        self.settle()

    def settle(self) -> None:
        """Put every row where it belongs now."""
        self._note_on()
        self.invalidate()

    def _note_on(self) -> None:
        self._on = frozenset(status.name for status in self._model.statuses() if status.enabled)

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Whether a server passes filter and search."""
        status: ServerStatus = self._model.index(source_row).data(StatusRole)
        if self._filter is ServerFilter.ON and not (status.enabled or status.name in self._on):
            return False
        if self._filter is ServerFilter.ATTENTION and not words.needs_person(status):
            return False
        if not self._needles or status.name in self._found:
            return True
        fields = (status.title, status.name, status.description, status.source, status.kind.value, status.state.value)
        hay = "\n".join(fields).casefold()
        return all(needle in hay for needle in self._needles)

    def lessThan(self, source_left: Index, source_right: Index) -> bool:
        """Enabled ones first; the host's order (by title) within."""
        left_on = source_left.data(StatusRole).name in self._on
        right_on = source_right.data(StatusRole).name in self._on
        if left_on != right_on:
            return bool(left_on)
        return source_left.row() < source_right.row()
