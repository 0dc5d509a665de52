"""Servers that misbehave in a container: each is one clear sentence, and none of them hides another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import docker
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.engine.labels import OWNER, OWNER_VALUE
from desktop.servers.status import ServerState, ServerStatus
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
LIMIT = 30.0


@contextlib.asynccontextmanager
async def application(home: Home, **more: Any) -> AsyncIterator[Application]:
    async with running(GatewayOptions(secrets=str(home.root / ".env"), **more), home.paths) as found:
        instance = found.instance
        yield found
    with contextlib.closing(docker.from_env()) as engine:
        mine = engine.api.containers(all=True, filters={"label": f"{OWNER}={OWNER_VALUE}"})
        assert [container["Id"] for container in mine if instance in container["Labels"].values()] == []


@pytest.fixture(autouse=True)
def no_secrets(home: Home) -> None:
    (home.root / ".env").write_text("", encoding="utf-8")


def faulty(home: Home, mode: str) -> dict[str, Any]:
    return home.container("faulty", command=[mode])


async def settled(found: Application, name: str) -> ServerStatus:
    states = (ServerState.FAILING, ServerState.READY)
    await eventually(lambda: (status := found.server(name)) and status.state in states, seconds=LIMIT)
    status = found.server(name)
    assert status is not None
    return status


async def client_of(found: Application) -> GatewayClient:
    client = GatewayClient(found.gateway)
    await client.initialize()
    return client


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("exit-at-once", "broken ended with exit code 3: faulty: cannot start: API_KEY is not set"),
        ("garbage", "broken did not answer within 2 s: (stdout) <html>nor is this</html>"),
        ("silent", "broken did not answer within 2 s"),
        (
            "no-such-mode",
            "broken ended with exit code 2: stubborn          behave, but ignore SIGTERM and the end of input",
        ),
    ],
)
async def test_a_server_that_does_not_come_up_is_one_sentence_and_hides_nothing(
    home: Home, mode: str, reason: str
) -> None:
    home.catalog({"broken": faulty(home, mode), "echo": home.container("echo")})
    home.enable("broken", "echo")
    async with application(home, start_timeout=2.0) as found:
        status = await settled(found, "broken")
        assert (status.state, status.reason) == (ServerState.FAILING, reason)
        assert (await settled(found, "echo")).state is ServerState.READY
        client = await client_of(found)
        assert "echo" in await client.tools()


@pytest.mark.parametrize("mode", ["garbage-then-work", "slow-start"])
async def test_a_server_that_only_looks_broken_works(home: Home, mode: str) -> None:
    home.catalog({"odd": faulty(home, mode)})
    home.enable("odd")
    async with application(home) as found:
        client = await client_of(found)
        assert "echo" in await client.tools()
        assert (await settled(found, "odd")).reason == ""
        answer = await client.ask("tools/call", {"name": "echo", "arguments": {"text": "hi"}}).result()
        assert answer["content"][0]["text"] == "hi"
        if mode == "garbage-then-work":
            assert "(stdout) Welcome to the faulty server!" in found.stderr("odd")


async def test_a_server_that_crashes_on_a_call_says_why_and_can_be_started_again(home: Home) -> None:
    home.catalog({"broken": faulty(home, "crash-on-call"), "time": home.container("echo", prefix="other")})
    home.enable("broken", "time")
    async with application(home) as found:
        await found.settled(LIMIT)
        client = await client_of(found)
        error = await client.ask("tools/call", {"name": "echo", "arguments": {"text": "hi"}}).error()
        reason = "broken ended with exit code 7: faulty: crashing as asked"
        assert error["message"] == reason
        status = found.server("broken")
        assert status is not None
        assert (status.state, status.reason) == (ServerState.FAILING, reason)
        assert status.tool_count == 4
        answer = await client.ask("tools/call", {"name": "other__echo", "arguments": {"text": "hi"}}).result()
        assert answer["content"][0]["text"] == "hi"
        await found.restart("broken")
        assert (await settled(found, "broken")).state is ServerState.READY


async def test_an_image_that_can_not_be_had_is_named(home: Home) -> None:
    home.catalog({"broken": {"type": "server", "image": "127.0.0.1:1/none/none:1"}, "echo": home.container("echo")})
    home.enable("broken", "echo")
    async with application(home) as found:
        status = await settled(found, "broken")
        assert status.state is ServerState.FAILING
        assert "127.0.0.1:1/none/none:1" in status.reason
        assert "\n" not in status.reason
        assert (await settled(found, "echo")).state is ServerState.READY


async def test_a_folder_that_may_not_be_mounted_is_named(home: Home) -> None:
    home.catalog({"broken": home.container("echo", volumes=["/etc:/etc"])})
    home.enable("broken")
    async with application(home) as found:
        status = await settled(found, "broken")
        assert status.reason == "The folder '/etc' can't be mounted: it belongs to the system"


async def test_a_server_that_ignores_every_request_to_stop_is_gone_when_it_is_turned_off(home: Home) -> None:
    home.catalog({"stubborn": faulty(home, "stubborn"), "echo": home.container("echo", prefix="other")})
    home.enable("stubborn")
    async with application(home) as found:
        assert (await settled(found, "stubborn")).state is ServerState.READY
        await found.set_enabled("stubborn", False)
        await found.set_enabled("echo", True)
        assert (await settled(found, "echo")).state is ServerState.READY
        stopped = found.server("stubborn")
        assert stopped is not None
        assert stopped.state is ServerState.OFF
