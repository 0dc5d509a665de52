"""Much of everything: 100 servers with 2,000 tools, 20 clients that connect at once, 256 sessions on one container."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.selection import Selection
from desktop.catalog.source import ConfigurationSource
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from tests.bench.lanes import HttpLane, tool_list
from tests.bench.load import Load
from tests.bench.measuring import median, percentile
from tests.bench.stage import TOKEN, Gateway, gateway, load, private_home
from tests.bench.table import Row, number
from tests.helpers.home import Home

__all__ = ["measure_scale"]

SERVERS, TOOLS = 100, 20
CLIENTS = 20
SESSIONS = 256


@contextlib.contextmanager
def _big_home() -> Iterator[Home]:
    """A home whose many servers were all listed before."""
    with private_home(containers=SERVERS) as home:
        configuration = ConfigurationSource(home.paths, Selection()).load()
        cache = ListingCache(home.paths.listings)

        async def store() -> None:
            for name in configuration.enabled:
                server = configuration.servers[name]
                listing = Listing(tools=[_tool(name, index) for index in range(TOOLS)])
                await cache.store(name, configuration_hash(server, configuration.values_of(server)), listing)

        asyncio.run(store())
        yield home


def _tool(server: str, index: int) -> Raw:
    properties = {f"parameter_{item}": {"type": "string", "description": "What it is for. " * 3} for item in range(4)}
    tool = {
        "name": f"{server}_tool_{index}",
        "description": "Does something useful with what it is given. " * 4,
        "inputSchema": {"type": "object", "properties": properties, "required": ["parameter_0"]},
    }
    return Raw(jsonrpc.encode(tool))


def _first_lists(running: Gateway) -> list[float]:
    """Milliseconds from connecting to the list of tools, for clients that begin at the same moment."""
    times: list[float] = []
    lanes: list[HttpLane] = []
    begin = threading.Barrier(CLIENTS)

    def connect() -> None:
        begin.wait()
        begun = time.perf_counter()
        lanes.append(HttpLane(running.host, running.port, TOKEN, tool_list(2)))
        times.append((time.perf_counter() - begun) * 1e3)

    threads = [threading.Thread(target=connect) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if len(times) != CLIENTS:
        raise RuntimeError(f"{CLIENTS - len(times)} clients got no list")
    for lane in lanes:
        lane.check()
        lane.close()
    return times


def measure_scale(loop: str, rounds: int, seconds: float) -> list[Row]:
    """Medians of several rounds; that every call is answered with a result is checked by the load generator."""
    lists, together = [], []
    with _big_home() as home, gateway(home, loop) as running:
        _first_lists(running)
        way = Load(
            way="http", target=(running.host, str(running.port)), token=TOKEN, asks="tools/list", seconds=seconds
        )
        for _ in range(rounds):
            lists.append(load(way))
            together.append(_first_lists(running))
    with private_home(containers=1) as home, gateway(home, loop) as running:
        crowd = Load(
            way="http", target=(running.host, str(running.port)), token=TOKEN, callers=SESSIONS, seconds=seconds
        )
        many = [load(crowd) for _ in range(rounds)]
    return [
        Row(
            group=f"{SERVERS} servers with {SERVERS * TOOLS} tools",
            name="tools/list from cache, one session",
            cells={
                "p50 ms": number(median([it.p50 for it in lists])),
                "p99 ms": number(median([it.p99 for it in lists])),
            },
        ),
        Row(
            group=f"{SERVERS} servers with {SERVERS * TOOLS} tools",
            name=f"{CLIENTS} clients at once, from connecting to their list",
            cells={
                "p50 ms": number(median([median(times) for times in together])),
                "p99 ms": number(median([percentile(times, 0.99) for times in together])),
            },
        ),
        Row(
            group=f"{SESSIONS} sessions on one container",
            name="tools/call, no call failed",
            cells={
                "calls/s": number(median([it.rate for it in many])),
                "p50 ms": number(median([it.p50 for it in many])),
                "p99 ms": number(median([it.p99 for it in many])),
            },
        ),
    ]
