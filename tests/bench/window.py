"""The gateway beside a window: what calls cost the window, and what a busy window costs calls."""

from __future__ import annotations

from tests.bench.load import Load
from tests.bench.measuring import Figures, median
from tests.bench.stage import IMAGE, TOKEN, WINDOWED, gateway, load, private_home
from tests.bench.table import Row, number, ratio

__all__ = ["measure_window"]

PACE = 1000.0


def measure_window(rounds: int, seconds: float) -> list[Row]:
    """Both ways to host beside a window: 32 callers as fast as they can, then 1,000 calls a second; at rest and busy."""
    rows = []
    for busy in (False, True):
        what = "a window that is busy 100 ms twice a second" if busy else "a window at rest"
        with private_home(containers=1) as home:
            base = load(Load(way="attach", target=(IMAGE,), callers=32, seconds=seconds)).rate
            for name in WINDOWED:
                fast: list[Figures] = []
                paced: list[Figures] = []
                late: list[dict[str, float]] = []
                for _ in range(rounds):
                    with gateway(home, name, busy=busy) as running:
                        fast.append(load(_load(running.host, running.port, 0.0, seconds)))
                    with gateway(home, name, busy=busy) as running:
                        load(_load(running.host, running.port, PACE, 0.5))
                        running.begin()
                        paced.append(load(_load(running.host, running.port, PACE, seconds)))
                    late.append(running.late)
                rate = median([figures.rate for figures in fast])
                rows.append(
                    Row(
                        group=f"beside {what}",
                        name=name,
                        cells={
                            "32 callers, calls/s": number(rate),
                            "of attach": ratio(rate, base),
                            "p50 ms": number(median([figures.p50 for figures in fast])),
                            "p99 ms": number(median([figures.p99 for figures in fast])),
                            "at 1,000/s: p50 ms": number(median([figures.p50 for figures in paced])),
                            "p99 ms ": number(median([figures.p99 for figures in paced])),
                            "16 ms timer late p99 ms": number(median([item["p99"] for item in late])),
                        },
                    )
                )
    return rows


def _load(host: str, port: int, rate: float, seconds: float) -> Load:
    return Load(way="http", target=(host, str(port)), token=TOKEN, callers=32, rate=rate, seconds=seconds)
