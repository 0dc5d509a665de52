"""The place "Clients": the AI clients of this computer, connected with one click, and the pane about the chosen one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.clients.view import ClientState
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_detail import ClientDetail
from desktop.tray.client_list import ClientDelegate, ClientList, ClientOrder, ViewRole
from desktop.tray.page import Page
from desktop.tray.parts import EmptyState, heading
from desktop.tray.theme import Theme

__all__ = ["ClientsPage"]


class ClientsPage(Page):
    """List and detail side by side, or one at a time where the window is narrow."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._narrow = False
        self._reading = False
        self._chosen = ""
        self.model = ClientList(bridge, actions, self)
        self.order = ClientOrder(self.model, self)
        self.view = QListView()
        self.delegate = ClientDelegate(theme, self.view)
        self.detail = ClientDetail(bridge, actions, theme)
        self.empty = EmptyState()
        self.search = QLineEdit()
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
        theme.changed.connect(self._tint)
        self._tint()
        self._count()
        self._keep_chosen()

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._close_detail()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def focus_first(self) -> None:
        """Put the focus on the list, at the latest when it has rows."""
        (self.view if self._stack.currentWidget() is self.view else self).setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Show list and detail one at a time, or side by side."""
        self._narrow = narrow
        self._reading = False
        self._arrange()

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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Return opens the detail, Escape clears the search, Down goes from search to list."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if watched is self.view and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._open_detail()
                return True
            if watched is self.search and key == Qt.Key.Key_Down:
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
            if watched is self.search and key == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back from the detail to the list."""
        if event.key() == Qt.Key.Key_Escape and self._reading:
            self._close_detail()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search clients"))
        self.search.setToolTip(self.tr("Search clients (Ctrl+F)"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(self.fontMetrics().averageCharWidth() * 24)
        self.search.textChanged.connect(self.order.set_search)
        self.search.installEventFilter(self)
        self._magnifier = self.search.addAction(
            artwork.icon("search", QColor(self._theme.tokens.muted)), QLineEdit.ActionPosition.LeadingPosition
        )
        self._here = self._segment(lambda: self.order.set_all(False))
        self._all = self._segment(lambda: self.order.set_all(True))
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
        self._head = QWidget()
        self._head.setLayout(head)
        self.view.setObjectName("servers")
        self.view.setAccessibleName(self.tr("Clients"))
        self.view.setModel(self.order)
        self.view.setItemDelegate(self.delegate)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.installEventFilter(self)
        self.view.doubleClicked.connect(lambda _index: self._open_detail())
        self.view.clicked.connect(lambda _index: self._open_detail() if self._narrow else None)
        self._card = QFrame()
        self._card.setObjectName("card")
        self._card.setMinimumWidth(300)
        self._stack = QStackedLayout(self._card)
        self._stack.setContentsMargins(1, 4, 1, 4)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.empty)
        self.detail.left.connect(self._close_detail)
        self.detail.setMinimumWidth(280)
        self.splitter = QSplitter()
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(12)
        self.splitter.addWidget(self._card)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 4)
        self.splitter.setSizes([460, 360])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._head)
        column.addWidget(self.splitter, 1)

    def _segment(self, chosen: object) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.clicked.connect(chosen)
        return button

    def _tint(self) -> None:
        self._magnifier.setIcon(artwork.icon("search", QColor(self._theme.tokens.muted)))
        self.view.viewport().update()

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
            self._stack.setCurrentWidget(self.view)
            if self.hasFocus():
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
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

    def _open_detail(self) -> None:
        if self._narrow and self.detail.client:
            self._reading = True
            self._arrange()
            self.detail.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_detail(self) -> None:
        if self._reading:
            self._reading = False
            self._arrange()
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        self._head.setVisible(not self._reading)
        self._card.setVisible(not self._reading)
        self.detail.setVisible(self._reading or (not self._narrow and self.order.rowCount() > 0))
        self.detail.set_page(self._narrow)
