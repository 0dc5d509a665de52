"""`DockerEngine` against the engine of this machine: what goes in comes out, limits hold, nothing is left behind."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import docker
import pytest

from desktop.engine import discovery
from desktop.engine.docker_engine import DockerEngine
from desktop.engine.labels import SERVER
from desktop.engine.ports import ContainerSpec, OwnedContainer
from desktop.errors import EngineError, EngineUnavailableError, ImageUnavailableError
from tests.helpers.docker_engine import image

pytestmark = pytest.mark.engine

BUSYBOX = image("busybox")
STUBBORN = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
LIMIT = 30.0


class Output:
    """Keeps lines; `line` waits for the next one of standard output."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.errors: list[bytes] = []
        self.ended = asyncio.Event()

    def stdout_line(self, line: bytes) -> None:
        self.lines.put_nowait(line)

    def stderr_line(self, line: bytes) -> None:
        self.errors.append(line)

    def closed(self) -> None:
        assert not self.ended.is_set()
        self.ended.set()

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.lines.get(), LIMIT)


@pytest.fixture
async def engine(docker_engine: docker.DockerClient) -> AsyncIterator[DockerEngine]:
    instance = secrets.token_hex(6)
    engine = DockerEngine(instance)
    yield engine
    assert await owned(engine, instance) == []
    await engine.close()


async def owned(engine: DockerEngine, instance: str | None = None) -> list[OwnedContainer]:
    wanted = instance or engine._instance
    return [container for container in await engine.owned_containers() if container.instance == wanted]


def spec(*command: str, **more: Any) -> ContainerSpec:
    settings: dict[str, Any] = {"env": {}, "labels": {SERVER: "test"}, "network": "none"}
    return ContainerSpec(image=BUSYBOX, command=command, **(settings | more))


async def test_the_engine_and_its_images_are_found(engine: DockerEngine) -> None:
    info = await engine.ping()
    assert info.name.startswith(("Docker ", "Podman "))
    assert (await engine.image_id(BUSYBOX) or "").startswith("sha256:")
    assert await engine.image_id("mcp-gateway-test/no-such-image") is None


async def test_ten_megabytes_on_one_line_come_back_whole(engine: DockerEngine) -> None:
    output = Output()
    container = await engine.run(spec("cat"), output)
    container.write(b"hello\n")
    assert await output.line() == b"hello"
    line = secrets.token_bytes(5_000_000).hex().encode()
    container.write(line + b"\n")
    await container.drain()
    assert await output.line() == line
    (mine,) = await owned(engine)
    assert (mine.id, mine.server, mine.running) == (container.id, "test", True)
    await container.stop()
    assert (container.exited.result(), output.ended.is_set()) == (0, True)
    container.write(b"dropped\n")
    await container.drain()


async def test_what_a_container_writes_at_once_and_last_is_not_lost(engine: DockerEngine) -> None:
    output = Output()
    container = await engine.run(
        spec("sh", "-c", "echo first; echo oops >&2; head -c 100000 /dev/zero; exit 7"), output
    )
    assert await asyncio.wait_for(asyncio.shield(container.exited), LIMIT) == 7
    await asyncio.wait_for(output.ended.wait(), LIMIT)
    assert (await output.line(), await output.line()) == (b"first", bytes(100_000))
    assert output.errors == [b"oops"]


async def test_the_environment_user_and_limits_reach_the_container(engine: DockerEngine) -> None:
    script = 'echo "$GREETING"; id -u; while read -r k v; do case $k in CapEff:|NoNewPrivs:) echo $k $v;; esac; done'
    code, out, _ = await engine.run_once(
        spec("sh", "-c", f"({script}) </proc/self/status", env={"GREETING": "a b=c"}, user="1234"), time_limit=LIMIT
    )
    assert code == 0
    assert out.splitlines() == [b"a b=c", b"1234", b"CapEff: 0000000000000000", b"NoNewPrivs: 1"]


async def test_run_once_gives_exit_code_and_both_streams(engine: DockerEngine) -> None:
    assert await engine.run_once(spec("sh", "-c", "echo out; echo err >&2; exit 3"), time_limit=LIMIT) == (
        3,
        b"out\n",
        b"err\n",
    )


async def test_run_once_has_a_time_limit(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match=r"did not end within 0\.5 s"):
        await engine.run_once(spec("sh", "-c", STUBBORN), time_limit=0.5)


async def test_run_once_that_is_cancelled_leaves_nothing(engine: DockerEngine) -> None:
    task = asyncio.create_task(engine.run_once(spec("sh", "-c", STUBBORN), time_limit=LIMIT))
    await until(lambda: engine._containers)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stubborn_container_is_killed_within_its_grace(engine: DockerEngine) -> None:
    output = Output()
    container = await engine.run(spec("sh", "-c", STUBBORN), output)
    assert await output.line() == b"ready"
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(container.stop(1.0), container.stop(1.0))
    assert 0.8 < loop.time() - start < 10
    assert container.exited.result() == 137


async def test_a_container_that_heeds_sigterm_is_not_killed(engine: DockerEngine) -> None:
    output = Output()
    container = await engine.run(
        spec("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"), output
    )
    assert await output.line() == b"ready"
    await container.stop(4.0)
    assert container.exited.result() == 5


async def test_twenty_containers_start_four_at_a_time(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    now, most = 0, 0
    create, start = docker.APIClient.create_container_from_config, docker.APIClient.start

    def counted_create(client: Any, *args: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        return create(client, *args)  # type: ignore[no-untyped-call]

    def counted_start(client: Any, container: str) -> None:
        nonlocal now
        start(client, container)
        with lock:
            now -= 1

    monkeypatch.setattr(docker.APIClient, "create_container_from_config", counted_create)
    monkeypatch.setattr(docker.APIClient, "start", counted_start)
    results = await asyncio.gather(
        *(engine.run_once(spec("sh", "-c", f"echo {i}; exit {i}"), time_limit=90) for i in range(20))
    )
    assert results == [(i, f"{i}\n".encode(), b"") for i in range(20)]
    assert most == 4


@pytest.mark.parametrize("after", [0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3])
async def test_a_start_that_is_cancelled_leaves_nothing(engine: DockerEngine, after: float) -> None:
    await engine.ping()
    task = asyncio.create_task(engine.run(spec("sh", "-c", STUBBORN), Output()))
    done, _ = await asyncio.wait({task}, timeout=after)
    if done:
        await task.result().stop(0)
        return
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await owned(engine) == []


async def test_starts_that_wait_for_their_turn_can_be_cancelled(engine: DockerEngine) -> None:
    tasks = [asyncio.create_task(engine.run(spec("cat"), Output())) for _ in range(10)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=LIMIT)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    started = [result for result in results if not isinstance(result, BaseException)]
    await asyncio.gather(*(container.stop(0) for container in started))
    assert len(started) < 10


async def test_an_image_that_is_missing_is_named(engine: DockerEngine) -> None:
    with pytest.raises(ImageUnavailableError, match="The image no/such:1 is not on this machine"):
        await engine.run(ContainerSpec(image="no/such:1", env={}, labels={}), Output())


async def test_a_start_that_fails_leaves_nothing_and_gives_its_place_back(engine: DockerEngine) -> None:
    for _ in range(5):
        with pytest.raises(EngineError, match="could not start a container") as caught:
            await engine.run(spec("cat", network="no-such-network", env={"SECRET": "hunter2"}), Output())
        assert "hunter2" not in str(caught.value)


async def test_close_takes_running_containers_along(docker_engine: docker.DockerClient, engine: DockerEngine) -> None:
    other = DockerEngine(secrets.token_hex(6))
    output = Output()
    container = await other.run(spec("sh", "-c", STUBBORN), output)
    await other.close()
    assert container.exited.result() == 137
    assert await owned(engine, other._instance) == []
    with pytest.raises(EngineUnavailableError):
        await other.run(spec("cat"), Output())


async def test_removing_a_container_that_is_gone_is_fine(engine: DockerEngine) -> None:
    await engine.remove("0" * 64)


async def test_own_networks_are_those_of_the_container_we_run_in(
    engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = await engine.run(spec("cat", network=""), Output())
    monkeypatch.setattr(discovery, "own_container", lambda: container.id[:12])
    assert await engine.own_networks() in (("bridge",), ("podman",))
    monkeypatch.setattr(discovery, "own_container", lambda: "0123456789ab")
    assert await engine.own_networks() == ()
    monkeypatch.setattr(discovery, "own_container", lambda: "")
    assert await engine.own_networks() == ()
    await container.stop(0)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0)
