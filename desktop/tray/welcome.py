"""The first steps: the container engine, some servers, the clients; each can be skipped, and each does its work at once."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.host import EngineState
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.banner import Banners
from desktop.tray.bridge import Bridge
from desktop.tray.parts import enlarge, muted
from desktop.tray.theme import Theme
from desktop.tray.welcome_steps import ClientsPane, EnginePane, Pane, ServersPane

__all__ = ["Welcome"]

WIDTH_IN_CHARACTERS = 92
LINES = 25


class Welcome(QDialog):
    """One window of three steps.

    Signals:
        catalog_wanted: The person wants to see all servers.
    """

    catalog_wanted = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._engine = EngineState.LOOKING
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("First steps"))
        self.setWindowIcon(artwork.app_icon())
        self.banners = Banners(theme, actions.copy)
        self.engine = EnginePane(bridge, actions, theme)
        self.servers = ServersPane(bridge, actions, theme)
        self.clients = ClientsPane(bridge, actions, theme)
        self._panes: tuple[Pane, ...] = (self.engine, self.servers, self.clients)
        self.servers.all_servers.clicked.connect(self._show_catalog)
        self._build()
        for pane in self._panes:
            pane.changed.connect(self._refresh)
        actions.failed.connect(self._tell_failure)
        actions.noticed.connect(self._note.setText)
        bridge.status_changed.connect(self._follow_engine)
        bridge.phase_changed.connect(self._follow_engine)
        self._follow_engine()
        self._go(0)

    @property
    def step(self) -> int:
        """Which step is shown, from 0."""
        return self._stack.currentIndex()

    def _build(self) -> None:
        self._count = muted("")
        self._title = QLabel()
        enlarge(self._title, 4)
        self._about = QLabel()
        self._about.setTextFormat(Qt.TextFormat.PlainText)
        self._about.setWordWrap(True)
        self._note = muted("")
        self._note.setWordWrap(True)
        self._stack = QStackedWidget()
        for pane in self._panes:
            self._stack.addWidget(pane)
        self.leave = QPushButton(self.tr("Skip all"))
        self.leave.setToolTip(self.tr("Close; the window's menu has the first steps again"))
        self.back = QPushButton(self.tr("Back"))
        self.go = QPushButton()
        self.go.setProperty("primary", True)
        self.go.setDefault(True)
        self.leave.clicked.connect(self.close)
        self.back.clicked.connect(lambda: self._go(self.step - 1))
        self.go.clicked.connect(self._forward)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.leave)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(4)
        column.addWidget(self._count)
        column.addWidget(self._title)
        column.addSpacing(4)
        column.addWidget(self._about)
        column.addSpacing(8)
        column.addWidget(self.banners)
        column.addWidget(self._stack, 1)
        column.addWidget(self._note)
        column.addSpacing(8)
        column.addLayout(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * WIDTH_IN_CHARACTERS, metrics.lineSpacing() * LINES + 200)

    def _go(self, step: int) -> None:
        self._stack.setCurrentIndex(step)
        self._note.clear()
        self._refresh()
        pane = self._panes[step]
        pane.enter()
        (pane.first() or self.go).setFocus(Qt.FocusReason.OtherFocusReason)

    def _forward(self) -> None:
        if self.step + 1 < len(self._panes):
            self._go(self.step + 1)
        else:
            self.close()

    def _refresh(self) -> None:
        pane, last = self._panes[self.step], self.step + 1 == len(self._panes)
        self._count.setText(self.tr("Step {step} of {count}").format(step=self.step + 1, count=len(self._panes)))
        self._title.setText(pane.title())
        self._about.setText(pane.about())
        self.setAccessibleDescription(f"{self._count.text()}: {self._title.text()}")
        self.back.setVisible(self.step > 0)
        self.leave.setVisible(not last)
        done = self.tr("Done") if last else self.tr("Continue")
        self.go.setText(done if pane.is_done() else pane.skip_word())

    def _follow_engine(self) -> None:
        """Offer what can run now; rows stay as they are until the engine comes or goes."""
        self.engine.follow()
        state = self._bridge.engine().state
        if state is not self._engine and state is not EngineState.LOOKING:
            self._engine = state
            self.servers.look()

    def _tell_failure(self, message: str, hint: str) -> None:
        self.banners.failure.clear()
        self.banners.failure.say(words.sentence(message), words.sentence(hint))

    def _show_catalog(self) -> None:
        self.close()
        self.catalog_wanted.emit()
