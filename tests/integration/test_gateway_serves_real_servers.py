"""Servers nobody here wrote, in containers, through the gateway, to the MCP SDK's client."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from desktop.app import Application, GatewayOptions, running
from tests.helpers.home import Home
from tests.helpers.mcp_clients import Answers, connected
from tests.helpers.ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
TOKEN = "token-of-the-test"


@pytest.fixture
def served(home: Home) -> Home:
    """A home in which three real servers are on."""
    home.catalog({name: home.container(name) for name in ("time", "fetch", "everything")})
    home.enable("time", "fetch", "everything")
    return home


@pytest.fixture
async def application(served: Home) -> AsyncIterator[Application]:
    async with running(GatewayOptions(), served.paths) as application:
        await application.listen("127.0.0.1", 0, token=TOKEN)
        yield application


@contextlib.asynccontextmanager
async def gateway_run(home: Home, transport: str) -> AsyncIterator[str]:
    """``docker-mcp gateway run`` as a process of its own; gives the URL of /mcp. On stdio the client starts it."""
    if transport == "stdio":
        yield ""
        return
    port = free_port()
    command = [sys.executable, "-m", "desktop", "gateway", "run", "--transport", transport, "--port", str(port)]
    environment = {**home.environment, "MCP_GATEWAY_AUTH_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        assert await process.wait() == 0


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


@pytest.mark.parametrize(
    ("way", "mode"),
    [
        ("stdio", "auto"),  # 2026-07-28 where it is spoken
        ("streaming", "auto"),
        ("stdio through the running gateway", "auto"),
        ("sse", "legacy"),  # the handshake era
        ("streaming", "legacy"),
        ("stdio through the running gateway", "legacy"),
    ],
)
async def test_tools_prompts_resources_sampling_and_elicitation_pass(served: Home, way: str, mode: str) -> None:
    answers = Answers()
    transport = "streaming" if way.startswith("stdio through") else way
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(gateway_run(served, transport))
        how = "stdio" if way.startswith("stdio") else way
        client = await stack.enter_async_context(
            connected(how, url=url, token=TOKEN, home=served, answers=answers, mode=mode)
        )
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"get_current_time", "fetch", "echo", "trigger-sampling-request"} <= tools

        time = await client.call_tool("get_current_time", {"timezone": "UTC"})
        assert '"timezone": "UTC"' in text_of(time)

        echo = await client.call_tool("echo", {"message": "straße"})
        assert "straße" in text_of(echo)

        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert "fetch" in prompts
        prompt = await client.get_prompt("simple-prompt")
        assert prompt.messages

        resources = (await client.list_resources()).resources
        contents = (await client.read_resource(resources[0].uri)).contents
        assert contents

        sampled = await client.call_tool("trigger-sampling-request", {"prompt": "hello", "maxTokens": 20})
        assert "sampled by the test" in text_of(sampled)

        elicited = await client.call_tool("trigger-elicitation-request", {})
        assert "from the test" in text_of(elicited)
        assert {"sampling", "elicitation"} <= set(answers.asked)

        roots = await client.call_tool("get-roots-list", {})
        assert "file:///srv/test-root" in text_of(roots)


async def test_progress_of_a_call_reaches_only_its_caller(application: Application) -> None:
    seen: dict[str, list[float]] = {"a": [], "b": []}

    async def call(client: Any, name: str, steps: int) -> None:
        async def progress(done: float, total: float | None, message: str | None) -> None:
            seen[name].append(done)

        arguments = {"duration": 0.6, "steps": steps}
        await client.call_tool("trigger-long-running-operation", arguments, progress_callback=progress)

    url = application.endpoint().url
    async with (
        connected("streaming", url=url, token=TOKEN) as a,
        connected("streaming", url=url, token=TOKEN) as b,
        anyio.create_task_group() as group,
    ):
        group.start_soon(call, a, "a", 3)
        group.start_soon(call, b, "b", 5)
    assert max(seen["a"]) == 3
    assert max(seen["b"]) == 5
