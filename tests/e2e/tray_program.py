"""The real program with the real gateway, telling where things are on the screen so that a test can click them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator

from PySide6.QtWidgets import QApplication

from desktop.app import hosted_by_tray
from desktop.host import Host
from desktop.tray.application import run
from desktop.tray.main_window import MainWindow
from desktop.tray.server_list import StatusRole


async def _tell() -> None:
    window = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow))
    before = None
    while True:
        page = window.page
        switches = {}
        for row in range(min(page.order.rowCount(), 8)):
            index = page.order.index(row, 0)
            place = page.delegate.switch_rectangle(page.view, index).center()
            place = page.view.viewport().mapToGlobal(place)
            switches[index.data(StatusRole).name] = [place.x(), place.y()]
        now = {"visible": window.isVisible(), "switches": switches}
        if now != before:
            print(json.dumps(now), flush=True)
        before = now
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def telling() -> AsyncIterator[Host]:
    """The gateway of the tray, and the voice beside it."""
    async with hosted_by_tray() as host:
        task = asyncio.create_task(_tell())
        print(json.dumps({"url": host.endpoint().url, "token": await host.token()}), flush=True)
        yield host
        task.cancel()


if __name__ == "__main__":
    sys.exit(run(telling, sys.argv[1:]))
