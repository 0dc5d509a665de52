"""What each of the first steps shows: the engine, servers to begin with, the clients of this computer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import shiboken6
from PySide6.QtCore import QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QListView, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.host import EngineState
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_list import ClientDelegate, ClientList, ClientOrder, ViewRole, is_connected
from desktop.tray.parts import EmptyState, enlarge, muted
from desktop.tray.server_delegate import ServerDelegate
from desktop.tray.server_list import ServerList, StatusRole
from desktop.tray.switch_row import Index, Row
from desktop.tray.theme import Theme

__all__ = ["SUGGESTED", "ClientsPane", "EnginePane", "Pane", "ServersPane"]

SUGGESTED = 6
"""Servers offered to begin with."""


class Pane(QFrame):
    """The content of one step.

    Signals:
        changed: What it says of itself is new.
    """

    changed = Signal()

    @abstractmethod
    def title(self) -> str:
        """What the step is."""

    @abstractmethod
    def about(self) -> str:
        """What it is for."""

    def skip_word(self) -> str:
        """The button that goes on while nothing was done here."""
        return self.tr("Skip")

    @abstractmethod
    def is_done(self) -> bool:
        """Whether there is anything to keep."""

    def enter(self) -> None:
        """It is shown now."""

    def first(self) -> QWidget | None:
        """Where the work begins; None where going on is all there is to do."""
        return None


class EnginePane(Pane):
    """Whether there is an engine, and what to do otherwise."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._theme = theme
        self._mark = QLabel()
        self._mark.setFixedSize(24, 24)
        self.found = QLabel()
        enlarge(self.found, 1)
        self.found.setWordWrap(True)
        self._reason = muted("")
        self._hint = QLabel()
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._without = QLabel(
            self.tr("You can go on without one: servers from packages and remote servers work all the same.")
        )
        for label in (self._reason, self._hint, self._without):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry = QPushButton(self.tr("Look again"))
        self.retry.setAutoDefault(False)
        self.retry.clicked.connect(actions.retry_engine)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._mark)
        head.addWidget(self.found, 1)
        card = QFrame()
        card.setObjectName("card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(16, 16, 16, 16)
        inside.setSpacing(8)
        inside.addLayout(head)
        for label in (self._reason, self._hint, self._without):
            inside.addWidget(label)
        inside.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignLeading)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        column.addStretch(1)
        theme.changed.connect(self.follow)

    def title(self) -> str:
        """What the step is."""
        return self.tr("Run servers in containers")

    def about(self) -> str:
        """What it is for."""
        return self.tr(
            "MCP Gateway runs MCP servers for your AI clients and gives them all one address. "
            "Most servers run in containers, apart from your files, and need a container engine for it."
        )

    def skip_word(self) -> str:
        """The button that goes on."""
        return self.tr("Continue without")

    def is_done(self) -> bool:
        """Whether nothing is amiss; while it is looked for, nothing is."""
        return not words.engine_trouble(self._bridge.engine())

    def follow(self) -> None:
        """Show where the engine is."""
        engine = self._bridge.engine()
        tokens = self._theme.tokens
        trouble = words.engine_trouble(engine)
        there = engine.state is EngineState.CONNECTED
        name = words.engine_words(engine)
        self.found.setText(self.tr("{engine} was found").format(engine=name) if there else name)
        reason = words.sentence(engine.reason) if trouble and engine.reason != name else ""
        for label, text in ((self._reason, reason), (self._hint, words.sentence(engine.hint) if trouble else "")):
            label.setText(text)
            label.setVisible(bool(text))
        self._without.setVisible(trouble)
        self.retry.setVisible(trouble)
        drawing = "check" if there else "warning" if trouble else "state-starting"
        colour = tokens.ok if there else tokens.warn if trouble else tokens.accent
        self._mark.setPixmap(artwork.pixmap(drawing, 24, QColor(colour), self.devicePixelRatioF()))
        self.changed.emit()


class _ListPane(Pane):
    """A list with switches, or words where it is empty."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.view = QListView()
        self.view.setObjectName("servers")
        self.view.setAccessibleName(name)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty = EmptyState()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        card = QFrame()
        card.setObjectName("card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 4, 1, 4)
        inside.addWidget(self._stack)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self.column.addWidget(card, 1)

    def first(self) -> QWidget | None:
        """The list, where it has rows."""
        if self._stack.currentWidget() is not self.view:
            return None
        if not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.view.model().index(0, 0))
        return self.view

    def is_done(self) -> bool:
        """Whether anything is switched on."""
        model = self.view.model()
        states = (model.index(row, 0).data(Qt.ItemDataRole.CheckStateRole) for row in range(model.rowCount()))
        return Qt.CheckState.Checked in states

    def watch(self, refresh: Callable[[], None]) -> None:
        """Have ``refresh`` called whenever a row is new."""
        model = self.view.model()
        for signal in (model.modelReset, model.dataChanged, model.rowsInserted, model.rowsRemoved, model.layoutChanged):
            signal.connect(refresh)

    def _show_rows(self, title: str, text: str = "") -> None:
        """Rows where there are some, else words."""
        rows = self.view.model().rowCount() > 0
        self.empty.say(title, text)
        self._stack.setCurrentWidget(self.view if rows else self.empty)
        self.changed.emit()


class ServersPane(_ListPane):
    """Some servers that want nothing; none is chosen beforehand."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__(self.tr("Servers to begin with"))
        self._actions = actions
        self._looked = False
        self.all_servers = QPushButton(self.tr("Show all servers"))
        self.all_servers.setAutoDefault(False)
        self.column.addWidget(self.all_servers, 0, Qt.AlignmentFlag.AlignLeading)
        self._order = _Suggestions(ServerList(bridge, actions, self), self)
        self.delegate = _SuggestionDelegate(theme, self.view)
        self.view.setModel(self._order)
        self.view.setItemDelegate(self.delegate)
        self.watch(self._refresh)
        self._refresh()

    def title(self) -> str:
        """What the step is."""
        return self.tr("Pick servers")

    def about(self) -> str:
        """What it is for."""
        return self.tr("These need no key and no account. What you switch on is there for every client at once.")

    def look(self) -> None:
        """Ask which servers can run here."""
        self._actions.ask(lambda host: host.catalogs.suggested(SUGGESTED), self._offer)

    def _offer(self, names: Sequence[str]) -> None:
        if shiboken6.isValid(self):
            self._looked = True
            self._order.offer(names)
            self._refresh()

    def _refresh(self) -> None:
        if self._looked:
            self._show_rows(
                self.tr("Nothing to begin with"), self.tr("No server here runs without a key or an engine.")
            )
        else:
            self._show_rows(self.tr("Looking through the catalogs…"))


class ClientsPane(_ListPane):
    """The clients of this computer."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__(self.tr("Clients on this computer"))
        self._bridge = bridge
        self._actions = actions
        self._order = ClientOrder(ClientList(bridge, actions, self), self)
        self.delegate = ClientDelegate(theme, self.view)
        self.view.setModel(self._order)
        self.view.setItemDelegate(self.delegate)
        self.watch(self._refresh)
        self._refresh()

    def title(self) -> str:
        """What the step is."""
        return self.tr("Connect clients")

    def about(self) -> str:
        """What it is for."""
        return self.tr(
            "Switch on the clients that shall have your servers. Each gets one entry in its own file; "
            "the rest of the file stays as it is, and switching off takes the entry out."
        )

    def enter(self) -> None:
        """Look which clients there are now."""
        if self._bridge.host is not None:
            self._actions.refresh_clients()

    def is_done(self) -> bool:
        """Whether any client is connected."""
        rows = (self._order.index(row, 0).data(ViewRole) for row in range(self._order.rowCount()))
        return any(map(is_connected, rows))

    def _refresh(self) -> None:
        if self._bridge.clients():
            text = self.tr(
                "Once Claude Desktop, Cursor, VS Code or another is installed, the place Clients connects it."
            )
            self._show_rows(self.tr("No client was found on this computer"), text)
        else:
            self._show_rows(self.tr("Looking for clients…"))


class _Suggestions(QSortFilterProxyModel):
    """Only the servers offered, in the order they were named."""

    def __init__(self, model: ServerList, parent: QWidget) -> None:
        super().__init__(parent)
        self._ranks: dict[str, int] = {}
        self.setSourceModel(model)
        self.setDynamicSortFilter(True)
        self.sort(0)

    def offer(self, names: Sequence[str]) -> None:
        """Show these servers."""
        self._ranks = {name: rank for rank, name in enumerate(names)}
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a server is offered."""
        return self.sourceModel().index(row, 0, parent).data(StatusRole).name in self._ranks

    def lessThan(self, left: Index, right: Index) -> bool:
        """The order of two rows."""
        last = len(self._ranks)
        ranks = [self._ranks.get(index.data(StatusRole).name, last) for index in (left, right)]
        return ranks[0] < ranks[1]


class _SuggestionDelegate(ServerDelegate):
    """A server with what it does in the second line, since that is what one chooses by."""

    def row(self, index: Index) -> Row:
        """What it says."""
        row = super().row(index)
        status = index.data(StatusRole)
        if row.below_colour or not status.description:
            return row
        return Row(
            drawing=row.drawing,
            colour=row.colour,
            title=row.title,
            below=words.in_one_line(status.description),
            word=row.word if status.enabled else words.kind_word(status.kind),
            note=row.note,
        )
