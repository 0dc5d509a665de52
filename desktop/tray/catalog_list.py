"""The servers of the catalogs as a model, its filter, and the cards it draws."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.host import CatalogEntry
from desktop.servers.status import ServerKind
from desktop.tray import artwork, words
from desktop.tray.bridge import Bridge
from desktop.tray.theme import Theme

__all__ = ["CardDelegate", "CatalogFilter", "CatalogList", "CatalogOrder", "EntryRole", "badges"]

Index = QModelIndex | QPersistentModelIndex
EntryRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `CatalogEntry`."""
PADDING: Final = 14
GAP: Final = 4
LINES: Final = 3
CARD_LETTERS: Final = 40


class CatalogFilter(enum.Enum):
    """Which cards are shown."""

    ALL = "all"
    CONTAINER = "container"
    REMOTE = "remote"
    PACKAGE = "package"
    NO_KEY = "no key"


class CatalogList(QAbstractListModel):
    """One row per server, by title."""

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._rows: tuple[CatalogEntry, ...] = bridge.catalog()
        bridge.servers_changed.connect(lambda _names: self.refresh())
        bridge.phase_changed.connect(self.refresh)

    def entries(self) -> tuple[CatalogEntry, ...]:
        """Every server."""
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of servers."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the delegate, the filter and a screen reader want to know of a card."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.title
            case Qt.ItemDataRole.ToolTipRole:
                return words.elided(entry.description, 400)
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join((entry.title, *badges(entry), entry.description))
            case _ if role == EntryRole:
                return entry
        return None

    def index_of(self, name: str) -> QModelIndex:
        """The row of a server; invalid when there is none."""
        row = next((row for row, entry in enumerate(self._rows) if entry.name == name), None)
        return QModelIndex() if row is None else self.index(row)

    def refresh(self) -> None:
        """Follow the catalogs."""
        rows = self._bridge.catalog()
        if rows is self._rows:
            return
        if [entry.name for entry in rows] != [entry.name for entry in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        before, self._rows = self._rows, rows
        for row, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(row), self.index(row))


class CatalogOrder(QSortFilterProxyModel):
    """By title, or by how well they fit what is searched."""

    def __init__(self, source: CatalogList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._filter = CatalogFilter.ALL
        self._category = ""
        self._text = ""
        self._ranks: dict[str, int] = {}
        self.setSourceModel(source)
        self.setDynamicSortFilter(True)
        self.sort(0)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self._text or self._category) or self._filter is not CatalogFilter.ALL

    def set_filter(self, which: CatalogFilter) -> None:
        """Show only these."""
        self._filter = which
        self.invalidate()

    def set_category(self, category: str) -> None:
        """Show only those of a category; empty shows all."""
        self._category = category
        self.invalidate()

    def set_search(self, text: str, ranked: Sequence[str]) -> None:
        """Show what fits ``text``: what the search found in its order, and every name that has it."""
        self._text = text.strip().lower()
        self._ranks = {name: rank for rank, name in enumerate(ranked)}
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a card is shown."""
        entry: CatalogEntry = self.sourceModel().index(row, 0, parent).data(EntryRole)
        if self._category and entry.category != self._category:
            return False
        match self._filter:
            case CatalogFilter.CONTAINER if entry.kind not in (ServerKind.CONTAINER, ServerKind.TOOLS):
                return False
            case CatalogFilter.REMOTE if entry.kind is not ServerKind.REMOTE:
                return False
            case CatalogFilter.PACKAGE if entry.kind is not ServerKind.PACKAGE:
                return False
            case CatalogFilter.NO_KEY if entry.needs_key or entry.needs_sign_in:
                return False
        return not self._text or entry.name in self._ranks or self._text in f"{entry.title} {entry.name}".lower()

    def lessThan(self, left: Index, right: Index) -> bool:
        """The order of two cards."""
        if not self._text:
            return left.row() < right.row()
        last = len(self._ranks)
        ranks = [self._ranks.get(index.data(EntryRole).name, last) for index in (left, right)]
        return ranks[0] < ranks[1] if ranks[0] != ranks[1] else left.row() < right.row()


def badges(entry: CatalogEntry) -> tuple[str, ...]:
    """What a card says in its last line."""
    found = [words.kind_word(entry.kind)]
    if entry.needs_key:
        found.append(words.translate("Catalog", "needs a key"))
    if entry.needs_sign_in:
        found.append(words.translate("Catalog", "sign-in"))
    if entry.needs_settings:
        found.append(words.translate("Catalog", "settings"))
    if entry.pinned:
        found.append(words.translate("Catalog", "pinned"))
    return tuple(found)


class CardDelegate(QStyledItemDelegate):
    """A card: title, what it does, badges, and whether it is on."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._width = 0

    def set_width(self, width: int) -> None:
        """How wide a card is, so that whole columns fill the view."""
        self._width = width

    def least_width(self, metrics: QFontMetrics) -> int:
        """How narrow a card may become."""
        return metrics.averageCharWidth() * CARD_LETTERS

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """A title, some lines and the badges."""
        strong, small = _fonts(option.font)
        height = QFontMetrics(strong).height() + (LINES + 1) * QFontMetrics(small).lineSpacing() + 2 * GAP + 2 * PADDING
        return QSize(self._width or self.least_width(QFontMetrics(option.font)), height + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the card."""
        entry: CatalogEntry = index.data(EntryRole)
        tokens = self._theme.tokens
        strong, small = _fonts(option.font)
        flags = option.state
        chosen = bool(flags & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(option.rect).adjusted(4.5, 4.5, -4.5, -4.5)
        hovered = bool(flags & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(QColor(tokens.selection if chosen else tokens.hover if hovered else tokens.surface))
        focused = bool(flags & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(QColor(tokens.accent if focused else tokens.border), 2 if focused else 1))
        painter.drawRoundedRect(card, 8, 8)
        inner = option.rect.adjusted(PADDING + 4, PADDING + 2, -PADDING - 4, -PADDING - 2)
        align = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
        metrics, little = QFontMetrics(strong), QFontMetrics(small)
        title = QRect(inner.left(), inner.top(), inner.width(), metrics.height())
        if entry.enabled:
            mark = QRect(title.right() - 15, title.center().y() - 8, 16, 16)
            place = QStyle.visualRect(option.direction, inner, mark)
            artwork.paint(painter, "check", QRectF(place), QColor(tokens.ok))
            title.setWidth(title.width() - 24)
            title = QStyle.visualRect(option.direction, inner, title)
        painter.setFont(strong)
        painter.setPen(QColor(tokens.text))
        painter.drawText(
            title, int(align | Qt.AlignmentFlag.AlignVCenter), words.elided_to(entry.title, metrics, title.width())
        )
        painter.setFont(small)
        painter.setPen(QColor(tokens.muted))
        body = QRect(inner.left(), inner.top() + metrics.height() + GAP, inner.width(), little.lineSpacing() * LINES)
        text = words.elided_to(entry.description, little, body.width() * LINES - little.averageCharWidth() * 12)
        painter.drawText(body, int(align | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), text)
        foot = QRect(inner.left(), body.bottom() + 1 + GAP, inner.width(), little.height())
        line = " · ".join(badges(entry))
        painter.setPen(QColor(tokens.accent))
        painter.drawText(foot, int(align | Qt.AlignmentFlag.AlignVCenter), words.elided_to(line, little, foot.width()))
        painter.restore()


def _fonts(base: QFont) -> tuple[QFont, QFont]:
    strong, small = QFont(base), QFont(base)
    strong.setWeight(QFont.Weight.DemiBold)
    small.setPointSizeF(max(base.pointSizeF() - 0.5, 7.0))
    return strong, small
