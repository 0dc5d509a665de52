"""The tray program as a process on a display of its own, driven by mouse and keyboard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.display import Display, virtual_display
from tests.helpers.home import Home
from tests.helpers.keychain import private_keychain
from tests.helpers.ports import free_port
from tests.helpers.processes import started, wait_until

__all__ = ["Tray", "containers_of", "running_tray", "until"]

ROOT = Path(__file__).parents[2]


@dataclass
class Tray:
    """The running tray and what it told (`tests.e2e.tray_program`)."""

    display: Display
    log: Path
    process: subprocess.Popen[bytes]

    def told(self, key: str) -> Any:
        """The newest value told under a key, or None."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        values = [message[key] for line in lines if line.startswith("{") and key in (message := json.loads(line))]
        return values[-1] if values else None

    def rows(self) -> dict[str, Any]:
        """The rows that are seen, by their names."""
        return self.told("rows") or {}

    def says(self, row: str) -> str:
        """What a screen reader says of a row; empty while there is none."""
        return str(self.rows().get(row, {}).get("says", ""))

    async def window(self, title: str) -> None:
        """Wait until the window with this title is on top."""
        await until(lambda: self.told("window") == title, f"the window {title!r}")

    async def press(self, control: str) -> None:
        """Click a button or a field by its name."""
        await until(lambda: control in (self.told("controls") or {}), f"the control {control!r}")
        self.display.click(*self.told("controls")[control])

    async def choose(self, row: str) -> None:
        """Click a row by its name."""
        await until(lambda: row in self.rows(), f"the row {row!r}")
        self.display.click(*self.rows()[row]["at"])

    async def switch(self, row: str) -> None:
        """Click the switch of a row."""
        await until(lambda: row in self.rows(), f"the row {row!r}")
        self.display.click(*self.rows()[row]["switch"])

    def write(self, text: str) -> None:
        """Type a text."""
        self.display.run("xdotool", "type", "--delay", "25", text)


@contextlib.contextmanager
def running_tray(home: Home, *arguments: str, welcomed: bool = True) -> Iterator[Tray]:
    """The program in ``home``, on a display with a window manager, a panel and an unlocked keychain.

    Args:
        home: The person's files.
        arguments: For the program.
        welcomed: Whether the person has seen the first steps before.
    """
    if welcomed:
        home.paths.app_settings.parent.mkdir(parents=True, exist_ok=True)
        home.paths.app_settings.write_text('{"welcomed": true}', encoding="utf-8")
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(virtual_display("xfce4-panel", size="1280x800"))
        bus = display.environment["DBUS_SESSION_BUS_ADDRESS"]
        stack.enter_context(private_keychain(bus=bus))
        environment = {
            **home.environment,
            "DISPLAY": display.environment["DISPLAY"],
            "DBUS_SESSION_BUS_ADDRESS": bus,
            "LANG": "C.UTF-8",
            "MCP_GATEWAY_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT),
            "QT_QPA_PLATFORM": "xcb",
            "XDG_RUNTIME_DIR": display.environment["XDG_RUNTIME_DIR"],
        }
        log = display.folder / "program.log"
        command = [sys.executable, "-m", "tests.e2e.tray_program", *arguments]
        process = stack.enter_context(started(command, environment, log=log))
        running = Tray(display, log, process)
        try:
            wait_until(lambda: bool(running.told("url")), what="the gateway", seconds=30)
            yield running
        except BaseException:
            print(log.read_text(encoding="utf-8")[-3000:])
            raise
        process.terminate()
        wait_until(lambda: process.poll() is not None, what="the end of the tray", seconds=20)
        text = log.read_text(encoding="utf-8")
        assert process.returncode == 0, text
        assert "Traceback" not in text, text


def containers_of(server: str) -> list[str]:
    """The containers of a server, running or not."""
    command = ["docker", "ps", "-aq", "--filter", f"label=io.mcp-gateway-desktop.server={server}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


async def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for a condition while the loop goes on."""
    await asyncio.to_thread(wait_until, condition, what=what, seconds=seconds)
