"""tools/call of clients of both eras, over HTTP and through the shim."""

from __future__ import annotations

import contextlib
import dataclasses

from tests.bench.calls import typical
from tests.bench.lanes import MODERN
from tests.bench.load import Load
from tests.bench.measuring import Figures
from tests.bench.stage import GATEWAY, TOKEN, echo_server, environment, gateway, load, private_home
from tests.bench.table import Row, number

__all__ = ["measure_eras"]

HANDSHAKE = "2025-11-25"


def measure_eras(loop: str, callers: tuple[int, ...], rounds: int, seconds: float) -> list[Row]:
    """One gateway in front of a container that shakes hands and an HTTP server that speaks both eras; medians."""
    with contextlib.ExitStack() as stack:
        host, port = stack.enter_context(echo_server())
        home = stack.enter_context(private_home(containers=1, remote=f"http://{host}:{port}/mcp"))
        running = stack.enter_context(gateway(home, loop))
        direct = Load(way="http", target=(host, str(port)), tool="remote_echo")
        web = Load(way="http", target=(running.host, str(running.port)), token=TOKEN, pid=running.pid)
        shim = Load(way="pipes", target=GATEWAY, environment=environment(home), pid=running.pid)
        ways = {
            f"{HANDSHAKE} client, HTTP server": direct,
            f"{MODERN} client, HTTP server": dataclasses.replace(direct, era=MODERN),
        }
        for name, way in (("over HTTP", web), ("through the shim", shim)):
            for where, tool in (("container", "echo"), ("HTTP", "remote_echo")):
                for era in (HANDSHAKE, MODERN):
                    ways[f"{era} client, gateway {name} → {where}"] = dataclasses.replace(way, era=era, tool=tool)
        rows = []
        for count in callers:
            found: dict[str, list[Figures]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, way in ways.items():
                    found[name].append(load(dataclasses.replace(way, callers=count, seconds=seconds)))
            rows += [_row(count, name, typical(figures)) for name, figures in found.items()]
        return rows


def _row(callers: int, name: str, figures: Figures) -> Row:
    return Row(
        group=f"clients of both eras, {callers} at a time",
        name=name,
        cells={
            "calls/s": number(figures.rate),
            "p50 ms": number(figures.p50),
            "p99 ms": number(figures.p99),
            "gateway CPU us/call": number(figures.cpu) if figures.cpu else "",
        },
    )
