"""The secrets as a table: those that are missing on top, the others by name."""

from __future__ import annotations

import enum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from desktop.host import KeptSecret, SecretPlace
from desktop.tray import artwork, words
from desktop.tray.secret_words import place_words
from desktop.tray.table import Index, Rows
from desktop.tray.theme import Theme

__all__ = ["SecretColumn", "SecretList", "SecretRole"]

SecretRole = int(Qt.ItemDataRole.UserRole)
"""The role under which a row gives its `KeptSecret`."""
SERVERS_SHOWN = 3


class SecretColumn(enum.IntEnum):
    """What a row says, from the start of the line."""

    NAME = 0
    USED_BY = 1
    SET = 2
    KEPT = 3


class SecretList(Rows):
    """Shows the secrets it was given last, as far as they fit the search."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._all: tuple[KeptSecret, ...] = ()
        self._shown: tuple[KeptSecret, ...] = ()
        self._protection = ""
        self._only_missing = False

    @property
    def secrets(self) -> tuple[KeptSecret, ...]:
        """All there are."""
        return self._all

    @property
    def missing(self) -> int:
        """How many of them are missing."""
        return sum(secret.is_missing for secret in self._all)

    def missing_word(self) -> str:
        """What is said instead of the day where there is no value."""
        return self.tr("not set")

    def show(self, secrets: tuple[KeptSecret, ...]) -> None:
        """These are what there is now."""
        ordered = tuple(sorted(secrets, key=lambda secret: (not secret.is_missing, secret.name)))
        if ordered != self._all:
            self._all = ordered
            self._filter()

    def show_protection(self, protection: str) -> None:
        """What protects those that are stored."""
        if protection != self._protection:
            self._protection = protection
            if self._shown:
                last = self.index(len(self._shown) - 1, SecretColumn.KEPT)
                self.dataChanged.emit(self.index(0, SecretColumn.KEPT), last)

    def set_only_missing(self, only: bool) -> None:
        """Show those alone that are missing."""
        self._only_missing = only
        self._filter()

    def index_of(self, name: str) -> QModelIndex:
        """The row of a secret; invalid when it is not shown."""
        row = next((row for row, secret in enumerate(self._shown) if secret.name == name), None)
        return QModelIndex() if row is None else self.index(row, 0)

    def _count(self) -> int:
        return len(self._shown)

    def _headings(self) -> tuple[str, ...]:
        return (self.tr("Name"), self.tr("Used by"), self.tr("Set"), self.tr("Kept in"))

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the view and a screen reader want to know of a cell."""
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        secret, column, tokens = self._shown[index.row()], SecretColumn(index.column()), self._theme.tokens
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cell(secret, column)
            case Qt.ItemDataRole.ToolTipRole if column in (SecretColumn.NAME, SecretColumn.USED_BY):
                servers = ", ".join(use.title for use in secret.uses)
                return words.elided(secret.name if column is SecretColumn.NAME else servers, 400) or None
            case Qt.ItemDataRole.ForegroundRole:
                warned = secret.is_missing if column is SecretColumn.SET else secret.place is SecretPlace.SESSION
                if warned and column in (SecretColumn.SET, SecretColumn.KEPT):
                    return QColor(tokens.warn)
                return QColor(tokens.text if column is SecretColumn.NAME else tokens.muted)
            case Qt.ItemDataRole.DecorationRole if column is SecretColumn.SET and secret.is_missing:
                return artwork.icon("state-needs-setting", QColor(tokens.warn))
            case _ if role == SecretRole:
                return secret
        return None

    def _cell(self, secret: KeptSecret, column: SecretColumn) -> str:
        match column:
            case SecretColumn.NAME:
                return words.in_one_line(secret.name)
            case SecretColumn.USED_BY:
                titles = [words.in_one_line(use.title) for use in secret.uses]
                more = "" if len(titles) <= SERVERS_SHOWN else " …"
                return ", ".join(titles[:SERVERS_SHOWN]) + more if titles else self.tr("no server")
            case SecretColumn.SET if secret.place is SecretPlace.NOWHERE:
                return self.missing_word()
            case SecretColumn.SET:
                return words.day(secret.set_at) if secret.set_at is not None else "–"
            case SecretColumn.KEPT:
                return place_words(secret, self._protection)

    def _filter(self) -> None:
        terms = self._text.casefold().split()
        self.beginResetModel()
        self._shown = tuple(
            secret
            for secret in self._all
            if (secret.is_missing or not self._only_missing) and all(term in _searched(secret) for term in terms)
        )
        self.endResetModel()


def _searched(secret: KeptSecret) -> str:
    return " ".join((secret.name, *(f"{use.title} {use.server} {use.variable}" for use in secret.uses))).casefold()
