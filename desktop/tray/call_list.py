"""The calls as a table: those under way on top, those that have ended below, newest first."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from desktop.activity.record import CallFilter, CallRecord, Outcome
from desktop.host import RunningCall
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.theme import Theme

__all__ = ["CallList", "CallRole", "Column"]

Index = QModelIndex | QPersistentModelIndex
CallRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `CallRecord` or `RunningCall`."""
PAGE = 200
MOST = 5_000
"""Rows kept in the table; older ones are read again when they are scrolled to."""


class Column(enum.IntEnum):
    """What a row says, from the start of the line."""

    TIME = 0
    CLIENT = 1
    SERVER = 2
    TOOL = 3
    TOOK = 4
    SIZE = 5
    OUTCOME = 6


class CallList(QAbstractTableModel):
    """Follows the host's calls, from `read_again` on; pages of older ones are fetched as the view asks for them.

    Signals:
        filled: The first page of a new search is there.
    """

    filled = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._wanted = CallFilter()
        self._running: tuple[RunningCall, ...] = ()
        self._ended: list[CallRecord] = []
        self._more = False
        self._asking = False
        self._generation = 0
        bridge.calls_ended.connect(self._add)
        bridge.status_changed.connect(self._follow_running)
        bridge.phase_changed.connect(self.read_again)

    @property
    def wanted(self) -> CallFilter:
        """Which calls are shown."""
        return self._wanted

    @property
    def known(self) -> bool:
        """Whether the first page has come."""
        return not self._asking

    def set_wanted(self, wanted: CallFilter) -> None:
        """Show only these."""
        if wanted != self._wanted:
            self._wanted = wanted
            self.read_again()

    def read_again(self) -> None:
        """Forget what is shown and ask for the newest calls."""
        self._generation += 1
        generation = self._generation
        self.beginResetModel()
        self._ended, self._more = [], False
        self._running = self._shown_running()
        self._asking = self._bridge.host is not None
        self.endResetModel()
        if self._asking:
            wanted = self._wanted
            self._actions.ask(
                lambda host: host.activity.calls(wanted, limit=PAGE), lambda calls: self._first(generation, calls)
            )

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of calls so far."""
        return 0 if parent.isValid() else len(self._running) + len(self._ended)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of columns."""
        return 0 if parent.isValid() else len(Column)

    def canFetchMore(self, parent: Index) -> bool:
        """Whether there are older calls."""
        return not parent.isValid() and self._more and not self._asking and len(self._ended) < MOST

    def fetchMore(self, parent: Index) -> None:
        """Ask for the next page of older calls."""
        if not self.canFetchMore(parent):
            return
        self._asking = True
        generation, wanted, before = self._generation, self._wanted, self._ended[-1].id
        self._actions.ask(
            lambda host: host.activity.calls(wanted, limit=PAGE, before=before),
            lambda calls: self._older(generation, calls),
        )

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """The names of the columns."""
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            self.tr("Time"),
            self.tr("Client"),
            self.tr("Server"),
            self.tr("Tool"),
            self.tr("Took"),
            self.tr("Size"),
            self.tr("Outcome"),
        )[section]

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the view, a screen reader and the detail want to know of a cell."""
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        call = self._call(index.row())
        column = Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(call, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(call, column)
            case Qt.ItemDataRole.ToolTipRole if isinstance(call, CallRecord) and column is Column.OUTCOME:
                return words.elided(call.reason, 400) or None
            case _ if role == CallRole:
                return call
        return None

    def index_of(self, id: int) -> QModelIndex:
        """The row of a call that has ended; invalid when it is not shown."""
        row = next((row for row, call in enumerate(self._ended) if call.id == id), None)
        return QModelIndex() if row is None else self.index(len(self._running) + row, 0)

    def _call(self, row: int) -> CallRecord | RunningCall:
        running = len(self._running)
        return self._running[row] if row < running else self._ended[row - running]

    def _text(self, call: CallRecord | RunningCall, column: Column) -> str:
        ended = call if isinstance(call, CallRecord) else None
        match column:
            case Column.TIME:
                return words.clock(ended.at) if ended else self.tr("now")
            case Column.CLIENT:
                return words.in_one_line(call.client) or self.tr("unknown")
            case Column.SERVER:
                return words.in_one_line(call.server)
            case Column.TOOL:
                return words.in_one_line(call.tool)
            case Column.TOOK:
                return words.took(call.seconds)
            case Column.SIZE:
                return words.size(ended.received) if ended else ""
            case Column.OUTCOME:
                return words.outcome_word(ended.outcome) if ended else self.tr("running")

    def _colour(self, call: CallRecord | RunningCall, column: Column) -> QColor | None:
        tokens = self._theme.tokens
        if column is Column.OUTCOME:
            if isinstance(call, RunningCall):
                return QColor(tokens.accent)
            shades = {Outcome.OK: tokens.ok, Outcome.CANCELLED: tokens.muted}
            return QColor(shades.get(call.outcome, tokens.bad))
        return QColor(tokens.text if column is Column.TOOL else tokens.muted)

    def _first(self, generation: int, calls: Sequence[CallRecord]) -> None:
        if generation != self._generation:
            return
        self._asking = False
        known = {call.id for call in self._ended}
        fresh = [call for call in calls if call.id not in known]
        self._more = len(calls) == PAGE
        if fresh:
            start = len(self._running) + len(self._ended)
            self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
            self._ended += fresh
            self.endInsertRows()
        self.filled.emit()

    def _older(self, generation: int, calls: Sequence[CallRecord]) -> None:
        self._first(generation, calls)

    def _add(self, calls: tuple[CallRecord, ...]) -> None:
        """Calls have just ended: the newest is the first row."""
        known = {call.id for call in self._ended[: len(calls) + PAGE]}
        fresh = [call for call in reversed(calls) if call.id not in known and _fits(call, self._wanted)]
        if fresh:
            start = len(self._running)
            self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
            self._ended[:0] = fresh
            self.endInsertRows()
        surplus = len(self._ended) - MOST
        if surplus > 0:
            last = self.rowCount() - 1
            self.beginRemoveRows(QModelIndex(), last - surplus + 1, last)
            del self._ended[MOST:]
            self.endRemoveRows()
            self._more = True

    def _follow_running(self) -> None:
        """Calls under way have come, gone or become longer."""
        running = self._shown_running()
        before = len(self._running)
        if [call.id for call in running] == [call.id for call in self._running]:
            self._running = running
            if running:
                self.dataChanged.emit(self.index(0, Column.TOOK), self.index(before - 1, Column.TOOK))
            return
        if before:
            self.beginRemoveRows(QModelIndex(), 0, before - 1)
            self._running = ()
            self.endRemoveRows()
        if running:
            self.beginInsertRows(QModelIndex(), 0, len(running) - 1)
            self._running = running
            self.endInsertRows()

    def _shown_running(self) -> tuple[RunningCall, ...]:
        wanted = self._wanted
        if wanted.failed or wanted.server or wanted.client:
            return ()
        terms = wanted.text.lower().split()
        found = self._bridge.running_calls()
        return tuple(
            call for call in found if all(term in f"{call.client} {call.server} {call.tool}".lower() for term in terms)
        )


def _fits(call: CallRecord, wanted: CallFilter) -> bool:
    told = f"{call.client} {call.server} {call.tool} {call.reason}".lower()
    return (
        all(term in told for term in wanted.text.lower().split())
        and wanted.server in ("", call.server)
        and wanted.client in ("", call.client)
        and not (wanted.failed and call.outcome is Outcome.OK)
    )


def _alignment(column: Column) -> int:
    end = column in (Column.TOOK, Column.SIZE)
    side = Qt.AlignmentFlag.AlignTrailing if end else Qt.AlignmentFlag.AlignLeading
    return int(side | Qt.AlignmentFlag.AlignVCenter)
