"""A real display, a real tray host, a real pointer: the program as a person meets it."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.display import Display
from tests.helpers.processes import started, wait_until

pytestmark = [pytest.mark.display, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs X")]

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, contextlib, json, sys
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from desktop.tray.application import run
from desktop.tray.main_window import MainWindow
from tests.helpers.fake_host import FakeHost, few_servers

host = FakeHost(status for status in few_servers() if status.name in ("github-official", "time"))
asked = host._asked

async def note(*call):
    print(json.dumps({"asked": call}), flush=True)
    await asked(*call)

host._asked = note

async def tell():
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    before = None
    while True:
        view = window.page.view
        place = window.page.delegate.switch_rectangle(view, window.page.order.index(0, 0)).center()
        place = view.viewport().mapToGlobal(place)
        now = {"visible": window.isVisible(), "switch": [place.x(), place.y()], "title": window.windowTitle()}
        if now != before:
            print(json.dumps(now), flush=True)
        before = now
        await asyncio.sleep(0.05)

@contextlib.asynccontextmanager
async def running():
    async with host.running() as up:
        task = asyncio.create_task(tell())
        yield up
        task.cancel()
    print(json.dumps({"closed": True}), flush=True)

sys.exit(run(running, sys.argv[1:]))
"""


@dataclass
class Program:
    """The running program and what it told."""

    display: Display
    log: Path
    process: object = None

    def told(self, key: str) -> list[object]:
        """All values told under a key."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        messages = [json.loads(line) for line in lines if line.startswith("{")]
        return [message[key] for message in messages if key in message]

    def shown(self, visible: bool) -> bool:
        """Whether the window is, or is not, to be seen."""
        return self.told("visible")[-1:] == [visible]

    def click_icon(self, button: int) -> None:
        """Click the only icon in the tray, at the right end of the bottom edge."""
        self.display.click(1024 - 14, 768 - 14, button)

    def choose(self, *keys: str) -> None:
        """Choose in the tray's menu by keys."""
        before = self.windows()
        self.click_icon(3)
        wait_until(lambda: self.windows() != before, what="the menu")
        time.sleep(0.3)  # a menu takes hold of the keyboard a moment after it is seen, and nothing tells when
        self.display.keys(*keys)

    def windows(self) -> str:
        """The windows on the screen, among them a menu."""
        return self.display.run("xdotool", "search", "--onlyvisible", "--name", "", check=False)


@contextlib.contextmanager
def program(display: Display, *arguments: str) -> Iterator[Program]:
    log = display.folder / "program.log"
    command = [sys.executable, "-c", PROGRAM, *arguments]
    environment = {**display.environment, "PYTHONPATH": str(ROOT)}
    with started(command, environment, log=log) as process:
        result = Program(display, log)
        wait_until(lambda: bool(result.told("visible")), what="the start of the program", seconds=30)
        if display.tray_host == "xfce4-panel":
            bus = [
                "--dest=org.kde.StatusNotifierWatcher",
                "/StatusNotifierWatcher",
                "org.freedesktop.DBus.Properties.Get",
            ]
            names = ["string:org.kde.StatusNotifierWatcher", "string:RegisteredStatusNotifierItems"]
            query = ("dbus-send", "--session", "--print-reply=literal", *bus, *names)
            wait_until(lambda: "/StatusNotifierItem" in display.run(*query, check=False), what="the icon")
        else:
            # XEmbed: the host's window grows when it takes the icon in.
            find = ("xdotool", "search", "--onlyvisible", "--class", "trayer", "getwindowgeometry")
            wait_until(lambda: "Geometry: 0x" not in display.run(*find, check=False), what="the icon")
        result.process = process
        yield result
        wait_until(lambda: process.poll() is not None, what="the end of the program", seconds=20)
        assert process.returncode == 0, log.read_text(encoding="utf-8")
        assert result.told("closed") == [True]
        assert "Traceback" not in log.read_text(encoding="utf-8")


def test_the_switch_in_the_window_and_quit_in_the_tray(display: Display) -> None:
    with program(display) as running:
        wait_until(lambda: running.shown(True), what="the window")
        x, y = running.told("switch")[-1]  # type: ignore[misc]
        display.click(x, y)
        wait_until(
            lambda: running.told("asked") == [["set_enabled", "github-official", False]], what="the switch being moved"
        )
        running.choose("Up", "Return")


def test_a_server_is_switched_in_the_tray_menu(display: Display) -> None:
    with program(display, "--hidden") as running:
        running.choose("Down", "Down", "Return")
        wait_until(
            lambda: running.told("asked") == [["set_enabled", "github-official", False]], what="the switch being moved"
        )
        running.choose("Down", "Down", "Down", "Return")  # what is off comes after what is on
        wait_until(lambda: len(running.told("asked")) == 2, what="the switch being moved back")
        assert running.told("asked")[1] == ["set_enabled", "github-official", True]
        running.choose("Up", "Return")


def test_a_click_opens_the_window_and_closing_keeps_the_program(display: Display) -> None:
    with program(display, "--hidden") as running:
        assert running.shown(False)
        running.click_icon(1)
        wait_until(lambda: running.shown(True), what="the window")
        wait_until(
            lambda: "MCP Gateway" in display.run("xdotool", "getactivewindow", "getwindowname", check=False),
            what="focus",
        )
        wait_until(lambda: running.shown(False) or bool(display.keys("alt+F4")), what="the window's going")
        wait_until(lambda: running.shown(True) or bool(running.click_icon(1)), what="the window's coming back")
        display.keys("ctrl+q")
