"""kill -9 in the middle of work: no container of ours is left, and the next start sweeps what could be."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import anyio
import httpx
import pytest

from tests.helpers.display import virtual_display
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected
from tests.helpers.ports import free_port
from tests.helpers.processes import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.display, pytest.mark.usefixtures("docker_engine")]
ROOT = Path(__file__).parents[2]


def our_containers(home: Home) -> str:
    """``docker ps -a`` of this home's containers: their instances begin with its scope."""
    scope = (home.paths.instances / "scope").read_text(encoding="utf-8").strip()
    listed = subprocess.run(
        ["docker", "ps", "-a", "--format", '{{.Label "io.mcp-gateway-desktop.instance"}} {{.Names}} {{.Status}}'],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in listed.stdout.splitlines() if line.startswith(scope))


async def test_nothing_is_left_fifteen_seconds_after_kill_9_during_twenty_calls(home: Home) -> None:
    names = ("everything", "echo", "time")
    home.catalog({name: home.container(name) for name in names})
    home.enable(*names)
    port = free_port()
    with virtual_display(None) as display:
        environment = {
            **home.environment,
            "DISPLAY": display.environment["DISPLAY"],
            "DBUS_SESSION_BUS_ADDRESS": display.environment["DBUS_SESSION_BUS_ADDRESS"],
            "MCP_GATEWAY_PORT": str(port),
            "QT_QPA_PLATFORM": "xcb",
        }
        command = [sys.executable, "-m", "desktop", "--hidden"]
        killed = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            await healthy(port)
            token = home.paths.token.read_text(encoding="utf-8").strip()
            await killed_during_calls(killed, f"http://127.0.0.1:{port}/mcp", token, home)
        finally:
            if killed.poll() is None:
                killed.kill()
            killed.wait()

        began = time.monotonic()
        await asyncio.to_thread(
            wait_until, lambda: not our_containers(home), what="the removal of the containers", seconds=15
        )
        print(f"\nafter {time.monotonic() - began:.1f} s: {our_containers(home) or 'no container of ours'}")

        leftover = leave_a_container(home)
        assert leftover in our_containers(home)
        again = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            await asyncio.to_thread(
                wait_until, lambda: leftover not in our_containers(home), what="the sweep at the next start", seconds=30
            )
        finally:
            again.terminate()
            assert again.wait(20) == 0
        assert not our_containers(home)


async def healthy(port: int) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as http:
        while True:
            with suppress(httpx.TransportError):
                if (await http.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def killed_during_calls(killed: subprocess.Popen[bytes], url: str, token: str, home: Home) -> None:
    """Twenty calls under way at once, then SIGKILL; the clients' own errors do not matter here."""
    under_way = 0

    async def call() -> None:
        nonlocal under_way
        async with connected("streaming", url=url, token=token, mode="legacy") as client:
            await client.list_tools()
            under_way += 1
            await client.call_tool("trigger-long-running-operation", {"duration": 60, "steps": 5})

    async def kill() -> None:
        async with asyncio.timeout(60):
            while under_way < 20:
                await asyncio.sleep(0.05)
        print(f"\nbefore:\n{our_containers(home)}")
        assert our_containers(home)
        os.kill(killed.pid, signal.SIGKILL)

    async def guarded() -> None:
        with suppress(Exception):
            await call()

    with anyio.move_on_after(75) as scope:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(guarded)
            await kill()
            killed.wait()
            group.cancel_scope.cancel()
    assert not scope.cancelled_caught


def leave_a_container(home: Home) -> str:
    """What a run would leave behind whose watchdog was killed too: a container labelled with a run that has ended."""
    scope = (home.paths.instances / "scope").read_text(encoding="utf-8").strip()
    labels = {
        "io.mcp-gateway-desktop.owner": "mcp-gateway-desktop",
        "io.mcp-gateway-desktop.instance": f"{scope}ffffff",
        "io.mcp-gateway-desktop.server": "echo",
    }
    options = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    name = f"left-behind-{scope}"
    command = ["docker", "run", "-d", "-i", "--name", name, *options, "mcp-gateway-test/echo"]
    subprocess.run(command, check=True, capture_output=True)
    return name
