"""Servers nobody here wrote, in containers, through the gateway, to the MCP SDK's client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop.app import Application, GatewayOptions, running
from tests.helpers.home import Home
from tests.helpers.mcp_clients import Answers, connected

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
TOKEN = "token-of-the-test"


@pytest.fixture
async def application(home: Home) -> AsyncIterator[Application]:
    home.catalog({name: home.container(name) for name in ("time", "fetch", "everything", "echo")})
    home.enable("time", "fetch", "everything")
    async with running(GatewayOptions(), home.paths) as application:
        await application.listen("127.0.0.1", 0, token=TOKEN)
        yield application


def text_of(result: Any) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


@pytest.mark.parametrize("way", ["streaming", "sse"])
async def test_tools_prompts_resources_sampling_and_elicitation_pass(application: Application, way: str) -> None:
    answers = Answers()
    async with connected(way, url=application.endpoint().url, token=TOKEN, answers=answers) as client:
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

    import anyio

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
