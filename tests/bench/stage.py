"""What is measured: a home folder with test servers, gateways of every kind running in it, an echo server over HTTP."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.load import Load
from tests.bench.measuring import Figures
from tests.helpers.home import Home

__all__ = [
    "GATEWAY",
    "IMAGE",
    "ROOT",
    "TOKEN",
    "WINDOWED",
    "Gateway",
    "echo_server",
    "environment",
    "gateway",
    "load",
    "loops",
    "private_home",
    "python",
]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "mcp-gateway-test/echo"
TOKEN = "token-of-the-benchmark"
WINDOWED = ("qasync", "thread")


GATEWAY = [sys.executable, "-m", "desktop", "gateway", "run"]


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A running gateway: how it runs, where it listens, which process it is.

    Attributes:
        process: The process.
        late: How late a 16 ms timer of its window was since `begin`, in ms, by percentile; filled when it has ended.
    """

    name: str
    host: str
    port: int
    process: subprocess.Popen[str]
    late: dict[str, float] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def begin(self) -> None:
        """What the window measures counts from now on."""
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]


def loops() -> tuple[str, ...]:
    """The ways to host the gateway there are here, plain asyncio first (see `tests.bench.gateway_process`)."""
    return ("asyncio", *(name for name in ("uvloop",) if importlib.util.find_spec(name)), *WINDOWED)


@contextlib.contextmanager
def private_home(containers: int = 0, remote: str = "", image: str = "echo") -> Iterator[Home]:
    """A home with so many containers enabled, of echo servers by default, and a remote server where a URL is given."""
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    try:
        home = Home(root)
        servers = {f"{image}{number}": home.container(image) for number in range(containers)}
        if remote:
            servers["remote"] = {"type": "remote", "remote": {"url": remote, "transport_type": "streamable-http"}}
        home.catalog(servers)
        home.enable(*servers)
        yield home
    finally:
        shutil.rmtree(root, ignore_errors=True)


def environment(home: Home) -> dict[str, str]:
    """The environment of a gateway in this home: no keychain, and bytecode is kept, as it is where it is installed."""
    kept = {name: value for name, value in home.environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "PYTHONPYCACHEPREFIX": str(home.root / "bytecode"),
        "MCP_GATEWAY_AUTH_TOKEN": TOKEN,
        "MCP_GATEWAY_PORT": "0",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONPATH": str(ROOT),
    }


@contextlib.contextmanager
def _serving(
    name: str, command: Sequence[str], environment: dict[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str], list[str]]]:
    """A process that says in its first line where it listens; it ends with its standard input, or is killed.

    Yields:
        That line, the process, and a list that will have its other lines when it has ended.
    """
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines: list[str] = []
    try:
        line = process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"{name} did not start")
        yield line, process, lines
    finally:
        process.stdin.close()
        try:
            process.wait(12)
            lines += process.stdout.read().splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextlib.contextmanager
def gateway(home: Home, loop: str = "asyncio", *, busy: bool = False) -> Iterator[Gateway]:
    """A gateway hosted in one of the ways of `loops`, over HTTP and findable by shims; ``busy`` keeps its window busy."""
    command = python("-m", "tests.bench.gateway_process", loop, *(["busy"] if busy else []))
    late: dict[str, float] = {}
    with _serving(f"the gateway on {loop}", command, environment(home)) as (url, process, lines):
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        _until_healthy(f"http://{parts.netloc}/health")
        yield Gateway(name=loop, host=parts.hostname, port=parts.port, process=process, late=late)
    if lines:
        late |= json.loads(lines[-1])


def _until_healthy(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=5):
            return
        if time.monotonic() > deadline:
            raise RuntimeError("a gateway did not become ready within 30 s")
        time.sleep(0.05)


@contextlib.contextmanager
def echo_server() -> Iterator[tuple[str, int]]:
    """The echo server over HTTP; yields host and port."""
    process = subprocess.Popen(
        python("-m", "tests.bench.echo_http"), cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    try:
        yield "127.0.0.1", int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def load(what: Load) -> Figures:
    """Run the load generator in a process of its own."""
    command = python("-m", "tests.bench.load", json.dumps(asdict(what)))
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, timeout=60, check=True)
    return Figures(**json.loads(done.stdout))
