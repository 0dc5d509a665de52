"""One running program per user: a second start hands its wish to the first and ends.

A lock file decides who is first, so two starts at the same moment can't both win and a crash leaves nothing that
blocks; a local socket beside it, open to this user alone, carries the wish.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
import os
import socket
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QStandardPaths, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

__all__ = ["Request", "SingleInstance"]

log = logging.getLogger(__name__)

ATTEMPTS = 6
WAIT = 500
PATIENCE = 0.25
"""Seconds a connection may take to speak; the interface waits meanwhile."""
LONGEST_REQUEST = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a second start wants of the first.

    Attributes:
        show: Whether the window is wanted (not when started hidden).
        activation_token: The desktop's permission to take the focus (Wayland, X11 start-up notification).
    """

    show: bool = True
    activation_token: str = ""


class SingleInstance(QObject):
    """Claims the place of the one running program.

    Signals:
        requested: A second start wants something; a `Request`.
    """

    requested = Signal(object)

    def __init__(self, name: str, directory: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        user = hashlib.sha256(getpass.getuser().encode("utf-8")).hexdigest()[:12]
        self._base = (directory or _runtime_directory()) / f"{name}-{user}"
        self._address = f"{name}-{user}" if sys.platform == "win32" else str(self._base.with_suffix(".socket"))
        self._lock = QLockFile(str(self._base.with_suffix(".lock")))
        self._lock.setStaleLockTime(0)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def claim(self, request: Request) -> bool:
        """True when we are the first; otherwise the request was handed to the first, as far as it answers."""
        for _ in range(ATTEMPTS):
            if self._lock.tryLock(0):
                self._listen()
                return True
            if self._hand_over(request):
                return False
            # The first is only starting, or just ending: look again.
            if self._lock.tryLock(WAIT):
                self._listen()
                return True
        log.error("another MCP Gateway is running, but does not answer")
        return False

    def release(self) -> None:
        """Give the place up."""
        self._server.close()
        if self._lock.isLocked():
            self._lock.unlock()

    def _listen(self) -> None:
        QLocalServer.removeServer(self._address)
        if not self._server.listen(self._address):
            log.warning("a second start can't reach this one: %s", self._server.errorString())

    def _hand_over(self, request: Request) -> bool:
        if not _ours(self._address):
            return False
        connection = QLocalSocket()
        connection.connectToServer(self._address)
        if not connection.waitForConnected(WAIT):
            return False
        message = {"show": request.show, "activation_token": request.activation_token}
        connection.write(json.dumps(message).encode("utf-8") + b"\n")
        answered = connection.waitForReadyRead(4 * WAIT) and bytes(connection.readAll().data()).startswith(b"ok")
        connection.disconnectFromServer()
        return answered

    def _on_connection(self) -> None:
        """Hear one request. A second start speaks at once, so it is waited for; whoever is silent is sent away."""
        while (connection := self._server.nextPendingConnection()) is not None:
            if not _same_user(connection):
                log.warning("another user tried to reach this program")
                request = None
            else:
                request = _read(connection)
            if request is not None:
                connection.write(b"ok\n")
                connection.flush()
            connection.disconnectFromServer()
            connection.deleteLater()
            if request is not None:
                self.requested.emit(request)


def _read(connection: QLocalSocket) -> Request | None:
    deadline = time.monotonic() + PATIENCE
    while not connection.canReadLine():
        left = deadline - time.monotonic()
        if (
            left <= 0
            or connection.bytesAvailable() > LONGEST_REQUEST
            or not connection.waitForReadyRead(int(left * 1000))
        ):
            return None
    try:
        message = json.loads(bytes(connection.readLine(LONGEST_REQUEST).data()))
        return Request(show=bool(message["show"]), activation_token=str(message["activation_token"]))
    except (ValueError, KeyError, TypeError):
        log.warning("a second start said something that can't be understood")
        return None


def _runtime_directory() -> Path:
    """Where lock and socket live: the session's own directory, else one of ours among the temporary files."""
    found = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.RuntimeLocation)
    if found and Path(found).is_dir() and os.access(found, os.W_OK):
        return Path(found)
    directory = Path(tempfile.gettempdir()) / f"mcp-gateway-{getpass.getuser()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _ours(address: str) -> bool:
    """Whether the socket belongs to this user (Windows guards its pipes by itself)."""
    if sys.platform == "win32":
        return True
    try:
        return Path(address).stat().st_uid == os.getuid()
    except OSError:
        return False


def _same_user(connection: QLocalSocket) -> bool:
    """Whether the other end runs as this user; where the system can't be asked, the socket's permissions decide."""
    if not sys.platform.startswith("linux"):
        return True
    with socket.socket(fileno=os.dup(int(connection.socketDescriptor()))) as peer:
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return bool(uid == os.getuid())
