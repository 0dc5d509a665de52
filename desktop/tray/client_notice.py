"""Notices when a client drops our entry from its file: its tools are gone, and nothing else would say why."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.clients.view import ClientState
from desktop.tray.bridge import Bridge

__all__ = ["ClientNotice"]


class ClientNotice(QObject):
    """Compares each client with how it was before.

    Signals:
        dropped: A client that had our entry has it no more; its name and id.
    """

    dropped = Signal(str, str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._states: dict[str, ClientState] = {}
        bridge.clients_changed.connect(self._look)

    def _look(self) -> None:
        views = self._bridge.clients()
        dropped = [
            view
            for view in views
            if view.state is ClientState.DROPPED and self._states.get(view.id, view.state) is not view.state
        ]
        self._states = {view.id: view.state for view in views}
        for view in dropped:
            self.dropped.emit(view.name, view.id)
