"""Ending on a signal, or when Docker's command line, which runs us as its plugin, wants us to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

__all__ = ["end_within", "stop_event"]

_PLUGIN_SOCKET: Final = "DOCKER_CLI_PLUGIN_SOCKET"
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_INTERRUPTED: Final = 130


@contextlib.contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """An event that is set at the first signal to end; the second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def requested() -> None:
        if stop.is_set():
            os._exit(_INTERRUPTED)
        stop.set()

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] != signal.SIG_IGN:  # nohup
            # Set this way everywhere: a loop on Windows takes no handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(requested))
    _follow_plugin_socket(loop, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def end_within(seconds: float) -> None:
    """End the process after this time even if something hangs; what it leaves behind the watchdog takes away."""

    def wait() -> None:
        time.sleep(seconds)
        print("- Not everything could be stopped in time; the rest is cleaned up in the background", file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)

    threading.Thread(target=wait, name="last resort", daemon=True).start()


def _follow_plugin_socket(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Docker's command line passes no signals on to its plugins: it closes this socket, and waits for us to end."""
    address = os.environ.get(_PLUGIN_SOCKET, "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        connection.close()  # an older command line has none
        return

    def wait() -> None:
        with connection, contextlib.suppress(OSError, RuntimeError):
            while connection.recv(1):
                pass
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="Docker's command line", daemon=True).start()
