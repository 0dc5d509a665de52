"""The tray on a real display with a real tray host, real containers behind it and a real client before it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running_tray import containers_of, running_tray, until
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected

pytestmark = [pytest.mark.engine, pytest.mark.display, pytest.mark.keychain, pytest.mark.usefixtures("docker_engine")]


async def test_the_switch_in_the_window_gives_a_connected_client_the_server_s_tools_and_takes_them_away(
    home: Home,
) -> None:
    home.catalog({name: home.container(name, description=f"The {name} server.") for name in ("echo", "time")})
    home.enable("echo")
    changes: list[float] = []

    async def message(message: Any) -> None:
        if type(message).__name__ == "ToolListChangedNotification":
            changes.append(time.monotonic())

    with running_tray(home) as running:
        url, token = running.told("url"), running.told("token")
        # A client of the handshake era, which is told of changes without asking for it.
        more = {"message_handler": message, "mode": "legacy"}
        async with connected("streaming", url=url, token=token, **more) as client:

            async def tools() -> set[str]:
                return {tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools}

            assert "get_current_time" not in await tools()

            running.display.keys("ctrl+f")
            running.write("time server")
            await until(lambda: "Time" in running.rows() and "Echo" not in running.rows(), "what the search finds")
            await running.switch("Time")
            await until(lambda: bool(changes), "the news that the tools have changed")
            assert "get_current_time" in await tools()
            assert await client.call_tool("get_current_time", {"timezone": "UTC"})
            assert containers_of("time")
            if folder := os.environ.get("SCREENSHOTS"):
                running.display.screenshot(Path(folder) / "tray-with-servers.png")

            changes.clear()
            await running.switch("Time")
            await until(lambda: bool(changes), "the news that the tools have changed back")
            assert "get_current_time" not in await tools()
            await until(lambda: not containers_of("time"), "the end of the container")
    assert not containers_of("echo")
