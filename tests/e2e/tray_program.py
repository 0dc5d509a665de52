"""The real program with the real gateway, telling where things are on the screen so that a test can click them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLineEdit, QTableView, QWidget

from desktop.app import hosted_by_tray
from desktop.host import Host
from desktop.tray.application import run
from desktop.tray.main_window import MainWindow
from desktop.tray.switch_row import SwitchRowDelegate
from desktop.tray.words import needs_person

ROWS_TOLD = 12


def _place(widget: QWidget, point: QPoint) -> list[int]:
    place = widget.mapToGlobal(point)
    return [place.x(), place.y()]


def _rows(view: QAbstractItemView) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name, place, switch and spoken text of the rows that are seen."""
    model, delegate, inside = view.model(), view.itemDelegate(), view.viewport().rect()
    columns = range(model.columnCount()) if isinstance(view, QTableView) else range(1)
    for row in range(min(model.rowCount(), ROWS_TOLD)):
        index = model.index(row, 0)
        rectangle = view.visualRect(index)
        if not inside.contains(rectangle.center()):
            continue
        texts = [str(model.index(row, column).data() or "") for column in columns]
        told = {"at": _place(view.viewport(), rectangle.center())}
        told["says"] = index.data(Qt.ItemDataRole.AccessibleTextRole) or " ".join(texts)
        if isinstance(delegate, SwitchRowDelegate):
            told["switch"] = _place(view.viewport(), delegate.switch_rectangle(view, index).center())
        yield " ".join(texts), told


def _seen() -> dict[str, Any]:
    """What a person sees and may click: that of the dialog on top, where there is one."""
    on_top = QApplication.activeModalWidget()
    main = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow))
    window = on_top or main
    controls: dict[str, list[int]] = {}
    rows: dict[str, dict[str, Any]] = {}
    for widget in window.findChildren(QWidget):
        region = widget.visibleRegion()
        if widget.window() is not window or not widget.isVisible() or region.isEmpty():
            continue
        if isinstance(widget, QAbstractItemView):
            rows.update(_rows(widget))
        elif isinstance(widget, QAbstractButton | QLineEdit) and widget.isEnabled():
            text = widget.text() if isinstance(widget, QAbstractButton) else widget.placeholderText()
            controls[widget.accessibleName() or text] = _place(widget, region.boundingRect().center())
    sign_ins = {status.app: status.state.value for status in main._bridge.sign_ins()}
    waiting = [status.name for status in main._bridge.servers() if needs_person(status)]
    return {
        "visible": window.isVisible(),
        "window": window.windowTitle(),
        "controls": controls,
        "rows": rows,
        "sign_ins": sign_ins,
        "waiting": waiting,
    }


async def _tell() -> None:
    before = None
    while True:
        now = _seen()
        if now != before:
            print(json.dumps(now), flush=True)
        before = now
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def telling() -> AsyncIterator[Host]:
    """The gateway of the tray, and the voice beside it."""
    async with hosted_by_tray() as host:
        task = asyncio.create_task(_tell())
        kept = await host.secrets_status()
        print(
            json.dumps({"url": host.endpoint().url, "token": await host.token(), "secrets": kept.protection}),
            flush=True,
        )
        yield host
        task.cancel()


if __name__ == "__main__":
    sys.exit(run(telling, sys.argv[1:]))
