"""Containers are started when they are needed, shared as the rules say, and gone when nobody needs them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import INSTANCE, SERVER
from desktop.servers.status import ServerState
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import EVERYTHING, GatewayClient
from tests.helpers.home import Home
from tests.helpers.mcp_clients import Answers, connected

pytestmark = pytest.mark.engine
LIMIT = 30.0
TOKEN = "token-of-the-test"
IN_A_SECOND = 1.0


@pytest.fixture(autouse=True)
def no_secrets(home: Home) -> None:
    (home.root / ".env").write_text("", encoding="utf-8")


class Running:
    """An application and the engine it uses."""

    def __init__(self, application: Application, engine: docker.DockerClient) -> None:
        self.application = application
        self._engine = engine
        self._instance = application.instance

    def containers(self) -> list[str]:
        """Our containers by the names of their servers, ended ones included."""
        found = self._engine.api.containers(all=True, filters={"label": f"{INSTANCE}={self._instance}"})
        return sorted(container["Labels"][SERVER] for container in found)

    async def client(self, **capabilities: Any) -> GatewayClient:
        client = GatewayClient(self.application.gateway, capabilities)
        await client.initialize()
        return client

    async def ready(self, *names: str) -> None:
        def all_ready() -> bool:
            found = [self.application.server(name) for name in names]
            return all(status is not None and status.tool_count is not None for status in found)

        await eventually(all_ready, seconds=LIMIT)

    async def no_containers(self) -> None:
        async with asyncio.timeout(LIMIT):
            while await asyncio.to_thread(self.containers):
                await asyncio.sleep(0.05)


@pytest.fixture
def start(home: Home, docker_engine: docker.DockerClient) -> Any:
    """Starts applications in one home; none leaves a container."""

    @contextlib.asynccontextmanager
    async def started(**more: Any) -> AsyncIterator[Running]:
        async with running(
            GatewayOptions(secrets=str(home.root / ".env"), dynamic_tools=False, **more), home.paths
        ) as application:
            found = Running(application, docker_engine)
            yield found
        assert found.containers() == []

    return started


def text_of(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


def save_atomically(home: Home, *names: str) -> None:
    """Save registry.yaml as editors do: a new file, renamed over the old one."""
    new = home.paths.registry.with_suffix(".new")
    entries = "".join(f'  {name}:\n    ref: ""\n' for name in names)
    new.write_text(f"registry:\n{entries}" if names else "registry: {}\n", encoding="utf-8")
    os.replace(new, home.paths.registry)  # noqa: PTH105 - as an editor does


async def test_a_listing_from_an_earlier_run_is_served_before_any_container_exists(home: Home, start: Any) -> None:
    home.catalog({name: home.container("echo", prefix=name) for name in ("a", "b", "c")})
    home.enable("a", "b", "c")
    async with start() as found:
        await found.ready("a", "b", "c")
        assert found.containers() == ["a", "b", "c"]
    async with start() as found:
        begun = time.perf_counter()
        client = await found.client()
        tools = await client.tools()
        took = time.perf_counter() - begun
        assert found.containers() == []
        assert len(tools) == 12
        assert took < 0.1
        assert found.application.server("a").state is ServerState.IDLE
        answer = await client.ask("tools/call", {"name": "b__echo", "arguments": {"text": "hi"}}).result()
        assert text_of(answer) == "hi"
        assert found.containers() == ["b"]


@pytest.mark.parametrize("way", ["written in place", "renamed over"])
async def test_a_switch_in_the_file_reaches_a_connected_client_within_a_second(
    home: Home, start: Any, way: str
) -> None:
    save = save_atomically if way == "renamed over" else Home.enable
    home.catalog({"a": home.container("echo", prefix="a"), "b": home.container("echo", prefix="b")})
    home.enable("a", "b")
    async with start() as found:
        await found.ready("a", "b")
        client = await found.client()
        for count, names in enumerate((("a",), ("a", "b"), ()), start=1):
            before = len(client.told("notifications/tools/list_changed"))
            begun = time.perf_counter()
            save(home, *names)
            await client.wait_for("notifications/tools/list_changed", before + 1)
            assert time.perf_counter() - begun < IN_A_SECOND, count
            assert {name.partition("__")[0] for name in await client.tools()} == set(names)
        await found.no_containers()


async def test_twenty_clients_call_one_shared_container_at_once(home: Home, start: Any) -> None:
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    async with start() as found:
        await found.ready("echo")
        clients = [await found.client(**EVERYTHING) for _ in range(20)]
        calls = [
            (
                f"{number}/{again} é",
                client.ask("tools/call", {"name": "echo", "arguments": {"text": f"{number}/{again} é"}}),
            )
            for again in range(50)
            for number, client in enumerate(clients)
        ]
        for text, call in calls:
            assert text_of(await call.result()) == text
        assert found.containers() == ["echo"]


async def test_a_slow_call_holds_no_other_up_and_a_large_answer_arrives_whole(home: Home, start: Any) -> None:
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    async with start() as found:
        await found.ready("echo")
        client = await found.client()
        slow = client.ask("tools/call", {"name": "sleep", "arguments": {"ms": 2000}})
        big = await client.ask("tools/call", {"name": "big", "arguments": {"bytes": 5_000_000}}).result()
        assert len(text_of(big)) == 5_000_000
        assert not slow.done
        client.tell("notifications/cancelled", {"requestId": slow.id})
        assert slow.abandoned


async def test_a_server_that_keeps_state_has_a_container_for_each_client_and_none_stays(home: Home, start: Any) -> None:
    home.catalog({"echo": home.container("echo", longLived=True)})
    home.enable("echo")
    async with start() as found:
        await found.ready("echo")
        listed_with = len(found.containers())
        clients = [await found.client() for _ in range(3)]
        calls = [client.ask("tools/call", {"name": "echo", "arguments": {"text": "x"}}) for client in clients]
        for call in calls:
            await call.result()
        assert len(found.containers()) == listed_with + 3
        await asyncio.gather(*(client.leave() for client in clients))
        assert len(found.containers()) == listed_with


async def test_pausing_removes_every_container_and_resuming_needs_none(home: Home, start: Any) -> None:
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    async with start() as found:
        await found.ready("echo")
        client = await found.client()
        await found.application.set_paused(True)
        await client.wait_for("notifications/tools/list_changed")
        assert await client.tools() == []
        await found.no_containers()
        await found.application.set_paused(False)
        await client.wait_for("notifications/tools/list_changed", 2)
        assert "echo" in await client.tools()


async def test_closing_in_the_middle_of_a_start_leaves_nothing(home: Home, start: Any) -> None:
    home.catalog({f"s{number}": home.container("faulty", command=["slow-start"]) for number in range(4)})
    home.enable("s0", "s1", "s2", "s3")
    async with start() as found, asyncio.timeout(LIMIT):
        while not await asyncio.to_thread(found.containers):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("tool", ["trigger-sampling-request", "trigger-elicitation-request"])
async def test_two_clients_that_are_asked_at_once_each_answer_for_themselves(home: Home, start: Any, tool: str) -> None:
    home.catalog({"everything": home.container("everything")})
    home.enable("everything")
    arguments = {"prompt": "hello", "maxTokens": 20} if "sampling" in tool else {}

    async with start() as found:
        await found.ready("everything")
        url = await found.application.listen("127.0.0.1", 0, token=TOKEN)
        ways = {name: Answers() for name in ("a", "b")}

        async def use(name: str, first: bool) -> list[str]:
            async with connected("streaming", url=url, token=TOKEN, answers=ways[name]) as client:
                if first:
                    await client.call_tool(tool, arguments)  # from here on it is known that this server asks
                    known.set()
                await asyncio.wait_for(known.wait(), LIMIT)
                results = await asyncio.gather(*(client.call_tool(tool, arguments) for _ in range(3)))
                return [part.text for result in results for part in result.content if part.type == "text"]

        known = asyncio.Event()
        texts = await asyncio.gather(use("a", True), use("b", False))
        for text in texts:
            assert sum("the test" in line for line in text) >= 3
        asked = [answers.asked.count(tool.split("-")[1]) for answers in ways.values()]
        assert asked == [4, 3]


async def test_broken_files_are_named_with_line_and_column_and_what_they_said_stays(home: Home, start: Any) -> None:
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    catalog = home.paths.catalogs / "docker-mcp.yaml"
    async with start() as found:
        await found.ready("echo")
        client = await found.client()
        good = home.paths.registry.read_text(encoding="utf-8")
        home.paths.registry.write_text('registry:\n  echo:\n    ref: "\n', encoding="utf-8")
        await eventually(lambda: found.application.problems(), seconds=LIMIT)
        (problem,) = found.application.problems()
        assert str(home.paths.registry) in problem
        assert ", line " in problem
        assert ", column " in problem
        assert "stays in force" in problem
        assert "echo" in await client.tools()
        catalog.write_text("registry:\n  echo: [\n", encoding="utf-8")
        await eventually(lambda: len(found.application.problems()) == 2, seconds=LIMIT)
        named = [problem for problem in found.application.problems() if str(catalog) in problem]
        assert ", line " in named[0]
        assert ", column " in named[0]
        assert "echo" in await client.tools()
        assert client.told("notifications/tools/list_changed") == []
        home.catalog({"echo": home.container("echo")})
        home.paths.registry.write_text(good, encoding="utf-8")
        await eventually(lambda: not found.application.problems(), seconds=LIMIT)
        assert "echo" in await client.tools()
