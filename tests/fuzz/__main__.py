"""``python -m tests.fuzz --minutes 10``: random traffic for as long as asked, then what was found. Exit code 1 with findings.

A finding names its part and seed; ``python -m tests.fuzz PART --seed N --episodes 1`` tries that again.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from tests.fuzz.endpoint import Endpoint
from tests.fuzz.router import Router
from tests.fuzz.servers import Servers
from tests.fuzz.watching import Watch, memory

__all__ = ["PARTS", "run"]

PARTS = {"router": Router, "endpoint": Endpoint, "servers": Servers}
_WARM = 30
_EPISODE = 60.0
_LOOK = 100
_TIMERS = 0.4  # the longest timer that may outlive a gateway


async def run(part: str, watch: Watch, *, seed: int, seconds: float, episodes: int = 10**9) -> None:
    """Try one episode after the other, until the time is up or there were enough.

    Args:
        part: Which fuzzer.
        watch: Told what is found.
        seed: Of the first episode; the next has the next number.
        seconds: Time to begin episodes in.
        episodes: How many at most.
    """
    end = time.monotonic() + seconds
    with watch, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        fuzzer: Any = PARTS[part](watch, Path(folder))
        for number in range(seed, seed + episodes):
            if time.monotonic() > end:
                break
            try:
                async with asyncio.timeout(_EPISODE):
                    await fuzzer.episode(number)
            except TimeoutError as error:
                watch.caught("an episode hangs", error)
            except Exception as error:
                watch.caught("an episode", error)
            if number % _LOOK == 0:
                await asyncio.sleep(_TIMERS)
                watch.left_behind()
        await asyncio.sleep(_TIMERS)
        watch.left_behind()


def main() -> int:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; by default all, in turn")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="in all (default 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the first episode (default: by the clock)")
    parser.add_argument("--episodes", type=int, default=10**9, metavar="N", help="at most so many of each part")
    chosen = parser.parse_args()
    parts = chosen.parts or list(PARTS)
    if unknown := set(parts) - PARTS.keys():
        parser.error(f"there is no part named {', '.join(sorted(unknown))}")
    logging.getLogger().addHandler(logging.NullHandler())  # what counts is collected, and told at the end
    warnings.simplefilter("error", RuntimeWarning)
    watch, seed = Watch(), chosen.seed or time.time_ns() // 10**9
    share = chosen.minutes * 60 / len(parts)
    for part in parts:
        asyncio.run(run(part, watch, seed=seed, seconds=min(share, 5), episodes=min(chosen.episodes, _WARM)))
        before, begun = memory(), time.monotonic()
        seconds = share - min(share, 5)
        if chosen.episodes > _WARM:
            asyncio.run(run(part, watch, seed=seed + _WARM, seconds=seconds, episodes=chosen.episodes - _WARM))
        took = time.monotonic() - begun
        print(
            f"{part}: {took:.0f} s after warming up, memory {before // 1024} -> {memory() // 1024} MiB, first seed {seed}"
        )
    print(", ".join(f"{count} {what}" for what, count in watch.done.items()))
    print(f"{len(watch.findings)} kinds of findings")
    for line in watch.report():
        print(line)
    return 1 if watch.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
