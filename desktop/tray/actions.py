"""What the person asks of the host: each request runs as a task, and its failure becomes a sentence in the window."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.errors import GatewayError, SignInCancelledError
from desktop.host import Host, ServerSettings
from desktop.policy.question import Answer
from desktop.sharing import Sharing
from desktop.tray.bridge import Bridge
from desktop.tray.theme import Theme

__all__ = ["Actions"]

T = TypeVar("T")
log = logging.getLogger(__name__)


class Actions(QObject):
    """Runs the host's `async` methods for menu and window.

    Signals:
        failed: A request failed; message and hint.
        wishes_changed: A switch was moved and the host has not answered yet, or has; the server's name.
        clients_wished: A client is being connected or disconnected, or was; its id.
        adding_wished: The person wants to add a server.
        noticed: Something was done that can't be seen otherwise, such as a copy; one short sentence.
    """

    failed = Signal(str, str)
    wishes_changed = Signal(str)
    clients_wished = Signal(str)
    adding_wished = Signal()
    noticed = Signal(str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._tasks: set[asyncio.Task[None]] = set()
        self._wishes: dict[str, bool] = {}
        self._client_wishes: dict[str, bool] = {}

    @property
    def ready(self) -> bool:
        """Whether the host can be asked now: it is there, and so is the loop that waits for its answers."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return self._bridge.host is not None

    def wish(self, name: str) -> bool | None:
        """What the person wants of the server while the host is still at it."""
        return self._wishes.get(name)

    def ask(self, request: Callable[[Host], Coroutine[Any, Any, T]], then: Callable[[T], None]) -> None:
        """Ask the host for something that takes a moment, and hand over the answer; a failure becomes a sentence.

        Args:
            request: What to ask; awaited on the host's loop.
            then: Called with the answer, on this thread. An object that may be gone by then has to look for itself.
        """

        async def asked(host: Host) -> None:
            then(await request(host))

        self._run(asked)

    def attempt(
        self, request: Callable[[Host], Coroutine[Any, Any, object]], then: Callable[[GatewayError | None], None]
    ) -> None:
        """Ask the host for something whose failure the asker shows by itself.

        Args:
            request: What to ask; awaited on the host's loop.
            then: Called on this thread, with the error or None.
        """

        async def tried(host: Host) -> None:
            try:
                await request(host)
            except GatewayError as error:
                then(error)
            else:
                then(None)

        self._run(tried)

    def edit_settings(
        self, name: str, theme: Theme, parent: QWidget | None = None, *, only_missing: bool = False
    ) -> None:
        """Open the dialog with a server's settings and secrets.

        Args:
            name: The server.
            theme: For the dialog's colours.
            parent: The window it belongs to.
            only_missing: Open it only when something the server needs is not set yet.
        """
        from desktop.tray.server_settings_dialog import ServerSettingsDialog  # here: most starts never open it

        def opened(settings: ServerSettings) -> None:
            if only_missing and settings.complete:
                return
            if parent is None or shiboken6.isValid(parent):
                ServerSettingsDialog(settings, self, theme, parent).open()

        self.ask(lambda host: host.settings_desk.read(name), opened)

    def set_enabled(self, name: str, enabled: bool) -> None:
        """Turn a server on or off."""
        if self._bridge.host is None:
            self._refuse()
            return
        busy = name in self._wishes
        self._wishes[name] = enabled
        self.wishes_changed.emit(name)
        if not busy:
            self._run(lambda host: self._fulfil(host, name))

    def client_wish(self, id: str) -> bool | None:
        """What the person wants of the client while the host is still at it."""
        return self._client_wishes.get(id)

    def set_connected(self, id: str, connected: bool) -> None:
        """Connect or disconnect an AI client."""
        if self._bridge.host is None:
            self._refuse()
        elif id not in self._client_wishes:
            self._client_wishes[id] = connected
            self.clients_wished.emit(id)
            self._run(lambda host: self._connect(host, id, connected))

    def refresh_clients(self) -> None:
        """Look at the clients' files again."""
        self._run(lambda host: host.refresh_clients())

    def set_paused(self, paused: bool) -> None:
        """Pause or resume everything."""
        self._run(lambda host: host.set_paused(paused))

    def retry_engine(self) -> None:
        """Look for the container engine again."""
        self._run(lambda host: host.retry_engine())

    def restart(self, name: str) -> None:
        """Start a server anew."""
        self._run(lambda host: host.restart(name))

    def allow_without_container(self, name: str) -> None:
        """Record the consent to run a server's package without a container."""
        self._run(lambda host: host.allow_without_container(name))

    def set_sharing(self, name: str, sharing: Sharing) -> None:
        """Choose who shares a running server."""
        self._run(lambda host: host.set_sharing(name, sharing))

    def cancel_call(self, number: int) -> None:
        """End a call under way."""
        self._run(lambda host: host.cancel_call(number))

    def answer(self, question: int, answer: Answer) -> None:
        """Answer a question of the host."""
        self._run(lambda host: host.answer(question, answer))

    def sign_in(self, app: str) -> None:
        """Open the browser to sign in to an app; that the person calls it off is no failure."""

        async def signing_in(host: Host) -> None:
            with contextlib.suppress(SignInCancelledError):
                await host.sign_in(app)

        self._run(signing_in)

    def cancel_sign_in(self, app: str) -> None:
        """Call a sign-in off."""
        self._run(lambda host: host.cancel_sign_in(app))

    def sign_out(self, app: str) -> None:
        """Sign out of an app, and tell when its provider could not be told."""

        async def signing_out(host: Host) -> None:
            if trouble := await host.sign_out(app):
                self.noticed.emit(trouble)

        self._run(signing_out)

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        QGuiApplication.clipboard().setText(text)
        self.noticed.emit(self.tr("Copied"))

    def copy_url(self) -> None:
        """Put the endpoint's URL on the clipboard."""
        self.copy(self._bridge.endpoint().url)

    def copy_token(self) -> None:
        """Put the endpoint's bearer token on the clipboard, marked so that clipboard histories skip it."""
        self._run(self._copy_token)

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fulfil(self, host: Host, name: str) -> None:
        """Ask for the latest wish until the person has stopped changing it."""
        try:
            done: bool | None = None
            while (wanted := self._wishes[name]) is not done:
                await host.set_enabled(name, wanted)
                done = wanted
        finally:
            del self._wishes[name]
            self.wishes_changed.emit(name)

    async def _connect(self, host: Host, id: str, connected: bool) -> None:
        try:
            if connected:
                done = await host.connect_client(id)
                if done.remarks:
                    self.noticed.emit(done.remarks[0])
            else:
                await host.disconnect_client(id)
        finally:
            del self._client_wishes[id]
            self.clients_wished.emit(id)

    async def _copy_token(self, host: Host) -> None:
        data = QMimeData()
        data.setText(await host.token())
        data.setData("x-kde-passwordManagerHint", b"secret")
        data.setData("ExcludeClipboardContentFromMonitorProcessing", b"1")
        QGuiApplication.clipboard().setMimeData(data)
        self.noticed.emit(self.tr("Token copied"))

    def _run(self, request: Callable[[Host], Coroutine[Any, Any, None]]) -> None:
        host = self._bridge.host
        if host is None:
            self._refuse()
            return
        task = asyncio.get_running_loop().create_task(self._report(host, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refuse(self) -> None:
        self.failed.emit(self.tr("MCP Gateway is not ready yet"), self.tr("Try again in a moment."))

    async def _report(self, host: Host, request: Callable[[Host], Coroutine[Any, Any, None]]) -> None:
        try:
            await request(host)
        except GatewayError as error:
            log.warning("a request failed: %s", error)
            self.failed.emit(error.message, error.hint)
        except Exception:
            log.exception("a request failed unexpectedly")
            self.failed.emit(self.tr("That did not work"), self.tr("The log tells what happened."))
