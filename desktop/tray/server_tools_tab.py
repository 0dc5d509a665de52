"""The tab with a server's tools: which are on, what they do and cost, and its prompts and resources."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListView, QPushButton, QStackedLayout, QVBoxLayout

from desktop.errors import GatewayError
from desktop.facets.server import ServerOffer
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import ElidedLabel, EmptyState
from desktop.tray.server_tab import ServerTab
from desktop.tray.theme import Theme
from desktop.tray.tool_list import EntryKind, ToolDelegate, ToolList, ToolOrder

__all__ = ["ServerToolsTab"]


class ServerToolsTab(ServerTab):
    """What a server offers, and which of it may be used."""

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__(actions)
        self._offer: ServerOffer | None = None
        self._wishes: dict[str, bool] = {}
        self._busy = False
        self.model = ToolList(self)
        self.model.wished.connect(lambda name, on: self._wish({name: on}))
        self.order = ToolOrder(self.model, self)
        self.view = QListView()
        self.view.setObjectName("servers")
        self.view.setAccessibleName(self.tr("Tools, prompts and resources"))
        self.view.setModel(self.order)
        self.view.setItemDelegate(ToolDelegate(theme, self.view))
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search tools"))
        self.search.setAccessibleName(self.tr("Search tools"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.sum = ElidedLabel()
        self.sum.setObjectName("muted")
        self.all_on = QPushButton(self.tr("All on"))
        self.all_on.clicked.connect(lambda: self._wish_all(True))
        self.all_off = QPushButton(self.tr("All off"))
        self.all_off.clicked.connect(lambda: self._wish_all(False))
        self.empty = EmptyState()
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget, stretch in ((self.search, 1), (self.all_on, 0), (self.all_off, 0)):
            head.addWidget(widget, stretch)
        head.setContentsMargins(16, 12, 16, 0)
        below = QHBoxLayout()
        below.setContentsMargins(16, 0, 16, 0)
        below.addWidget(self.sum)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(below)
        column.addLayout(self._stack, 1)
        theme.changed.connect(self.view.viewport().update)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down goes from the search to the list, Escape clears the search."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
                if not self.view.currentIndex().isValid():
                    self.view.setCurrentIndex(self.order.index(0, 0))
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def forget(self) -> None:
        """Another server comes."""
        self._offer = None
        self._wishes = {}
        self._busy = False
        self.search.clear()
        self.model.show(ServerOffer(), {})

    def refresh(self) -> None:
        """Read what the server offers."""
        name = self.server
        if not name:
            return

        def took(offer: ServerOffer | None) -> None:
            self._offer = offer or ServerOffer()
            self._show()

        self.read(lambda host: host.server_tools.read(name), took)
        self._show()

    def _on_search(self, text: str) -> None:
        self.order.set_search(text)
        self._show()

    def _wish_all(self, on: bool) -> None:
        """All that are shown: a search narrows what is switched."""
        shown = (self.order.index(row, 0) for row in range(self.order.rowCount()))
        rows = [self.model.entries()[self.order.mapToSource(index).row()] for index in shown]
        self._wish({row.name: on for row in rows if row.kind is EntryKind.TOOL and row.on is not on})

    def _wish(self, wishes: dict[str, bool]) -> None:
        self._wishes |= wishes
        self._show()
        if not self._busy:
            self._fulfil()

    def _fulfil(self) -> None:
        """Ask for what is wished, the tools to be on and the tools to be off in turn, until nothing is left."""
        name = self.server
        if not self._wishes or not name:
            return
        on = next(iter(self._wishes.values()))
        tools = [tool for tool, wanted in self._wishes.items() if wanted is on]
        self._busy = True

        def answered(error: GatewayError | None) -> None:
            if error is not None:
                self._actions.failed.emit(error.message, error.hint)
            if not shiboken6.isValid(self) or self.server != name:
                return
            self._busy = False
            if error is not None:
                self._wishes = {}
            elif self._offer is not None:
                kept = self._offer.on | set(tools) if on else self._offer.on - set(tools)
                self._offer = ServerOffer(
                    tools=self._offer.tools,
                    on=kept,
                    denied=self._offer.denied,
                    prompts=self._offer.prompts,
                    resources=self._offer.resources,
                    listed=self._offer.listed,
                )
            for tool in tools:
                if self._wishes.get(tool) is on:
                    del self._wishes[tool]
            self._fulfil()
            if not self._busy:
                self.refresh()

        self._actions.attempt(lambda host: host.server_tools.choose(name, tools, on=on), answered)

    def _show(self) -> None:
        offer = self._offer or ServerOffer()
        self.model.show(offer, self._wishes)
        rows = [row for row in self.model.entries() if row.kind is EntryKind.TOOL]
        on = [row for row in rows if row.on]
        told = [self.tr("{on} of {tools}").format(on=len(on), tools=words.tools(len(rows)))] if rows else []
        if cost := sum(row.tool.tokens for row in on if row.tool is not None):
            told.append(words.tokens(cost))
        if rows and not offer.listed:
            told.append(self.tr("as its catalog says"))
        self.sum.say(" · ".join(told))
        self.sum.setVisible(bool(told))
        self.all_on.setEnabled(len(on) < len(rows))
        self.all_off.setEnabled(bool(on))
        if self.order.rowCount():
            self._stack.setCurrentWidget(self.view)
            return
        if self._offer is None:
            self.empty.say("")
        elif self.model.rowCount():
            text = words.elided(self.search.text(), 60)
            self.empty.say(self.tr("Nothing found"), self.tr("No tool matches “{text}”.").format(text=text))
        else:
            self.empty.say(self.tr("No tools known yet"), self.tr("They are listed when the server has run once."))
        self._stack.setCurrentWidget(self.empty)
