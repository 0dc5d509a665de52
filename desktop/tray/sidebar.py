"""The column at the left: the program's menu, its places, and where the container engine is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout

from desktop.host import EngineState
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.page import Place
from desktop.tray.parts import ElidedLabel, PlaceButton, heading, tool_button
from desktop.tray.theme import Theme

__all__ = ["Sidebar"]

WIDTH_IN_CHARACTERS = 28
COMPACT_WIDTH = 56


class Sidebar(QFrame):
    """Places and engine; shrinks to icons where the window is narrow.

    Signals:
        chosen: A place was clicked; its id.
        walked: The arrow keys went to a place; its id. The focus stays in the column, so that they go on from there.
    """

    chosen = Signal(str)
    walked = Signal(str)

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, menu: QMenu, places: Sequence[Place]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self._bridge = bridge
        self._theme = theme
        self._compact = False
        self._logo = QLabel()
        self._logo.setFixedSize(24, 24)
        self._name = heading(self.tr("MCP Gateway"), 1)
        self.menu_button = tool_button(self.tr("Menu"))
        self.menu_button.setMenu(menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.places = {place.id: self._button(place, number) for number, place in enumerate(places, start=1)}
        self._counts = [(self.places[place.id], place.count) for place in places]
        group = QButtonGroup(self)
        for button in self.places.values():
            group.addButton(button)
        self._mark = QLabel()
        self._mark.setFixedSize(16, 16)
        self._engine = ElidedLabel()
        self.retry = QPushButton(self.tr("Retry"))
        self.retry.setToolTip(self.tr("Look for the container engine again"))
        self.retry.clicked.connect(actions.retry_engine)
        self.retry_icon = tool_button(self.tr("Look for the container engine again"))
        self.retry_icon.clicked.connect(actions.retry_engine)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._logo)
        head.addWidget(self._name)
        head.addStretch(1)
        head.addWidget(self.menu_button)
        chip = QHBoxLayout()
        chip.setContentsMargins(10, 0, 4, 0)
        chip.setSpacing(8)
        chip.addWidget(self._mark)
        chip.addWidget(self._engine, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 16, 12, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addSpacing(8)
        below = [place for place in places if place.at_end]
        for place in places:
            if not place.at_end:
                column.addWidget(self.places[place.id])
        column.addStretch(1)
        for place in below:
            column.addWidget(self.places[place.id])
        if below:
            column.addSpacing(4)
        column.addLayout(chip)
        column.addWidget(self.retry)
        column.addWidget(self.retry_icon, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column, self._chip = column, chip
        bridge.status_changed.connect(self._refresh)
        bridge.servers_changed.connect(lambda _names: self._count())
        bridge.status_changed.connect(self._count)
        bridge.clients_changed.connect(self._count)
        theme.changed.connect(self._refresh)
        self.set_compact(False)
        self._count()

    def set_compact(self, compact: bool) -> None:
        """Icons only, or icons with words."""
        self._compact = compact
        self._name.setVisible(not compact)
        self._logo.setVisible(not compact)
        self._engine.setVisible(not compact)
        for button in self.places.values():
            button.compact = compact
        wide = self.fontMetrics().averageCharWidth() * WIDTH_IN_CHARACTERS
        head = self._name.sizeHint().width() + self._logo.sizeHint().width() + self.menu_button.sizeHint().width() + 56
        self.setFixedWidth(COMPACT_WIDTH if compact else max(wide, head, 180))
        self._chip.setContentsMargins(12 if compact else 10, 0, 4, 0)
        self._column.setContentsMargins(8 if compact else 12, 16, 8 if compact else 12, 12)
        self._refresh()

    def show_place(self, place: str) -> None:
        """Mark the place the window is at."""
        self.places[place].setChecked(True)

    def _button(self, place: Place, number: int) -> PlaceButton:
        button = PlaceButton(self._theme, place.drawing, place.title)
        button.setToolTip(self.tr("{place} (Ctrl+{number})").format(place=place.title, number=number))
        button.clicked.connect(lambda: self._go(button, place.id))
        return button

    def _go(self, button: PlaceButton, place: str) -> None:
        """A click and Space are given to the button that has the focus; the arrow keys come from another one."""
        from_another = any(other.hasFocus() for other in self.places.values() if other is not button)
        (self.walked if from_another else self.chosen).emit(place)

    def _count(self) -> None:
        for button, count in self._counts:
            button.set_count(count(self._bridge))

    def _refresh(self) -> None:
        tokens = self._theme.tokens
        ratio = self.devicePixelRatioF()
        self._logo.setPixmap(artwork.app_icon().pixmap(QSize(24, 24), ratio))
        self.menu_button.setIcon(artwork.icon("menu", QColor(tokens.text)))
        self.retry_icon.setIcon(artwork.icon("retry", QColor(tokens.text)))
        engine = self._bridge.engine()
        trouble = words.engine_trouble(engine)
        drawing, colour = "state-starting", tokens.muted
        if engine.state is EngineState.CONNECTED:
            drawing, colour = "state-ready", tokens.ok
        elif trouble:
            drawing, colour = "state-needs-setting", tokens.warn
        self._mark.setPixmap(artwork.pixmap(drawing, 16, QColor(colour), ratio))
        text = words.engine_words(engine) if self._bridge.phase is not Phase.FAILED else ""
        self._engine.say(text)
        self._mark.setToolTip(text)
        self._mark.setAccessibleName(text)
        self._mark.setVisible(bool(text))
        self.retry.setVisible(trouble and not self._compact)
        self.retry_icon.setVisible(trouble and self._compact)
