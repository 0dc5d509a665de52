"""A home of its own for every test, the command line as a real process, and a server that needs nothing but Python."""

from __future__ import annotations

import functools
import http.server
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from desktop.cli.main import main
from tests.helpers.processes import private_home

ROOT = Path(__file__).parents[2]
Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]

TINY_CATALOG = """\
name: docker-mcp
displayName: Docker MCP Catalog
registry:
  tiny:
    title: Tiny
    description: Adds numbers.
    type: server
    image: ghcr.io/astral-sh/uv:latest
    command: [uvx, tiny]
  boxed:
    title: Boxed
    description: Needs a container, a secret and a value.
    type: server
    image: example/boxed
    secrets: [{name: boxed.key, env: BOXED_KEY}]
    config: [{name: boxed, type: object, properties: {url: {type: string}}, required: [url]}]
  hosted:
    title: Hosted
    description: Wants a sign-in.
    type: remote
    remote: {url: "https://example.invalid/mcp", transport_type: streamable-http}
    oauth: {providers: [{provider: hosted, secret: hosted.token, env: HOSTED_TOKEN}]}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment variables with a home in ``tmp_path``, no container engine, and the tiny server under the name uvx."""
    found = private_home(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    launcher = programs / "uvx"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("tiny_server.py")}"\n', "utf-8")
    launcher.chmod(0o755)
    found["PATH"] = f"{programs}{os.pathsep}{found['PATH']}"
    found["DOCKER_HOST"] = f"unix://{tmp_path}/nothing.sock"
    found["PYTHONPATH"] = str(ROOT)
    found["HTTPS_PROXY"] = found["https_proxy"] = "http://127.0.0.1:9"  # nothing is fetched from the real web
    found["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return found


@pytest.fixture
def docker_mcp(tmp_path: Path) -> Path:
    """``~/.docker/mcp`` with a small official catalog."""
    folder = tmp_path / ".docker" / "mcp"
    (folder / "catalogs").mkdir(parents=True)
    (folder / "catalogs" / "docker-mcp.yaml").write_text(TINY_CATALOG, "utf-8")
    return folder


def command(*arguments: str) -> list[str]:
    """The command line as it is typed."""
    return [sys.executable, "-m", "desktop", *arguments]


@pytest.fixture
def run(environment: Mapping[str, str], tmp_path: Path) -> Run:
    """Runs one command to its end."""

    def run_command(*arguments: str, more: Mapping[str, str] | None = None, given: str | None = None) -> Result:
        return subprocess.run(
            command(*arguments),
            env={**environment, **(more or {})},
            cwd=tmp_path,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run_command


@pytest.fixture
def typed(
    environment: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Like `run`, within this process: many times as quick, for what doesn't depend on how a process begins and ends."""
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def type_command(*arguments: str, given: str | bytes = b"") -> Result:
        data = given if isinstance(given, bytes) else given.encode()
        capfdbinary.readouterr()
        with monkeypatch.context() as standing_in:
            standing_in.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
            code = main(list(arguments))
        said = capfdbinary.readouterr()
        return Result(list(arguments), code, said.out.decode(), said.err.decode())

    return type_command


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a catalog on a web server."""
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "catalog.yaml").write_text(TINY_CATALOG, "utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/catalog.yaml"
        server.shutdown()
        thread.join()


def refusal(result: Result) -> str:
    """What a failed command said: one sentence, no data, no traceback."""
    assert result.returncode in (1, 2), result
    assert result.stdout == ""
    lines: Sequence[str] = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("docker-mcp: ")
    return lines[0].removeprefix("docker-mcp: ")
