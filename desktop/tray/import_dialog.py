"""The dialog that moves servers out of clients' files: chosen, looked through, moved, and brought back if wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.clients.candidates import Candidate, MovePlan
from desktop.clients.moving import Move
from desktop.errors import GatewayError
from desktop.host import Host
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.import_list import ImportDelegate, ImportList
from desktop.tray.parts import EmptyState, heading, muted
from desktop.tray.theme import Theme

__all__ = ["ImportDialog"]

WIDTH_IN_CHARACTERS: Final = 96
HEIGHT_IN_LINES: Final = 34
NAMES_SHOWN: Final = 5


class ImportDialog(QDialog):
    """Shows what clients have; moves what is chosen, then offers to take that back. Opened with `open`.

    Args:
        actions: Asks the host.
        theme: For its colours.
        parent: The window it belongs to.
    """

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import servers"))
        self._actions = actions
        self._theme = theme
        self._busy = False
        self._ended = False
        self._generation = 0
        self.model = ImportList(self)
        self.view = QListView()
        self.delegate = ImportDelegate(theme, self.view)
        self.empty = EmptyState()
        self.change = QPlainTextEdit()
        self._told = QLabel()
        self.undo = QPushButton(self.tr("Undo last import"))
        self.look = QPushButton(self.tr("Show change"))
        self.move_button = QPushButton()
        self.leave = QPushButton(self.tr("Cancel"))
        self._build()
        self.model.chosen_changed.connect(self._refresh)
        self.empty.say(self.tr("Looking at clients…"))
        self._say("")
        self._refresh()
        self.view.setFocus()
        self._ask_candidates()
        self._ask_last()

    def _build(self) -> None:
        about = muted(
            self.tr(
                "Each client starts its own servers, with keys in plain text. Moved here they run once for all, their keys "
                "are kept encrypted, and in the client's file one entry for the gateway stands in their place."
            )
        )
        about.setWordWrap(True)
        self.view.setObjectName("servers")
        self.view.setAccessibleName(self.tr("Servers of clients"))
        self.view.setModel(self.model)
        self.view.setItemDelegate(self.delegate)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.change.setReadOnly(True)
        self.change.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.change.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.change.setAccessibleName(self.tr("What moving would write"))
        self.change.setTabChangesFocus(True)
        card = QFrame()
        card.setObjectName("card")
        self._stack = QStackedLayout(card)
        self._stack.setContentsMargins(1, 4, 1, 4)
        for widget in (self.view, self.empty, self.change):
            self._stack.addWidget(widget)
        self._stack.setCurrentWidget(self.empty)
        self._told.setWordWrap(True)
        self._told.setTextFormat(Qt.TextFormat.PlainText)
        self.undo.hide()
        self.undo.clicked.connect(self._undo)
        self.look.setCheckable(True)
        self.look.setToolTip(self.tr("See what would be written, before anything is written"))
        self.look.toggled.connect(self._show_change)
        self.move_button.setProperty("primary", True)
        self.move_button.setDefault(True)
        self.move_button.clicked.connect(self._move)
        self.leave.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.undo)
        buttons.addStretch(1)
        for button in (self.look, self.move_button, self.leave):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        column.addWidget(heading(self.tr("Import servers"), 3))
        column.addWidget(about)
        column.addWidget(card, 1)
        column.addWidget(self._told)
        column.addLayout(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * WIDTH_IN_CHARACTERS, metrics.lineSpacing() * HEIGHT_IN_LINES)

    # What is there.

    def _ask_candidates(self) -> None:
        def shown(found: tuple[Candidate, ...]) -> None:
            if not shiboken6.isValid(self):
                return
            self.model.show_candidates(found)
            if found:
                self.view.setCurrentIndex(self.model.index(0))
                self._stack.setCurrentWidget(self.view)
            else:
                self.empty.say(
                    self.tr("No client has servers of its own"),
                    self.tr("Servers that Cursor, Claude, VS Code and others start by themselves appear here."),
                )
                self._stack.setCurrentWidget(self.empty)
            self._refresh()

        self._actions.ask(lambda host: host.importing.candidates(), shown)

    def _ask_last(self) -> None:
        def shown(last: Move | None) -> None:
            if shiboken6.isValid(self):
                self.undo.setVisible(last is not None)
                self.undo.setToolTip(self._list(last.servers) if last is not None else "")

        self._actions.ask(lambda host: host.importing.last(), shown)

    def _show_change(self, on: bool) -> None:
        self._generation += 1
        generation = self._generation
        if not on:
            self._stack.setCurrentWidget(self.view)
            self._refresh()
            return
        names = self.model.chosen()
        plans: list[MovePlan] = []

        async def plan(host: Host) -> None:
            plans.append(await host.importing.plan(names))

        def planned(error: GatewayError | None) -> None:
            if not shiboken6.isValid(self) or generation != self._generation:
                return
            if error is not None:
                self.look.setChecked(False)
                self._fail(error)
                return
            self.change.setPlainText(self._written(plans[0]))
            self._stack.setCurrentWidget(self.change)
            self._refresh()

        self._say("")
        self._actions.attempt(plan, planned)

    def _written(self, plan: MovePlan) -> str:
        parts = [self.tr("Servers here: {names}").format(names=", ".join(plan.servers))]
        if plan.secrets:
            parts.append(self.tr("Into the secret store: {names}").format(names=", ".join(plan.secrets)))
        return "\n\n".join(("\n".join(parts), *(change.diff.rstrip() for change in plan.changes)))

    # Moving and back.

    def _move(self) -> None:
        names = self.model.chosen()
        if not names or self._busy:
            return
        done: list[Move] = []

        async def move(host: Host) -> None:
            done.append(await host.importing.move(names))

        self._begin()
        self._actions.attempt(move, lambda error: self._moved(done[0] if done else None, error))

    def _moved(self, move: Move | None, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        self._busy = False
        if error is not None or move is None:
            self._fail(error)
            return
        self._ended = True
        told = [self._list(move.servers) + "."]
        if move.secrets:
            told.append(self.tr("Their keys are in the secret store now."))
        told.append(self.tr("A client that is open may have to be started anew to notice."))
        self.empty.say(self.tr("{servers} moved").format(servers=words.servers(len(move.servers))), " ".join(told))
        self._stack.setCurrentWidget(self.empty)
        self.undo.setText(self.tr("Undo"))
        self.undo.show()
        self._say("")
        self._refresh()
        self.leave.setFocus()

    def _undo(self) -> None:
        self._begin()
        self._actions.attempt(lambda host: host.importing.undo(), self._undone)

    def _undone(self, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        self._busy = False
        if error is not None:
            self._fail(error)
            return
        self._ended = False
        self.undo.hide()
        self.undo.setText(self.tr("Undo last import"))
        self._say(self.tr("Everything is as it was before the import."))
        self._refresh()
        self._ask_candidates()
        self._ask_last()

    def _begin(self) -> None:
        self._busy = True
        self._say("")
        self._refresh()

    def _fail(self, error: GatewayError | None) -> None:
        parts = (error.message, error.hint) if error is not None else (self.tr("That did not work"),)
        self._say(" ".join(words.sentence(part) for part in parts if part), bad=True)
        self._refresh()

    def _refresh(self) -> None:
        count = len(self.model.chosen())
        self.move_button.setText(
            self.tr("Move {servers}").format(servers=words.servers(count)) if count else self.tr("Move")
        )
        self.move_button.setEnabled(bool(count) and not self._busy)
        self.move_button.setVisible(not self._ended)
        self.look.setEnabled((bool(count) or self.look.isChecked()) and not self._busy)
        self.look.setVisible(not self._ended)
        self.look.setText(self.tr("Show list") if self.look.isChecked() else self.tr("Show change"))
        self.undo.setEnabled(not self._busy)
        self.leave.setText(self.tr("Close") if self._ended else self.tr("Cancel"))

    def _say(self, text: str, *, bad: bool = False) -> None:
        tokens = self._theme.tokens
        self._told.setStyleSheet(f"color: {tokens.bad if bad else tokens.muted}")
        self._told.setText(text)
        self._told.setVisible(bool(text))

    def _list(self, names: Iterable[str]) -> str:
        """Some names and how many more."""
        known = [words.elided(name, 40) for name in names]
        more = len(known) - NAMES_SHOWN
        shown = ", ".join(known[:NAMES_SHOWN])
        return self.tr("{names} and {count} more").format(names=shown, count=more) if more > 0 else shown
