"""A program that is killed leaves nothing: the watchdog sees to it, and failing that the sweep at the next start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker
import pytest

from desktop.engine.docker_engine import DockerEngine
from desktop.engine.sweep import InstanceLock, sweep
from tests.helpers.docker_engine import image

pytestmark = [pytest.mark.engine, pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")]

LIMIT = 30.0
BACK = 15.0


@contextlib.asynccontextmanager
async def owner(
    directory: Path, mode: str, watched: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A running program of ours (see engine_owner.py), and what it says about itself."""
    script = str(Path(__file__).with_name("engine_owner.py"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, script, str(directory), image("busybox"), mode, watched),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def containers(engine: DockerEngine, instance: str) -> list[str]:
    return [container.id for container in await engine.owned_containers() if container.instance == instance]


def runs(pid: int) -> bool:
    """Whether a process that is not our child runs; nobody may have collected a dead one."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return sys.platform != "linux"
    return False


@pytest.mark.parametrize("mode", ["idle", "busy"])
async def test_a_killed_program_leaves_no_containers_and_no_processes(
    docker_engine: docker.DockerClient, tmp_path: Path, mode: str
) -> None:
    engine = DockerEngine("0123456789ab")
    async with owner(tmp_path, mode, "watched") as (process, about):
        if mode == "idle":
            assert len(await containers(engine, about["instance"])) == 3
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        # The watchdog goes once nothing has come up for some seconds.
        async with asyncio.timeout(LIMIT):
            while await containers(engine, about["instance"]) or runs(about["process"]):
                await asyncio.sleep(0.05)
            assert time.monotonic() - killed < BACK
            while runs(about["watchdog"]):
                await asyncio.sleep(0.05)
        assert await containers(engine, about["instance"]) == []
    await engine.close()


async def test_without_a_watchdog_the_next_start_sweeps(docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    engine = DockerEngine("0123456789ab")
    async with owner(tmp_path, "idle", "unwatched") as (process, about):
        lock = InstanceLock(tmp_path)
        assert await sweep(engine, tmp_path, lock.instance) == ()
        assert len(await containers(engine, about["instance"])) == 3
        process.send_signal(signal.SIGKILL)
        await process.wait()
        os.killpg(about["process"], signal.SIGKILL)
        assert await sweep(engine, tmp_path, lock.instance) == ("stubborn",) * 3
        async with asyncio.timeout(LIMIT):
            while await containers(engine, about["instance"]):
                await asyncio.sleep(0.05)
        lock.release()
    await engine.close()
