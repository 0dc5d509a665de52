"""A gateway in a process of its own on a chosen event loop: ``asyncio``, ``uvloop``, or ``qasync`` as the tray has it.

Prints the URL of its endpoint, then serves until its standard input ends. Not a test.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["loop_factory"]


def loop_factory(name: str) -> Callable[[], Any] | None:
    """What makes a loop of this name; raises `ImportError` where it isn't installed."""
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    if name == "qasync":
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_API"] = "pyside6"
        from PySide6.QtWidgets import QApplication

        application = QApplication(["bench"])
        import qasync

        return lambda: qasync.QEventLoop(application)
    return None


async def _serve() -> None:
    from desktop.app import GatewayOptions, running

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    async with running(GatewayOptions()) as application:
        await application.publish_locally()
        print(await application.listen("127.0.0.1", 0, token=os.environ["MCP_GATEWAY_AUTH_TOKEN"]), flush=True)
        await stop.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(_serve())
