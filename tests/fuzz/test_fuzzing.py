"""A short run of every fuzzer, always over the same seeds; ``python -m tests.fuzz --minutes 10`` is the long one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import PARTS, run
from tests.fuzz.watching import Watch

ROOT = Path(__file__).resolve().parents[2]
EPISODES = {"router": 80, "endpoint": 12, "servers": 12}
SEED = 20260728


@pytest.mark.parametrize("part", PARTS)
def test_random_traffic_finds_nothing(part: str) -> None:
    # In a process of its own, since what other tests have left alive would count.
    command = [sys.executable, "-m", "tests.fuzz", part, "--seed", str(SEED), "--episodes", str(EPISODES[part])]
    done = subprocess.run(
        [*command, "--minutes", "1"], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{EPISODES[part]} episodes" in done.stdout


def test_a_finding_is_reported_with_the_seed_that_leads_to_it() -> None:
    class Broken:
        def __init__(self, watch: Watch, folder: Path) -> None:
            self.watch = watch

        async def episode(self, seed: int) -> None:
            self.watch.seed = f"broken {seed}"
            asyncio.get_running_loop().call_soon(lambda: 1 / 0)
            await asyncio.sleep(0)

    watch = Watch()
    PARTS["broken"] = Broken  # type: ignore[assignment]
    try:
        asyncio.run(run("broken", watch, seed=7, seconds=5, episodes=2))
    finally:
        del PARTS["broken"]
    first, second, *_ = watch.report()
    assert first.startswith("2 x unhandled (Exception in callback")
    assert "ZeroDivisionError" in first
    assert second == "    first with broken 7"
