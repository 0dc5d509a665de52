"""The MCP Inspector's command line, a client nobody here wrote, over each of the gateway's transports."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop.app import Application, GatewayOptions, running
from tests.helpers.home import Home
from tests.helpers.node import node, node_environment, tool_path

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
TOKEN = "token-of-the-test"


@pytest.fixture
async def application(home: Home) -> AsyncIterator[Application]:
    home.catalog({name: home.container(name) for name in ("time", "fetch", "everything")})
    home.enable("time", "fetch", "everything")
    async with running(GatewayOptions(), home.paths) as application:
        await application.listen("127.0.0.1", 0, token=TOKEN)
        await application.settled(60)
        yield application


async def inspect(way: str, application: Application, home: Home, *arguments: str) -> Any:
    """Run the Inspector once; returns what it printed."""
    if way == "stdio":
        target = [sys.executable, "-m", "desktop", "gateway", "run"]
    else:
        url = application.endpoint().url
        address = url if way == "streaming" else url.removesuffix("/mcp") + "/sse"
        target = [address, "--transport", "http" if way == "streaming" else "sse"]
        arguments = (*arguments, "--header", f"Authorization: Bearer {TOKEN}")
    program = tool_path("@modelcontextprotocol/inspector") / "clients" / "launcher" / "build" / "index.js"
    inspector = await asyncio.create_subprocess_exec(
        str(node()),
        str(program),
        "--cli",
        *target,
        *arguments,
        env={**node_environment(), **home.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await inspector.communicate()
    assert inspector.returncode == 0, err.decode()[-2000:] + out.decode()[-2000:]
    return json.loads(out)


@pytest.mark.parametrize("way", ["stdio", "streaming", "sse"])
async def test_the_inspector_lists_calls_gets_and_reads(application: Application, home: Home, way: str) -> None:
    tools = await inspect(way, application, home, "--method", "tools/list")
    assert {"get_current_time", "fetch", "echo"} <= {tool["name"] for tool in tools["tools"]}

    call = ("--method", "tools/call", "--tool-name", "get_current_time", "--tool-arg", "timezone=UTC")
    result = await inspect(way, application, home, *call)
    assert '"timezone": "UTC"' in result["content"][0]["text"]

    prompt = await inspect(way, application, home, "--method", "prompts/get", "--prompt-name", "simple-prompt")
    assert prompt["messages"]

    resources = await inspect(way, application, home, "--method", "resources/list")
    uri = resources["resources"][0]["uri"]
    contents = await inspect(way, application, home, "--method", "resources/read", "--uri", uri)
    assert contents["contents"][0]["uri"] == uri
