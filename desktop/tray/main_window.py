"""The window: places at the left, the page, messages above it, the endpoint below."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from desktop.tray import artwork, words
from desktop.tray.actions import Actions
from desktop.tray.banner import Banners
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.memory import Memory
from desktop.tray.page import Page
from desktop.tray.palette import Entry, Palette
from desktop.tray.parts import rule
from desktop.tray.places import places
from desktop.tray.servers_page import ServersPage
from desktop.tray.sidebar import Sidebar
from desktop.tray.status_line import StatusLine
from desktop.tray.theme import Theme

__all__ = ["MainWindow"]

NARROW = 860
NARROW_IN_CHARACTERS = 120
PROBLEMS_SHOWN = 3


class MainWindow(QWidget):
    """The one window.

    Signals:
        close_requested: The person closed the window; whoever knows the tray decides what happens.
        quit_requested: The person chose Quit.
        welcome_requested: The person wants the first steps again.
    """

    close_requested = Signal()
    quit_requested = Signal()
    welcome_requested = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, theme: Theme, memory: Memory) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._memory = memory
        self.setWindowTitle(self.tr("MCP Gateway"))
        self.setWindowIcon(artwork.app_icon())
        self.setMinimumSize(640, 420)
        self._make_actions()
        self._theme = theme
        self._places = {place.id: place for place in places()}
        self._pages: dict[str, Page] = {}
        self._narrow = False
        self._stack = QStackedWidget()
        self.sidebar = Sidebar(bridge, actions, theme, self._menu, tuple(self._places.values()))
        self.banners = Banners(theme, actions.copy)
        self.page = self._servers_page()
        self.status = StatusLine(bridge, actions, theme, self._copy_url, self._copy_token)
        right = QVBoxLayout()
        right.setContentsMargins(16, 16, 16, 12)
        right.setSpacing(12)
        right.addWidget(self.banners)
        right.addWidget(self._stack, 1)
        right.addWidget(self.status)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(rule(vertical=True))
        row.addLayout(right, 1)
        QShortcut(QKeySequence.StandardKey.Find, self, lambda: self.current.focus_search())
        for number, place in enumerate(self._places, start=1):
            QShortcut(QKeySequence(f"Ctrl+{number}"), self, lambda place=place: self.open_place(place))
        QShortcut(QKeySequence("Ctrl+K"), self, self.open_palette)
        self.sidebar.chosen.connect(self.open_place)
        self.sidebar.walked.connect(self._show_place)
        actions.failed.connect(self.show_failure)
        actions.adding_wished.connect(self.add_server)
        bridge.status_changed.connect(self._refresh)
        bridge.problems_changed.connect(self._show_problems)
        self._restore()
        self._refresh()
        self._show_problems()
        self.open_place("servers")

    @property
    def current(self) -> Page:
        """The page that is shown."""
        page = self._stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def open_place(self, place: str) -> Page:
        """Go to a place; returns its page, which is made at the first visit."""
        page = self._show_place(place)
        page.focus_first()
        return page

    def _show_place(self, place: str) -> Page:
        page = self._pages.get(place)
        if page is None:
            page = self._pages[place] = self._places[place].page(self._bridge, self._actions, self._theme)
            page.set_narrow(self._narrow)
            page.server_wanted.connect(self.show_server)
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        self.sidebar.show_place(place)
        return page

    def open_palette(self) -> None:
        """Offer everything there is by name."""
        Palette(self._palette_entries(), self._theme, self).open()

    def add_server(self) -> None:
        """Open the dialog that takes whatever a server's page shows."""
        from desktop.tray.add_dialog import AddDialog  # here: most starts never open it

        dialog = AddDialog(self._actions, self._theme, self)
        dialog.added.connect(self.show_new_server)
        dialog.wanted.connect(self.show_card)
        dialog.open()

    def show_failure(self, message: str, hint: str) -> None:
        """Tell that a request failed; the same failure once more is shown once more."""
        self.banners.failure.clear()
        self.banners.failure.say(words.sentence(message), words.sentence(hint))

    def show_client(self, id: str) -> None:
        """Go to the clients and choose one."""
        from desktop.tray.clients_page import ClientsPage  # here: most starts show no client

        page = self.open_place("clients")
        if isinstance(page, ClientsPage):
            page.show_client(id)

    def show_sign_in(self, app: str) -> None:
        """Go to the sign-ins and choose one."""
        from desktop.tray.secrets_page import SecretsPage  # here: most starts never look there

        page = self.open_place("secrets")
        if isinstance(page, SecretsPage):
            page.show_sign_in(app)

    def show_server(self, name: str) -> None:
        """Go to the servers and choose one."""
        self.open_place("servers")
        self.page.show_server(name)

    def show_new_server(self, name: str) -> None:
        """Go to the servers and choose one, as soon as it is there."""
        self.open_place("servers")
        self.page.expect_server(name)

    def show_card(self, name: str) -> None:
        """Go to the catalog and choose a server there."""
        from desktop.tray.catalog_page import CatalogPage  # here: most starts never look there

        page = self.open_place("catalog")
        if isinstance(page, CatalogPage):
            page.show_server(name)

    def remember(self) -> None:
        """Keep place and sizes for the next start."""
        self._memory.geometry = self.saveGeometry()
        self._memory.splitter = self.page.splitter.saveState()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing the window does not end the program."""
        event.ignore()
        self.remember()
        self.close_requested.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, list and detail take turns and the places become icons."""
        super().resizeEvent(event)
        narrow = self.width() < max(NARROW, self.fontMetrics().averageCharWidth() * NARROW_IN_CHARACTERS)
        self._narrow = narrow
        self.sidebar.set_compact(narrow)
        for page in self._pages.values():
            page.set_narrow(narrow)

    def _make_actions(self) -> None:
        self._pause = QAction(self.tr("Pause all"), self)
        self._pause.setCheckable(True)
        self._pause.triggered.connect(self._actions.set_paused)
        self._copy_url = QAction(self.tr("Copy URL"), self)
        self._copy_url.triggered.connect(self._actions.copy_url)
        self._copy_token = QAction(self.tr("Copy token"), self)
        self._copy_token.triggered.connect(self._actions.copy_token)
        add = QAction(self.tr("Add a server…"), self)
        add.setShortcut(QKeySequence(QKeySequence.StandardKey.New))
        add.triggered.connect(self.add_server)
        close = QAction(self.tr("Close window"), self)
        close.setShortcut(QKeySequence(QKeySequence.StandardKey.Close))
        close.triggered.connect(self.close)
        leave = QAction(self.tr("Quit"), self)
        leave.setShortcut(QKeySequence("Ctrl+Q"))
        leave.setMenuRole(QAction.MenuRole.QuitRole)
        leave.triggered.connect(self.quit_requested)
        steps = QAction(self.tr("First steps…"), self)
        steps.triggered.connect(self.welcome_requested)
        self._menu = QMenu(self)
        self._menu.addAction(add)
        self._menu.addSeparator()
        self._menu.addAction(self._pause)
        self._menu.addSeparator()
        self._menu.addActions([self._copy_url, self._copy_token])
        self._menu.addSeparator()
        self._menu.addAction(steps)
        self._menu.addSeparator()
        self._menu.addActions([close, leave])
        self.addActions([add, close, leave])

    def _palette_entries(self) -> list[Entry]:
        place, server, client, action = self.tr("place"), self.tr("server"), self.tr("client"), self.tr("action")
        servers = self._bridge.servers()
        found = [Entry(item.title, place, partial(self._go, item.id)) for item in self._places.values()]
        found += [Entry(words.title_of(status), server, partial(self.show_server, status.name)) for status in servers]
        found += [Entry(view.name, client, partial(self.show_client, view.id)) for view in self._bridge.clients()]
        found += [
            Entry(act.text(), action, act.trigger) for act in self._menu.actions() if act.text() and act.isEnabled()
        ]
        for status in servers:
            verb = self.tr("Turn off {title}") if status.enabled else self.tr("Turn on {title}")
            switch = partial(self._actions.set_enabled, status.name, not status.enabled)
            found.append(Entry(verb.format(title=words.title_of(status)), action, switch))
        return found

    def _go(self, place: str) -> None:
        self.open_place(place)

    def _restore(self) -> None:
        if self._memory.geometry.isEmpty() or not self.restoreGeometry(self._memory.geometry):
            self.resize(1040, 680)
        if not self._memory.splitter.isEmpty():
            self.page.splitter.restoreState(self._memory.splitter)

    def _servers_page(self) -> ServersPage:
        page = self.open_place("servers")
        assert isinstance(page, ServersPage)
        return page

    def _refresh(self) -> None:
        running = self._bridge.phase is Phase.RUNNING
        paused = self._bridge.paused
        self._pause.setChecked(paused)
        self._pause.setEnabled(running)
        endpoint = self._bridge.endpoint()
        for action in (self._copy_url, self._copy_token):
            action.setEnabled(bool(endpoint.url))
        if self._bridge.phase is Phase.FAILED:
            message, hint = self._bridge.failure
            self.banners.endpoint.say(words.sentence(message), words.sentence(hint))
        elif running and not endpoint.url and endpoint.reason:
            self.banners.endpoint.say(words.sentence(endpoint.reason))
        else:
            self.banners.endpoint.clear()
        if paused:
            self.banners.paused.say(
                self.tr("Everything is paused."),
                self.tr("Servers are stopped and clients see no tools. What you turned on stays on."),
                self.tr("Resume"),
                lambda: self._actions.set_paused(False),
            )
        else:
            self.banners.paused.clear()
        self._show_engine()

    def _show_engine(self) -> None:
        engine = self._bridge.engine()
        if not words.engine_trouble(engine):
            self.banners.engine.clear()
            return
        title = words.sentence(words.engine_words(engine))
        parts = [words.sentence(part) for part in (engine.reason, engine.hint) if part]
        told = " ".join(part for part in parts if part != title)
        self.banners.engine.say(title, told, self.tr("Retry"), self._actions.retry_engine)

    def _show_problems(self) -> None:
        problems = self._bridge.problems()
        if not problems:
            self.banners.problems.clear()
            return
        shown = "\n".join(words.sentence(problem) for problem in problems[:PROBLEMS_SHOWN])
        more = len(problems) - PROBLEMS_SHOWN
        self.banners.problems.say(shown, self.tr("And {count} more.").format(count=more) if more > 0 else "")
