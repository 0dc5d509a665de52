"""What a server offers as a model: its tools with their switches, its prompts and resources; and the rows it draws."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)

from desktop.facets.server import OfferedEntry, ServerOffer
from desktop.servers.status import OfferedTool
from desktop.tray import words
from desktop.tray.switch_row import Row, SwitchRowDelegate

__all__ = ["EntryKind", "OfferEntry", "OfferRole", "ToolDelegate", "ToolList", "ToolOrder"]

Index = QModelIndex | QPersistentModelIndex
OfferRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `OfferEntry`."""


class EntryKind(enum.Enum):
    """What a row is about."""

    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferEntry:
    """One row.

    Attributes:
        kind: What it is.
        name: What the server calls it.
        shown: The name clients see.
        description: What it is for, on one line.
        tool: The tool, where it is one.
        on: Whether it may be used.
        denied: Whether the policy denies it.
    """

    kind: EntryKind
    name: str
    shown: str
    description: str = ""
    tool: OfferedTool | None = None
    on: bool = True
    denied: bool = False


class ToolList(QAbstractListModel):
    """One row per tool, prompt and resource, in the server's order.

    Signals:
        wished: The person switched a tool; its name, and whether it is to be on.
    """

    wished = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[OfferEntry] = []

    def entries(self) -> tuple[OfferEntry, ...]:
        """Every row."""
        return tuple(self._rows)

    def show(self, offer: ServerOffer, wishes: Mapping[str, bool]) -> None:
        """Show what a server offers.

        Args:
            offer: That.
            wishes: Tools that the person has switched while the host is still at it.
        """
        rows = [
            *(_tool(tool, offer, wishes) for tool in offer.tools),
            *(_entry(EntryKind.PROMPT, prompt) for prompt in offer.prompts),
            *(_entry(EntryKind.RESOURCE, resource) for resource in offer.resources),
        ]
        if [(row.kind, row.name) for row in rows] != [(row.kind, row.name) for row in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        before, self._rows = self._rows, rows
        for row, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Tools can be checked."""
        flags = super().flags(index)
        if index.isValid() and self._rows[index.row()].kind is EntryKind.TOOL:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the delegate, the search and a screen reader want to know of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.shown
            case Qt.ItemDataRole.ToolTipRole:
                return words.elided(f"{entry.name}: {entry.description}" if entry.description else entry.name, 400)
            case Qt.ItemDataRole.CheckStateRole if entry.kind is EntryKind.TOOL:
                return Qt.CheckState.Checked if entry.on else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.AccessibleTextRole:
                told = (entry.shown, kind_word(entry), note(entry), words.elided(entry.description, 200))
                return ", ".join(part for part in told if part)
            case _ if role == OfferRole:
                return entry
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Switch a tool."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        entry = self._rows[index.row()]
        if entry.kind is not EntryKind.TOOL:
            return False
        self.wished.emit(entry.name, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


class ToolOrder(QSortFilterProxyModel):
    """The rows that fit what is searched."""

    def __init__(self, source: ToolList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self.setSourceModel(source)

    def set_search(self, text: str) -> None:
        """Show what has every word of ``text`` in its names or its description."""
        self._words = tuple(text.lower().split())
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a row is shown."""
        if not self._words:
            return True
        entry: OfferEntry = self.sourceModel().index(row, 0, parent).data(OfferRole)
        text = f"{entry.shown} {entry.name} {entry.description}".lower()
        return all(word in text for word in self._words)


class ToolDelegate(SwitchRowDelegate):
    """The row of a tool, a prompt or a resource."""

    def row(self, index: Index) -> Row:
        """What it says."""
        entry: OfferEntry = index.data(OfferRole)
        tokens = self._theme.tokens
        destructive = entry.tool is not None and entry.tool.destructive and not entry.tool.read_only
        return Row(
            drawing=_drawing(entry),
            colour=tokens.warn if destructive or entry.denied else tokens.muted,
            title=entry.shown,
            faded=not entry.on or entry.denied,
            below=entry.description,
            word=kind_word(entry),
            note=note(entry),
            switchable=entry.kind is EntryKind.TOOL,
        )


def kind_word(entry: OfferEntry) -> str:
    """What matters most about a row, in a word or two; empty for a tool that says nothing of itself."""
    if entry.kind is EntryKind.PROMPT:
        return words.translate("Offer", "prompt")
    if entry.kind is EntryKind.RESOURCE:
        return words.translate("Offer", "resource")
    if entry.denied:
        return words.translate("Offer", "denied by policy")
    if entry.tool is not None and entry.tool.read_only:
        return words.translate("Offer", "read-only")
    if entry.tool is not None and entry.tool.destructive:
        return words.translate("Offer", "destructive")
    return ""


def note(entry: OfferEntry) -> str:
    """About how many tokens it takes."""
    return words.tokens(entry.tool.tokens) if entry.tool is not None and entry.tool.tokens else ""


def _drawing(entry: OfferEntry) -> str:
    if entry.tool is None:
        return entry.kind.value
    if entry.tool.read_only:
        return "look"
    return "warning" if entry.tool.destructive else "tool"


def _tool(tool: OfferedTool, offer: ServerOffer, wishes: Mapping[str, bool]) -> OfferEntry:
    return OfferEntry(
        kind=EntryKind.TOOL,
        name=tool.name,
        shown=tool.exposed or tool.name,
        description=words.in_one_line(tool.description or tool.title),
        tool=tool,
        on=wishes.get(tool.name, tool.name in offer.on),
        denied=tool.name in offer.denied,
    )


def _entry(kind: EntryKind, entry: OfferedEntry) -> OfferEntry:
    return OfferEntry(kind=kind, name=entry.name, shown=entry.name, description=words.in_one_line(entry.description))
