"""Run by test_engine_crash.py, and killed: owns a watchdog, an instance lock, containers and a process.

Arguments: own directory, image, "idle" (say when everything runs) or "busy" (say as soon as starts are under way).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from desktop.engine.docker_engine import DockerEngine
from desktop.engine.labels import container_labels
from desktop.engine.ports import ContainerSpec
from desktop.engine.sweep import InstanceLock
from desktop.engine.watchdog_process import Watchdog

STUBBORN = "trap '' TERM; while true; do sleep 0.1; done"


class Output:
    def stdout_line(self, line: bytes) -> None:
        """Nothing is expected."""

    def stderr_line(self, line: bytes) -> None:
        """Nothing is expected."""

    def closed(self) -> None:
        """The containers outlive this process."""


async def main(directory: Path, image: str, mode: str, watched: bool) -> None:
    lock = InstanceLock(directory)
    dog = Watchdog(lock.instance)
    if watched:
        await dog.start()
    engine = DockerEngine(lock.instance)
    dog.engine_found((await engine.ping()).address)
    process = await asyncio.create_subprocess_exec(
        "sleep", "600", start_new_session=True, stdout=asyncio.subprocess.DEVNULL
    )
    dog.process_started(process.pid)
    labels = container_labels(instance=lock.instance, server="stubborn")
    spec = ContainerSpec(image=image, command=("sh", "-c", STUBBORN), env={}, labels=labels, network="none")
    starts = [asyncio.create_task(engine.run(spec, Output())) for _ in range(3)]
    if mode == "idle":
        await asyncio.wait(starts)
    else:
        await asyncio.wait(starts, timeout=0.02)
    print(json.dumps({"instance": lock.instance, "process": process.pid, "watchdog": dog.pid}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "watched"))
