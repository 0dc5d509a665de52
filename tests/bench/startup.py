"""From spawning the process to the answer of tools/list on standard input and output."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from tests.bench.lanes import INITIALIZE, INITIALIZED
from tests.bench.measuring import median
from tests.bench.stage import GATEWAY, IMAGE, ROOT, environment, gateway, private_home, python
from tests.bench.table import Row, number, ratio
from tests.helpers.home import Home

__all__ = ["DOCKER_BASE", "REAL", "first_list", "measure_startup"]

LIST = b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
PYTHON_BASE = "python -c pass"
DOCKER_BASE = "docker run -i (one server, no gateway)"
REAL, TIME_IMAGE, TIME = "mcp-server-time", "mcp-gateway-test/time", b'"get_current_time'


def first_list(command: Sequence[str], environment: Mapping[str, str] | None = None, tool: bytes = b'"echo') -> float:
    """Milliseconds until tools/list is answered, with such a tool in it, after a whole handshake."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(INITIALIZE + b"\n")
        process.stdin.flush()
        _answer(process.stdout, b'"id":1')
        process.stdin.write(INITIALIZED + b"\n" + LIST + b"\n")
        process.stdin.flush()
        if tool not in _answer(process.stdout, b'"id":2'):
            raise RuntimeError("the list of tools is not complete")
        return (time.perf_counter() - begun) * 1e3
    finally:
        process.stdin.close()
        process.stdout.read()
        process.wait(30)


def _answer(lines: Iterator[bytes], number: bytes) -> bytes:
    return next(line for line in lines if number in line)


def _python() -> float:
    begun = time.perf_counter()
    subprocess.run(python("-c", "pass"), check=True)
    return (time.perf_counter() - begun) * 1e3


def _cold(home: Home, tool: bytes = b'"echo') -> float:
    shutil.rmtree(home.paths.listings, ignore_errors=True)
    return first_list(GATEWAY, environment(home), tool)


def measure_startup(servers: tuple[int, ...], rounds: int, real: int) -> list[Row]:
    """Every way in turn, several rounds; medians. The last are so many of a server in Python that others wrote."""
    with contextlib.ExitStack() as stack:
        ways: dict[str, Callable[[], float]] = {
            PYTHON_BASE: _python,
            DOCKER_BASE: partial(first_list, ["docker", "run", "-i", "--rm", IMAGE]),
        }
        for count in servers:
            home = stack.enter_context(private_home(containers=count))
            shimmed = stack.enter_context(private_home(containers=count))
            for warmed in (home, shimmed):  # bytecode and listings are there from now on
                first_list(GATEWAY, environment(warmed))
            stack.enter_context(gateway(shimmed))
            what = f"{count} server" + ("s" if count > 1 else "")
            ways[f"gateway, {what}, nothing cached"] = partial(_cold, home)
            ways[f"gateway, {what}, listings cached"] = partial(first_list, GATEWAY, environment(home))
            ways[f"shim to a running gateway, {what}"] = partial(first_list, GATEWAY, environment(shimmed))
        home = stack.enter_context(private_home(containers=real, image="time"))
        first_list(GATEWAY, environment(home), TIME)
        ways[f"docker run -i ({REAL})"] = partial(first_list, ["docker", "run", "-i", "--rm", TIME_IMAGE], None, TIME)
        ways[f"gateway, {real} × {REAL}, nothing cached"] = partial(_cold, home, TIME)
        ways[f"gateway, {real} × {REAL}, listings cached"] = partial(first_list, GATEWAY, environment(home), TIME)
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                found[name].append(way())
    pass_time, docker_time = median(found[PYTHON_BASE]), median(found[DOCKER_BASE])
    return [
        Row(
            group="Start to answer of tools/list",
            name=name,
            cells={
                "ms": number(median(times)),
                "lowest ms": number(min(times)),
                "to python -c pass": ratio(median(times), pass_time),
                "to docker run": ratio(median(times), docker_time),
            },
        )
        for name, times in found.items()
    ]
