"""What one can be signed in to, as a table: what waits for the person on top, the others by title."""

from __future__ import annotations

import enum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from desktop.host import SignInState, SignInStatus
from desktop.tray import artwork, words
from desktop.tray.bridge import Bridge
from desktop.tray.table import Index, Rows
from desktop.tray.theme import Theme

__all__ = ["SignInColumn", "SignInList", "SignInRole", "state_word"]

SignInRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `SignInStatus`."""
SERVERS_SHOWN = 3


class SignInColumn(enum.IntEnum):
    """What a row says, from the start of the line."""

    APP = 0
    STATE = 1
    USED_BY = 2


class SignInList(Rows):
    """Follows the host's sign-ins."""

    def __init__(self, bridge: Bridge, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._theme = theme
        self._all: tuple[SignInStatus, ...] = ()
        self._shown: tuple[SignInStatus, ...] = ()
        bridge.sign_ins_changed.connect(self._read)
        self._read()

    @property
    def statuses(self) -> tuple[SignInStatus, ...]:
        """All there are."""
        return self._all

    def index_of(self, app: str) -> QModelIndex:
        """The row of an app; invalid when it is not shown."""
        row = next((row for row, status in enumerate(self._shown) if status.app == app), None)
        return QModelIndex() if row is None else self.index(row, 0)

    def _count(self) -> int:
        return len(self._shown)

    def _headings(self) -> tuple[str, ...]:
        return (self.tr("Signed in to"), self.tr("State"), self.tr("Used by"))

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the view and a screen reader want to know of a cell."""
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        status, column, tokens = self._shown[index.row()], SignInColumn(index.column()), self._theme.tokens
        drawing, colour = self._mark(status)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cell(status, column)
            case Qt.ItemDataRole.ToolTipRole:
                return words.elided(status.reason or status.title, 400) or None
            case Qt.ItemDataRole.ForegroundRole:
                if column is SignInColumn.STATE:
                    return QColor(colour)
                return QColor(tokens.text if column is SignInColumn.APP else tokens.muted)
            case Qt.ItemDataRole.DecorationRole if column is SignInColumn.STATE:
                return artwork.icon(drawing, QColor(colour))
            case _ if role == SignInRole:
                return status
        return None

    def _cell(self, status: SignInStatus, column: SignInColumn) -> str:
        match column:
            case SignInColumn.APP:
                return words.in_one_line(status.title or status.app)
            case SignInColumn.STATE:
                return self.tr("wants more") if _wants_more(status) else state_word(status.state)
            case SignInColumn.USED_BY:
                servers = [self._bridge.server(name) for name in status.servers]
                titles = [words.in_one_line(words.title_of(server)) for server in servers if server is not None]
                return ", ".join(titles[:SERVERS_SHOWN]) + (" …" if len(titles) > SERVERS_SHOWN else "")

    def _mark(self, status: SignInStatus) -> tuple[str, str]:
        """The shape and colour of its state."""
        tokens = self._theme.tokens
        match status.state:
            case SignInState.SIGNED_IN if not _wants_more(status):
                return "state-ready", tokens.ok
            case SignInState.SIGNING_IN:
                return "state-starting", tokens.accent
            case SignInState.SIGNED_OUT:
                return "state-off", tokens.muted
            case _:
                return "state-needs-sign-in", tokens.warn

    def _read(self) -> None:
        statuses = tuple(sorted(self._bridge.sign_ins(), key=_place))
        if statuses != self._all:
            self._all = statuses
            self._filter()

    def _filter(self) -> None:
        terms = self._text.casefold().split()
        shown = tuple(
            status
            for status in self._all
            if all(term in f"{status.title} {status.app} {' '.join(status.servers)}".casefold() for term in terms)
        )
        if [status.app for status in shown] == [status.app for status in self._shown]:
            self._shown = shown
            if shown:
                self.dataChanged.emit(self.index(0, 0), self.index(len(shown) - 1, len(SignInColumn) - 1))
            return
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()


def state_word(state: SignInState) -> str:
    """The word for where a sign-in is."""
    translate = words.translate
    match state:
        case SignInState.SIGNED_OUT:
            return translate("SignInState", "not signed in")
        case SignInState.SIGNING_IN:
            return translate("SignInState", "signing in")
        case SignInState.SIGNED_IN:
            return translate("SignInState", "signed in")
        case SignInState.NEEDED:
            return translate("SignInState", "needs sign-in")


def _wants_more(status: SignInStatus) -> bool:
    return status.state is SignInState.SIGNED_IN and bool(status.wanted)


def _place(status: SignInStatus) -> tuple[int, str, str]:
    """What waits for the person, then what they are signed in to, then the rest."""
    waits = status.state in (SignInState.NEEDED, SignInState.SIGNING_IN) or _wants_more(status)
    place = 0 if waits else 1 if status.state is SignInState.SIGNED_IN else 2
    return place, (status.title or status.app).casefold(), status.app
