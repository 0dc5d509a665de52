"""What every place of the window has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.theme import Theme

__all__ = ["Page", "Place"]


class Page(QWidget):
    """The content of one place. Made when the place is first visited, kept from then on.

    Signals:
        server_wanted: The person wants to see a server; its name.
    """

    server_wanted = Signal(str)

    def focus_search(self) -> None:
        """Put the cursor into the page's search field, where it has one."""
        self.focus_first()

    def focus_first(self) -> None:
        """Put the focus where work on this page begins."""
        self.setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Fit into a narrow window, or use the room of a wide one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the column at the left.

    Attributes:
        id: Its name in the code, and for `MainWindow.open_place`.
        drawing: Its icon (``resources/icons``).
        title: Its name for people, already translated.
        page: Makes its page.
        count: The number at the end of its row; 0 shows none.
        at_end: Whether it stands apart from the others, below them.
    """

    id: str
    drawing: str
    title: str
    page: Callable[[Bridge, Actions, Theme], Page]
    count: Callable[[Bridge], int] = lambda _bridge: 0
    at_end: bool = False
