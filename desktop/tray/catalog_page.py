"""The place "Catalog": cards of every server there is, found by typing, turned on in one flow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.catalog_detail import CatalogDetail
from desktop.tray.catalog_list import CardDelegate, CatalogFilter, CatalogList, CatalogOrder, EntryRole
from desktop.tray.page import Page
from desktop.tray.parts import EmptyState, heading
from desktop.tray.theme import Theme

__all__ = ["CatalogPage"]


class CatalogPage(Page):
    """Cards, and a drawer about the chosen one."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._narrow = False
        self._reading = False
        self._chosen = ""
        self.model = CatalogList(bridge, self)
        self.order = CatalogOrder(self.model, self)
        self.view = QListView()
        self.delegate = CardDelegate(theme, self.view)
        self.detail = CatalogDetail(bridge, actions, theme)
        self.empty = EmptyState()
        self.search = QLineEdit()
        self.categories = QComboBox()
        self._chips: dict[CatalogFilter, QPushButton] = {}
        self._build()
        for changed in (
            self.order.modelReset,
            self.order.layoutChanged,
            self.order.rowsInserted,
            self.order.rowsRemoved,
        ):
            changed.connect(self._show_rows_or_words)
        self.model.modelReset.connect(self._fill_categories)
        self.model.dataChanged.connect(self._show_chosen)
        self.view.selectionModel().currentChanged.connect(self._choose)
        bridge.phase_changed.connect(self._show_rows_or_words)
        theme.changed.connect(self._tint)
        self._tint()
        self._fill_categories()
        self._show_rows_or_words()

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._close_detail()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def focus_first(self) -> None:
        """Put the cursor into the search field, where looking through a catalog begins."""
        self.search.setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Show cards and drawer one at a time, or side by side."""
        self._narrow = narrow
        self._reading = False
        self._arrange()

    def show_server(self, name: str) -> None:
        """Choose a server, whatever is searched or filtered now."""
        self._show_all()
        index = self.order.mapFromSource(self.model.index_of(name))
        if index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index, QListView.ScrollHint.PositionAtCenter)
            self._open_detail()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Return opens the drawer, Escape clears the search, Down goes from search to cards; cards fill whole columns."""
        if watched is self.view and event.type() == QEvent.Type.Resize:
            self._fit_cards()
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if watched is self.view and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._open_detail()
                return True
            if watched is self.search and key == Qt.Key.Key_Down:
                if not self.view.currentIndex().isValid():
                    self.view.setCurrentIndex(self.order.index(0, 0))
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
            if watched is self.search and key == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back from the drawer to the cards."""
        if event.key() == Qt.Key.Key_Escape and (self._reading or self.detail.isVisible()):
            self._close_detail()
            self.view.setCurrentIndex(QModelIndex())
            self._arrange()
        else:
            super().keyPressEvent(event)

    def _build(self) -> None:
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search the catalog"))
        self.search.setToolTip(self.tr("Search the catalog (Ctrl+F); typing errors are forgiven"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(self.fontMetrics().averageCharWidth() * 24)
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self._magnifier = self.search.addAction(
            artwork.icon("search", QColor(self._theme.tokens.muted)), QLineEdit.ActionPosition.LeadingPosition
        )
        self.categories.setAccessibleName(self.tr("Category"))
        self.categories.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.categories.currentIndexChanged.connect(
            lambda _index: self.order.set_category(self.categories.currentData() or "")
        )
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(heading(self.tr("Catalog"), 4))
        head.addStretch(1)
        head.addWidget(self.categories)
        head.addWidget(self.search)
        chips = QHBoxLayout()
        chips.setContentsMargins(0, 0, 0, 0)
        chips.setSpacing(4)
        names = {
            CatalogFilter.ALL: self.tr("All"),
            CatalogFilter.CONTAINER: self.tr("Container"),
            CatalogFilter.REMOTE: self.tr("Remote"),
            CatalogFilter.PACKAGE: self.tr("Package"),
            CatalogFilter.NO_KEY: self.tr("No key needed"),
        }
        group = QButtonGroup(self)
        for which, name in names.items():
            button = QPushButton(name)
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.clicked.connect(lambda _on=False, which=which: self.order.set_filter(which))
            group.addButton(button)
            chips.addWidget(button)
            self._chips[which] = button
        self._chips[CatalogFilter.ALL].setChecked(True)
        chips.addStretch(1)
        self._head = QWidget()
        whole = QVBoxLayout(self._head)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addLayout(head)
        whole.addLayout(chips)
        view = self.view
        view.setObjectName("servers")
        view.setAccessibleName(self.tr("Catalog"))
        view.setModel(self.order)
        view.setItemDelegate(self.delegate)
        view.setViewMode(QListView.ViewMode.IconMode)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setMovement(QListView.Movement.Static)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setSpacing(0)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        view.installEventFilter(self)
        view.clicked.connect(lambda _index: self._open_detail() if self._narrow else None)
        view.doubleClicked.connect(lambda _index: self._open_detail())
        cards = QWidget()
        cards.setMinimumWidth(300)
        self._stack = QStackedLayout(cards)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(view)
        self._stack.addWidget(self.empty)
        self._cards = cards
        self.detail.left.connect(self._close_detail)
        self.detail.setMinimumWidth(300)
        self.splitter = QSplitter()
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(12)
        self.splitter.addWidget(cards)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([500, 340])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._head)
        column.addWidget(self.splitter, 1)

    def _fit_cards(self) -> None:
        room = self.view.width() - self.view.verticalScrollBar().sizeHint().width() - 2
        least = self.delegate.least_width(self.fontMetrics())
        columns = max(1, room // least)
        self.delegate.set_width(max(room // columns - 1, 100))
        self.view.scheduleDelayedItemsLayout()

    def _tint(self) -> None:
        self._magnifier.setIcon(artwork.icon("search", QColor(self._theme.tokens.muted)))
        self.view.viewport().update()

    def _on_search(self, text: str) -> None:
        self.order.set_search(text, self._bridge.search(text) if text.strip() else ())
        self.view.scrollToTop()

    def _fill_categories(self) -> None:
        chosen = self.categories.currentData()
        found = sorted({entry.category for entry in self.model.entries() if entry.category}, key=str.casefold)
        self.categories.blockSignals(True)
        self.categories.clear()
        self.categories.addItem(self.tr("All categories"), "")
        for category in found:
            self.categories.addItem(category.replace("-", " ").capitalize(), category)
        self.categories.setCurrentIndex(max(self.categories.findData(chosen), 0))
        self.categories.blockSignals(False)
        self.categories.setVisible(len(found) > 1)

    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            entry = current.data(EntryRole)
            self._chosen = entry.name
            self.detail.show_entry(entry)
        self._arrange()

    def _show_chosen(self) -> None:
        index = self.model.index_of(self._chosen)
        if index.isValid():
            self.detail.show_entry(index.data(EntryRole))

    def _show_rows_or_words(self) -> None:
        self._arrange()
        if self.order.rowCount():
            self._stack.setCurrentWidget(self.view)
            return
        if self._bridge.phase is Phase.STARTING:
            self.empty.say(self.tr("Starting…"), self.tr("The catalogs appear here in a moment."))
        elif self.order.narrowed and self.model.rowCount():
            text = words.elided(self.search.text(), 60)
            told = (
                self.tr("No server matches “{text}”.").format(text=text) if text else self.tr("No server is like that.")
            )
            self.empty.say(self.tr("Nothing found"), told, self.tr("Show all"), self._show_all)
        else:
            self.empty.say(self.tr("The catalogs are empty"), self.tr("Catalogs on this computer list no servers."))
        self._stack.setCurrentWidget(self.empty)

    def _show_all(self) -> None:
        self.search.clear()
        self.categories.setCurrentIndex(0)
        self._chips[CatalogFilter.ALL].click()

    def _open_detail(self) -> None:
        if self._narrow and self.detail.server:
            self._reading = True
            self._arrange()
            self.detail.switch.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_detail(self) -> None:
        if self._reading:
            self._reading = False
            self._arrange()
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        chosen = self.view.currentIndex().isValid()
        self._head.setVisible(not self._reading)
        self._cards.setVisible(not self._reading)
        self.detail.setVisible(self._reading or (not self._narrow and chosen))
        self.detail.set_page(self._narrow)
