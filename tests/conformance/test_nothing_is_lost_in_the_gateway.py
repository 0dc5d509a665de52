"""The official conformance suite: what passes directly passes through the gateway, for a remote server and for a container."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.app import GatewayOptions, running
from tests.conformance.run_suite import Outcome, lost, run_suite
from tests.helpers.home import Home
from tests.helpers.ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.usefixtures("docker_engine"), pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def fixture_url() -> AsyncIterator[str]:
    """The fixture server on loopback."""
    port = free_port()
    command = [sys.executable, "-m", "tests.conformance.fixture_server", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    break
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        await server.wait()


async def through_the_gateway(home: Home, entry: dict[str, object], revision: str) -> dict[str, Outcome]:
    home.catalog({"fixture": entry})
    home.enable("fixture")
    async with running(GatewayOptions(), home.paths) as application:
        url = await application.listen("127.0.0.1", 0, token=None)
        assert await application.settled(60)
        return await asyncio.to_thread(run_suite, url, revision)


def remote(url: str) -> dict[str, object]:
    return {"type": "remote", "remote": {"url": url, "transport_type": "streamable-http"}}


@pytest.mark.parametrize("kind", ["remote", "container"])
@pytest.mark.parametrize(("revision", "most"), [("2025-11-25", 31), ("2026-07-28", 41)])
async def test_every_scenario_that_passes_directly_passes_through_the_gateway(
    home: Home, fixture_url: str, revision: str, most: int, kind: str
) -> None:
    direct = await asyncio.to_thread(run_suite, fixture_url, revision)
    entry = remote(fixture_url) if kind == "remote" else home.container("conformance")
    gateway = await through_the_gateway(home, entry, revision)
    assert {name: gateway[name].problems for name in lost(direct, gateway)} == {}
    passed = [name for name, outcome in gateway.items() if outcome.passed]
    print(f"\n{revision}, {kind}: {len(passed)} of {len(gateway)} scenarios pass")
    assert len(passed) >= most
