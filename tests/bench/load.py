"""A load generator in a process of its own: callers that ask one thing again and again and measure how long each answer takes.

Reads a `Load` as JSON from its first argument, prints a `Figures` as JSON. Raw sockets and `poll`, requests made beforehand:
about 15 us of its own a call, so that it is not what is measured. Every answer is looked at (`tests.bench.lanes`). Not a test.
"""

from __future__ import annotations

import itertools
import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from tests.bench.lanes import MODERN, Ask, HttpLane, Lane, StreamLane, echo_of, tool_list
from tests.bench.measuring import Figures, cpu_seconds, summary

__all__ = ["Load", "measure"]

WARM_UP = 0.3


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to do.

    Attributes:
        way: ``http`` (every caller a session), ``pipes`` or ``attach`` (all callers share one stream, as they share one
            container behind the gateway).
        target: For http host and port, for pipes the command, for attach the image.
        environment: For pipes the command's environment; empty for ours.
        token: Bearer token, or empty.
        tool: The echo tool's name.
        asks: The method, ``tools/call`` or ``tools/list``.
        era: The revision of MCP the callers speak; empty for the newest with a handshake.
        callers: How many ask at the same time.
        seconds: How long is measured, after a warm-up.
        rate: Calls a second all callers make together; 0 for as many as they can.
        pid: Process whose CPU time is measured as well, or 0.
    """

    way: str
    target: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    token: str = ""
    tool: str = "echo"
    asks: str = "tools/call"
    era: str = ""
    callers: int = 1
    seconds: float = 1.5
    rate: float = 0.0
    pid: int = 0


def drive(lanes: Sequence[Lane], load: Load) -> Figures:
    """Let all callers call."""
    poll = select.poll()
    by_number = {lane.fileno(): lane for lane in lanes}
    for number in by_number:
        poll.register(number, select.POLLIN)
    for lane in lanes:
        lane.paced = bool(load.rate)
        if not load.rate:
            lane.begin()
    turn = itertools.cycle(lanes)

    def run(limit: float) -> float:
        begun = now = time.perf_counter()
        due = begun
        while now - begun < limit:
            wait = 5000.0
            if load.rate:
                while due <= now:
                    due += 1 / load.rate
                    lane = next(turn)
                    if lane.idle:
                        lane.begin()
                wait = max((due - now) * 1000, 0)
            for number, _ in poll.poll(wait):
                by_number[number].receive()
            now = time.perf_counter()
        return now - begun

    run(WARM_UP)
    for lane in lanes:
        lane.latencies.clear()
    cpu = cpu_seconds(load.pid) if load.pid else 0.0
    elapsed = run(load.seconds)
    cpu = cpu_seconds(load.pid) - cpu if load.pid else 0.0
    return summary([latency for lane in lanes for latency in lane.latencies], elapsed, cpu)


def _attached(image: str, asks: Sequence[Ask], load: Load) -> Figures:
    import docker

    client = docker.from_env().api
    host = client.create_host_config(
        auto_remove=True, network_mode="none", init=True, log_config={"Type": "none", "Config": {}}
    )
    identity = client.create_container(image, stdin_open=True, host_config=host)["Id"]
    try:
        raw = client.attach_socket(identity, params={"stdin": 1, "stdout": 1, "stream": 1})
        client.start(identity)
        connection = raw._sock
        connection.settimeout(None)
        lane = StreamLane(connection.fileno(), connection.sendall, asks, framed=True)
        return drive([lane], load)
    finally:
        client.remove_container(identity, force=True)


def measure(load: Load) -> Figures:
    """Do what is asked, in this process."""
    numbers = range(7, 7 + load.callers)
    if load.asks == "tools/list":
        asks = [tool_list(number) for number in numbers]
    else:
        asks = [echo_of(load.tool, number, load.era) for number in numbers]
    if load.way == "http":
        host, port = load.target
        lanes = [HttpLane(host, int(port), load.token, ask) for ask in asks]
        for lane in lanes:
            lane.check()
        figures = drive(lanes, load)
        for lane in lanes:
            lane.close()
        return figures
    if load.way == "attach":
        return _attached(load.target[0], asks, load)
    with subprocess.Popen(
        load.target,
        env=load.environment or None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        lane = StreamLane(server.stdout.fileno(), server.stdin.write, asks, greets=load.era != MODERN)
        figures = drive([lane], load)
        server.stdin.close()
        return figures


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Load(**json.loads(sys.argv[1]))))))
