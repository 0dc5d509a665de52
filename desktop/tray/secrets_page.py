"""The place "Secrets": secrets in one tab, sign-ins in the other."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.tray import artwork
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.page import Page
from desktop.tray.parts import MenuButton, heading
from desktop.tray.secrets_tab import SecretsTab
from desktop.tray.sign_ins_tab import SignInsTab
from desktop.tray.theme import Theme

__all__ = ["SecretsPage"]


class SecretsPage(Page):
    """Tabs, search and what can be added; the rest is the tabs' own."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.secrets = SecretsTab(bridge, actions, theme)
        self.sign_ins = SignInsTab(bridge, actions, theme)
        self.search = QLineEdit()
        self._tabs = QStackedWidget()
        self._tabs.addWidget(self.secrets)
        self._tabs.addWidget(self.sign_ins)
        self.secrets_button = self._segment(self.secrets)
        self.sign_ins_button = self._segment(self.sign_ins)
        self._build()
        self.secrets.counted.connect(self._count)
        self.secrets.sign_in_wanted.connect(self._show_supplier)
        bridge.sign_ins_changed.connect(self._count)
        theme.changed.connect(self._tint)
        self._tint()
        self._count()

    @property
    def tab(self) -> QWidget | None:
        """The tab that is shown."""
        return self._tabs.currentWidget()

    def show_sign_in(self, app: str = "") -> None:
        """Show the sign-ins, at an app."""
        self.search.clear()
        self.sign_ins_button.click()
        if app:
            self.sign_ins.show_app(app)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        for tab in (self.secrets, self.sign_ins):
            tab.body.close_drawer()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def focus_first(self) -> None:
        """Put the focus on the table."""
        (self.secrets if self.tab is self.secrets else self.sign_ins).body.focus_table()

    def set_narrow(self, narrow: bool) -> None:
        """Show table and drawer one at a time, or side by side."""
        for tab in (self.secrets, self.sign_ins):
            tab.body.set_narrow(narrow)

    def showEvent(self, event: QShowEvent) -> None:
        """Seen again: read what has changed."""
        super().showEvent(event)
        self.secrets.seen()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape clears the search, Down goes from it to the table."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self.focus_first()
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def _build(self) -> None:
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setAccessibleName(self.tr("Search secrets and sign-ins"))
        self.search.setToolTip(self.tr("Search names and servers (Ctrl+F)"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(self.fontMetrics().averageCharWidth() * 20)
        self.search.textChanged.connect(self.secrets.model.set_search)
        self.search.textChanged.connect(self.sign_ins.model.set_search)
        self.search.installEventFilter(self)
        self._magnifier = self.search.addAction(
            artwork.icon("search", QColor(self._theme.tokens.muted)), QLineEdit.ActionPosition.LeadingPosition
        )
        group = QButtonGroup(self)
        for button in (self.secrets_button, self.sign_ins_button):
            group.addButton(button)
        self.secrets_button.setChecked(True)
        self._menu = QMenu(self)
        self._menu.addAction(self.tr("Add a secret…")).triggered.connect(self.secrets.add)
        self._menu.addAction(self.tr("Import a .env file…")).triggered.connect(self.secrets.import_file)
        self._add = MenuButton(self._theme, self.tr("Add"), self._menu)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(4)
        head.addWidget(heading(self.tr("Secrets"), 4))
        head.addSpacing(16)
        head.addWidget(self.secrets_button)
        head.addWidget(self.sign_ins_button)
        head.addStretch(1)
        head.addWidget(self.search)
        head.addSpacing(4)
        head.addWidget(self._add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self._tabs, 1)

    def _segment(self, tab: QWidget) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.clicked.connect(lambda: self._show_tab(tab))
        return button

    def _show_tab(self, tab: QWidget) -> None:
        self._tabs.setCurrentWidget(tab)
        self._add.setVisible(tab is self.secrets)
        if tab is self.secrets:
            self.secrets.seen()

    def _show_supplier(self) -> None:
        secret = self.secrets.detail.secret
        wanted = secret.app if secret is not None else ""
        found = next(
            (status.app for status in self.sign_ins.model.statuses if wanted in (status.app, status.title)), ""
        )
        self.show_sign_in(found)

    def _count(self) -> None:
        for button, name, count in (
            (self.secrets_button, self.tr("Secrets"), len(self.secrets.model.secrets)),
            (self.sign_ins_button, self.tr("Sign-ins"), len(self.sign_ins.model.statuses)),
        ):
            button.setText(f"{name}  {count}" if count else name)
            button.setAccessibleName(f"{name}, {count}")

    def _tint(self) -> None:
        self._magnifier.setIcon(artwork.icon("search", QColor(self._theme.tokens.muted)))
