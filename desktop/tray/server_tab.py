"""What the tabs of a server's detail have in common."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.errors import ServerNotFoundError
from desktop.host import Host
from desktop.servers.status import ServerStatus
from desktop.tray.actions import Actions

__all__ = ["ServerTab", "scrolling"]

T = TypeVar("T")


class ServerTab(QWidget):
    """One tab. It works only while it is seen.

    Attributes:
        status: The server shown; None when none is.
    """

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self.status: ServerStatus | None = None

    @property
    def server(self) -> str:
        """Name of the server shown, or empty."""
        return self.status.name if self.status is not None else ""

    def show_server(self, status: ServerStatus | None) -> None:
        """Show a server, another one or the same in another state."""
        other = (status.name if status is not None else "") != self.server
        self.status = status
        if other:
            self.forget()
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Seen: bring up to date."""
        super().showEvent(event)
        self.refresh()

    def read(self, request: Callable[[Host], Coroutine[Any, Any, T]], then: Callable[[T | None], None]) -> None:
        """Ask the host about the server shown; the answer is dropped when another one is shown by then.

        Before the program is up nothing is asked: every tab is told to refresh when it is.

        Args:
            request: What to ask.
            then: Gets the answer; None for a server no catalog knows.
        """
        if not self._actions.ready:
            return
        name = self.server

        async def asked(host: Host) -> T | None:
            try:
                return await request(host)
            except ServerNotFoundError:
                return None

        def answered(answer: T | None) -> None:
            if shiboken6.isValid(self) and self.server == name:
                then(answer)

        self._actions.ask(asked, answered)

    def forget(self) -> None:
        """Another server comes: let nothing of the last one be seen."""

    def refresh(self) -> None:
        """Show what holds now."""


def scrolling(content: QWidget, into: QVBoxLayout) -> QScrollArea:
    """Put a column of widgets into a tab so that it scrolls where it doesn't fit."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    into.setContentsMargins(0, 0, 0, 0)
    into.addWidget(area)
    return area
