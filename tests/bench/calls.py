"""tools/call of an echo tool: straight to the server, and through the gateway."""

from __future__ import annotations

import contextlib
import dataclasses

from tests.bench.load import Load
from tests.bench.measuring import Figures, median
from tests.bench.stage import GATEWAY, IMAGE, TOKEN, echo_server, environment, gateway, load, loops, private_home
from tests.bench.table import Row, number, ratio

__all__ = ["measure_calls", "typical"]

CONTAINER_BASE = "container, attached"
REMOTE_BASE = "HTTP server"


def measure_calls(callers: tuple[int, ...], rounds: int, seconds: float) -> list[Row]:
    """Every way in turn, several rounds, so that what else the machine does falls on all of them; medians."""
    with contextlib.ExitStack() as stack:
        host, port = stack.enter_context(echo_server())
        home = stack.enter_context(private_home(containers=1, remote=f"http://{host}:{port}/mcp"))
        ways = {
            CONTAINER_BASE: Load(way="attach", target=(IMAGE,)),
            "container, docker run -i": Load(way="pipes", target=("docker", "run", "-i", "--rm", IMAGE)),
            REMOTE_BASE: Load(way="http", target=(host, str(port)), tool="remote_echo"),
        }
        own = stack.enter_context(private_home(containers=1))
        # Without the search for secrets and the log, which the other gateways here do not have either.
        command = [*GATEWAY, "--block-secrets=false", "--log-calls=false"]
        ways["gateway run over stdio → container"] = Load(way="pipes", target=command, environment=environment(own))
        for loop in loops():
            running = stack.enter_context(gateway(home, loop))
            way = Load(way="http", target=(running.host, str(running.port)), token=TOKEN, pid=running.pid)
            ways[f"gateway on {loop} → container"] = way
            ways[f"gateway on {loop} → HTTP"] = dataclasses.replace(way, tool="remote_echo")
        rows = []
        for count in callers:
            found: dict[str, list[Figures]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, way in ways.items():
                    found[name].append(load(dataclasses.replace(way, callers=count, seconds=seconds)))
            rows += _rows(count, {name: typical(figures) for name, figures in found.items()})
        return rows


def typical(figures: list[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        **{field.name: median([getattr(item, field.name) for item in figures]) for field in dataclasses.fields(Figures)}
    )


def _rows(callers: int, typical: dict[str, Figures]) -> list[Row]:
    rows = []
    for name, figures in typical.items():
        base = typical[REMOTE_BASE if "HTTP" in name else CONTAINER_BASE]
        hop = typical[REMOTE_BASE].p50 if name.startswith("gateway") else 0.0
        rows.append(
            Row(
                group=f"tools/call, {callers} at a time",
                name=name,
                cells={
                    "calls/s": number(figures.rate),
                    "p50 ms": number(figures.p50),
                    "p99 ms": number(figures.p99),
                    "p50 ratio": ratio(figures.p50, base.p50),
                    "p50 added ms": number(figures.p50 - base.p50),
                    "beyond one HTTP hop ms": number(figures.p50 - base.p50 - hop) if hop else "",
                    "calls/s ratio": ratio(figures.rate, base.rate),
                    "gateway CPU us/call": number(figures.cpu) if figures.cpu else "",
                },
            )
        )
    return rows
