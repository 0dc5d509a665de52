"""The place "Activity": plots of the last hour, the table of calls, and a drawer about the chosen one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QMessageBox,
    QTableView,
)

from desktop.activity.record import CallFilter, Outcome, Span
from desktop.activity.retention import Retention
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.call_detail import CallDetail
from desktop.tray.call_list import CallList, CallRole, Column
from desktop.tray.call_plots import CallPlots
from desktop.tray.parts import MenuButton, heading
from desktop.tray.split_page import SplitPage
from desktop.tray.theme import Theme

__all__ = ["ActivityPage"]

HOUR = 3600.0
PIECES = 60
LOOK_AGAIN = 5_000
"""Milliseconds until the plots are drawn anew after a call; time passes in them, and calls come in crowds."""
SEARCH_PAUSE = 200
DAYS = (1, 7, 30, 365)
CELL_PADDING = 26
TOOL_LETTERS = 20
BY_WORTH = (Column.TIME, Column.OUTCOME, Column.SERVER, Column.TOOK, Column.CLIENT, Column.SIZE)
"""The columns beside the tool's name, the most telling first."""


class ActivityPage(SplitPage):
    """Every call, as it happens."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        self.view = QTableView()
        self.detail = CallDetail(actions, theme)
        super().__init__(theme, self.view, self.detail)
        self._bridge = bridge
        self._actions = actions
        self._seen = False
        self.model = CallList(bridge, actions, theme, self)
        self.plots = CallPlots(theme)
        self._plot_timer = QTimer(self)
        self._plot_timer.setSingleShot(True)
        self._plot_timer.setInterval(LOOK_AGAIN)
        self._plot_timer.timeout.connect(self._read_spans)
        self._search_timer = QTimer(self)
        self._search_timer.setSingleShot(True)
        self._search_timer.setInterval(SEARCH_PAUSE)
        self._search_timer.timeout.connect(self._filter)
        self._build()
        self.model.rowsInserted.connect(self._show_rows_or_words)
        self.model.rowsRemoved.connect(self._show_rows_or_words)
        self.model.modelReset.connect(self._show_rows_or_words)
        self.model.filled.connect(self._show_rows_or_words)
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        bridge.calls_ended.connect(self._soon)
        bridge.phase_changed.connect(self._read_spans)
        self._show_rows_or_words()

    def showEvent(self, event: QShowEvent) -> None:
        """Seen for the first time: read what was kept. Seen again: time has passed in the plots."""
        super().showEvent(event)
        if not self._seen:
            self._seen = True
            self.model.read_again()
        self._read_spans()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A resized table fits its columns anew."""
        if watched is self.view and event.type() == QEvent.Type.Resize:
            self._fit_columns()
        return super().eventFilter(watched, event)

    def _build(self) -> None:
        self._name_search(self.tr("Search calls"), self.tr("Search client, server, tool and reason (Ctrl+F)"))
        self.search.textChanged.connect(lambda _text: self._search_timer.start())
        self._all = self._segment(self.tr("All"))
        self._failed = self._segment(self.tr("Failed"))
        group = QButtonGroup(self)
        for button in (self._all, self._failed):
            button.clicked.connect(self._filter)
            group.addButton(button)
        self._all.setChecked(True)
        self._make_menu()
        self._keep = MenuButton(self._theme, self.tr("Keep"), self._menu)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(heading(self.tr("Activity"), 4))
        head.addSpacing(16)
        head.addWidget(self._all)
        head.addWidget(self._failed)
        head.addStretch(1)
        head.addWidget(self.search)
        head.addSpacing(4)
        head.addWidget(self._keep)
        self._head.setLayout(head)
        self._build_table()
        self.detail.left.connect(self._close_detail)
        self._lay_side_by_side((5, 3), (560, 300), 260)
        self._stack_up(self.plots)

    def _build_table(self) -> None:
        view = self.view
        view.setObjectName("calls")
        view.setAccessibleName(self.tr("Calls"))
        view.setModel(self.model)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 7)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(Column.TOOL, QHeaderView.ResizeMode.Stretch)
        samples = {
            Column.TIME: "00:00:00",
            Column.CLIENT: "claude-code 2.4.1",
            Column.SERVER: "github-official",
            Column.TOOK: "00,00 ms",
            Column.SIZE: words.size(888),
            Column.OUTCOME: words.outcome_word(Outcome.TOOL_ERROR),
        }
        self._widths = {
            column: self.fontMetrics().horizontalAdvance(sample) + CELL_PADDING for column, sample in samples.items()
        }
        for column, width in self._widths.items():
            view.setColumnWidth(column, width)
        self._card.setObjectName("card")
        self._stack.setContentsMargins(1, 4, 1, 4)

    def _fit_columns(self) -> None:
        """Where there is no room for all columns, those that say least go first."""
        left = self.view.width() - self.view.verticalScrollBar().sizeHint().width()
        left -= self.fontMetrics().averageCharWidth() * TOOL_LETTERS
        kept = set()
        for column in BY_WORTH:
            left -= self._widths[column]
            if left < 0:
                break
            kept.add(column)
        for column in BY_WORTH:
            self.view.setColumnHidden(column, column not in kept)

    def _make_menu(self) -> None:
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._show_retention)
        self._on = self._menu.addAction(self.tr("Keep calls"))
        self._details = self._menu.addAction(self.tr("With arguments and results"))
        for action in (self._on, self._details):
            action.setCheckable(True)
            action.triggered.connect(self._set_retention)
        self._menu.addSeparator()
        self._days: dict[int, QAction] = {}
        group = QActionGroup(self)
        for days in DAYS:
            text = self.tr("For one day") if days == 1 else self.tr("For {count} days").format(count=days)
            action = self._days[days] = self._menu.addAction(text)
            action.setCheckable(True)
            action.triggered.connect(self._set_retention)
            group.addAction(action)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Export…")).triggered.connect(self._export)
        self._menu.addAction(self.tr("Forget all calls…")).triggered.connect(self._ask_to_clear)

    def _filter(self) -> None:
        self.model.set_wanted(CallFilter(text=self.search.text().strip(), failed=self._failed.isChecked()))

    def _soon(self, _calls: object) -> None:
        if not self._plot_timer.isActive():
            self._plot_timer.start()

    def _read_spans(self) -> None:
        if self._bridge.host is not None and self.isVisible():
            self._actions.ask(lambda host: host.activity.spans(seconds=HOUR, count=PIECES), self._show_spans)

    def _show_spans(self, spans: tuple[Span, ...]) -> None:
        self.plots.show_spans(spans)

    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.detail.show_call(current.data(CallRole) if current.isValid() else None)
        self._arrange()

    def _shows_pane(self) -> bool:
        return self.view.currentIndex().isValid()

    def _may_open(self) -> bool:
        return self.detail.call is not None

    def _enter_pane(self) -> None:
        self.detail.arguments.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        super()._arrange()
        self.plots.setVisible(not self._reading)

    def _show_rows_or_words(self) -> None:
        if self.model.rowCount():
            self._show_list()
            return
        if self.model.wanted.text or self.model.wanted.failed:
            self.empty.say(
                self.tr("Nothing found"),
                self.tr("No call matches what you look for."),
                self.tr("Show all"),
                self._show_all,
            )
        elif self._bridge.host is not None and not self._bridge.host.activity.retention.on:
            self.empty.say(
                self.tr("Calls are not kept"),
                self.tr("Turn it on, and calls appear here as they happen."),
                self.tr("Keep calls"),
                self._turn_on,
            )
        else:
            self.empty.say(
                self.tr("No calls yet"), self.tr("When a client calls a tool, it appears here as it happens.")
            )
        self._stack.setCurrentWidget(self.empty)
        self._arrange()

    def _show_all(self) -> None:
        self._all.setChecked(True)
        self.search.clear()
        self._filter()

    # What is kept.

    def _show_retention(self) -> None:
        host = self._bridge.host
        retention = host.activity.retention if host is not None else Retention()
        self._on.setChecked(retention.on)
        self._details.setChecked(retention.details)
        self._details.setEnabled(retention.on)
        for days, action in self._days.items():
            action.setChecked(days == retention.days)
            action.setEnabled(retention.on)

    def _set_retention(self) -> None:
        days = next((days for days, action in self._days.items() if action.isChecked()), Retention().days)
        retention = Retention(on=self._on.isChecked(), details=self._details.isChecked(), days=days)
        self._actions.ask(lambda host: host.activity.set_retention(retention), lambda _none: self._show_rows_or_words())

    def _turn_on(self) -> None:
        self._show_retention()
        self._on.setChecked(True)
        self._set_retention()

    def _export(self) -> None:
        dialog = QFileDialog(self, self.tr("Export calls"), "", self.tr("JSON lines (*.jsonl)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("jsonl")
        dialog.fileSelected.connect(self._export_to)
        dialog.open()

    def _export_to(self, file: str) -> None:
        wanted = self.model.wanted
        told = self.tr("Calls exported")
        self._actions.ask(
            lambda host: host.activity.export(Path(file), wanted), lambda _count: self._actions.noticed.emit(told)
        )

    def _ask_to_clear(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("Forget all calls"))
        box.setText(self.tr("Forget every call that was kept?"))
        box.setInformativeText(self.tr("Arguments and results go as well. This can't be undone."))
        forget = box.addButton(self.tr("Forget"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(self.tr("Keep them"), QMessageBox.ButtonRole.RejectRole)
        forget.clicked.connect(
            lambda: self._actions.ask(lambda host: host.activity.clear(), lambda _none: self.model.read_again())
        )
        box.open()
