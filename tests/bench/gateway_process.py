"""A gateway in a process of its own, hosted in one of the ways there are.

``asyncio`` and ``uvloop``: as ``docker-mcp gateway run`` hosts it. ``qasync``: as the tray would on its own loop. ``thread``: as
the tray does, on a thread beside the loop of the window. The last two take ``busy`` as well: a window that is busy for 100 ms
twice a second. Prints the URL of its endpoint, then serves until its standard input ends; with a window it then prints how
late a 16 ms timer of the window was since the last line of input, as JSON. Not a test.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.bench.measuring import percentile

__all__ = ["loop_factory"]

TICK = 0.016
BUSY, EVERY = 0.1, 500


def loop_factory(name: str) -> Callable[[], Any] | None:
    """What makes a loop of this name; raises `ImportError` where it isn't installed."""
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    if name in ("qasync", "thread"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_API"] = "pyside6"
        from PySide6.QtWidgets import QApplication

        application = QApplication(["bench"])
        import qasync

        return lambda: qasync.QEventLoop(application)
    return None


class Window:
    """The work of a window: a timer every 16 ms whose lateness is kept, and, when asked for, being busy now and then."""

    def __init__(self, late: list[float], *, busy: bool) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._late = late
        self._due = time.perf_counter() + TICK
        self._tick = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=round(TICK * 1000))
        self._tick.timeout.connect(self._ticked)
        self._tick.start()
        self._work = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=EVERY)
        self._work.timeout.connect(self._do_work)
        if busy:
            self._work.start()

    def close(self) -> None:
        """Measure no more."""
        self._tick.stop()
        self._work.stop()

    def _ticked(self) -> None:
        now = time.perf_counter()
        self._late.append(max(now - self._due, 0.0))
        self._due = now + TICK

    def _do_work(self) -> None:
        end = time.perf_counter() + BUSY
        while time.perf_counter() < end:
            sorted(range(200), key=lambda number: -number)


async def _serve(name: str, *, busy: bool) -> None:
    from desktop.app import GatewayOptions, running

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    late: list[float] = []

    def wait_for_end() -> None:
        for _ in sys.stdin.buffer:
            loop.call_soon_threadsafe(late.clear)
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    if name in ("qasync", "thread"):
        from desktop.app import hosted_by_tray

        window = Window(late, busy=busy)
        async with hosted_by_tray(in_thread=name == "thread") as host:
            while not (url := host.endpoint().url):
                await asyncio.sleep(0.01)
            print(url, flush=True)
            await stop.wait()
            window.close()
            print(json.dumps({"p50": percentile(late, 0.5) * 1000, "p99": percentile(late, 0.99) * 1000}), flush=True)
        return
    async with running(GatewayOptions()) as application:
        await application.publish_locally()
        print(await application.listen("127.0.0.1", 0, token=os.environ["MCP_GATEWAY_AUTH_TOKEN"]), flush=True)
        await stop.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(_serve(sys.argv[1], busy="busy" in sys.argv[2:]))
