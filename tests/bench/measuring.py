"""Small instruments: percentiles, CPU time and memory of a process, as Linux tells them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figures", "Memory", "cpu_seconds", "median", "memory", "percentile", "reset_peak", "summary"]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one load has shown: calls a second, times in milliseconds, CPU of the measured process in us a call."""

    rate: float
    p50: float
    p99: float
    cpu: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Resident memory of a process in MB: now, what of it is its own alone, and the highest so far."""

    resident: float
    own: float
    peak: float


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of all lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    """The value in the middle."""
    return percentile(values, 0.5)


def summary(latencies: Sequence[float], elapsed: float, cpu: float) -> Figures:
    """Figures of latencies in seconds."""
    return Figures(
        rate=len(latencies) / elapsed,
        p50=percentile(latencies, 0.5) * 1e3,
        p99=percentile(latencies, 0.99) * 1e3,
        cpu=cpu / len(latencies) * 1e6,
    )


def cpu_seconds(pid: int) -> float:
    """CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Memory:
    """Memory of a process."""
    rollup = _numbers(Path(f"/proc/{pid}/smaps_rollup"))
    return Memory(
        resident=rollup["Rss"],
        own=rollup["Private_Clean"] + rollup["Private_Dirty"],
        peak=_numbers(Path(f"/proc/{pid}/status"))["VmHWM"],
    )


def reset_peak(pid: int) -> None:
    """Let the highest value begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _numbers(file: Path) -> dict[str, float]:
    text = file.read_text(encoding="ascii", errors="replace")
    return {name: int(size) / 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
