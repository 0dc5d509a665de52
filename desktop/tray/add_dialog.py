"""The dialog in which a server is added: one field for whatever was copied, and the form of what was understood of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import shiboken6
from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.clients.draft import Draft
from desktop.clients.pasted import Understanding
from desktop.errors import GatewayError
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.draft_form import DraftForm
from desktop.tray.parts import heading, muted
from desktop.tray.theme import Theme

__all__ = ["AddDialog"]

WIDTH_IN_CHARACTERS: Final = 84
LINES: Final = 5
HEIGHT_IN_LINES: Final = 34
PAUSE_MS: Final = 120
LONGEST_PASTE: Final = 20_000
EXAMPLES: Final = (
    "https://mcp.example.com/mcp",
    "docker run -i --rm -e API_KEY mcp/example",
    "npx -y @example/mcp-server",
    '{ "mcpServers": { … } }',
)


class _PasteField(QPlainTextEdit):
    """Takes text of any sort, but not so much of it that laying it out would hold the window up.

    Signals:
        refused: Too much was pasted, and nothing of it taken.
    """

    refused = Signal()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Take what is pasted or dropped."""
        if len(source.text()) > LONGEST_PASTE:
            self.refused.emit()
        else:
            super().insertFromMimeData(source)


class AddDialog(QDialog):
    """Takes anything; Add writes it, and stays open with the reason when that fails. Opened with `open`.

    Args:
        actions: Asks the host.
        theme: For its colours.
        parent: The window it belongs to.

    Signals:
        added: A server was added; the name of the first one.
        wanted: The person wants to see a server of the catalogs; its name.
    """

    added = Signal(str)
    wanted = Signal(str)

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Add a server"))
        self._actions = actions
        self._theme = theme
        self._generation = 0
        self._wanted = ""
        self._busy = False
        self.forms: list[DraftForm] = []
        self.text = _PasteField()
        self.text.refused.connect(
            lambda: self._say(self.tr("This is too much text for the description of a server."), bad=True)
        )
        self._told = QLabel()
        self._told.setWordWrap(True)
        self._told.setTextFormat(Qt.TextFormat.PlainText)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._understand)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(PAUSE_MS)
        self._look.timeout.connect(self._look_again)
        self._build()
        self._say("")
        self._refresh()
        self.text.setFocus()

    def _build(self) -> None:
        about = muted(
            self.tr(
                "Paste what a server's page shows: its address, a command, a client's configuration, "
                "or a name from the catalog."
            )
        )
        about.setWordWrap(True)
        self.text.setObjectName("entry")
        self.text.setAccessibleName(self.tr("What a server's page shows"))
        self.text.setPlaceholderText("\n".join(EXAMPLES))
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(self.fontMetrics().lineSpacing() * LINES + 18)
        self.text.textChanged.connect(self._timer.start)
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._content)
        self.buttons = QDialogButtonBox()
        self.add = self.buttons.addButton(self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.add.setProperty("primary", True)
        self.show_card = QPushButton(self.tr("Show in catalog"))
        self.show_card.setProperty("primary", True)
        self.buttons.addButton(self.show_card, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.accepted.connect(self._add)
        self.buttons.rejected.connect(self.reject)
        self.show_card.clicked.connect(self._show_card)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        column.addWidget(heading(self.tr("Add a server"), 3))
        column.addWidget(about)
        column.addWidget(self.text)
        column.addWidget(self._told)
        column.addWidget(scroll, 1)
        column.addWidget(self.buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * WIDTH_IN_CHARACTERS, metrics.lineSpacing() * HEIGHT_IN_LINES)

    def _understand(self) -> None:
        self._generation += 1
        generation, text = self._generation, self.text.toPlainText()

        def understood(found: Understanding) -> None:
            if shiboken6.isValid(self) and generation == self._generation:
                self._show(found)

        self._actions.ask(lambda host: host.adding.understand(text), understood)

    def _show(self, found: Understanding) -> None:
        for form in self.forms:
            self._column.removeWidget(form)
            form.hide()
            form.deleteLater()
        alone = len(found.drafts) == 1
        self.forms = [DraftForm(draft, self._theme, alone=alone) for draft in found.drafts]
        for place, form in enumerate(self.forms):
            self._column.insertWidget(place, form)
            form.edited.connect(self._refresh)
            form.edited.connect(self._look.start)
        self._wanted = found.wanted
        if found.problem:
            self._say(words.sentence(found.problem), bad=not found.drafts and not found.wanted)
        elif found.wanted:
            self._say(self.tr("The catalog has {name}.").format(name=found.wanted))
        elif found.drafts:
            self._say("" if alone else words.servers(len(found.drafts)))
        else:
            self._say("")
        self._refresh()

    def _look_again(self) -> None:
        """Something was changed in a form: see whether it can be added now."""
        generation, forms = self._generation, list(self.forms)
        drafts = [form.draft() for form in forms]

        def looked(found: Sequence[Draft]) -> None:
            if shiboken6.isValid(self) and generation == self._generation:
                for form, draft in zip(forms, found, strict=True):
                    form.show_findings(draft)
                self._refresh()

        self._actions.ask(lambda host: host.adding.look_at(drafts), looked)

    def _refresh(self) -> None:
        chosen = [form for form in self.forms if form.chosen.isChecked()]
        possible = bool(chosen) and not any(form.problem or not form.name.text().strip() for form in chosen)
        self.add.setText(self.tr("Add") if len(chosen) < 2 else self.tr("Add {count}").format(count=len(chosen)))
        self.add.setEnabled(possible and not self._busy)
        self.add.setVisible(not self._wanted)
        self.show_card.setVisible(bool(self._wanted))
        (self.show_card if self._wanted else self.add).setDefault(True)

    def _say(self, text: str, *, bad: bool = False) -> None:
        tokens = self._theme.tokens
        self._told.setStyleSheet(f"color: {tokens.bad if bad else tokens.muted}")
        self._told.setText(text)
        self._told.setVisible(bool(text))

    def _show_card(self) -> None:
        self.accept()
        self.wanted.emit(self._wanted)

    def _add(self) -> None:
        drafts = [form.draft() for form in self.forms if form.chosen.isChecked()]
        if not drafts:
            return
        self._busy = True
        self._refresh()
        self._actions.attempt(lambda host: host.adding.add(drafts), lambda error: self._added(drafts[0].name, error))

    def _added(self, name: str, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        self._busy = False
        if error is None:
            self.accept()
            self.added.emit(name)
            return
        self._say(" ".join(words.sentence(part) for part in (error.message, error.hint) if part), bad=True)
        self._refresh()
