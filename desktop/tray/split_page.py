"""What places with a list and a pane about the chosen entry have in common: search, and how both share the room."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from desktop.tray import artwork
from desktop.tray.page import Page
from desktop.tray.parts import EmptyState
from desktop.tray.theme import Theme

__all__ = ["SplitPage"]

SEARCH_LETTERS = 24


class SplitPage(Page):
    """List and pane side by side, or one at a time where the window is narrow.

    Return opens the pane, Escape leaves it or clears the search, Down goes from the search to the list.

    Args:
        theme: For the search field's drawing.
        view: The list.
        pane: What is to say about the chosen entry; its ``set_page(alone)`` is called as the room changes.

    Attributes:
        search: The search field.
        empty: What is shown instead of an empty list.
        splitter: Between list and pane.
    """

    def __init__(self, theme: Theme, view: QAbstractItemView, pane: QWidget) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.empty = EmptyState()
        self.splitter = QSplitter()
        self._theme = theme
        self._list = view
        self._pane = pane
        self._narrow = False
        self._reading = False
        self._head = QWidget()
        self._card = QFrame()
        self._stack = QStackedLayout(self._card)
        self._stack.addWidget(view)
        self._stack.addWidget(self.empty)
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(self.fontMetrics().averageCharWidth() * SEARCH_LETTERS)
        self.search.installEventFilter(self)
        self._magnifier = self.search.addAction(
            artwork.icon("search", QColor(theme.tokens.muted)), QLineEdit.ActionPosition.LeadingPosition
        )
        view.installEventFilter(self)
        view.doubleClicked.connect(lambda _index: self._open_detail())
        view.clicked.connect(lambda _index: self._open_detail() if self._narrow else None)
        theme.changed.connect(self._tint)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._close_detail()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def focus_first(self) -> None:
        """Put the focus on the list, at the latest when it has rows."""
        (self._list if self._stack.currentWidget() is self._list else self).setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Show list and pane one at a time, or side by side."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._reading = False
            self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys that lead from one part to another."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if watched is self._list and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._open_detail()
                return True
            if watched is self.search and key == Qt.Key.Key_Down:
                self._enter_list()
                return True
            if watched is self.search and key == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back from the pane to the list."""
        if event.key() == Qt.Key.Key_Escape and self._reading:
            self._close_detail()
        else:
            super().keyPressEvent(event)

    # For those that derive from this.

    def _name_search(self, name: str, tip: str) -> None:
        self.search.setAccessibleName(name)
        self.search.setToolTip(tip)

    def _segment(self, text: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setProperty("segment", True)
        return button

    def _fill_list(self, view: QListView, name: str, model: QAbstractItemModel, delegate: QStyledItemDelegate) -> None:
        """Have the list show entries that open their pane.

        Args:
            view: The list.
            name: What a screen reader calls it.
            model: Its entries.
            delegate: Draws them, all in one size.
        """
        view.setObjectName("servers")
        view.setAccessibleName(name)
        view.setModel(model)
        view.setItemDelegate(delegate)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _frame_list(self) -> None:
        """Put the list into a card, as rows want it."""
        self._card.setObjectName("card")
        self._stack.setContentsMargins(1, 4, 1, 4)

    def _stack_up(self, *between: QWidget) -> None:
        """Lay the head, what stands between, and list and pane one below the other."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self._head, *between):
            column.addWidget(widget)
        column.addWidget(self.splitter, 1)

    def _lay_side_by_side(self, shares: tuple[int, int], sizes: tuple[int, int], least_pane: int) -> None:
        self._card.setMinimumWidth(300)
        self._pane.setMinimumWidth(least_pane)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(12)
        for place, widget in enumerate((self._card, self._pane)):
            self.splitter.addWidget(widget)
            self.splitter.setStretchFactor(place, shares[place])
        self.splitter.setSizes(list(sizes))

    def _shows_pane(self) -> bool:
        """Whether there is something for the pane to say, in a wide window."""
        return True

    def _may_open(self) -> bool:
        """Whether something is chosen that the pane can be opened for."""
        return True

    def _enter_list(self) -> None:
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _enter_pane(self) -> None:
        self._pane.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_list(self) -> None:
        self._stack.setCurrentWidget(self._list)
        if self.hasFocus():
            self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open_detail(self) -> None:
        if self._narrow and self._may_open():
            self._reading = True
            self._arrange()
            self._enter_pane()

    def _close_detail(self) -> None:
        if self._reading:
            self._reading = False
            self._arrange()
            self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        self._head.setVisible(not self._reading)
        self._card.setVisible(not self._reading)
        self._pane.setVisible(self._reading or (not self._narrow and self._shows_pane()))
        set_page = getattr(self._pane, "set_page", None)
        if set_page is not None:
            set_page(self._narrow)

    def _tint(self) -> None:
        self._magnifier.setIcon(artwork.icon("search", QColor(self._theme.tokens.muted)))
        self._list.viewport().update()
