"""What the tests of the tray share. They run on Qt's offscreen platform: no display is needed."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"

import pytest
import qasync
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.main_window import MainWindow
from desktop.tray.memory import Memory
from desktop.tray.theme import Theme
from tests.helpers.fake_host import FakeHost, few_servers

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(autouse=True)
def without_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has closed ends its process some seconds later whatever happens; here others still run in it."""
    monkeypatch.setattr("threading.Timer.start", lambda _timer: None)


@pytest.fixture
def run(qapp: QApplication) -> Iterator[Run]:
    """Runs a coroutine on a loop that serves Qt as well."""
    qapp.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
        yield runner.run
    gc.collect()  # what is left of windows must not wait for a collection in another thread: Qt would be called from there


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(few_servers())


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp)


@pytest.fixture
def bridge(qapp: QApplication, host: FakeHost) -> Bridge:
    bridge = Bridge()
    bridge.attach(host)
    return bridge


@pytest.fixture
def actions(bridge: Bridge) -> Actions:
    return Actions(bridge)


@pytest.fixture
def window(bridge: Bridge, actions: Actions, theme: Theme, memory: Memory) -> Iterator[MainWindow]:
    window = MainWindow(bridge, actions, theme, memory)
    yield window
    window.hide()
    window.deleteLater()
