"""Interceptors that are containers: given the message on their standard input, removed afterwards."""

from __future__ import annotations

import json
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import INSTANCE
from desktop.gateway.interceptors import parse_interceptor
from tests.helpers.docker_engine import image
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home

pytestmark = pytest.mark.engine
LIMIT = 30.0
SHOUT = {
    "name": "shout",
    "description": "Says it louder",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
    "container": {"image": image("busybox"), "command": ["sh", "-c", 'echo "$1" | tr a-z A-Z', "sh", "{{text}}"]},
}


class Runs:
    """Starts gateways with interceptors."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.said: list[str] = []

    def options(self, *specs: str, **more: Any) -> GatewayOptions:
        interceptors = tuple(parse_interceptor(text, number) for number, text in enumerate(specs, 1))
        secrets = str(self._home.root / ".env")
        return GatewayOptions(
            secrets=secrets, interceptors=interceptors, on_interceptor=lambda _, line: self.said.append(line), **more
        )


@pytest.fixture
async def runs(home: Home, docker_engine: docker.DockerClient) -> Runs:
    (home.root / ".env").write_text("", encoding="utf-8")
    home.catalog({"tools": {"type": "poci", "title": "Tools", "tools": [SHOUT]}})
    home.enable("tools")
    return Runs(home)


async def outcome(application: Application, text: str) -> dict[str, Any]:
    assert await application.settled(LIMIT)
    client = GatewayClient(application.gateway)
    await client.initialize()
    asked = client.ask("tools/call", {"name": "shout", "arguments": {"text": text}})
    await eventually(lambda: asked.done, seconds=LIMIT)
    return await asked.message()


def left(engine: docker.DockerClient, application: Application) -> list[Any]:
    return engine.api.containers(all=True, filters={"label": f"{INSTANCE}={application.instance}"})


async def test_a_container_gets_the_message_and_may_change_it(
    runs: Runs, home: Home, docker_engine: docker.DockerClient
) -> None:
    change = f"before:docker:{image('busybox')} sh -c 'tr q z'"
    note = f"after:docker:{image('busybox')} sh -c 'cat >&2'"
    async with running(runs.options(change, note), home.paths) as application:
        answer = await outcome(application, "quiet words " + "x" * 100_000)
        assert "result" in answer, answer
        assert answer["result"]["content"][0]["text"].startswith("ZUIET WORDS XXX")
        seen = json.loads(runs.said[0])
        assert (seen["tool"], seen["server"], seen["isError"]) == ("shout", "tools", False)
        assert left(docker_engine, application) == []


async def test_a_container_that_fails_or_hangs_lets_the_call_fail_and_is_removed(
    runs: Runs, home: Home, docker_engine: docker.DockerClient
) -> None:
    spec = f"before:docker:{image('busybox')} sh -c 'exit 5'"
    async with running(runs.options(spec), home.paths) as application:
        message = (await outcome(application, "x"))["error"]["message"]
        assert message == "executing interceptor: interceptor 1 (before:docker) failed: it ended with exit code 5"
    spec = f"before:docker:{image('busybox')} sleep 100"
    async with running(runs.options(spec, interceptor_timeout=2.0), home.paths) as application:
        message = (await outcome(application, "x"))["error"]["message"]
        assert message.startswith("executing interceptor: interceptor 1 (before:docker) failed: ")
        assert left(docker_engine, application) == []


async def test_an_image_that_can_not_be_had_is_named(runs: Runs, home: Home) -> None:
    async with running(runs.options("before:docker:127.0.0.1:1/none:1 cat"), home.paths) as application:
        message = (await outcome(application, "x"))["error"]["message"]
        assert "127.0.0.1:1/none:1" in message
