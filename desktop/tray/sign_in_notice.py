"""Notices when a sign-in ends by itself: a person who is not told finds their tools failing hours later."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.host import SignInState, SignInStatus
from desktop.tray.bridge import Bridge

__all__ = ["SignInNotice"]


class SignInNotice(QObject):
    """Compares each sign-in with how it was before.

    Signals:
        ended: Somebody was signed in there and has to sign in again; its title, and the name of a server that uses it.
    """

    ended = Signal(str, str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._states: dict[str, SignInState] = {}
        bridge.sign_ins_changed.connect(self._look)

    def _look(self) -> None:
        statuses = self._bridge.sign_ins()
        ended = [status for status in statuses if self._has_ended(status)]
        self._states = {status.app: status.state for status in statuses}
        for status in ended:
            self.ended.emit(status.title or status.app, status.servers[0])

    def _has_ended(self, status: SignInStatus) -> bool:
        was = self._states.get(status.app)
        if was is not SignInState.SIGNED_IN or status.state is not SignInState.NEEDED:
            return False
        servers = [self._bridge.server(name) for name in status.servers]
        return any(server is not None and server.enabled for server in servers)
