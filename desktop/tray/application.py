"""The tray program from start to end: appear, bring the host up, serve the person, close the host, end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop.errors import GatewayError
from desktop.host import Host
from desktop.state.app_settings import AppSettings, AppSettingsFile
from desktop.state.paths import Paths
from desktop.tray import artwork
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.collector import Collector
from desktop.tray.first_run import FirstRun
from desktop.tray.focus import keep_focus_in_view
from desktop.tray.icon import TrayIcon
from desktop.tray.main_window import MainWindow
from desktop.tray.memory import Memory
from desktop.tray.menu import TrayMenu
from desktop.tray.notifications import Notifications
from desktop.tray.question_window import QuestionWindow, headline
from desktop.tray.server_list import ServerFilter
from desktop.tray.single_instance import Request, SingleInstance
from desktop.tray.theme import Look, Theme
from desktop.tray.translation import translate_into

__all__ = ["HostFactory", "TrayApplication", "run"]

log = logging.getLogger(__name__)

HostFactory = Callable[[], AbstractAsyncContextManager[Host]]
"""Makes the host's context manager. Called on a worker thread, so it may import for a second; entered on the loop."""

NAME = "mcp-gateway-desktop"
CLOSE_LIMIT = 10.0
TRAY_LOOK_INTERVAL = 5_000
TRAY_LOOKS = 12
"""Looks in a row without a tray, while the window is hidden, after which the window comes back (one minute)."""


def run(
    host_factory: HostFactory,
    arguments: Sequence[str] = (),
    *,
    look: Look = Look.SYSTEM,
    place: str = "servers",
    language: str = "",
) -> int:
    """Run the tray program until the person quits; the process's exit code.

    Args:
        host_factory: See `HostFactory`.
        arguments: The command line without the program: ``--hidden`` starts without the window, the rest is Qt's.
        look: Light, dark or as the person has chosen.
        place: Where the window opens.
        language: Its code; empty for what the person has chosen, or else the system.
    """
    hidden = "--hidden" in arguments
    application = _make_application([argument for argument in arguments if argument != "--hidden"])
    instance = SingleInstance(NAME)
    token = os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.pop("DESKTOP_STARTUP_ID", "")
    if not instance.claim(Request(show=not hidden, activation_token=token)):
        return 0
    os.environ["QT_API"] = "pyside6"
    import qasync  # reads QT_API when imported

    sys.excepthook = _log_exception
    chosen = _chosen()
    if look is Look.SYSTEM:
        look = Look(chosen.look)
    translate_into(application, language or chosen.language)
    tray = TrayApplication(application, host_factory, Memory(), look)
    tray.window.open_place(place)
    application.quit_asked.connect(tray.quit)
    application.commitDataRequest.connect(lambda _manager: tray.quit())
    instance.requested.connect(tray.on_request)
    collector = Collector()
    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
            runner.run(tray.main(hidden))
    finally:
        collector.close()
        instance.release()
    return 0


def _chosen() -> AppSettings:
    """What the person has chosen; read before there is a host, since it decides how the first window looks."""
    paths = Paths.of_user()
    return AppSettingsFile(paths.app_settings, paths.lock_for(paths.app_settings)).read_or_usual()


class Application(QApplication):
    """Turns the system's request to quit (log-out, Cmd+Q) into an orderly end.

    Signals:
        quit_asked: The system wants us to end.
    """

    quit_asked = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep the loop running on a request to quit; it ends by itself when all is closed."""
        if event.type() == QEvent.Type.Quit:
            event.ignore()
            self.quit_asked.emit()
            return True
        return super().event(event)


def _make_application(arguments: list[str]) -> Application:
    Application.setApplicationName(NAME)
    Application.setApplicationDisplayName("MCP Gateway")
    Application.setDesktopFileName(NAME)
    application = Application([NAME, *arguments])
    application.setQuitOnLastWindowClosed(False)
    application.setWindowIcon(artwork.app_icon())
    return application


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("an error nobody expected", exc_info=(kind, error, trace))


class TrayApplication(QObject):
    """Owns icon, menu and window, and the host's life."""

    def __init__(
        self, application: QApplication, host_factory: HostFactory, memory: Memory, look: Look = Look.SYSTEM
    ) -> None:
        super().__init__()
        self._host_factory = host_factory
        self._memory = memory
        self._stop = asyncio.Event()
        self._painted = asyncio.Event()
        self.theme = Theme(application, look)
        keep_focus_in_view(application)
        self.bridge = Bridge(self)
        self.actions = Actions(self.bridge, self)
        self.menu = TrayMenu(self.bridge, self.actions, self)
        self.icon = TrayIcon(self.bridge, self.theme, self.menu.menu, self)
        self.window = MainWindow(self.bridge, self.actions, self.theme, memory)
        self.question = QuestionWindow(self.bridge, self.actions, self.theme)
        self._newest_question = 0
        self.first_run = FirstRun(self.bridge, self.actions, self.theme, self.window, self)
        self._notifications = Notifications(self.bridge, self.icon, self.window, self)
        self._looks_left = TRAY_LOOKS
        self._tray_watch = QTimer(self)
        self._tray_watch.setInterval(TRAY_LOOK_INTERVAL)
        self._tray_watch.timeout.connect(self._look_for_tray)
        self.icon.opened.connect(self.open_window)
        self.menu.opened.connect(self.open_window)
        self.menu.all_requested.connect(self._open_all)
        self.menu.setting_requested.connect(self._edit_settings)
        self.menu.sign_in_requested.connect(self._open_sign_in)
        self.menu.client_requested.connect(self._open_client)
        self.menu.settings_requested.connect(self._open_settings)
        self.menu.menu.aboutToShow.connect(self._before_menu)
        self.menu.quit_requested.connect(self.quit)
        self.window.close_requested.connect(self.on_close)
        self.window.quit_requested.connect(self.quit)
        self.actions.failed.connect(self._on_failure)
        self.bridge.questions_changed.connect(self._on_questions)

    async def main(self, hidden: bool = False) -> None:
        """Appear, serve until told to stop, then close everything."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_lost_exception)
        with _signals(loop, self.quit):
            self.icon.show()
            self._before_menu()
            if hidden:
                self._watch_tray()
                self._painted.set()
            else:
                self.window.installEventFilter(self)
                self.open_window()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._painted.wait(), 1.0)
            hosting = asyncio.create_task(self._own_host(), name="host")
            await self._stop.wait()
            await self._close(hosting)

    def quit(self) -> None:
        """Begin to end."""
        self._stop.set()

    def open_window(self, server: str = "") -> None:
        """Show the window in front, perhaps at a server."""
        if self._stop.is_set():
            return
        self._tray_watch.stop()
        if server:
            self.window.show_server(server)
        if self.window.isMinimized():
            self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        self.first_run.offer()

    def on_request(self, request: Request) -> None:
        """A second start: come to the front with the permission it was given."""
        if request.show:
            if request.activation_token:
                os.environ["XDG_ACTIVATION_TOKEN"] = request.activation_token
            self.open_window()

    def on_close(self) -> None:
        """The window was closed: into the tray if there is one, else minimised, so that it can be found again."""
        if self._stop.is_set():
            return
        if not self.icon.available:
            self.window.showMinimized()
            return
        self.window.hide()
        self._watch_tray()
        if not self._memory.told_about_tray:
            self._memory.told_about_tray = True
            self._tell_about_tray()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notes the window's first paint."""
        if event.type() == QEvent.Type.Paint:
            self.window.removeEventFilter(self)
            QTimer.singleShot(0, self._painted.set)
        return False

    async def _own_host(self) -> None:
        """Enter and leave the host in one task, as its task groups ask for."""
        try:
            context = await asyncio.to_thread(self._host_factory)
            async with context as host:
                self.bridge.attach(host)
                await self._stop.wait()
                self.bridge.detach()
                await self.actions.close()
        except GatewayError as error:
            log.error("MCP Gateway could not start: %s", error)
            self.bridge.fail(error.message, error.hint)
        except Exception:
            if self._stop.is_set():
                log.exception("MCP Gateway did not close cleanly")
                return
            log.exception("MCP Gateway could not start")
            self.bridge.fail(self.tr("MCP Gateway could not start"), self.tr("The log tells what happened."))

    async def _close(self, hosting: asyncio.Task[None]) -> None:
        """Hide at once, give the host its time, and let nothing keep the process alive after it."""
        guard = threading.Timer(CLOSE_LIMIT + 3.0, os._exit, (0,))
        guard.daemon = True
        guard.start()
        self._tray_watch.stop()
        if self.window.isVisible():
            self.window.remember()
        self.window.hide()
        self.icon.hide()
        if self.bridge.host is None:
            hosting.cancel()
        _done, late = await asyncio.wait({hosting}, timeout=CLOSE_LIMIT)
        if late:
            log.error("the servers did not stop within %.0f seconds", CLOSE_LIMIT)
            hosting.cancel()
            await asyncio.wait({hosting}, timeout=1.0)
        self.menu.close()
        self.question.hide()
        self.question.deleteLater()
        self.window.deleteLater()

    def _open_all(self) -> None:
        self.window.open_place("servers")
        self.window.page.search.clear()
        self.window.page.set_filter(ServerFilter.ALL)
        self.open_window()

    def _edit_settings(self, server: str) -> None:
        self.open_window(server)
        self.actions.edit_settings(server, self.theme, self.window)

    def _open_client(self, id: str) -> None:
        self.window.show_client(id)
        self.open_window()

    def _open_sign_in(self, app: str) -> None:
        self.window.show_sign_in(app)
        self.open_window()

    def _open_settings(self) -> None:
        self.window.open_place("settings")
        self.open_window()

    def _before_menu(self) -> None:
        self.menu.doubles_underscores = self.icon.drawn_by_panel

    def _watch_tray(self) -> None:
        self._looks_left = TRAY_LOOKS
        self._tray_watch.start()

    def _look_for_tray(self) -> None:
        """A hidden window without a tray could never be found again: show it when the tray stays away."""
        self._looks_left = TRAY_LOOKS if self.icon.available else self._looks_left - 1
        if self._looks_left <= 0:
            self.open_window()

    def _tell_about_tray(self) -> None:
        title = self.tr("MCP Gateway keeps running")
        text = self.tr("Clients keep their tools. Open or quit MCP Gateway from its icon in the tray.")
        if not self.icon.notify(title, text):
            told = QMessageBox()
            told.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            told.setWindowTitle(title)
            told.setIcon(QMessageBox.Icon.Information)
            told.setText(title + ".")
            told.setInformativeText(text)
            told.open()

    def _on_questions(self) -> None:
        """The window with the question comes by itself; where it may be overlooked, a notification tells of it."""
        newest = max((question.id for question in self.bridge.questions()), default=0)
        if newest > self._newest_question:
            self._newest_question = newest
            told = next(question for question in self.bridge.questions() if question.id == newest)
            self.icon.notify(headline(told), self.tr("MCP Gateway asks you whether to allow it."))

    def _on_failure(self, message: str, _hint: str) -> None:
        """A failure is told in the window; when the window is hidden, also where the person looks."""
        if not self.window.isVisible():
            self.icon.notify(self.tr("That did not work"), message)


def _log_lost_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("%s", context.get("message", "an error in the event loop"), exc_info=context.get("exception"))


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call ``stop`` on the loop."""
    wanted = (signal.SIGINT, signal.SIGTERM)
    if sys.platform == "win32":
        before = {which: signal.signal(which, lambda *_: loop.call_soon_threadsafe(stop)) for which in wanted}
        try:
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)
        return
    for which in wanted:
        loop.add_signal_handler(which, stop)
    try:
        yield
    finally:
        for which in wanted:
            loop.remove_signal_handler(which)
