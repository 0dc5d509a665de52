"""The icon in the tray: one of four states, legible on any panel, and a tooltip of one line."""

from __future__ import annotations

import enum
import os
import sys

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtGui import QColor, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from desktop.servers.status import ServerKind, ServerState
from desktop.tray import artwork, words
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.theme import Theme

__all__ = ["PanelTone", "TrayIcon", "TrayState", "panel_tone", "tooltip_of", "tray_icon", "tray_state"]

WATCHER = "org.kde.StatusNotifierWatcher"
LATE_TRAY = 1_000
"""Milliseconds between the coming of a tray's watcher and its being ready for icons."""
SETTLE = 500
"""Milliseconds a server may be starting before the icon says so; most starts are over by then."""


class TrayState(enum.Enum):
    """What the icon tells; the value names the drawing."""

    OK = "ok"
    WORKING = "working"
    ATTENTION = "attention"
    PAUSED = "paused"


class PanelTone(enum.Enum):
    """What the icon is drawn on."""

    LIGHT = "light"
    DARK = "dark"
    UNKNOWN = "unknown"
    MASK = "mask"


INKS = {
    PanelTone.LIGHT: ("#1B1F24", "#0B62D6", "#9A5B00"),
    PanelTone.DARK: ("#F0F3F6", "#5AA9FF", "#F0B429"),
    # Blue and orange of middle brightness: 3:1 and more on white, on black and on the greys of usual panels.
    PanelTone.UNKNOWN: ("#2F81F7", "#2F81F7", "#CF6B0A"),
    PanelTone.MASK: ("#000000", "#000000", "#000000"),
}
"""Colours of lines, working badge and attention badge. The badges differ in shape as well."""


def panel_tone(dark_scheme: bool) -> PanelTone:
    """What can be known of the panel's colour: on many Linux desktops it is not that of the windows."""
    if sys.platform == "darwin":
        return PanelTone.MASK
    if sys.platform == "win32":
        return PanelTone.LIGHT if _windows_taskbar_is_light() else PanelTone.DARK
    desktops = os.environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":")
    if {"gnome", "unity", "pantheon"} & set(desktops):
        return PanelTone.DARK
    if "kde" in desktops:
        return PanelTone.DARK if dark_scheme else PanelTone.LIGHT
    return PanelTone.UNKNOWN


def _windows_taskbar_is_light() -> bool:
    if sys.platform == "win32":
        import winreg  # there is no such module elsewhere

        path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
                return bool(winreg.QueryValueEx(key, "SystemUsesLightTheme")[0])
        except OSError:
            # Older than the setting: that taskbar is dark.
            return False
    return False


def tray_icon(state: TrayState, tone: PanelTone) -> QIcon:
    """The icon for a state on a panel."""
    line, accent, warn = INKS[tone]
    result = artwork.icon(f"tray-{state.value}", QColor(line), accent=accent, warn=warn)
    result.setIsMask(tone is PanelTone.MASK)
    return result


def tray_state(bridge: Bridge) -> TrayState:
    """What the icon should tell now. An absent engine matters only to who has a server that needs it."""
    if bridge.phase is Phase.FAILED:
        return TrayState.ATTENTION
    if bridge.phase is not Phase.RUNNING:
        return TrayState.WORKING
    if bridge.paused:
        return TrayState.PAUSED
    on = [status for status in bridge.servers() if status.enabled]
    endpoint = bridge.endpoint()
    engine_missed = words.engine_trouble(bridge.engine()) and any(
        status.kind in (ServerKind.CONTAINER, ServerKind.TOOLS) for status in on
    )
    if engine_missed or any(map(words.needs_person, on)) or bridge.problems() or (not endpoint.url and endpoint.reason):
        return TrayState.ATTENTION
    if bridge.questions():
        return TrayState.ATTENTION
    if any(status.state is ServerState.STARTING for status in on):
        return TrayState.WORKING
    return TrayState.OK


def tooltip_of(bridge: Bridge) -> str:
    """The program's name and one line of state."""
    translate = QCoreApplication.translate
    name = QGuiApplication.applicationDisplayName()
    on = [status for status in bridge.servers() if status.enabled]
    waiting = sum(map(words.needs_person, on))
    if bridge.phase is Phase.FAILED:
        line = bridge.failure[0]
    elif bridge.phase is Phase.STARTING:
        line = translate("Tray", "starting")
    elif bridge.phase is Phase.CLOSING:
        line = translate("Tray", "stopping servers")
    elif bridge.paused:
        line = translate("Tray", "paused")
    else:
        line = f"{words.servers(len(on))}, {words.tools(bridge.endpoint().tools)}"
        if waiting:
            line += " · " + words.waiting(waiting)
    return f"{name} — {line}"


class TrayIcon(QObject):
    """Keeps icon and tooltip in step with the host, and says when the person wants the window.

    Signals:
        opened: The icon was clicked.
    """

    opened = Signal()

    def __init__(self, bridge: Bridge, theme: Theme, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._theme = theme
        self._shown: tuple[TrayState, PanelTone] | None = None
        self._menu = menu
        self._wanted = False
        self._over_bus = False
        self._icon = self._make()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(lambda: self._show(tray_state(self._bridge)))
        self._double_click = QTimer(self)
        self._double_click.setSingleShot(True)
        self._double_click.setInterval(QApplication.doubleClickInterval())
        bridge.servers_changed.connect(lambda _names: self._refresh())
        bridge.status_changed.connect(self._refresh)
        bridge.problems_changed.connect(self._refresh)
        bridge.questions_changed.connect(self._refresh)
        theme.changed.connect(self._refresh)
        self._watcher = self._watch_bus()
        self._refresh()
        self._show(tray_state(bridge))

    @property
    def available(self) -> bool:
        """Whether there is a tray, with our icon in it."""
        return self._icon.isVisible() and QSystemTrayIcon.isSystemTrayAvailable()

    @property
    def drawn_by_panel(self) -> bool:
        """Whether the desktop draws our menu by itself (Linux, over D-Bus); then the icon has no place known to us."""
        return sys.platform.startswith("linux") and self._icon.geometry().isEmpty()

    @property
    def tooltip(self) -> str:
        """The line shown over the icon."""
        return self._icon.toolTip()

    @property
    def state(self) -> TrayState:
        """The state shown."""
        return self._shown[0] if self._shown else TrayState.WORKING

    def show(self) -> None:
        """Appear, now or as soon as there is a tray."""
        self._wanted = True
        self._icon.show()

    def hide(self) -> None:
        """Go away."""
        self._wanted = False
        self._icon.hide()

    def notify(self, title: str, text: str) -> bool:
        """Show a notification; False when this system shows none."""
        if not (self.available and QSystemTrayIcon.supportsMessages()):
            return False
        self._icon.showMessage(title, text, artwork.app_icon(), 8_000)
        return True

    def _make(self) -> QSystemTrayIcon:
        icon = QSystemTrayIcon(self)
        icon.setContextMenu(self._menu)
        icon.activated.connect(self._on_activated)
        icon.messageClicked.connect(self.opened)
        return icon

    def _watch_bus(self) -> QDBusServiceWatcher | None:
        """Notice a tray that comes late: Qt decides for good, when an icon is made, whether it goes over D-Bus."""
        bus = QDBusConnection.sessionBus()
        if not sys.platform.startswith("linux") or not bus.isConnected():
            return None
        self._over_bus = bool(bus.interface().isServiceRegistered(WATCHER).value())
        watcher = QDBusServiceWatcher(WATCHER, bus, QDBusServiceWatcher.WatchModeFlag.WatchForRegistration, self)
        watcher.serviceRegistered.connect(lambda _name: QTimer.singleShot(LATE_TRAY, self._remake))
        return watcher

    def _remake(self) -> None:
        """Make the icon anew, over D-Bus this time."""
        if self._over_bus or not self._wanted:
            return
        self._over_bus = True
        old, self._icon = self._icon, self._make()
        old.hide()
        old.deleteLater()
        shown, self._shown = self._shown, None
        self._refresh()
        self._show(shown[0] if shown else tray_state(self._bridge))
        self._icon.show()

    def _refresh(self) -> None:
        tooltip = tooltip_of(self._bridge)
        if tooltip != self._icon.toolTip():
            self._icon.setToolTip(tooltip)
        state = tray_state(self._bridge)
        if state is TrayState.WORKING and self._shown is not None and self._shown[0] is not TrayState.WORKING:
            if not self._settle.isActive():
                self._settle.start()
            return
        self._settle.stop()
        self._show(state)

    def _show(self, state: TrayState) -> None:
        wanted = (state, panel_tone(self._theme.tokens.dark))
        if wanted != self._shown:
            self._shown = wanted
            self._icon.setIcon(tray_icon(*wanted))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        """A click opens the window, once per double click; macOS opens the menu and nothing else."""
        clicks = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)
        if sys.platform != "darwin" and reason in clicks and not self._double_click.isActive():
            self._double_click.start()
            self.opened.emit()
