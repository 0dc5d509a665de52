"""The tray on a real display with a real tray host, real containers behind it and a real client before it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.display import Display, virtual_display
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected
from tests.helpers.ports import free_port
from tests.helpers.processes import started, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.display, pytest.mark.usefixtures("docker_engine")]
ROOT = Path(__file__).parents[2]


@dataclass
class Tray:
    """The running tray and what it told."""

    display: Display
    log: Path
    process: subprocess.Popen[bytes]

    def told(self, key: str) -> Any:
        """The newest value told under a key, or None."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        values = [message[key] for line in lines if line.startswith("{") and key in (message := json.loads(line))]
        return values[-1] if values else None


@contextlib.contextmanager
def tray(home: Home, *arguments: str) -> Iterator[Tray]:
    with virtual_display("xfce4-panel", size="1280x800") as display:
        environment = {
            **home.environment,
            "DISPLAY": display.environment["DISPLAY"],
            "DBUS_SESSION_BUS_ADDRESS": display.environment["DBUS_SESSION_BUS_ADDRESS"],
            "MCP_GATEWAY_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT),
            "QT_QPA_PLATFORM": "xcb",
        }
        log = display.folder / "program.log"
        command = [sys.executable, "-m", "tests.e2e.tray_program", *arguments]
        with started(command, environment, log=log) as process:
            running = Tray(display, log, process)
            wait_until(lambda: bool(running.told("url")), what="the gateway", seconds=30)
            yield running
            process.terminate()
            wait_until(lambda: process.poll() is not None, what="the end of the tray", seconds=20)
            text = log.read_text(encoding="utf-8")
            assert process.returncode == 0, text
            assert "Traceback" not in text, text


def containers_of(server: str) -> list[str]:
    command = ["docker", "ps", "-aq", "--filter", f"label=io.mcp-gateway-desktop.server={server}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


async def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    await asyncio.to_thread(wait_until, condition, what=what, seconds=seconds)


async def test_the_switch_in_the_window_gives_a_connected_client_the_server_s_tools_and_takes_them_away(
    home: Home,
) -> None:
    home.catalog({name: home.container(name, description=f"The {name} server.") for name in ("echo", "time")})
    home.enable("echo")
    changes: list[float] = []

    async def message(message: Any) -> None:
        if type(message).__name__ == "ToolListChangedNotification":
            changes.append(time.monotonic())

    with tray(home) as running:
        url, token = running.told("url"), running.told("token")
        # A client of the handshake era, which is told of changes without asking for it.
        more = {"message_handler": message, "mode": "legacy"}
        async with connected("streaming", url=url, token=token, **more) as client:

            async def tools() -> set[str]:
                return {tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools}

            assert "get_current_time" not in await tools()

            running.display.keys("ctrl+f")
            running.display.run("xdotool", "type", "--delay", "40", "time server")
            await until(lambda: list(running.told("switches") or {}) == ["time"], "the search's only row")
            x, y = running.told("switches")["time"]
            running.display.click(x, y)
            await until(lambda: bool(changes), "the news that the tools have changed")
            assert "get_current_time" in await tools()
            assert await client.call_tool("get_current_time", {"timezone": "UTC"})
            assert containers_of("time")
            if folder := os.environ.get("SCREENSHOTS"):
                running.display.screenshot(Path(folder) / "tray-with-servers.png")

            changes.clear()
            x, y = running.told("switches")["time"]
            running.display.click(x, y)
            await until(lambda: bool(changes), "the news that the tools have changed back")
            assert "get_current_time" not in await tools()
            await until(lambda: not containers_of("time"), "the end of the container")
    assert not containers_of("echo")
