"""``python -m tests.bench``: measure, and print tables with ratios to a baseline of the same run, then all that matters in one.

Names of parts measure these alone. Asserts nothing about figures; a wrong answer to a call ends it. Needs a container engine and
the images ``mcp-gateway-test/echo`` and ``…/time`` (``make bench`` sees to them); reads /proc, so Linux only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.calls import measure_calls
from tests.bench.commands import measure_commands
from tests.bench.eras import measure_eras
from tests.bench.memory import measure_big_result, measure_memory
from tests.bench.overview import overview
from tests.bench.scale import measure_scale
from tests.bench.stage import loops
from tests.bench.startup import measure_startup
from tests.bench.table import Row, as_text
from tests.bench.window import measure_window


def _parts(quick: bool) -> dict[str, Callable[[], list[Row]]]:
    if quick:
        return {
            "calls": lambda: measure_calls((1, 8), rounds=1, seconds=0.7),
            "eras": lambda: measure_eras(loops()[1], (1,), rounds=1, seconds=0.7),
            "startup": lambda: measure_startup((1,), rounds=3, real=2),
            "memory": lambda: measure_memory(3, seconds=0.7),
            "big": lambda: measure_big_result(rounds=1),
            "window": lambda: measure_window(rounds=1, seconds=2),
            "scale": lambda: measure_scale(loops()[1], rounds=1, seconds=1),
            "commands": lambda: measure_commands(rounds=5),
        }
    return {
        "calls": lambda: measure_calls((1, 8, 32, 64), rounds=3, seconds=1.0),
        "eras": lambda: measure_eras(loops()[1], (1, 32), rounds=3, seconds=1.0),
        "startup": lambda: measure_startup((1, 10), rounds=7, real=10),
        "memory": lambda: measure_memory(10, seconds=3),
        "big": lambda: measure_big_result(rounds=5),
        "window": lambda: measure_window(rounds=3, seconds=3),
        "scale": lambda: measure_scale(loops()[1], rounds=5, seconds=2),
        "commands": lambda: measure_commands(rounds=15),
    }


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts_there = ", ".join(_parts(quick=True))
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{parts_there}; by default all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a minute or two, rough figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args()
    parts = _parts(chosen.quick)
    if unknown := set(chosen.parts) - parts.keys():
        parser.error(f"there is no part named {', '.join(sorted(unknown))}")
    machine = (
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} CPUs, loops {', '.join(loops())}"
    )
    print(f"{machine}; load before {os.getloadavg()[0]:.2f}")
    begun = time.monotonic()
    rows: list[Row] = []
    for name, part in parts.items():
        if not chosen.parts or name in chosen.parts:
            found = part()
            print(f"\n{as_text(found)}", flush=True)
            rows += found
    if together := overview(rows):
        print(f"\n{as_text(together)}")
    print(f"\n{time.monotonic() - begun:.0f} s; load after {os.getloadavg()[0]:.2f}")
    if chosen.json:
        told = {"machine": machine, "rows": [dataclasses.asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
