"""Notifications of what only the person can mend, each once; everything else is told in the window alone."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.tray import words
from desktop.tray.bridge import Bridge
from desktop.tray.client_notice import ClientNotice
from desktop.tray.icon import TrayIcon
from desktop.tray.main_window import MainWindow
from desktop.tray.sign_in_notice import SignInNotice

__all__ = ["Notifications"]

TITLE_LENGTH = 60


class Notifications(QObject):
    """Tells where the person looks, and has the matter at hand when they open the window.

    Args:
        bridge: What happens.
        icon: Where it is told.
        window: Led to the matter while nobody looks at it.
    """

    def __init__(self, bridge: Bridge, icon: TrayIcon, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._window = window
        self._sign_ins = SignInNotice(bridge, self)
        self._sign_ins.ended.connect(self._on_sign_in_ended)
        self._clients = ClientNotice(bridge, self)
        self._clients.dropped.connect(self._on_client_dropped)

    def _on_sign_in_ended(self, title: str, server: str) -> None:
        if not self._window.isVisible():
            self._window.show_server(server)
        self._icon.notify(
            self.tr("{title} wants you to sign in again").format(title=words.elided(title, TITLE_LENGTH)),
            self.tr("Its tools stay listed, and work again after it. Open MCP Gateway to sign in."),
        )

    def _on_client_dropped(self, name: str, id: str) -> None:
        if not self._window.isVisible():
            self._window.show_client(id)
        name = words.elided(name, TITLE_LENGTH)
        self._icon.notify(
            self.tr("{client} is no longer connected").format(client=name),
            self.tr("The entry is gone from its settings. Open MCP Gateway to connect it again."),
        )
