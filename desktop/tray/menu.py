"""The tray menu: open, what needs you, switches of servers, clients, running calls, pause, settings, quit.

The same action objects live as long as the program; only their texts, marks and places change, since many desktops
draw the menu themselves over D-Bus and lose the person's place when everything is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import QMenu

from desktop.clients.view import ClientState
from desktop.host import SignInState
from desktop.servers.status import ServerState, ServerStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge, Phase
from desktop.tray.client_list import is_connected
from desktop.tray.client_list import state_word as client_word

__all__ = ["TrayMenu"]

SERVERS_SHOWN = 10
MORE_SHOWN = 20
ATTENTION_SHOWN = 5
CALLS_SHOWN = 20
CLIENTS_SHOWN = 20
TITLE_LENGTH = 40


class TrayMenu(QObject):
    """Builds the menu and keeps it in step with the host.

    Signals:
        opened: The window is wanted, at the server of this name (empty: as it was).
        setting_requested: The person wants to set what this server needs.
        sign_in_requested: The window is wanted at the sign-in to this app, which is under way.
        client_requested: The window is wanted at the client with this id (empty: at the clients).
        settings_requested: The window is wanted at the settings.
        all_requested: The window is wanted with all servers.
        quit_requested: The person chose Quit.
    """

    opened = Signal(str)
    setting_requested = Signal(str)
    sign_in_requested = Signal(str)
    client_requested = Signal(str)
    settings_requested = Signal()
    all_requested = Signal()
    quit_requested = Signal()

    def __init__(self, bridge: Bridge, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._actions = actions
        self.doubles_underscores = False
        self.menu = QMenu()
        self._servers: dict[str, QAction] = {}
        self._attention: dict[str, QAction] = {}
        self._more_servers: dict[str, QAction] = {}
        self._clients: dict[str, QAction] = {}
        self._calls: dict[str, QAction] = {}
        self._turned_off: list[str] = []
        self._known_on: frozenset[str] = frozenset()
        self._build()
        self.menu.aboutToShow.connect(self._arrange)
        self.more.aboutToShow.connect(self._fill_more)
        bridge.servers_changed.connect(lambda _names: self._refresh())
        bridge.status_changed.connect(lambda: self._refresh())
        bridge.clients_changed.connect(lambda: self._refresh())
        bridge.sign_ins_changed.connect(lambda: self._refresh())
        actions.wishes_changed.connect(self._on_wish)
        self._arrange()

    def close(self) -> None:
        """Take the menu away."""
        self.menu.hide()
        self.menu.deleteLater()

    def _build(self) -> None:
        self.open = self._add(self.tr("Open MCP Gateway"), lambda: self.opened.emit(""))
        bold = QFont(self.menu.font())
        bold.setBold(True)
        self.open.setFont(bold)
        self.menu.setDefaultAction(self.open)
        self._after_open = self.menu.addSeparator()
        self.engine = self._add("", self._actions.retry_engine)
        self._after_attention = self.menu.addSeparator()
        self.more = QMenu(self.tr("More servers"), self.menu)
        self.menu.addMenu(self.more)
        self._after_more = self.more.addSeparator()
        all_servers = QAction(self.tr("All servers…"), self.more)
        all_servers.triggered.connect(self.all_requested)
        self.more.addAction(all_servers)
        self._after_servers = self.menu.addSeparator()
        self.clients = QMenu(self.tr("Clients"), self.menu)
        self.menu.addMenu(self.clients)
        self._after_clients = self.clients.addSeparator()
        connect = QAction(self.tr("Connect a client…"), self.clients)
        connect.triggered.connect(lambda _checked=False: self.client_requested.emit(""))
        self.clients.addAction(connect)
        self.calls = QMenu(self.menu)
        self.menu.addMenu(self.calls)
        self._after_calls = self.calls.addSeparator()
        self._after_calls.setVisible(False)
        self.pause = QAction(self.tr("Pause all"), self.menu)
        self.pause.setCheckable(True)
        self.pause.triggered.connect(self._on_pause)
        self._before_pause = self.menu.addSeparator()
        self.menu.addAction(self.pause)
        self.menu.addSeparator()
        self.settings = self._add(self.tr("Settings…"), self.settings_requested.emit)
        self.settings.setMenuRole(QAction.MenuRole.NoRole)
        self.quit = self._add(self.tr("Quit"), self.quit_requested.emit)
        self.quit.setMenuRole(QAction.MenuRole.NoRole)

    def _add(self, text: str, on_triggered: Callable[[], None]) -> QAction:
        action = QAction(text, self.menu)
        action.triggered.connect(lambda _checked=False: on_triggered())
        self.menu.addAction(action)
        return action

    def _note_switches(self, statuses: dict[str, ServerStatus]) -> None:
        on = frozenset(name for name, status in statuses.items() if status.enabled)
        for name in sorted(self._known_on - on):
            self._turned_off = [name, *(other for other in self._turned_off if other != name)]
        self._turned_off = [name for name in self._turned_off if name not in on][:SERVERS_SHOWN]
        self._known_on = on

    def _on_wish(self, name: str) -> None:
        status = self._bridge.server(name)
        for actions in (self._servers, self._more_servers):
            if status is not None and name in actions:
                self._write(actions[name], status)

    def _on_pause(self, paused: bool) -> None:
        self.pause.setChecked(self._bridge.paused)  # the host's answer moves the mark
        self._actions.set_paused(paused)

    def _arrange(self) -> None:
        """Sort by use; done when the menu opens, so that rows keep their places under the pointer."""
        self._refresh(sort=True)
        self._fill_more()

    def _refresh(self, sort: bool = False) -> None:
        statuses = {status.name: status for status in self._bridge.servers()}
        self._note_switches(statuses)
        by_use = sorted(statuses.values(), key=lambda status: -status.last_used)
        recent_off = [statuses[name] for name in self._turned_off if name in statuses]
        on = [status for status in by_use if status.enabled]
        # A server just turned off keeps a place, so that it can be turned on again.
        kept = recent_off[: max(0, SERVERS_SHOWN - len(on)) or 1]
        shown = {status.name: status for status in on[: SERVERS_SHOWN - len(kept)] + kept}
        if not sort and shown.keys() == self._servers.keys():
            shown = {name: shown[name] for name in self._servers}
        self._place(self.menu, self._servers, shown, self.more.menuAction(), self._server_action)
        for name, status in shown.items():
            self._write(self._servers[name], status)
        self._show_attention(on)
        running = self._bridge.phase is Phase.RUNNING
        self.more.menuAction().setVisible(running and len(statuses) > len(shown))
        self._after_servers.setVisible(bool(shown) or self.more.menuAction().isVisible())
        self._show_clients()
        self._show_calls()
        self.clients.menuAction().setVisible(running)
        self._before_pause.setVisible(running)
        self.pause.setChecked(self._bridge.paused)
        self.pause.setEnabled(running)

    def _show_attention(self, on: list[ServerStatus]) -> None:
        waiting = {status.name: status for status in on if words.needs_person(status)}
        waiting = dict(list(waiting.items())[:ATTENTION_SHOWN])
        self._place(self.menu, self._attention, waiting, self.engine, self._attention_action)
        for name, status in waiting.items():
            self._set_text(self._attention[name], self._attention_text(status))
        engine = self._bridge.engine()
        trouble = words.engine_trouble(engine)
        self.engine.setVisible(trouble)
        if trouble:
            self._set_text(self.engine, self.tr("{trouble} — Retry").format(trouble=words.engine_words(engine)))
        self._after_attention.setVisible(trouble or bool(waiting))

    def _show_clients(self) -> None:
        """The clients that have our entry, or had it; choosing one leads to it."""
        having = [view for view in self._bridge.clients() if is_connected(view) or view.state is ClientState.DROPPED]
        shown = {view.id: view for view in having[:CLIENTS_SHOWN]}
        self._place(self.clients, self._clients, shown, self._after_clients, self._client_action)
        for id, view in shown.items():
            name = words.elided(f"{view.name} {view.version}".strip(), TITLE_LENGTH)
            self._set_text(self._clients[id], f"{name}  ·  {client_word(view.state)}")
        self._after_clients.setVisible(bool(shown))

    def _show_calls(self) -> None:
        """The calls under way, oldest first; choosing one cancels it."""
        running = self._bridge.running_calls()
        shown = {str(call.id): call for call in running[:CALLS_SHOWN]}
        self._place(self.calls, self._calls, shown, self._after_calls, self._call_action)
        for number, call in shown.items():
            server = self._bridge.server(call.server)
            title = words.title_of(server) if server is not None else call.server
            parts = (self.tr("Cancel {tool}").format(tool=call.tool), title, words.duration(call.seconds), call.client)
            self._set_text(
                self._calls[number], "  ·  ".join(words.elided(part, TITLE_LENGTH) for part in parts if part)
            )
        self._set_text(self.calls.menuAction(), self.tr("Calls running ({count})").format(count=len(running)))
        self.calls.menuAction().setVisible(bool(running))

    def _attention_text(self, status: ServerStatus) -> str:
        title = words.elided(words.title_of(status), TITLE_LENGTH)
        match status.state:
            case ServerState.NEEDS_SIGN_IN if self._is_signing_in(status.name):
                return self.tr("Signing in to {title}…").format(title=title)
            case ServerState.NEEDS_SIGN_IN:
                return self.tr("Sign in to {title}…").format(title=title)
            case ServerState.NEEDS_SETTING:
                return self.tr("{title} needs a setting…").format(title=title)
            case _:
                return self.tr("{title} is failing…").format(title=title)

    def _fill_more(self) -> None:
        """The rest that is likely to be wanted: enabled ones without a place above, then those used before."""
        rest = [status for status in self._bridge.servers() if status.name not in self._servers]
        likely = [status for status in rest if status.enabled or status.last_used]
        likely.sort(key=lambda status: (not status.enabled, -status.last_used))
        shown = {status.name: status for status in likely[:MORE_SHOWN]}
        self._place(self.more, self._more_servers, shown, self._after_more, self._server_action)
        for name, status in shown.items():
            self._write(self._more_servers[name], status)
        self._after_more.setVisible(bool(shown))

    def _server_action(self, name: str, menu: QMenu) -> QAction:
        action = QAction(menu)
        action.setCheckable(True)
        action.triggered.connect(lambda checked: self._actions.set_enabled(name, checked))
        return action

    def _call_action(self, number: str, menu: QMenu) -> QAction:
        action = QAction(menu)
        action.triggered.connect(lambda _checked=False: self._actions.cancel_call(int(number)))
        return action

    def _client_action(self, id: str, menu: QMenu) -> QAction:
        action = QAction(menu)
        action.triggered.connect(lambda _checked=False: self.client_requested.emit(id))
        return action

    def _attention_action(self, name: str, menu: QMenu) -> QAction:
        action = QAction(menu)
        action.triggered.connect(lambda _checked=False: self._attend(name))
        return action

    def _attend(self, name: str) -> None:
        """Do what the server needs, where there is one thing to do; else show it."""
        status = self._bridge.server(name)
        sign_in = self._bridge.sign_in_of(name)
        match status.state if status is not None else None:
            case ServerState.NEEDS_SIGN_IN if sign_in is not None and self._is_signing_in(name):
                self.sign_in_requested.emit(sign_in.app)
            case ServerState.NEEDS_SIGN_IN if sign_in is not None:
                self._actions.sign_in(sign_in.app)
            case ServerState.NEEDS_SETTING if status is not None and not status.needs_consent:
                self.setting_requested.emit(name)
            case _:
                self.opened.emit(name)

    def _is_signing_in(self, name: str) -> bool:
        sign_in = self._bridge.sign_in_of(name)
        return sign_in is not None and sign_in.state is SignInState.SIGNING_IN

    def _write(self, action: QAction, status: ServerStatus) -> None:
        wish = self._actions.wish(status.name)
        title = words.elided(words.title_of(status), TITLE_LENGTH)
        self._set_text(action, f"{title}  ·  {words.state_word(status.state)}")
        action.setChecked(status.enabled if wish is None else wish)

    def _set_text(self, action: QAction, text: str) -> None:
        text = text.replace("&", "&&")
        if self.doubles_underscores:
            text = text.replace("_", "__")  # a single one is a shortcut mark to desktops that draw the menu
        if text != action.text():
            action.setText(text)

    @staticmethod
    def _place(
        menu: QMenu,
        actions: dict[str, QAction],
        wanted: Mapping[str, object],
        before: QAction,
        make: Callable[[str, QMenu], QAction],
    ) -> None:
        """Bring ``actions`` into the order of ``wanted``, in front of ``before``; those not wanted go."""
        for name in [name for name in actions if name not in wanted]:
            action = actions.pop(name)
            menu.removeAction(action)
            action.deleteLater()
        if list(actions) == list(wanted):
            return
        for name in wanted:
            action = actions.pop(name) if name in actions else make(name, menu)
            menu.removeAction(action)
            menu.insertAction(before, action)
            actions[name] = action
