"""Catalog entries whose tools are containers: listed from the entry, each call runs one container (reference: type poci)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import INSTANCE
from desktop.policy.question import Answer
from desktop.servers.status import ServerKind, ServerState
from tests.helpers.docker_engine import image
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home

pytestmark = pytest.mark.engine
LIMIT = 30.0


def tool(name: str, *command: str, container: dict[str, Any] | None = None, **properties: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    container = {"image": image("busybox"), "command": list(command), **(container or {})}
    return {"name": name, "description": f"Runs {name}", "parameters": parameters, "container": container}


ENTRY = {
    "type": "poci",
    "title": "Tools",
    "tools": [
        tool("shout", "sh", "-c", 'echo "$1" | tr a-z A-Z', "sh", "{{text}}", text="string"),
        tool("fail", "sh", "-c", "echo partly; echo {{why|or:unknown}} >&2; exit 4", why="string"),
        tool("words", "sh", "-c", 'echo $#: "$@"', "sh", "{{words|into}}", words="array"),
        tool("hang", "sleep", "600"),
        {"name": "described only", "description": "has no container"},
    ],
}

RICH = {
    "type": "object",
    "properties": {
        "where": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "lines": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "unit": {"type": "string", "enum": ["km", "mi"], "default": "km", "description": "Which unit"},
        "count": {"type": ["integer", "null"], "minimum": 0},
    },
    "required": ["where"],
    "additionalProperties": False,
}
EQUIPPED = {
    "type": "poci",
    "title": "Equipped",
    "secrets": [{"name": "equipped.token", "env": "TOKEN"}],
    "env": [{"name": "GREETING", "value": "{{equipped.greeting}}"}, {"name": "COPY", "value": "$TOKEN!"}],
    "config": [{"name": "equipped", "type": "object", "properties": {"greeting": {"type": "string"}}}],
    "disableNetwork": True,
    "tools": [
        tool(
            "surroundings", "sh", "-c", 'echo "$GREETING $COPY $1"; ls /sys/class/net', "sh", "{{text}}", text="string"
        ),
        tool("look", "cat", "/seen/note", container={"volumes": ["{{folder|mount_as:/seen:ro}}"]}, folder="string"),
        {**tool("rich", "true"), "parameters": RICH},
    ],
}


@pytest.fixture
async def application(home: Home, docker_engine: docker.DockerClient) -> AsyncIterator[Application]:
    (home.root / ".env").write_text("equipped.token=sesame\n", encoding="utf-8")
    home.paths.config.write_text("equipped: {greeting: hello}\n", encoding="utf-8")
    missing = {"type": "poci", "tools": [{**tool("lost"), "container": {"image": "127.0.0.1:1/none:1", "command": []}}]}
    home.catalog({"tools": ENTRY, "missing": missing, "equipped": EQUIPPED})
    home.enable("tools", "missing", "equipped")
    options = GatewayOptions(secrets=str(home.root / ".env"), dynamic_tools=False)
    async with running(options, home.paths) as found:
        assert await found.settled(LIMIT)
        instance = found.instance
        yield found
    assert docker_engine.api.containers(all=True, filters={"label": f"{INSTANCE}={instance}"}) == []


@pytest.fixture
async def client(application: Application) -> GatewayClient:
    client = GatewayClient(application.gateway)
    await client.initialize()
    return client


async def call(client: GatewayClient, name: str, **arguments: Any) -> tuple[str, bool]:
    asked = client.ask("tools/call", {"name": name, "arguments": arguments})
    await eventually(lambda: asked.done, seconds=LIMIT)
    result = await asked.result()
    return result["content"][0]["text"], result["isError"]


async def test_tools_are_listed_from_the_entry_without_running_anything(
    application: Application, client: GatewayClient
) -> None:
    listed = (await client.ask("tools/list").result())["tools"]
    names = ["surroundings", "look", "rich", "lost", "shout", "fail", "words", "hang"]
    assert [entry["name"] for entry in listed] == names
    assert {entry["name"]: entry["inputSchema"] for entry in listed}["rich"] == RICH
    assert {entry["name"]: entry["inputSchema"] for entry in listed}["hang"] == {"type": "object"}
    (shout,) = [entry for entry in listed if entry["name"] == "shout"]
    assert shout["inputSchema"] == {"type": "object", "properties": {"text": {"type": "string"}}}
    assert shout["description"] == "Runs shout"
    status = application.server("tools")
    assert status is not None
    assert (status.kind, status.state, status.tool_count) == (ServerKind.TOOLS, ServerState.READY, 4)


async def test_arguments_go_into_the_command_and_the_output_comes_back(client: GatewayClient) -> None:
    assert await call(client, "shout", text="hello; exit 9") == ("HELLO; EXIT 9\n", False)
    assert await call(client, "words", words=["one", "two words"]) == ("2: one two words\n", False)


async def test_its_secrets_its_environment_and_its_network_are_those_of_the_entry(
    application: Application, client: GatewayClient
) -> None:
    assert await call(client, "surroundings", text="$TOKEN ${TOKEN}") == ("hello sesame! $TOKEN ${TOKEN}\nlo\n", False)


async def test_a_folder_the_caller_chooses_is_mounted_when_the_person_agrees_and_is_remembered(
    application: Application, client: GatewayClient, home: Home
) -> None:
    (home.root / "notes").mkdir()
    (home.root / "notes" / "note").write_text("seen", encoding="utf-8")
    notes = str(home.root / "notes")
    text, failed = await call(client, "look", folder=notes)
    assert failed
    assert text.startswith(f"Equipped may not read the folder {notes} before a person has agreed")
    application.questions_are_seen()
    asked = client.ask("tools/call", {"name": "look", "arguments": {"folder": notes}})
    await eventually(application.questions, seconds=LIMIT)
    (question,) = application.questions()
    assert (question.server, question.matters) == ("equipped", (f"read the folder {notes}",))
    await application.answer(question.id, Answer.ALWAYS)
    await eventually(lambda: asked.done, seconds=LIMIT)
    assert (await asked.result())["content"][0]["text"] == "seen"
    assert await call(client, "look", folder=f"{notes}/../notes") == ("seen", False)


@pytest.mark.parametrize("folder", ["/etc", "/", "~/.ssh"])
async def test_a_folder_of_the_system_or_of_keys_is_never_mounted(
    application: Application, client: GatewayClient, folder: str
) -> None:
    application.questions_are_seen()
    text, failed = await call(client, "look", folder=folder)
    assert failed
    assert "can't be mounted" in text
    assert application.questions() == ()


async def test_another_exit_code_than_zero_is_an_error_with_everything_that_was_printed(
    application: Application, client: GatewayClient
) -> None:
    assert await call(client, "fail", why="reasons") == ("partly\nreasons\n", True)
    assert await call(client, "fail") == ("partly\nunknown\n", True)
    assert "reasons" in application.stderr("tools")


async def test_an_image_that_can_not_be_had_is_an_error_of_the_call(client: GatewayClient) -> None:
    text, failed = await call(client, "lost")
    assert failed
    assert "127.0.0.1:1/none:1" in text


@pytest.mark.parametrize("params", [{"name": "shout", "arguments": [1]}, {"name": "shout", "arguments": "text"}])
async def test_arguments_that_are_none_are_answered_with_an_error(client: GatewayClient, params: Any) -> None:
    assert (await client.ask("tools/call", params).error())["code"] == -32602


async def test_a_cancelled_call_takes_its_container_along(
    application: Application, client: GatewayClient, docker_engine: docker.DockerClient
) -> None:
    asked = client.ask("tools/call", {"name": "hang", "arguments": {}})
    filters = {"label": f"{INSTANCE}={application.instance}"}

    async def until(count: int) -> None:
        async with asyncio.timeout(LIMIT):
            while len(await asyncio.to_thread(docker_engine.api.containers, all=True, filters=filters)) != count:
                await asyncio.sleep(0.05)

    await until(1)
    client.tell("notifications/cancelled", {"requestId": asked.id})
    await until(0)
    assert asked.abandoned


async def test_calls_run_at_the_same_time(client: GatewayClient) -> None:
    texts = [f"call {number}" for number in range(6)]
    answers = await asyncio.gather(*(call(client, "shout", text=text) for text in texts))
    assert answers == [(f"{text.upper()}\n", False) for text in texts]
