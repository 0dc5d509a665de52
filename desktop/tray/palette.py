"""The palette (Ctrl+K): servers, clients, places and actions, a few letters away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.tray import words
from desktop.tray.theme import Theme

__all__ = ["Entry", "Palette", "score"]

Index = QModelIndex | QPersistentModelIndex
SHOWN = 60
ROWS = 9
WIDTH_IN_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be done: its name, what kind of thing it is, and the doing."""

    name: str
    kind: str
    run: Callable[[], None]


def score(typed: str, entry: Entry) -> int:
    """How well an entry fits what was typed; 0 does not at all.

    The letters have to come in order. Words that begin with them weigh most, then letters in a row, then short names.
    """
    text, wanted = entry.name.casefold(), "".join(typed.casefold().split())
    if not wanted:
        return 1
    if wanted in text.replace(" ", ""):
        starts = any(part.startswith(wanted) for part in text.replace("-", " ").split())
        return 3000 - len(text) + (2000 if text.startswith(wanted) else 1000 if starts else 0)
    place, gaps = -1, 0
    for letter in wanted:
        found = text.find(letter, place + 1)
        if found < 0:
            return 0
        gaps += found - place - 1 if place >= 0 else 0
        place = found
    return max(1000 - 20 * gaps - len(text), 1)


class _Entries(QAbstractListModel):
    """The entries that fit, best first."""

    def __init__(self, entries: Iterable[Entry], parent: QObject) -> None:
        super().__init__(parent)
        self._all = tuple(entries)
        self._rows: list[Entry] = list(self._all[:SHOWN])

    def search(self, typed: str) -> None:
        """Show what fits."""
        ranked = [(score(typed, entry), number, entry) for number, entry in enumerate(self._all)]
        fitting = sorted((item for item in ranked if item[0]), key=lambda item: (-item[0], item[1]))
        self.beginResetModel()
        self._rows = [entry for _, _, entry in fitting[:SHOWN]]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many fit."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Name and kind."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{entry.name}, {entry.kind}"
            case Qt.ItemDataRole.UserRole:
                return entry
        return None


class _RowDelegate(QStyledItemDelegate):
    """A row: the name at its start, the kind at its end."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One line with air."""
        return QSize(100, QFontMetrics(option.font).height() + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw it."""
        entry: Entry = index.data(int(Qt.ItemDataRole.UserRole))
        tokens = self._theme.tokens
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selection))
            painter.drawRoundedRect(option.rect.adjusted(2, 1, -2, -1), 6, 6)
        metrics = QFontMetrics(option.font)
        inner = option.rect.adjusted(12, 0, -12, 0)
        kind_width = metrics.horizontalAdvance(entry.kind)
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
        end = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter
        name = QRect(inner.left(), inner.top(), inner.width() - kind_width - 16, inner.height())
        painter.setPen(QColor(tokens.text))
        painter.drawText(
            QStyle.visualRect(option.direction, inner, name),
            int(start),
            words.elided_to(entry.name, metrics, name.width()),
        )
        painter.setPen(QColor(tokens.muted))
        painter.drawText(inner, int(end), entry.kind)
        painter.restore()


class Palette(QDialog):
    """A field and the list of what fits; Return does it, Escape closes. Opened with `open`.

    Args:
        entries: Everything there is, in the order they have before anything is typed.
        theme: For its colours.
        parent: The window it lies over.
    """

    def __init__(self, entries: Iterable[Entry], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("palette")
        self.setWindowTitle(self.tr("Find anything"))
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Servers, clients, places, actions"))
        self.field.setAccessibleName(self.tr("Find anything"))
        self.model = _Entries(entries, self)
        self.view = QListView()
        self.view.setObjectName("servers")
        self.view.setAccessibleName(self.tr("What fits"))
        self.view.setModel(self.model)
        self.view.setItemDelegate(_RowDelegate(theme, self.view))
        self.view.setUniformItemSizes(True)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.clicked.connect(self._run)
        self.field.textChanged.connect(self._search)
        self.field.returnPressed.connect(lambda: self._run(self.view.currentIndex()))
        self.field.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.view)
        metrics = self.fontMetrics()
        width = min(metrics.averageCharWidth() * WIDTH_IN_CHARACTERS, parent.width() - 32)
        self.view.setFixedHeight((metrics.height() + 14) * ROWS)
        self.setFixedWidth(max(width, 260))
        place = parent.mapToGlobal(parent.rect().topLeft())
        self.move(place.x() + (parent.width() - self.width()) // 2, place.y() + max(parent.height() // 8, 24))
        self._search("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys walk the list while letters go into the field."""
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: ROWS, Qt.Key.Key_PageUp: -ROWS}
            step = steps.get(Qt.Key(event.key()))
            if step is not None:
                row = min(max(self.view.currentIndex().row() + step, 0), self.model.rowCount() - 1)
                self.view.setCurrentIndex(self.model.index(row))
                return True
        return super().eventFilter(watched, event)

    def _search(self, typed: str) -> None:
        self.model.search(typed)
        self.view.setCurrentIndex(self.model.index(0))

    def _run(self, index: QModelIndex) -> None:
        entry = index.data(int(Qt.ItemDataRole.UserRole)) if index.isValid() else None
        if isinstance(entry, Entry):
            self.accept()
            entry.run()
