"""A model finds a server in a container, adds it with the person's consent, uses it, and its end leaves nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.catalog.selection import Selection
from desktop.engine.labels import INSTANCE
from desktop.policy.question import Answer
from tests.helpers.docker_engine import docker_engine
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home

pytestmark = pytest.mark.engine
__all__ = ["docker_engine"]
LIMIT = 60.0


@pytest.fixture
def catalog(home: Home) -> Home:
    (home.root / ".env").write_text("", encoding="utf-8")
    schema = {"name": "filesystem", "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    files = home.container(
        "filesystem", volumes=["{{filesystem.path}}:/files"], command=["/files"], config=[schema], description="Files."
    )
    echo = home.container("echo", description="Says again what it is told.")
    home.catalog({"time": home.container("time"), "echo": echo, "filesystem": files})
    home.enable("time")
    return home


@pytest.fixture
async def application(catalog: Home, docker_engine: docker.DockerClient) -> AsyncIterator[Application]:
    async with running(GatewayOptions(secrets=str(catalog.root / ".env")), catalog.paths) as found:
        assert await found.settled(LIMIT)
        found.questions_are_seen()
        instance = found.instance
        yield found
    assert docker_engine.api.containers(all=True, filters={"label": f"{INSTANCE}={instance}"}) == []


async def used(client: GatewayClient, tool: str, **arguments: Any) -> tuple[str, bool]:
    asked = client.ask("tools/call", {"name": tool, "arguments": arguments})
    await eventually(lambda: asked.done, seconds=LIMIT)
    result = await asked.result()
    return result["content"][0]["text"], result.get("isError", False)


async def allowing(
    application: Application, client: GatewayClient, tool: str, **arguments: Any
) -> tuple[str, list[str]]:
    """Call a tool that asks the person, who agrees; what it gave, and what they were asked."""
    using = asyncio.create_task(used(client, tool, **arguments))
    await eventually(lambda: application.questions() or using.done(), seconds=LIMIT)
    assert application.questions(), using.result()
    (question,) = application.questions()
    await application.answer(question.id, Answer.ALWAYS)
    text, failed = await using
    assert not failed, text
    return text, list(question.matters)


async def connected(application: Application) -> GatewayClient:
    client = GatewayClient(application.gateway)
    await client.initialize()
    return client


def containers(engine: docker.DockerClient, application: Application, server: str) -> list[str]:
    labels = [f"{INSTANCE}={application.instance}", f"docker-mcp-name={server}"]
    return [entry["Id"] for entry in engine.api.containers(all=True, filters={"label": labels})]


async def test_a_container_server_is_found_added_used_and_gone_with_its_session(
    application: Application, docker_engine: docker.DockerClient
) -> None:
    client, other = await connected(application), await connected(application)
    found = json.loads((await used(client, "mcp-find", query="say again"))[0])
    assert found["servers"][0]["name"] == "echo"
    text, matters = await allowing(application, client, "mcp-add", name="echo")
    assert matters == ["run the image mcp-gateway-test/echo"]
    added = json.loads(text)
    tools = {tool["name"]: tool["inputSchema"] for tool in added["tools"]}
    assert "properties" in tools["echo"]
    assert "straße" in (await used(client, "echo", text="straße"))[0]
    assert "straße" in (await used(client, "mcp-exec", name="echo", arguments='{"text": "straße"}'))[0]
    assert "echo" not in await other.tools()
    assert application.servers()
    status = application.server("echo")
    assert status is not None
    assert not status.enabled
    assert len(await asyncio.to_thread(containers, docker_engine, application, "echo")) == 1
    await client.leave()
    async with asyncio.timeout(LIMIT):
        while await asyncio.to_thread(containers, docker_engine, application, "echo"):
            await asyncio.sleep(0.05)
    assert "time" in {status.name for status in application.servers() if status.enabled}


async def test_what_was_allowed_once_is_not_asked_again_but_another_folder_is(
    application: Application, catalog: Home
) -> None:
    client = await connected(application)
    for name in ("one", "two"):
        (catalog.root / name).mkdir()
        (catalog.root / name / f"{name}.txt").write_text(name, encoding="utf-8")
    one, two = str(catalog.root / "one"), str(catalog.root / "two")
    text, failed = await used(client, "mcp-add", name="filesystem")
    assert failed
    assert "path is missing" in text
    await used(client, "mcp-config-set", server="filesystem", config={"path": one})
    _, matters = await allowing(application, client, "mcp-add", name="filesystem")
    assert matters[1] == f"read and change the folder {one}"
    assert "one.txt" in (await used(client, "list_directory", path="/files"))[0]

    again = await connected(application)
    await used(again, "mcp-config-set", server="filesystem", config={"path": one})
    text, failed = await used(again, "mcp-add", name="filesystem")
    assert not failed, text
    _, matters = await allowing(application, again, "mcp-config-set", server="filesystem", config={"path": two})
    assert matters[1] == f"read and change the folder {two}"
    assert "two.txt" in (await used(again, "list_directory", path="/files"))[0]
    assert "one.txt" in (await used(client, "list_directory", path="/files"))[0]


@pytest.mark.parametrize("off", ["feature", "servers", "option"])
async def test_they_are_off_by_feature_with_chosen_servers_and_by_choice(catalog: Home, off: str) -> None:
    if off == "feature":
        catalog.paths.docker_config.write_text(json.dumps({"features": {"dynamic-tools": "disabled"}}), "utf-8")
    selection = Selection(servers=("time",)) if off == "servers" else Selection()
    options = GatewayOptions(selection=selection, dynamic_tools=off != "option", secrets=str(catalog.root / ".env"))
    async with running(options, catalog.paths) as application:
        assert await application.settled(LIMIT)
        client = await connected(application)
        tools = await client.tools()
        assert tools
        assert not [name for name in tools if name.startswith("mcp-")]
