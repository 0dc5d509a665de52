"""The place "Servers": search, filter, list and the pane about the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QListView,
    QPushButton,
)

from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.parts import AddButton, heading
from desktop.tray.server_delegate import ServerDelegate
from desktop.tray.server_detail import ServerDetail
from desktop.tray.server_list import ServerFilter, ServerList, ServerOrder, StatusRole
from desktop.tray.split_page import SplitPage
from desktop.tray.theme import Theme

__all__ = ["ServersPage"]


class ServersPage(SplitPage):
    """List and detail side by side, or one at a time where the window is narrow."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        self.view = QListView()
        self.detail = ServerDetail(bridge, actions, theme)
        super().__init__(theme, self.view, self.detail)
        self._bridge = bridge
        self._actions = actions
        self._chosen = ""
        self.model = ServerList(bridge, actions, self)
        self.order = ServerOrder(self.model, self)
        self.delegate = ServerDelegate(theme, self.view)
        self._segments: dict[ServerFilter, QPushButton] = {}
        self._build()
        self.order.modelReset.connect(self._keep_chosen)
        self.order.layoutChanged.connect(self._show_rows_or_words)
        self.order.rowsInserted.connect(self._show_rows_or_words)
        self.order.rowsRemoved.connect(self._show_rows_or_words)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        bridge.servers_changed.connect(lambda _names: self._count())
        bridge.phase_changed.connect(self._show_rows_or_words)
        self._count()
        self._keep_chosen()

    def show_server(self, name: str) -> None:
        """Choose a server and show what is to say about it, whatever is searched or filtered now."""
        source = self.model.index_of(name)
        if not source.isValid():
            return
        if not self.order.mapFromSource(source).isValid():
            self.search.clear()
            self.set_filter(ServerFilter.ALL)
        index = self.order.mapFromSource(source)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index, QListView.ScrollHint.PositionAtCenter)
        self._open_detail()

    def expect_server(self, name: str) -> None:
        """Choose a server that may only be about to come."""
        self.search.clear()
        self.set_filter(ServerFilter.ALL)
        self._chosen = name
        self.show_server(name)

    def set_filter(self, which: ServerFilter) -> None:
        """Show only these servers."""
        self._segments[which].setChecked(True)
        self.order.set_filter(which)
        self._keep_chosen()

    def showEvent(self, event: QShowEvent) -> None:
        """Seen again: put switched servers where they belong."""
        super().showEvent(event)
        self.order.settle()
        self._keep_chosen()

    def _build(self) -> None:
        self._name_search(self.tr("Search servers"), self.tr("Search servers (Ctrl+F)"))
        self.search.textChanged.connect(self._on_search)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(heading(self.tr("Servers"), 4))
        head.addSpacing(16)
        group = QButtonGroup(self)
        for which in (ServerFilter.ALL, ServerFilter.ON, ServerFilter.ATTENTION):
            button = self._segment()
            button.clicked.connect(lambda _on=False, which=which: self.set_filter(which))
            group.addButton(button)
            head.addWidget(button)
            self._segments[which] = button
        self._segments[ServerFilter.ALL].setChecked(True)
        head.addStretch(1)
        head.addWidget(self.search)
        head.addSpacing(4)
        head.addWidget(AddButton(self._theme, self._actions.adding_wished.emit))
        self._fill_list(self.view, self.tr("Servers"), self.order, self.delegate)
        self._frame_list()
        self.detail.left.connect(self._close_detail)
        self._lay_side_by_side((1, 1), (400, 400), 280)
        head.setContentsMargins(0, 0, 0, 0)
        self._head.setLayout(head)
        self._stack_up()

    def _on_search(self, text: str) -> None:
        self.order.set_search(text, self._bridge.search(text) if text.strip() else ())
        self._keep_chosen()

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._chosen = current.data(StatusRole).name
            self.detail.show_server(self._chosen)

    def _keep_chosen(self) -> None:
        """After rows came or went: the same server stays chosen, else the first one is."""
        index = self.order.mapFromSource(self.model.index_of(self._chosen))
        if not index.isValid():
            index = self.order.index(0, 0)
        if index.isValid():
            self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            self.detail.show_server("")
        self._show_rows_or_words()

    def _count(self) -> None:
        statuses = self.model.statuses()
        counts = {
            ServerFilter.ALL: len(statuses),
            ServerFilter.ON: sum(status.enabled for status in statuses),
            ServerFilter.ATTENTION: sum(map(words.needs_person, statuses)),
        }
        names = {
            ServerFilter.ALL: self.tr("All"),
            ServerFilter.ON: self.tr("On"),
            ServerFilter.ATTENTION: self.tr("Needs attention"),
        }
        for which, button in self._segments.items():
            button.setText(f"{names[which]}  {counts[which]}" if counts[which] else names[which])
            button.setAccessibleName(f"{names[which]}, {words.servers(counts[which])}")

    def _show_rows_or_words(self) -> None:
        self._arrange()
        if self.order.rowCount():
            self._show_list()
            return
        if self._bridge.phase is Phase.STARTING:
            self.empty.say(self.tr("Starting…"), self.tr("Servers appear here in a moment."))
        elif self._bridge.phase is Phase.CLOSING:
            self.empty.say(self.tr("Stopping servers…"))
        elif not self.model.rowCount():
            self.empty.say(self.tr("No servers yet"), self.tr("The catalogs on this computer list no servers."))
        elif self.search.text().strip():
            text = words.elided(self.search.text(), 60)
            self.empty.say(
                self.tr("Nothing found"),
                self.tr("No server matches “{text}”.").format(text=text),
                self.tr("Clear search"),
                self.search.clear,
            )
        elif self.order.filter is ServerFilter.ATTENTION:
            self.empty.say(self.tr("All is well"), self.tr("No server needs your attention."))
        else:
            self.empty.say(
                self.tr("No server is on"),
                self.tr("Turn on a server, and clients see its tools at once."),
                self.tr("Show all"),
                lambda: self.set_filter(ServerFilter.ALL),
            )
        self._stack.setCurrentWidget(self.empty)

    def _shows_pane(self) -> bool:
        return self.model.rowCount() > 0

    def _may_open(self) -> bool:
        return bool(self.detail.server)
