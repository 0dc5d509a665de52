"""The place "Clients": the AI clients of this computer, connected with one click, and the pane about the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QListView,
    QPushButton,
)

from desktop.clients.view import ClientState
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_detail import ClientDetail
from desktop.tray.client_list import ClientDelegate, ClientList, ClientOrder, ViewRole
from desktop.tray.parts import heading
from desktop.tray.split_page import SplitPage
from desktop.tray.theme import Theme

__all__ = ["ClientsPage"]


class ClientsPage(SplitPage):
    """List and detail side by side, or one at a time where the window is narrow."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        self.view = QListView()
        self.detail = ClientDetail(bridge, actions, theme)
        super().__init__(theme, self.view, self.detail)
        self._bridge = bridge
        self._actions = actions
        self._chosen = ""
        self.model = ClientList(bridge, actions, self)
        self.order = ClientOrder(self.model, self)
        self.delegate = ClientDelegate(theme, self.view)
        self.importing = QPushButton(self.tr("Import…"))
        self.importing.setToolTip(self.tr("Move servers that clients have into the gateway"))
        self.importing.setAccessibleName(self.tr("Import servers…"))
        self.importing.clicked.connect(self._import)
        self._build()
        for changed in (
            self.order.modelReset,
            self.order.layoutChanged,
            self.order.rowsInserted,
            self.order.rowsRemoved,
        ):
            changed.connect(self._keep_chosen)
        self.view.selectionModel().currentChanged.connect(self._choose)
        bridge.clients_changed.connect(self._count)
        bridge.phase_changed.connect(self._count)
        self._count()
        self._keep_chosen()

    def show_client(self, id: str) -> None:
        """Choose a client, whatever is searched or filtered now."""
        source = self.model.index_of(id)
        if source.isValid() and not self.order.mapFromSource(source).isValid():
            self.search.clear()
            self._all.click()
        index = self.order.mapFromSource(source)
        if index.isValid():
            self.view.setCurrentIndex(index)
            self._open_detail()

    def showEvent(self, event: QShowEvent) -> None:
        """Seen again: look at the clients' files anew."""
        super().showEvent(event)
        if self._bridge.host is not None:
            self._actions.refresh_clients()

    def _import(self) -> None:
        from desktop.tray.import_dialog import ImportDialog  # here: most starts never open it

        ImportDialog(self._actions, self._theme, self.window()).open()

    def _build(self) -> None:
        self._name_search(self.tr("Search clients"), self.tr("Search clients (Ctrl+F)"))
        self.search.textChanged.connect(self.order.set_search)
        self._here = self._segment()
        self._here.clicked.connect(lambda: self.order.set_all(False))
        self._all = self._segment()
        self._all.clicked.connect(lambda: self.order.set_all(True))
        group = QButtonGroup(self)
        for button in (self._here, self._all):
            group.addButton(button)
        self._here.setChecked(True)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(heading(self.tr("Clients"), 4))
        head.addSpacing(16)
        head.addWidget(self._here)
        head.addWidget(self._all)
        head.addStretch(1)
        head.addWidget(self.search)
        head.addSpacing(4)
        head.addWidget(self.importing)
        self._head.setLayout(head)
        self._fill_list(self.view, self.tr("Clients"), self.order, self.delegate)
        self._frame_list()
        self.detail.left.connect(self._close_detail)
        self._lay_side_by_side((5, 4), (460, 360), 280)
        self._stack_up()

    def _count(self) -> None:
        views = self.model.views()
        here = sum(view.state is not ClientState.ABSENT for view in views)
        for button, name, count in ((self._here, self.tr("Here"), here), (self._all, self.tr("All"), len(views))):
            button.setText(f"{name}  {count}" if count else name)
            button.setAccessibleName(f"{name}, {words.clients(count)}")

    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            view = current.data(ViewRole)
            self._chosen = view.id
            self.detail.show_client(view)

    def _keep_chosen(self) -> None:
        index = self.order.mapFromSource(self.model.index_of(self._chosen))
        if not index.isValid():
            index = self.order.index(0, 0)
        if index.isValid():
            self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        else:
            self.detail.show_client(None)
        self._show_rows_or_words()

    def _show_rows_or_words(self) -> None:
        self._arrange()
        if self.order.rowCount():
            self._show_list()
            return
        if self.search.text().strip():
            text = words.elided(self.search.text(), 60)
            self.empty.say(
                self.tr("Nothing found"),
                self.tr("No client matches “{text}”.").format(text=text),
                self.tr("Clear search"),
                self.search.clear,
            )
        elif self.model.rowCount():
            self.empty.say(
                self.tr("No client was found on this computer"),
                self.tr("Clients such as Claude Desktop, Cursor or VS Code appear here once they are installed."),
                self.tr("Show all"),
                self._all.click,
            )
        else:
            self.empty.say(self.tr("Looking for clients…"))
        self._stack.setCurrentWidget(self.empty)

    def _shows_pane(self) -> bool:
        return self.order.rowCount() > 0

    def _may_open(self) -> bool:
        return bool(self.detail.client)
