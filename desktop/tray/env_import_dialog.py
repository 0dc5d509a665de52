"""What a `.env` file would set, to choose from before anything is stored."""

from __future__ import annotations

from pathlib import Path

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.errors import GatewayError
from desktop.host import EnvLine
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.parts import muted
from desktop.tray.theme import Theme

__all__ = ["EnvImportDialog"]

SIZE_IN_CHARACTERS = (84, 22)


class EnvImportDialog(QDialog):
    """Lists the lines; those that replace a value are not chosen by themselves. Opened with `open`.

    Args:
        file: The `.env` file.
        lines: What it would set.
        actions: Sets what is chosen.
    """

    def __init__(
        self, file: Path, lines: tuple[EnvLine, ...], actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import {file}").format(file=words.elided(file.name, 60)))
        self._file = file
        self._lines = lines
        self._actions = actions
        self._theme = theme
        replaced = any(line.replaces for line in lines)
        text = self.tr("Values are kept sealed, and each is given to the servers alone that ask for it.")
        if replaced:
            text += " " + self.tr("Those that are set already stay as they are unless you choose them.")
        note = muted(text if lines else self.tr("The file sets nothing."))
        note.setWordWrap(True)
        self.table = QTableWidget(len(lines), 3)
        self._build_table()
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setStyleSheet(f"color: {theme.tokens.bad}")
        self._problem.hide()
        buttons = QDialogButtonBox()
        self.save = buttons.addButton(self.tr("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setProperty("primary", True)
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        column.addWidget(note)
        column.addWidget(self.table, 1)
        column.addWidget(self._problem)
        column.addWidget(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * SIZE_IN_CHARACTERS[0], metrics.lineSpacing() * SIZE_IN_CHARACTERS[1])
        self._count()

    def chosen(self) -> list[str]:
        """The names of the secrets to set."""
        rows = range(self.table.rowCount())
        return [self._lines[row].name for row in rows if self._mark(row).checkState() is Qt.CheckState.Checked]

    def _build_table(self) -> None:
        table = self.table
        table.setAccessibleName(self.tr("Secrets of the file"))
        table.setHorizontalHeaderLabels([self.tr("Secret"), self.tr("Used by"), self.tr("What happens")])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        for column in range(3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for row, line in enumerate(self._lines):
            mark = QTableWidgetItem(words.in_one_line(line.name))
            mark.setToolTip(words.elided(line.variable, 200))
            mark.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            wanted = not line.refused and not line.replaces
            mark.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
            if line.refused:
                mark.setFlags(Qt.ItemFlag.ItemIsSelectable)
            used = QTableWidgetItem(", ".join(line.servers) if line.servers else self.tr("no server"))
            used.setForeground(QColor(self._theme.tokens.muted))
            happens = QTableWidgetItem(self._happens(line))
            happens.setToolTip(happens.text())
            colour = self._theme.tokens.warn if line.replaces or line.refused else self._theme.tokens.muted
            happens.setForeground(QColor(colour))
            for column, item in enumerate((mark, used, happens)):
                table.setItem(row, column, item)
        table.itemChanged.connect(lambda _item: self._count())

    def _happens(self, line: EnvLine) -> str:
        if line.refused:
            return self.tr("can't be stored: {reason}").format(reason=line.refused)
        if line.alternatives:
            return self.tr("may stand for {names}").format(names=", ".join(line.alternatives))
        return self.tr("replaces what is set") if line.replaces else self.tr("is set")

    def _mark(self, row: int) -> QTableWidgetItem:
        item = self.table.item(row, 0)
        assert item is not None
        return item

    def _count(self) -> None:
        count = len(self.chosen())
        self.save.setText(self.tr("Import {count}").format(count=count) if count else self.tr("Import"))
        self.save.setEnabled(count > 0)

    def _save(self) -> None:
        file, names = self._file, self.chosen()
        self.save.setEnabled(False)
        self._problem.hide()
        self._actions.attempt(lambda host: host.secret_desk.import_env(file, names), self._imported)

    def _imported(self, error: GatewayError | None) -> None:
        if not shiboken6.isValid(self):
            return
        if error is None:
            self.accept()
            return
        self._count()
        self._problem.setText(" ".join(words.sentence(part) for part in (error.message, error.hint) if part))
        self._problem.show()
