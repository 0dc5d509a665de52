"""Commands of the command line from their start to their end, beside the time Python itself needs to start."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measuring import median
from tests.bench.stage import ROOT, environment, gateway, private_home, python
from tests.bench.table import Row, number, ratio
from tests.helpers.home import Home

__all__ = ["measure_commands"]

PYTHON = "python -c pass"
COMMANDS = (
    "version",
    "--help",
    "catalog ls",
    "catalog show",
    "server ls",
    "server enable echo0",
    "server inspect echo0",
    "config read",
    "secret ls",
    "policy dump",
    "gateway status",
    "tools ls",
    "tools call echo text=hello",
    "__complete server enable e",
)
_THROUGH_DOCKER = ("version", "server ls")


def _milliseconds(command: Sequence[str], variables: dict[str, str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        command, env=variables, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=60
    )
    taken = (time.perf_counter() - begun) * 1e3
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} has failed: {done.stderr}")
    return taken


def _ways(home: Home) -> dict[str, list[str]]:
    """What is measured: the program as it is installed, and the same behind Docker's own command line."""
    program = str(Path(sys.executable).with_name("docker-mcp"))
    ways = {PYTHON: python("-c", "pass")}
    ways |= {f"docker-mcp {words}": [program, *words.split()] for words in COMMANDS}
    plugins = home.root / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-mcp").symlink_to(program)
    return ways | {f"docker mcp {words}": ["docker", "mcp", *words.split()] for words in _THROUGH_DOCKER}


def measure_commands(rounds: int) -> list[Row]:
    """Every command in turn, several rounds; medians."""
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(private_home(containers=1))
        variables = {**environment(home), "PATH": os.environ["PATH"]}
        stack.enter_context(gateway(home))
        ways = _ways(home)
        for command in ways.values():  # bytecode is there from now on
            _milliseconds(command, variables)
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, command in ways.items():
                found[name].append(_milliseconds(command, variables))
    base = median(found[PYTHON])
    return [
        Row(
            group="Commands, from start to end",
            name=name,
            cells={
                "ms": number(median(times)),
                "lowest ms": number(min(times)),
                "to python -c pass": ratio(median(times), base),
                "above it, ms": number(median(times) - base),
            },
        )
        for name, times in found.items()
    ]
