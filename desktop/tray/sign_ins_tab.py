"""The sign-ins: the table of what one can be signed in to, and the drawer in which one signs in and out."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.host import SignInState, SignInStatus
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import ElidedLabel, enlarge, muted, tool_button
from desktop.tray.sign_in_list import SignInColumn, SignInList, SignInRole, state_word
from desktop.tray.sign_in_panel import SignInPanel
from desktop.tray.table import Table
from desktop.tray.table_and_drawer import TableAndDrawer
from desktop.tray.theme import Theme

__all__ = ["SignInDetail", "SignInsTab"]


class SignInDetail(QFrame):
    """The drawer at the side of the table.

    Signals:
        left: The person wants back to the table.
    """

    left = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._bridge = bridge
        self._theme = theme
        self._back = tool_button(self.tr("Back to the sign-ins"))
        self._back.clicked.connect(self.left)
        self._title = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        enlarge(self._title, 3)
        self.panel = SignInPanel(bridge, actions)
        self._facts = QWidget()
        facts = QFormLayout(self._facts)
        facts.setContentsMargins(0, 0, 0, 0)
        facts.setHorizontalSpacing(16)
        facts.setVerticalSpacing(4)
        self._lines = {name: ElidedLabel() for name in ("state", "ends", "servers")}
        for name, title in (
            ("state", self.tr("State")),
            ("ends", self.tr("Renewed")),
            ("servers", self.tr("Used by")),
        ):
            self._lines[name].setAccessibleName(title)
            facts.addRow(muted(title), self._lines[name])
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self._facts)
        column.addWidget(self.panel)
        column.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def set_page(self, alone: bool) -> None:
        """Alone in the window, with a way back, or beside the table."""
        self._back.setVisible(alone)

    def show_status(self, status: SignInStatus | None) -> None:
        """Show this one; None shows nothing."""
        self.panel.show_app(status.app if status is not None else "")
        self._facts.setVisible(status is not None)
        if status is None:
            self._title.say("")
            return
        self._title.say(status.title or status.app)
        self._lines["state"].say(state_word(status.state))
        ends = status.expires_at if status.state is SignInState.SIGNED_IN else None
        told = self.tr("by itself before {time}").format(time=words.day(ends)) if ends is not None else "–"
        self._lines["ends"].say(told)
        servers = [self._bridge.server(name) for name in status.servers]
        titles = [words.title_of(server) for server in servers if server is not None]
        self._lines["servers"].say(", ".join(titles) or self.tr("no server that is known"))

    def _tint(self) -> None:
        self._back.setIcon(artwork.icon("back", QColor(self._theme.tokens.text)))


class SignInsTab(QWidget):
    """Second tab of the place "Secrets"."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._bridge = bridge
        self._chosen = ""
        self.model = SignInList(bridge, theme, self)
        self.detail = SignInDetail(bridge, actions, theme)
        samples: dict[int, str] = {
            SignInColumn.STATE: "     " + state_word(SignInState.NEEDED),
            SignInColumn.USED_BY: "GitHub, PostgreSQL, Notion",
        }
        self.view = Table(self.tr("Sign-ins"), self.model, wide=SignInColumn.APP, samples=samples)
        self.body = TableAndDrawer(self.view, self.detail)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.body)
        self.view.selectionModel().currentRowChanged.connect(self._choose)
        self.view.opened.connect(self._open)
        self.model.modelReset.connect(self._show_rows_or_words)
        self.model.dataChanged.connect(lambda *_: self._show_status())
        self.detail.left.connect(self.body.close_drawer)
        theme.changed.connect(self.view.viewport().update)
        bridge.servers_changed.connect(lambda _names: self.view.viewport().update())
        self._show_rows_or_words()

    def show_app(self, app: str) -> None:
        """Choose an app."""
        self._chosen = app
        index = self.model.index_of(app)
        if index.isValid():
            self.view.choose(index)
            self._open()

    def _choose(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self._chosen = current.data(SignInRole).app
        self._show_status()

    def _open(self) -> None:
        self.body.open_drawer()
        self.detail.set_page(self.body.reading)

    def _show_status(self) -> None:
        index = self.view.currentIndex()
        self.detail.show_status(index.data(SignInRole) if index.isValid() else None)
        self.body.arrange()
        self.detail.set_page(self.body.reading)

    def _show_rows_or_words(self) -> None:
        if self.model.rowCount():
            self.view.choose(self.model.index_of(self._chosen))
        elif self.model.statuses:
            self.body.empty.say(self.tr("Nothing found"), "", self.tr("Show all"), lambda: self.model.set_search(""))
        else:
            self.body.empty.say(
                self.tr("Nothing to sign in to"),
                self.tr("Services that ask for a sign-in appear here once a server that uses one is on."),
            )
        self._show_status()
