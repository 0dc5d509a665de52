"""The first steps come by themselves once, when window and gateway are both there, and again whenever they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.main_window import MainWindow
from desktop.tray.theme import Theme

if TYPE_CHECKING:
    from desktop.tray.welcome import Welcome

__all__ = ["FirstRun"]


class FirstRun(QObject):
    """Opens the first steps over the window."""

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, window: MainWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._window = window
        self._offered = False
        self._shown: Welcome | None = None
        window.welcome_requested.connect(self.open)
        bridge.phase_changed.connect(self.offer)

    @property
    def shown(self) -> Welcome | None:
        """The window with the first steps while it is open."""
        return self._shown if self._shown is not None and shiboken6.isValid(self._shown) else None

    def offer(self) -> None:
        """Open them if nobody has seen them yet; not while the window is hidden, as after a start at login."""
        if self._offered or self._bridge.phase is not Phase.RUNNING or not self._window.isVisible():
            return
        self._offered = True
        if not self._bridge.chosen().welcomed:
            self.open()
            self._actions.ask(lambda host: host.preferences.change(welcomed=True), lambda _chosen: None)

    def open(self) -> None:
        """Open them, or bring them to the front."""
        if self.shown is None:
            from desktop.tray.welcome import Welcome  # here: most starts never open it

            self._shown = Welcome(self._bridge, self._actions, self._theme, self._window)
            self._shown.catalog_wanted.connect(lambda: self._window.open_place("catalog"))
        assert self._shown is not None
        self._shown.open()
