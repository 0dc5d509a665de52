"""The list of AI clients: a model over snapshots, its filter and order, and the rows it draws."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from desktop.clients.view import ClientState, ClientView
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.switch_row import Row, SwitchRowDelegate
from desktop.tray.theme import Theme, Tokens

__all__ = [
    "ClientDelegate",
    "ClientList",
    "ClientOrder",
    "ViewRole",
    "client_colour",
    "client_drawing",
    "is_connected",
    "state_word",
]

Index = QModelIndex | QPersistentModelIndex
ViewRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `ClientView`."""
_OURS = (
    ClientState.WAITING,
    ClientState.CONNECTED,
    ClientState.AWAY,
    ClientState.OUTDATED,
)


def is_connected(view: ClientView) -> bool:
    """Whether our entry is in the client's file."""
    return view.state in _OURS


def client_drawing(state: ClientState) -> str:
    """The shape that goes with a state; the shapes of servers, where they mean the same."""
    match state:
        case ClientState.CONNECTED:
            return "state-ready"
        case ClientState.AWAY:
            return "state-idle"
        case ClientState.WAITING:
            return "state-starting"
        case ClientState.DROPPED | ClientState.OUTDATED:
            return "state-needs-setting"
        case ClientState.BROKEN:
            return "state-failing"
        case ClientState.ABSENT | ClientState.NOT_CONNECTED:
            return "state-off"


def client_colour(tokens: Tokens, state: ClientState) -> str:
    """The colour that goes with it."""
    match state:
        case ClientState.CONNECTED | ClientState.AWAY:
            return tokens.ok
        case ClientState.WAITING:
            return tokens.accent
        case ClientState.DROPPED | ClientState.OUTDATED:
            return tokens.warn
        case ClientState.BROKEN:
            return tokens.bad
        case ClientState.ABSENT | ClientState.NOT_CONNECTED:
            return tokens.muted


def state_word(state: ClientState) -> str:
    """How a client stands, in a word or two."""
    match state:
        case ClientState.CONNECTED:
            return words.translate("ClientState", "connected")
        case ClientState.AWAY:
            return words.translate("ClientState", "not here now")
        case ClientState.WAITING:
            return words.translate("ClientState", "waiting")
        case ClientState.DROPPED:
            return words.translate("ClientState", "entry dropped")
        case ClientState.OUTDATED:
            return words.translate("ClientState", "connect again")
        case ClientState.BROKEN:
            return words.translate("ClientState", "file broken")
        case ClientState.NOT_CONNECTED:
            return words.translate("ClientState", "not connected")
        case ClientState.ABSENT:
            return words.translate("ClientState", "not found here")


class ClientList(QAbstractListModel):
    """One row per client, in the host's order."""

    def __init__(self, bridge: Bridge, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self._rows: tuple[ClientView, ...] = bridge.clients()
        bridge.clients_changed.connect(self._refresh)
        bridge.phase_changed.connect(self._refresh)
        actions.clients_wished.connect(self._redraw)

    def views(self) -> tuple[ClientView, ...]:
        """Every client."""
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of clients."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the delegate, the filter and a screen reader want to know of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        view = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return view.name
            case Qt.ItemDataRole.CheckStateRole:
                wish = self._actions.client_wish(view.id)
                on = is_connected(view) if wish is None else wish
                return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{view.name}, {state_word(view.state)}, {view.line}"
            case Qt.ItemDataRole.ToolTipRole:
                return words.elided(view.hint or view.line, 400)
            case _ if role == ViewRole:
                return view
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Move a row's switch: connects or disconnects the client."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        view = self._rows[index.row()]
        self._actions.set_connected(view.id, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be chosen and switched."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable

    def index_of(self, id: str) -> QModelIndex:
        """The row of a client; invalid when there is none."""
        row = next((row for row, view in enumerate(self._rows) if view.id == id), None)
        return QModelIndex() if row is None else self.index(row)

    def _refresh(self) -> None:
        rows = self._bridge.clients()
        if [view.id for view in rows] != [view.id for view in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        before, self._rows = self._rows, rows
        for row, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(row), self.index(row))

    def _redraw(self, id: str) -> None:
        index = self.index_of(id)
        if index.isValid():
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.CheckStateRole])


class ClientOrder(QSortFilterProxyModel):
    """Connected clients first, then those found here; the others only when all are asked for, or searched."""

    def __init__(self, source: ClientList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all = False
        self._terms: tuple[str, ...] = ()
        self.setSourceModel(source)
        self.setDynamicSortFilter(True)
        self.sort(0)

    def set_all(self, shown: bool) -> None:
        """Show those that are not on this computer as well."""
        self._all = shown
        self.invalidate()

    def set_search(self, text: str) -> None:
        """Show clients whose name or file has every word of ``text``."""
        self._terms = tuple(text.lower().split())
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a row is shown."""
        view: ClientView = self.sourceModel().index(row, 0, parent).data(ViewRole)
        if not all(term in f"{view.name} {view.id} {view.file}".lower() for term in self._terms):
            return False
        return self._all or bool(self._terms) or view.state is not ClientState.ABSENT

    def lessThan(self, left: Index, right: Index) -> bool:
        """The order of two rows."""
        return _rank(left.data(ViewRole)) < _rank(right.data(ViewRole))


class ClientDelegate(SwitchRowDelegate):
    """The row of a client."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)

    def row(self, index: Index) -> Row:
        """What it says."""
        view: ClientView = index.data(ViewRole)
        tokens = self._theme.tokens
        troubled = view.state in (ClientState.DROPPED, ClientState.OUTDATED, ClientState.BROKEN)
        colour = client_colour(tokens, view.state)
        counted = view.state in (ClientState.CONNECTED, ClientState.AWAY) and view.tools
        return Row(
            drawing=client_drawing(view.state),
            colour=colour,
            title=f"{view.name} {view.version}".strip(),
            faded=view.state is ClientState.ABSENT,
            below=view.line if troubled else view.file or view.line,
            below_colour=colour if troubled else "",
            word=state_word(view.state),
            note=words.tools(view.tools) if counted else "",
            switchable=view.state is not ClientState.BROKEN and bool(view.file),
        )


def _rank(view: ClientView) -> tuple[int, str]:
    order = {ClientState.DROPPED: 0, ClientState.OUTDATED: 0, ClientState.BROKEN: 0}
    place = order.get(view.state, 1 if is_connected(view) else 2 if view.state is not ClientState.ABSENT else 3)
    return place, view.name.casefold()
