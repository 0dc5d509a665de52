"""Servers behind the fence, on the engine of this machine: what they may reach, what they may not, and what is left."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import INSTANCE
from tests.helpers.docker_engine import image
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform != "linux", reason="the engine's bridge is this machine's own on Linux alone"),
]


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n")
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nreached\r\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.fixture
async def origin() -> AsyncIterator[int]:
    """The port of something on this machine's loopback that answers."""
    server = await asyncio.start_server(_greet, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def shell(**more: Any) -> dict[str, Any]:
    """A server whose one tool runs a shell command in a container."""
    parameters = {"type": "object", "properties": {"line": {"type": "string"}}, "required": ["line"]}
    container = {"image": image("busybox"), "command": ["sh", "-c", "{{line}}"]}
    return {"title": "Shell", "tools": [{"name": "sh", "parameters": parameters, "container": container}], **more}


@contextlib.asynccontextmanager
async def fenced(home: Home, **options: Any) -> AsyncIterator[tuple[Application, GatewayClient]]:
    async with running(GatewayOptions(**options), home.paths) as application:
        assert await application.settled(30)
        client = GatewayClient(application.gateway)
        await client.initialize()
        yield application, client


async def run(client: GatewayClient, line: str) -> str:
    result = await client.ask("tools/call", {"name": "sh", "arguments": {"line": line}}).result()
    return str(result["content"][0]["text"])


async def test_a_fenced_server_reaches_its_allowed_host_through_the_proxy_and_nothing_else(
    home: Home, docker_engine: docker.DockerClient, origin: int
) -> None:
    home.catalog({"shell": shell(allowHosts=[f"127.0.0.1:{origin}"])})
    home.enable("shell")
    told: list[tuple[str, str, int, bool]] = []

    def tell(*seen: Any) -> None:
        told.append(seen)

    async with fenced(home, block_network="listed", on_egress=tell) as (application, client):
        url = f"http://127.0.0.1:{origin}/"
        assert "reached" in await run(client, f"wget -q -O - {url}")
        assert "403" in await run(client, "wget -q -O - http://192.0.2.1/ 2>&1")
        assert "down" in await run(client, "unset http_proxy; wget -T 2 -q -O - http://192.0.2.1/ 2>&1 || echo down")
        filters = {"label": f"{INSTANCE}={application.instance}"}
        (network,) = docker_engine.networks.list(filters=filters)
        assert network.attrs["Internal"]
    assert told == [("shell", "127.0.0.1", origin, True), ("shell", "192.0.2.1", 80, False)]
    assert docker_engine.networks.list(filters=filters) == []


async def test_a_host_for_any_protocol_is_reached_by_its_own_name(home: Home, origin: int) -> None:
    home.catalog({"shell": shell(allowHosts=[f"127.0.0.1:{origin}/tcp"])})
    home.enable("shell")
    async with fenced(home, block_network="listed") as (_, client):
        hosts = await run(client, "cat /etc/hosts")
        gateway = next(line.split()[0] for line in hosts.splitlines() if line.split()[1:] == ["127.0.0.1"])
        assert "reached" in await run(client, f"echo hi | nc -w 5 {gateway} {origin}")


@pytest.mark.parametrize(("mode", "interfaces"), [("", {"lo", "eth0"}), ("listed", {"lo", "eth0"}), ("all", {"lo"})])
async def test_a_server_without_allowed_hosts_is_cut_off_only_where_all_are(
    home: Home, mode: str, interfaces: set[str]
) -> None:
    home.catalog({"shell": shell()})
    home.enable("shell")
    async with fenced(home, block_network=mode) as (_, client):
        found = set((await run(client, "ls /sys/class/net")).split())
        assert interfaces <= found
        assert ("eth0" in found) == ("eth0" in interfaces)


async def test_a_server_whose_allowed_hosts_cannot_be_understood_does_not_run(home: Home) -> None:
    home.catalog({"shell": shell(allowHosts=["*.example.com:443"])})
    home.enable("shell")
    async with fenced(home, block_network="listed") as (_, client):
        assert "'*.example.com:443' in allowHosts can't be understood" in await run(client, "true")
