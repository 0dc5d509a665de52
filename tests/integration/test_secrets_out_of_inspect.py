"""Secrets of containers: the server has them, `docker inspect` and the engine's own files do not, where the image has a shell."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import docker
import pytest

from desktop.engine.docker_engine import DockerEngine
from desktop.engine.labels import SERVER
from desktop.engine.ports import ContainerSpec
from desktop.errors import ImageUnavailableError
from tests.helpers.docker_engine import image
from tests.integration.test_engine_docker import Output, owned

pytestmark = pytest.mark.engine

HUSH = "hush hush\n'two lines'"


@pytest.fixture
async def engine(docker_engine: docker.DockerClient) -> AsyncIterator[DockerEngine]:
    instance = secrets.token_hex(6)
    engine = DockerEngine(instance)
    yield engine
    assert await owned(engine, instance) == []
    await engine.close()


def spec(name: str, *command: str, **more: Any) -> ContainerSpec:
    settings: dict[str, Any] = {"env": {"PLAIN": "1"}, "labels": {SERVER: "test"}, "network": "none"}
    return ContainerSpec(image=image(name), command=command, **(settings | {"hidden_env": {"KEY": HUSH}} | more))


async def inspected(engine: DockerEngine, container_id: str) -> str:
    return json.dumps(await engine._calls.call("inspect", lambda client: client.inspect_container(container_id)))


async def test_a_server_behind_a_shell_has_its_secret_and_inspect_does_not(engine: DockerEngine) -> None:
    output = Output()
    show = 'printf "%s|%s|%s\\n" "$KEY" "$PLAIN" "$1"; cat'
    container = await engine.run(spec("busybox", "sh", "-c", show, "sh", "argument"), output)
    container.write(b"first\n")
    lines = [await output.line() for _ in range(3)]
    assert b"\n".join(lines) == f"{HUSH}|1|argument".encode() + b"\nfirst"
    shown = await inspected(engine, container.id)
    assert "hush" not in shown
    assert "PLAIN=1" in shown
    assert not engine.reveals(image("busybox"))
    began = time.perf_counter()
    await container.stop(20)
    assert time.perf_counter() - began < 10  # it ended with its input, not by the kill
    assert await container.exited == 0


@pytest.mark.parametrize(("name", "tool"), [("everything", "get-env"), ("time", "")])
async def test_real_servers_with_an_entry_point_of_their_own_answer(engine: DockerEngine, name: str, tool: str) -> None:
    output = Output()
    container = await engine.run(spec(name), output)
    info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": info},
        {"method": "notifications/initialized"},
    ]
    if tool:
        messages.append({"id": 2, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
    for message in messages:
        container.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    while b'"serverInfo"' not in await output.line():
        continue
    while tool and b'"id":2' not in (line := await output.line()):
        continue
    if tool:
        variables = json.loads(json.loads(line)["result"]["content"][0]["text"])
        assert (variables["KEY"], variables["PLAIN"]) == (HUSH, "1")
        assert not [name for name in variables if name.startswith("mgd")]
    assert "hush" not in await inspected(engine, container.id)
    await container.stop()


async def test_a_secret_in_the_command_is_hidden_too(engine: DockerEngine) -> None:
    output = Output()
    command = ("sh", "-c", 'printf "%s\\n" "$@"; cat', "sh", "--url=hush", "last")
    container = await engine.run(spec("busybox", *command, hidden_env={}, hides_command=True), output)
    assert [await output.line(), await output.line()] == [b"--url=hush", b"last"]
    assert "hush" not in await inspected(engine, container.id)
    await container.stop()


async def test_signals_user_and_exit_code_are_those_of_the_program(engine: DockerEngine) -> None:
    output = Output()
    script = "trap 'exit 7' TERM; id -u; while :; do sleep 0.1; done"
    container = await engine.run(spec("busybox", "sh", "-c", script, user="1234"), output)
    assert await output.line() == b"1234"
    await container.stop(4)
    assert await container.exited == 7


async def test_an_image_without_a_shell_still_runs_and_is_said_to_reveal(engine: DockerEngine) -> None:
    for _ in range(2):
        output = Output()
        container = await engine.run(spec("echo"), output)
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "env", "arguments": {"name": "KEY"}},
        }
        container.write(json.dumps(call).encode() + b"\n")
        assert b"hush" in await output.line()
        assert "hush" in await inspected(engine, container.id)
        assert engine.reveals(image("echo"))
        await container.stop()


async def test_a_tool_that_is_a_container_gets_its_secret_and_no_input(engine: DockerEngine) -> None:
    wanted = spec("busybox", "sh", "-c", 'printf "%s" "$KEY"; cat; exit 3')
    code, out, err = await engine.run_once(wanted, time_limit=30)
    assert (code, out.decode(), err) == (3, HUSH, b"")
    code, out, _ = await engine.run_once(wanted, time_limit=30, stdin=b"\ninput")
    assert (code, out.decode()) == (3, HUSH + "\ninput")


async def test_many_at_once_each_get_their_own_secret(engine: DockerEngine) -> None:
    wanted = [spec("busybox", "sh", "-c", 'printf "%s" "$KEY"', hidden_env={"KEY": f"hush {n}"}) for n in range(8)]
    answers = await asyncio.gather(*(engine.run_once(each, time_limit=60) for each in wanted))
    assert [out.decode() for _, out, _ in answers] == [f"hush {n}" for n in range(8)]


async def test_an_image_that_is_not_here_is_named_as_without_secrets(engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailableError, match="no-such-image is not on this machine"):
        await engine.run(replace(spec("busybox"), image="mcp-gateway-test/no-such-image"), Output())


async def test_a_cancelled_start_takes_back_what_it_made(engine: DockerEngine) -> None:
    for delay in (0.0, 0.01, 0.03, 0.06, 0.1, 0.2):
        start = asyncio.create_task(engine.run(spec("busybox", "cat"), Output()))
        await asyncio.sleep(delay)
        start.cancel()
        await asyncio.wait({start})
        if not start.cancelled() and start.exception() is None:
            await start.result().stop(0)
