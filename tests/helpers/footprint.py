"""What a running program holds: file descriptors, tasks, containers; so that a test can tell that nothing leaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import docker

from desktop.engine.labels import OWNER, OWNER_VALUE

__all__ = ["Footprint", "footprint", "shrinks_to"]


@dataclass(frozen=True)
class Footprint:
    """Counts of open files by kind, of tasks by what they do, of containers by image."""

    descriptors: Counter[str]
    tasks: Counter[str]
    containers: Counter[str]

    def beyond(self, other: Footprint) -> str:
        """What there is more of than in ``other``; empty when nothing."""
        more = [
            f"{name} {dict(grown)}"
            for name in ("descriptors", "tasks", "containers")
            if (grown := getattr(self, name) - getattr(other, name))
        ]
        return "; ".join(more)


async def footprint(instance: str = "") -> Footprint:
    """Of this process, and of the containers of one run of the program."""
    containers = await asyncio.to_thread(_containers, instance)
    return Footprint(_descriptors(), _tasks(), containers)


async def shrinks_to(before: Footprint, instance: str = "", *, seconds: float) -> None:
    """Wait until there is no more of anything than before; fails with what there is."""
    more = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while more := (await footprint(instance)).beyond(before):
                await asyncio.sleep(0.05)
    assert not more, more


def _descriptors() -> Counter[str]:
    found: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one the listing itself used
            found[str(link.readlink()).partition(":[")[0]] += 1
    return found


def _tasks() -> Counter[str]:
    current = asyncio.current_task()
    return Counter(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() if task is not current)


def _containers(instance: str) -> Counter[str]:
    if not instance:
        return Counter()
    with contextlib.closing(docker.from_env()) as engine:  # one of its own, whose connections are not counted
        mine = engine.api.containers(all=True, filters={"label": f"{OWNER}={OWNER_VALUE}"})
    return Counter(str(each["Image"]) for each in mine if instance in each["Labels"].values())
