"""With ``--static`` servers are reached where somebody else has started them, over a real TCP connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer
from desktop.errors import ServerGoneError, ServerStartError
from desktop.gateway.gateway import Gateway
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.static import StaticTransport
from desktop.servers.status import ServerState
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport
from tests.helpers.fake_mcp import eventually, tool
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.ports import free_port


class Bridge:
    """A server's standard streams on a TCP port; answers as a small MCP server.

    Attributes:
        connections: How many clients are connected.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(b"server is up\n")
        while line := await reader.readline():
            message = json.loads(line)
            if "id" not in message:
                continue
            result: dict[str, Any] = {}
            if message["method"] == "initialize":
                result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {}}
            elif message["method"] == "tools/list":
                result = {"tools": [tool("t")]}
            elif message["method"] == "tools/call":
                result = {"content": [{"type": "text", "text": json.dumps(message["params"]["arguments"])}]}
            answer = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\n"
            for start in range(0, len(answer), 1000):
                writer.write(answer[start : start + 1000])
                await writer.drain()
        self.connections -= 1
        writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    bridge = Bridge()
    server = await asyncio.start_server(bridge.serve, "127.0.0.1", 0, limit=2**24)
    bridge.port = server.sockets[0].getsockname()[1]
    yield bridge
    bridge.hang_up()
    server.close()
    await eventually(lambda: bridge.connections == 0)


class Launcher:
    """Reaches every server at one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:
        return StaticTransport(server.name, log, host="127.0.0.1", port=self.port)

    def reveals_secrets(self, server: CatalogServer) -> bool:
        return False

    def image_id(self, server: CatalogServer) -> str:
        return ""


async def fleet(folder: Path, port: int) -> tuple[Fleet, Gateway]:
    found = Fleet(launcher=Launcher(port), cache=ListingCache(folder), timing=Timing(start=5), clean=str)
    gateway = Gateway(found)
    entry = CatalogServer(name="s", type="server", image="x")
    await found.apply(Configuration(enabled=("s",), servers={"s": entry}))
    return found, gateway


async def test_a_started_server_is_listed_and_called_over_its_port(bridge: Bridge, tmp_path: Path) -> None:
    servers, gateway = await fleet(tmp_path, bridge.port)
    assert await gateway.settled(5)
    client = GatewayClient(gateway)
    await client.initialize()
    assert await client.tools() == ["t"]
    large = {"text": "line one\nline two " * 50_000}
    result = await client.call("t", arguments=large).result()
    assert json.loads(result["content"][0]["text"]) == large
    assert bridge.connections == 1
    await gateway.close()
    await servers.close()
    await eventually(lambda: bridge.connections == 0)


async def test_a_server_that_hangs_up_is_connected_to_again(bridge: Bridge, tmp_path: Path) -> None:
    servers, gateway = await fleet(tmp_path, bridge.port)
    assert await gateway.settled(5)
    client = GatewayClient(gateway)
    await client.initialize()
    await client.call("t").result()
    bridge.hang_up()
    await eventually(lambda: servers.servers["s"].status.state is not ServerState.READY)
    assert servers.servers["s"].status.reason == "s has closed the connection: (stdout) server is up"
    await servers.servers["s"].retry()
    await client.call("t").result()
    await gateway.close()
    await servers.close()


async def test_nobody_at_the_port_is_one_sentence_with_what_to_do() -> None:
    port = free_port()
    transport = StaticTransport("s", StderrLog(str), host="127.0.0.1", port=port)
    with pytest.raises(ServerStartError) as raised:
        await transport.start(None)  # type: ignore[arg-type]
    assert raised.value.message.startswith(f"s can't be reached at 127.0.0.1:{port}: ")
    assert "Start its container as 127.0.0.1" in raised.value.hint
    await transport.close()


async def test_by_default_a_server_is_sought_under_the_name_of_its_container() -> None:
    transport = StaticTransport("nosuch", StderrLog(str))
    with pytest.raises((ServerStartError, ServerGoneError)) as raised:
        await transport.start(None)  # type: ignore[arg-type]
    assert "mcp-nosuch:4444" in raised.value.message
