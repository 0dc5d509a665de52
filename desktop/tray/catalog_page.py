"""The place "Catalog": cards of every server there is, found by typing, turned on in one flow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QListView,
    QPushButton,
    QVBoxLayout,
)

from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.catalog_detail import CatalogDetail
from desktop.tray.catalog_list import CardDelegate, CatalogFilter, CatalogList, CatalogOrder, EntryRole
from desktop.tray.parts import AddButton, heading
from desktop.tray.split_page import SplitPage
from desktop.tray.theme import Theme

__all__ = ["CatalogPage"]


class CatalogPage(SplitPage):
    """Cards, and a drawer about the chosen one."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        self.view = QListView()
        self.detail = CatalogDetail(bridge, actions, theme)
        super().__init__(theme, self.view, self.detail)
        self._bridge = bridge
        self._actions = actions
        self._chosen = ""
        self.model = CatalogList(bridge, self)
        self.order = CatalogOrder(self.model, self)
        self.delegate = CardDelegate(theme, self.view)
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
        self._fill_categories()
        self._show_rows_or_words()

    def focus_first(self) -> None:
        """Put the cursor into the search field, where looking through a catalog begins."""
        self.search.setFocus()

    def show_server(self, name: str) -> None:
        """Choose a server, whatever is searched or filtered now."""
        self._show_all()
        index = self.order.mapFromSource(self.model.index_of(name))
        if index.isValid():
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index, QListView.ScrollHint.PositionAtCenter)
            self._open_detail()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Cards fill whole columns."""
        if watched is self.view and event.type() == QEvent.Type.Resize:
            self._fit_cards()
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
        self._name_search(
            self.tr("Search the catalog"), self.tr("Search the catalog (Ctrl+F); typing errors are forgiven")
        )
        self.search.textChanged.connect(self._on_search)
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
        head.addSpacing(4)
        head.addWidget(AddButton(self._theme, self._actions.adding_wished.emit))
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
            button = self._segment(name)
            button.clicked.connect(lambda _on=False, which=which: self.order.set_filter(which))
            group.addButton(button)
            chips.addWidget(button)
            self._chips[which] = button
        self._chips[CatalogFilter.ALL].setChecked(True)
        chips.addStretch(1)
        whole = QVBoxLayout(self._head)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addLayout(head)
        whole.addLayout(chips)
        view = self.view
        self._fill_list(view, self.tr("Catalog"), self.order, self.delegate)
        view.setViewMode(QListView.ViewMode.IconMode)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setMovement(QListView.Movement.Static)
        view.setSpacing(0)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self.detail.left.connect(self._close_detail)
        self.detail.wanted.connect(self.server_wanted)
        self._lay_side_by_side((1, 0), (500, 340), 300)
        self._stack_up()

    def _fit_cards(self) -> None:
        room = self.view.width() - self.view.verticalScrollBar().sizeHint().width() - 2
        least = self.delegate.least_width(self.fontMetrics())
        columns = max(1, room // least)
        self.delegate.set_width(max(room // columns - 1, 100))
        self.view.scheduleDelayedItemsLayout()

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
            self._show_list()
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

    def _shows_pane(self) -> bool:
        return self.view.currentIndex().isValid()

    def _may_open(self) -> bool:
        return bool(self.detail.server)

    def _enter_list(self) -> None:
        if not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.order.index(0, 0))
        super()._enter_list()

    def _enter_pane(self) -> None:
        self.detail.switch.setFocus(Qt.FocusReason.OtherFocusReason)
