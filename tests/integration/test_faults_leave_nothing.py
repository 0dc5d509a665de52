"""What can break does break here, under running calls: each ends with one clear error, all comes back, nothing is left.

What is counted before and after: file descriptors, tasks, containers (tests/helpers/footprint.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import INSTANCE
from desktop.errors import EngineError
from desktop.servers.status import ServerState
from desktop.sharing import Sharing
from tests.helpers.fake_mcp import eventually
from tests.helpers.footprint import Footprint, footprint, shrinks_to
from tests.helpers.gateway_client import Asked, GatewayClient
from tests.helpers.home import Home
from tests.helpers.ports import free_port
from tests.helpers.relay import relay_to_port, relay_to_socket
from tests.helpers.remote_server import remote_server

pytestmark = [
    pytest.mark.engine,
    pytest.mark.usefixtures("docker_engine"),
    pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc"),
]
LIMIT = 30.0
DOCKERD = Path("/var/run/docker.sock")


class Scene:
    """A running application, a client, and what it held when all was well."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.instance = application.instance
        self.client = GatewayClient(application.gateway)
        self._well: Footprint | None = None

    async def all_is_well(self) -> None:
        """Every enabled server has answered; from now on nothing may be added."""
        await self.client.initialize()
        await self.application.settled(LIMIT)
        await self.answers()
        await self._open_pool()
        await asyncio.sleep(0.3)
        self._well = await footprint(self.instance)

    async def _open_pool(self) -> None:
        """Have all connections open that the engine's client keeps, so that none is taken for a leak later."""
        engine = await self.application.services.monitor.available()
        connection = await engine._calls.connected()  # type: ignore[attr-defined]

        def open_all(client: docker.APIClient) -> None:
            for number in range(25):  # docker-py keeps one for each URL, and forgets none before the 26th
                client._get(client._url(f"/version?{number}")).close()  # type: ignore[attr-defined]

        await asyncio.to_thread(open_all, connection.client)

    async def answers(self) -> None:
        """Wait until a call is answered as it should be, however often it has to be asked."""
        async with asyncio.timeout(LIMIT):
            while "result" not in (message := await self.echo().message()):
                assert "\n" not in message["error"]["message"]
                await asyncio.sleep(0.1)

    async def nothing_was_left(self) -> None:
        """Everything works again, and there is no more of anything than before."""
        assert self._well is not None
        await self.answers()
        await self._open_pool()  # puts out those that have more than one, because calls of the engine met there
        await shrinks_to(self._well, self.instance, seconds=12.0)

    async def one_spare_is_ready(self) -> None:
        """Wait until the next call's container is up, and no other is."""
        connections = self.application.fleet.servers["echo"]._connections
        await eventually(
            lambda: not connections.starting and [upstream.alive for upstream in connections] == [True], seconds=LIMIT
        )
        async with asyncio.timeout(LIMIT):
            while len(await self.containers()) != 1:  # the last call's is going
                await asyncio.sleep(0.05)

    def echo(self, text: str = "hi") -> Asked:
        return self.client.ask("tools/call", {"name": "echo", "arguments": {"text": text}})

    def sleep(self, milliseconds: int, **more: Any) -> Asked:
        return self.client.ask("tools/call", {"name": "sleep", "arguments": {"ms": milliseconds}, **more})

    async def containers(self) -> list[str]:
        """Ids of the running containers."""
        return await asyncio.to_thread(self._containers)

    def _containers(self) -> list[str]:
        with contextlib.closing(docker.from_env()) as engine:
            found = engine.api.containers(filters={"label": f"{INSTANCE}={self.instance}"})
        return [str(each["Id"]) for each in found]

    async def kill(self, container: str) -> None:
        """As the kernel does when memory runs out."""
        await asyncio.to_thread(self._kill, container)

    def _kill(self, container: str) -> None:
        with contextlib.closing(docker.from_env()) as engine:
            engine.api.kill(container)


@contextlib.asynccontextmanager
async def scene(home: Home, **options: Any) -> AsyncIterator[Scene]:
    """An application that leaves nothing when it is closed."""
    before = await footprint()
    async with running(
        GatewayOptions(secrets=str(home.root / ".env"), dynamic_tools=False, **options), home.paths
    ) as application:
        made = Scene(application)
        yield made
    await shrinks_to(before, made.instance, seconds=12.0)


@pytest.fixture(autouse=True)
def no_secrets(home: Home) -> None:
    (home.root / ".env").write_text("", encoding="utf-8")


@pytest.fixture
def echo(home: Home) -> Home:
    """A home with one good server."""
    home.catalog({"echo": home.container("echo")})
    home.enable("echo")
    return home


def faulty(home: Home, mode: str) -> Home:
    """A home with a server that is called echo and misbehaves."""
    home.catalog({"echo": home.container("faulty", command=[mode])})
    home.enable("echo")
    return home


# Servers.


async def test_a_server_killed_during_calls(echo: Home) -> None:
    async with scene(echo) as stage:
        await stage.all_is_well()
        calls = [stage.sleep(60_000) for _ in range(5)]
        await asyncio.sleep(0.1)
        (container,) = await stage.containers()
        await stage.kill(container)
        for call in calls:
            assert (await call.error())["message"] == "echo ended with exit code 137"
        await stage.nothing_was_left()


async def test_an_answer_that_ends_in_the_middle_of_a_line(home: Home) -> None:
    faulty(home, "half-line")
    home.catalog({"echo": home.container("echo"), "half": home.container("faulty", command=["half-line"], prefix="h")})
    home.enable("echo", "half")
    async with scene(home) as stage:
        await stage.all_is_well()
        assert stage.application.fleet.servers["half"].listing is not None
        error = await stage.client.ask("tools/call", {"name": "h__echo", "arguments": {"text": "x"}}).error()
        assert error["message"] == "half ended with exit code 8: faulty: ending in the middle of a line"
        await stage.nothing_was_left()


async def test_a_line_of_fifty_megabytes(echo: Home) -> None:
    size = 50 * 1024 * 1024
    async with scene(echo) as stage:
        await stage.all_is_well()
        big = stage.client.ask("tools/call", {"name": "big", "arguments": {"bytes": size}})
        small = stage.echo()
        async with asyncio.timeout(LIMIT):
            await big._done.wait()
        assert len(big.raw) > size
        assert b'"result"' in big.raw[:200]
        await small.result()
        await stage.nothing_was_left()


async def test_ten_thousand_tools(home: Home) -> None:
    async with scene(faulty(home, "many-tools")) as stage:
        await stage.all_is_well()
        assert len(await stage.client.tools()) == 10_004
        assert "result" in await stage.client.ask("tools/call", {"name": "env", "arguments": {"name": "X"}}).message()
        await stage.nothing_was_left()


async def test_a_server_turned_off_during_a_call(echo: Home) -> None:
    async with scene(echo) as stage:
        await stage.all_is_well()
        call = stage.sleep(60_000)
        await asyncio.sleep(0.1)
        await stage.application.set_enabled("echo", False)
        assert (await call.error())["message"] == "echo was turned off"
        await stage.application.set_enabled("echo", True)
        await stage.nothing_was_left()


async def test_a_server_that_sleeps_longer_than_a_call_may(echo: Home) -> None:
    echo.paths.server_choices.parent.mkdir(parents=True)
    echo.paths.server_choices.write_text("servers:\n  echo:\n    call_timeout: 1.5\n", encoding="utf-8")
    async with scene(echo) as stage:
        await stage.all_is_well()
        error = await stage.sleep(60_000).error()
        assert error["message"] == "echo did not answer within 1.5 s, the time limit set for its calls"
        await stage.nothing_was_left()


# Containers.


async def test_sixty_four_sessions_cost_one_container(echo: Home) -> None:
    async with scene(echo) as stage:
        clients = [GatewayClient(stage.application.gateway) for _ in range(64)]
        await asyncio.gather(*(client.initialize() for client in clients))
        calls = [client.ask("tools/call", {"name": "echo", "arguments": {"text": "x"}}) for client in clients]
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*(call._done.wait() for call in calls))
        assert all(b'"result"' in call.raw for call in calls)
        assert len(await stage.containers()) == 1


async def test_per_call_only_the_first_call_waits_for_a_start(echo: Home) -> None:
    async with scene(echo) as stage:
        await stage.application.set_sharing("echo", Sharing.PER_CALL)
        await stage.application.restart("echo")
        await stage.all_is_well()
        await stage.echo().result()
        await stage.one_spare_is_ready()
        stage._well = await footprint(stage.instance)
        containers: set[str] = set()
        for _ in range(3):
            await stage.one_spare_is_ready()
            containers.update(await stage.containers())
            began = time.monotonic()
            await stage.echo().result()
            assert time.monotonic() - began < 0.2
        assert len(containers) == 3
        await stage.one_spare_is_ready()
        await stage.nothing_was_left()


async def test_a_limit_on_running_containers_holds(home: Home) -> None:
    names = [f"echo{number}" for number in range(5)]
    home.catalog({name: home.container("echo", prefix=name) for name in names})
    home.enable(*names)
    async with scene(home, most_running=2) as stage:
        await stage.client.initialize()
        await eventually(
            lambda: (
                all(server.listing is not None for server in stage.application.fleet.servers.values())
                and len(stage.application.fleet.servers) == 5
            ),
            seconds=60,
        )
        assert len(await stage.containers()) <= 2
        for name in names:
            await stage.client.ask("tools/call", {"name": f"{name}__echo", "arguments": {"text": "x"}}).message()
            assert len(await stage.containers()) <= 2


# The engine.


async def test_the_connection_to_the_engine_is_cut(echo: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = echo.root / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    async with relay_to_socket(path, DOCKERD) as relay, scene(echo) as stage:
        await stage.all_is_well()
        calls = [stage.sleep(60_000) for _ in range(3)]
        await asyncio.sleep(0.1)
        relay.cut()
        for call in calls:
            assert (await call.error())["message"].startswith("echo ended")
        await stage.nothing_was_left()


async def test_the_engine_goes_away_and_comes_back(echo: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = echo.root / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    async with relay_to_socket(path, DOCKERD) as relay, scene(echo) as stage:
        await stage.all_is_well()
        call = stage.sleep(60_000)
        await asyncio.sleep(0.1)
        relay.refusing = True
        relay.cut()
        await call.error()
        error = await stage.echo().error()
        assert "\n" not in error["message"]
        relay.refusing = False
        with contextlib.suppress(EngineError):
            await stage.application.retry_engine()
        await stage.nothing_was_left()


# The network.


async def test_a_remote_server_is_cut_off_in_the_middle_of_an_answer(home: Home) -> None:
    far, near = free_port(), free_port()
    home.catalog(
        {"far": {"type": "remote", "remote": {"url": f"http://127.0.0.1:{near}/mcp"}}, "echo": home.container("echo")}
    )
    home.enable("far", "echo")
    async with remote_server("streaming", far), relay_to_port(near, far) as relay, scene(home) as stage:
        await stage.all_is_well()
        counted = {"name": "count", "arguments": {"to": 3}}
        await stage.client.ask("tools/call", counted).result()
        await stage.all_is_well()
        slow = {"name": "count", "arguments": {"to": 5_000}, "_meta": {"progressToken": 1}}
        call = stage.client.ask("tools/call", slow)
        await eventually(lambda: len(call.before) > 10)
        relay.cut()
        error = await call.error()
        assert error["message"].startswith("far ")
        assert "\n" not in error["message"]
        async with asyncio.timeout(LIMIT):
            while "result" not in await stage.client.ask("tools/call", counted).message():
                await asyncio.sleep(0.1)
        await stage.nothing_was_left()


async def test_a_client_that_vanishes_in_the_middle_of_a_stream(echo: Home) -> None:
    async with scene(echo) as stage:
        port = free_port()
        await stage.application.listen("127.0.0.1", port, token=None)
        for time_around in range(4):
            if time_around == 1:
                await stage.all_is_well()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            session = await post(
                reader,
                writer,
                port,
                "initialize",
                {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {},
                    "clientInfo": {"name": "c", "version": "1"},
                },
            )
            await post(
                reader, writer, port, "tools/call", {"name": "sleep", "arguments": {"ms": 500}}, session, answer=False
            )
            await eventually(lambda: stage.application.endpoint().calls == 1)
            writer.transport.abort()
            await eventually(lambda: stage.application.endpoint().calls == 0)
            await stage.application.gateway.end_session(stage.application.gateway.sessions[session])
        await stage.nothing_was_left()


async def post(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    method: str,
    params: Any,
    session: str = "",
    *,
    answer: bool = True,
) -> str:
    """Post a request; returns the session id of its answer."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    head = [
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
        *([f"Mcp-Session-Id: {session}"] if session else []),
    ]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    await writer.drain()
    if not answer:
        return session
    async with asyncio.timeout(LIMIT):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        await reader.readexactly(int(headers["content-length"]))
    return headers["mcp-session-id"]


# Time.


async def test_the_clock_jumps(echo: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(echo) as stage:
        await stage.all_is_well()
        stage.application.fleet.servers["echo"].call_timeout = 20.0
        real = time.time
        for jump in (86_400.0, -86_400.0):
            call = stage.sleep(1500)
            monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
            await call.result()
            await stage.answers()
            monkeypatch.undo()
        status = stage.application.server("echo")
        assert status is not None
        assert status.state is ServerState.READY
        await stage.nothing_was_left()


async def test_the_whole_program_is_suspended_for_a_while(echo: Home) -> None:
    echo.paths.server_choices.parent.mkdir(parents=True)
    echo.paths.server_choices.write_text("servers:\n  echo:\n    call_timeout: 3\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "desktop", "gateway", "run", "--transport", "stdio"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=echo.environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    reader, writer = process.stdout, process.stdin

    def say(method: str, params: Any, **id: Any) -> None:
        writer.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **id}).encode() + b"\n")

    async def answer(id: int) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            while (message := json.loads(await reader.readline())).get("id") != id:
                pass
        found: dict[str, Any] = message
        return found

    try:
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
        say("initialize", info, id=1)
        await answer(1)
        say("notifications/initialized", {})
        say("tools/call", {"name": "echo", "arguments": {"text": "x"}}, id=2)
        assert "result" in await answer(2)
        say("tools/call", {"name": "sleep", "arguments": {"ms": 1500}}, id=3)
        await writer.drain()
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(5)  # longer than a call may take, but its answer has come meanwhile
        process.send_signal(signal.SIGCONT)
        assert "result" in await answer(3)
        say("tools/call", {"name": "echo", "arguments": {"text": "x"}}, id=4)
        assert "result" in await answer(4)
    finally:
        writer.close()
        async with asyncio.timeout(LIMIT):
            await process.wait()
