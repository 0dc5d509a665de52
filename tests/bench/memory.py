"""Memory of the gateway, and what one huge result costs it and the others."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.bench.lanes import INITIALIZE, INITIALIZED
from tests.bench.load import Load
from tests.bench.measuring import memory, percentile, reset_peak
from tests.bench.stage import TOKEN, Gateway, environment, gateway, load, loops, private_home, python
from tests.bench.startup import GATEWAY, first_list
from tests.bench.table import Row, number, ratio

__all__ = ["measure_big_result", "measure_memory"]

BIG = 10_000_000


class Session:
    """A plain client, one request at a time, on one connection."""

    def __init__(self, running: Gateway) -> None:
        self._url = f"http://{running.host}:{running.port}/mcp"
        self._headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        with self._post(INITIALIZE) as answer:
            self._headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        self._post(INITIALIZED).close()

    def call(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        """Call a tool; the whole answer."""
        params = {"name": tool, "arguments": arguments}
        with self._post(
            json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).encode()
        ) as answer:
            return bytes(answer.read())

    def _post(self, body: bytes) -> Any:
        return urllib.request.urlopen(urllib.request.Request(self._url, body, self._headers), timeout=60)


def _bare_python() -> float:
    with subprocess.Popen(python("-c", "input()"), stdin=subprocess.PIPE) as process:
        time.sleep(0.3)
        resident = memory(process.pid).resident
        assert process.stdin is not None
        process.stdin.write(b"\n")
    return resident


def measure_memory(containers: int, seconds: float) -> list[Row]:
    """Idle with cached listings, with every container up, after load; for each loop."""
    bare = _bare_python()
    rows = [_memory_row("python, waiting for a line", bare, bare)]
    for loop in loops():
        with private_home(containers=containers) as home:
            first_list(GATEWAY, environment(home))  # so that the listings are cached and nothing needs to start
            with gateway(home, loop) as running:
                session = Session(running)
                session.call("echo0__echo", {"text": "one"})
                one = memory(running.pid).resident
                for number_of_server in range(1, containers):
                    session.call(f"echo{number_of_server}__echo", {"text": "all"})
                every = memory(running.pid).resident
                target = (running.host, str(running.port))
                load(Load(way="http", target=target, token=TOKEN, tool="echo0__echo", callers=32, seconds=seconds))
                after = memory(running.pid).resident
        rows += [
            _memory_row(f"{loop}: one container live", one, bare),
            _memory_row(f"{loop}: {containers} containers live", every, bare),
            _memory_row(f"{loop}: each further container", (every - one) / (containers - 1), bare),
            _memory_row(f"{loop}: after load of 32 sessions", after, bare),
        ]
    return rows


def _memory_row(name: str, resident: float, bare: float) -> Row:
    cells = {"MB": number(resident), "to bare python": ratio(resident, bare)}
    return Row(group="Resident memory of the gateway", name=name, cells=cells)


def measure_big_result(rounds: int) -> list[Row]:
    """One session fetches 10 MB from one container while another calls echo in another one without a pause."""
    rows = []
    for loop in loops():
        with private_home(containers=2) as home, gateway(home, loop) as running:
            other, big = Session(running), Session(running)
            other.call("echo0__echo", {"text": "warm"})
            usual = [_timed(other) for _ in range(300)]
            before = memory(running.pid).resident
            with contextlib.suppress(OSError):  # where the peak can't be reset, it is the highest since the start
                reset_peak(running.pid)
            worst, took = [], []
            for _ in range(rounds):
                delays, seconds = _beside(other, big)
                worst.append(max(delays))
                took.append(seconds)
            peak = memory(running.pid).peak
            rows.append(
                Row(
                    group="A result of 10 MB",
                    name=loop,
                    cells={
                        "takes ms": number(percentile(took, 0.5) * 1e3),
                        "memory at the peak, MB more": number(peak - before),
                        "x its size": ratio((peak - before) * 2**20, BIG),
                        "other session p50 ms before": number(percentile(usual, 0.5) * 1e3),
                        "its longest call meanwhile ms": number(percentile(worst, 0.5) * 1e3),
                    },
                )
            )
    return rows


def _timed(session: Session) -> float:
    begun = time.perf_counter()
    session.call("echo0__echo", {"text": "small"})
    return time.perf_counter() - begun


def _beside(other: Session, big: Session) -> tuple[list[float], float]:
    took: list[float] = []

    def fetch() -> None:
        begun = time.perf_counter()
        if len(big.call("echo1__big", {"bytes": BIG})) < BIG:
            raise RuntimeError("the big result is not whole")
        took.append(time.perf_counter() - begun)

    thread = threading.Thread(target=fetch)
    thread.start()
    delays = [_timed(other)]
    while thread.is_alive():
        delays.append(_timed(other))
    thread.join()
    return delays, took[0]
