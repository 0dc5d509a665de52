"""The form of one server that is about to be added."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from desktop.clients.draft import Draft, DraftValue
from desktop.servers.status import ServerKind
from desktop.tray import words
from desktop.tray.parts import ElidedLabel, caption, muted
from desktop.tray.theme import Theme

__all__ = ["DraftForm"]

LONGEST_WORD = 48


class DraftForm(QFrame):
    """Shows what was understood of a server; name, title and values can be changed.

    Args:
        draft: The server.
        alone: Whether it is the only one, so that there is no choice of leaving it out.

    Signals:
        edited: Something was changed.
    """

    edited = Signal()

    def __init__(self, draft: Draft, theme: Theme, *, alone: bool) -> None:
        super().__init__()
        self.setObjectName("card")
        self._draft = draft
        self.chosen = QCheckBox(words.elided(draft.title or draft.name, 80))
        self.chosen.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.chosen.setToolTip(self.tr("Add this server"))
        self.chosen.setChecked(alone or not draft.problem)
        self.chosen.setVisible(not alone)
        self.chosen.toggled.connect(self._choose)
        self.name = QLineEdit(draft.name)
        self.title = QLineEdit(draft.title)
        self._fields: list[tuple[str, QLineEdit, QCheckBox]] = []
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setStyleSheet(f"color: {theme.tokens.bad}")
        self._source = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._arguments = _text()
        self._mounts = _text()
        self._body = QWidget()
        self._lay_out()
        self.show_findings(draft)
        self._choose(self.chosen.isChecked())

    def draft(self) -> Draft:
        """The server as the form says it now."""
        return replace(
            self._draft,
            name=self.name.text().strip(),
            title=words.in_one_line(self.title.text()),
            values=tuple(
                DraftValue(name=name, value=line.text().strip(), is_secret=secret.isChecked())
                for name, line, secret in self._fields
            ),
        )

    @property
    def problem(self) -> str:
        """Why the server can't be added as it is; else empty."""
        return self._draft.problem

    def show_findings(self, draft: Draft) -> None:
        """Show what follows from the rest: kind, source, arguments, mounts, or a problem."""
        self._draft = draft
        kinds = {"container": ServerKind.CONTAINER, "package": ServerKind.PACKAGE, "remote": ServerKind.REMOTE}
        kind = words.kind_word(kinds[draft.kind]) if draft.kind in kinds else ""
        self._source.say(" · ".join(part for part in (kind, draft.source) if part))
        self._source.setAccessibleName(self._source.text())
        for row, label, text in (
            (self._argument_rows, self._arguments, " ".join(map(_short, draft.arguments))),
            (self._mount_rows, self._mounts, "\n".join(map(_short, draft.mounts))),
        ):
            label.setText(text)
            row.setVisible(bool(text))
            label.setVisible(bool(text))
        self._problem.setText(self.tr("It can't be added: {reason}.").format(reason=draft.problem))
        self._problem.setVisible(bool(draft.problem))

    def _lay_out(self) -> None:
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self._named(grid, self.tr("Name"), self.name)
        self._named(grid, self.tr("Title"), self.title)
        self.name.setToolTip(self.tr("Commands, files and tools call it so"))
        self._named(grid, self.tr("Runs"), self._source)
        self._argument_rows = self._named(grid, self.tr("Arguments"), self._arguments)
        self._mount_rows = self._named(grid, self.tr("Sees"), self._mounts)
        if self._draft.values:
            what = self.tr("Headers") if self._draft.kind == "remote" else self.tr("Environment")
            grid.addWidget(caption(what), grid.rowCount(), 0, 1, 3)
            for value in self._draft.values:
                self._add_value(grid, value)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.chosen)
        column.addWidget(self._body)
        column.addWidget(self._problem)
        for line in (self.name, self.title):
            line.textEdited.connect(lambda _text: self.edited.emit())

    def _named(self, grid: QGridLayout, text: str, widget: QWidget) -> QLabel:
        label = muted(text)
        label.setBuddy(widget)
        widget.setAccessibleName(text)
        row = grid.rowCount()
        top = Qt.AlignmentFlag.AlignTop if isinstance(widget, QLabel) else Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(label, row, 0, top)
        grid.addWidget(widget, row, 1, 1, 2)
        return label

    def _add_value(self, grid: QGridLayout, value: DraftValue) -> None:
        line = QLineEdit(value.value)
        line.setAccessibleName(value.name)
        line.setPlaceholderText(self.tr("not set"))
        secret = QCheckBox(self.tr("Secret"))
        secret.setChecked(value.is_secret)
        secret.setEnabled(self._draft.document is None)  # what a registry says of it holds
        secret.setAccessibleName(self.tr("{name} is a secret").format(name=value.name))
        secret.setToolTip(self.tr("Kept encrypted in the secret store, given to this server alone"))

        def hide(on: bool) -> None:
            line.setEchoMode(QLineEdit.EchoMode.Password if on else QLineEdit.EchoMode.Normal)

        hide(value.is_secret)
        secret.toggled.connect(hide)
        secret.toggled.connect(lambda _on: self.edited.emit())
        line.textEdited.connect(lambda _text: self.edited.emit())
        name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        name.say(value.name)
        name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        name.setMaximumWidth(self.fontMetrics().averageCharWidth() * 32)
        name.setBuddy(line)
        row = grid.rowCount()
        grid.addWidget(name, row, 0)
        grid.addWidget(line, row, 1)
        grid.addWidget(secret, row, 2)
        self._fields.append((value.name, line, secret))

    def _choose(self, on: bool) -> None:
        self._body.setVisible(on)
        self.edited.emit()


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _short(text: str) -> str:
    """A word that fits the dialog."""
    return words.elided(text, LONGEST_WORD)
