"""What a container uses, read from the engine's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.engine.ports import ContainerStats

__all__ = ["stats_of"]


def stats_of(reading: Mapping[str, Any]) -> ContainerStats | None:
    """The figures of one reading of the Engine API; None when the container has ended, which leaves none.

    Pages of files the kernel can drop at any time are no memory the container needs (`docker stats` leaves them out too).
    """
    memory = reading.get("memory_stats") or {}
    used = memory.get("usage")
    if used is None:
        return None
    details = memory.get("stats") or {}
    droppable = details.get(
        "total_inactive_file", details.get("inactive_file", 0)
    )  # control groups of version 1, else 2
    nanoseconds = ((reading.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage", 0)
    return ContainerStats(cpu_seconds=nanoseconds / 1e9, memory=max(int(used) - int(droppable), 0))
