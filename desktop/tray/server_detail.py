"""The pane about one server: its name and state, and tabs for all that is to say about it."""

from __future__ import annotations

import enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.servers.status import ServerStatus
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.flow_row import FlowRow
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, rule, tool_button
from desktop.tray.server_logs_tab import ServerLogsTab
from desktop.tray.server_overview_tab import ServerOverviewTab
from desktop.tray.server_permissions_tab import ServerPermissionsTab
from desktop.tray.server_settings_tab import ServerSettingsTab
from desktop.tray.server_tab import ServerTab
from desktop.tray.server_tools_tab import ServerToolsTab
from desktop.tray.theme import Theme, state_colour

__all__ = ["DetailTab", "ServerDetail"]


class DetailTab(enum.Enum):
    """The tabs, in their order."""

    OVERVIEW = "overview"
    TOOLS = "tools"
    SETTINGS = "settings"
    LOGS = "logs"
    PERMISSIONS = "permissions"


class ServerDetail(QFrame):
    """Shows one server and offers what can be done with it.

    Attributes:
        overview, tools, settings, logs, permissions: The tabs.

    Signals:
        left: The person wants to go back to the list.
    """

    left = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._bridge = bridge
        self._theme = theme
        self._status: ServerStatus | None = None
        self.overview = ServerOverviewTab(bridge, actions, theme)
        self.tools = ServerToolsTab(actions, theme)
        self.settings = ServerSettingsTab(actions, theme)
        self.logs = ServerLogsTab(bridge, actions, theme)
        self.permissions = ServerPermissionsTab(actions, theme)
        self._tabs: dict[DetailTab, ServerTab] = {
            DetailTab.OVERVIEW: self.overview,
            DetailTab.TOOLS: self.tools,
            DetailTab.SETTINGS: self.settings,
            DetailTab.LOGS: self.logs,
            DetailTab.PERMISSIONS: self.permissions,
        }
        self._segments: dict[DetailTab, QPushButton] = {}
        self._build()
        bridge.servers_changed.connect(self._on_servers_changed)
        theme.changed.connect(self._refresh)
        self._refresh()

    @property
    def server(self) -> str:
        """Name of the server shown; empty when none is."""
        return self._status.name if self._status else ""

    def show_server(self, name: str) -> None:
        """Show another server, or none for an empty name."""
        self._status = self._bridge.server(name) if name else None
        self._refresh()
        for tab in self._tabs.values():
            tab.show_server(self._status)

    def show_tab(self, which: DetailTab) -> None:
        """Show a tab."""
        self._segments[which].setChecked(True)
        self._stack.setCurrentWidget(self._tabs[which])

    def set_page(self, page: bool) -> None:
        """Whether the pane fills the window and needs a way back."""
        self._back.setVisible(page)

    def _build(self) -> None:
        self._back = tool_button(self.tr("Back to the list"))
        self._back.clicked.connect(self.left)
        self._back.hide()
        self._title = ElidedLabel()
        enlarge(self._title, 4)
        self._mark = QLabel()
        self._mark.setFixedSize(16, 16)
        self._word = caption("")
        self._word.setObjectName("")
        self._source = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._source.setObjectName("muted")
        self._nothing = muted(self.tr("Choose a server to see what it does."))
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        head.addWidget(self._mark)
        head.addWidget(self._word)
        segments = FlowRow(4)
        group = QButtonGroup(self)
        names = {
            DetailTab.OVERVIEW: self.tr("Overview"),
            DetailTab.TOOLS: self.tr("Tools"),
            DetailTab.SETTINGS: self.tr("Settings"),
            DetailTab.LOGS: self.tr("Logs"),
            DetailTab.PERMISSIONS: self.tr("Permissions"),
        }
        self._stack = QStackedWidget()
        for which, tab in self._tabs.items():
            button = QPushButton(names[which])
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.setProperty("small", True)
            button.clicked.connect(lambda _on=False, which=which: self.show_tab(which))
            group.addButton(button)
            segments.add(button)
            self._segments[which] = button
            self._stack.addWidget(tab)
        top = QVBoxLayout()
        top.setContentsMargins(16, 16, 16, 8)
        top.setSpacing(0)
        top.addLayout(head)
        top.addSpacing(4)
        top.addWidget(self._source)
        top.addSpacing(8)
        top.addWidget(segments)
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(rule())
        column.addWidget(self._stack, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(self._content)
        outer.addWidget(self._nothing, 1)
        self.show_tab(DetailTab.OVERVIEW)

    def _on_servers_changed(self, names: frozenset[str]) -> None:
        if self._status and (not names or self._status.name in names):
            self.show_server(self._status.name)

    def _refresh(self) -> None:
        status = self._status
        self._content.setVisible(status is not None)
        self._nothing.setVisible(status is None)
        tokens = self._theme.tokens
        self._back.setIcon(artwork.icon("back", QColor(tokens.text)))
        if status is None:
            return
        colour = QColor(state_colour(tokens, status.state))
        self._title.say(words.title_of(status))
        self._source.say(f"{words.kind_word(status.kind)} · {status.source}".rstrip(" ·"))
        ratio = self.devicePixelRatioF()
        self._mark.setPixmap(artwork.pixmap(artwork.state_drawing(status.state), 16, colour, ratio))
        self._word.setText(words.state_word(status.state))
        self._word.setStyleSheet(f"color: {colour.name()}")
