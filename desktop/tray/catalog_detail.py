"""The drawer about one server of the catalogs: what it does, what it may, and the button that turns it on."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.host import CatalogEntry
from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.catalog_list import badges
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, rule, tool_button
from desktop.tray.theme import Theme

__all__ = ["CatalogDetail"]

TOOLS_SHOWN = 60


class CatalogDetail(QFrame):
    """Shows one server.

    Signals:
        left: The person wants back to the cards.
        wanted: The person wants to see it among the servers; its name.
    """

    left = Signal()
    wanted = Signal(str)

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._entry: CatalogEntry | None = None
        self._back = tool_button(self.tr("Back to the catalog"))
        self._back.clicked.connect(self.left)
        self._back.hide()
        self._title = ElidedLabel()
        enlarge(self._title, 4)
        self._source = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._source.setObjectName("muted")
        self._badges = muted("")
        self._description = QLabel()
        self._permissions = QLabel()
        self._tools = QLabel()
        self._by = muted("")
        for label in (self._badges, self._description, self._permissions, self._tools, self._by):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.switch = QPushButton()
        self.switch.clicked.connect(self._toggle)
        self.settings = QPushButton(self.tr("Settings…"))
        self.settings.clicked.connect(lambda: self._actions.edit_settings(self.server, self._theme, self.window()))
        self.show_server = QPushButton(self.tr("Show server"))
        self.show_server.clicked.connect(lambda: self.wanted.emit(self.server))
        self.read = QPushButton(self.tr("Read more"))
        self.read.setToolTip(self.tr("Open the page about it in the browser"))
        self.read.clicked.connect(self._open_page)
        self.remove = QPushButton(self.tr("Remove…"))
        self.remove.setToolTip(self.tr("Take this server, which you added, out of your catalog"))
        self.remove.clicked.connect(self._ask_to_remove)
        self._by_hand: frozenset[str] = frozenset()
        self._address = ""
        self._lay_out()
        actions.wishes_changed.connect(lambda _name: self._refresh())
        theme.changed.connect(self._refresh)
        self._refresh()

    @property
    def server(self) -> str:
        """Name of the server shown; empty when none is."""
        return self._entry.name if self._entry else ""

    def show_entry(self, entry: CatalogEntry | None) -> None:
        """Show another server, or none."""
        changed = entry is None or self._entry is None or entry.name != self._entry.name
        self._entry = entry
        if changed:
            self._read_details()
            if entry is not None:
                self._actions.ask(lambda host: host.adding.added(), self._know_added)
            self._scroll.verticalScrollBar().setValue(0)
        self._refresh()

    def set_page(self, page: bool) -> None:
        """Whether the drawer fills the window and needs a way back."""
        self._back.setVisible(page)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.switch, self.settings, self.show_server, self.read):
            buttons.addWidget(button)
        buttons.addStretch(1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._source)
        column.addWidget(self._badges)
        column.addSpacing(8)
        column.addWidget(self._description)
        column.addSpacing(12)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignLeading)
        column.addSpacing(8)
        column.addWidget(rule())
        column.addSpacing(8)
        self._permissions_head = caption(self.tr("When it is on, it may"))
        column.addWidget(self._permissions_head)
        column.addWidget(self._permissions)
        column.addSpacing(12)
        self._tools_head = caption("")
        column.addWidget(self._tools_head)
        column.addWidget(self._tools)
        column.addSpacing(12)
        column.addWidget(self._by)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(self._scroll)

    def _read_details(self) -> None:
        details = self._bridge.catalog_details(self.server) if self._entry is not None else None
        if details is None:
            return
        self._permissions.setText("\n".join(f"•  {phrase}" for phrase in details.permissions))
        self._permissions_head.setVisible(bool(details.permissions))
        self._tools_head.setText(words.tools(len(details.tools)))
        shown = [f"{tool.name}\n{words.elided(tool.about, 160)}".strip() for tool in details.tools[:TOOLS_SHOWN]]
        more = len(details.tools) - TOOLS_SHOWN
        if more > 0:
            shown.append(self.tr("And {count} more.").format(count=more))
        self._tools.setText("\n\n".join(shown))
        for widget in (self._tools_head, self._tools):
            widget.setVisible(bool(details.tools))
        facts = [part for part in (details.owner, details.license) if part]
        self._by.setText(" · ".join(facts))
        self._by.setVisible(bool(facts))
        address = details.source or details.readme
        self._address = address if address.startswith(("https://", "http://")) else ""

    def _refresh(self) -> None:
        self._back.setIcon(artwork.icon("back", QColor(self._theme.tokens.text)))
        entry = self._entry
        if entry is None:
            return
        self._title.say(entry.title)
        self._source.say(entry.source)
        self._badges.setText(" · ".join(badges(entry)))
        self._description.setText(entry.description)
        self._description.setVisible(bool(entry.description))
        wish = self._actions.wish(entry.name)
        on = entry.enabled if wish is None else wish
        self.switch.setText(self.tr("Turn off") if on else self.tr("Turn on"))
        self.switch.setProperty("primary", not on)
        self.switch.style().unpolish(self.switch)
        self.switch.style().polish(self.switch)
        self.settings.setVisible(entry.needs_key or entry.needs_settings)
        self.show_server.setVisible(on)
        self.remove.setVisible(entry.name in self._by_hand)
        self.read.setVisible(bool(self._address))

    def _toggle(self) -> None:
        """Turn it on or off; a server that wants settings asks for them right away."""
        entry = self._entry
        if entry is None:
            return
        self._actions.set_enabled(entry.name, not entry.enabled)
        if not entry.enabled and (entry.needs_key or entry.needs_settings):
            self._actions.edit_settings(entry.name, self._theme, self.window(), only_missing=True)

    def _know_added(self, names: frozenset[str]) -> None:
        if shiboken6.isValid(self):
            self._by_hand = names
            self._refresh()

    def _ask_to_remove(self) -> None:
        if self._entry is None:
            return
        name, title = self._entry.name, words.elided(self._entry.title, 60)
        question = QMessageBox(self)
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.setWindowModality(Qt.WindowModality.WindowModal)
        question.setWindowTitle(self.tr("Remove a server"))
        question.setIcon(QMessageBox.Icon.Warning)
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setText(self.tr("Remove {title}?").format(title=title))
        question.setInformativeText(self.tr("You added it yourself. Its secrets stay."))
        remove = question.addButton(self.tr("Remove"), QMessageBox.ButtonRole.AcceptRole)
        keep = question.addButton(self.tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)

        def answered(_result: int) -> None:
            if question.clickedButton() is remove:
                self._actions.ask(lambda host: host.adding.forget(name), lambda _none: None)

        question.finished.connect(answered)
        question.open()

    def _open_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._address))
