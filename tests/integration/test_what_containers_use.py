"""What a server's container uses is read from the engine when somebody asks."""

from __future__ import annotations

import asyncio

import docker
import pytest

from desktop.app import GatewayOptions, running
from tests.helpers.home import Home

pytestmark = pytest.mark.engine


async def test_memory_and_processors_of_a_running_server(docker_engine: docker.DockerClient, home: Home) -> None:
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    async with running(GatewayOptions(), home.paths) as host:
        async with asyncio.timeout(60):
            while (first := await host.server_resources.use("echo")) is None:
                await asyncio.sleep(0.1)
            assert first.containers == 1
            assert first.memory > 100_000
            assert first.processors is None
            again = await host.server_resources.use("echo")
        assert again is not None
        assert again.processors is not None
        assert 0 <= again.processors < 64
        image = await host.server_resources.image("echo")
        assert image is not None
        assert image.id == docker_engine.images.get("mcp-gateway-test/echo").id
        assert await host.server_resources.use("nobody") is None
