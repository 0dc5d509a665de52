"""A search for secrets: set on the command line, used by servers of each kind, and looked for everywhere afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.helpers.canaries import Canaries, command_lines, environment_of, family_of
from tests.helpers.docker_engine import image
from tests.helpers.home import Home
from tests.helpers.keychain import Keychain
from tests.helpers.mcp_clients import connected
from tests.helpers.package_server import __file__ as package_server
from tests.helpers.ports import free_port
from tests.helpers.processes import wait_until
from tests.helpers.remote_server import remote_server

pytestmark = [pytest.mark.engine, pytest.mark.keychain]

ROOT = Path(__file__).parents[2]
SERVER_LABEL = "io.mcp-gateway-desktop.server"
# Everything the faces can show, as they get it.
HOST_TEXTS = """
import asyncio, sys
from desktop.app import GatewayOptions, running
from desktop.tray import words
async def main():
    async with running(GatewayOptions(block_secrets="block", start_timeout=5.0)) as host:
        await host.settled(40)
        for status in host.servers():
            print(status, words.sentence(status.reason), words.sentence(status.hint), *host.stderr(status.name))
            print(*host.tools(status.name))
        print(host.problems(), host.questions(), host.running_calls(), host.endpoint(), host.engine())
asyncio.run(main())
"""


class Stage:
    """A person's home with a real keychain, the secrets in it, and all that was said."""

    def __init__(self, keychain: Keychain) -> None:
        folders = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
        self.home = Home(keychain.folder)
        self.environment = {name: value for name, value in keychain.environment.items() if name not in folders}
        self.environment["PYTHONPATH"] = str(ROOT)
        self.said: list[tuple[str, str]] = []
        self.answers: dict[str, str] = {}
        self.folder = keychain.folder

    def run(self, *arguments: str, given: str | None = None, code: str = "") -> str:
        command = [sys.executable, *(["-c", code] if code else ["-m", "desktop", *arguments])]
        done = subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        # What a command was given may stand in its own command line, and nowhere else.
        self.said.append((" ".join(arguments[:2]) or "host", done.stdout + done.stderr))
        return done.stdout + done.stderr

    def set_all(self, canaries: Canaries) -> None:
        """One by argument, one by file, the rest by standard input."""
        first, second, *rest = canaries.values
        assert self.run("secret", "set", f"{first}={canaries.values[first]}") == ""
        file = self.folder / "once.env"
        file.write_text(f"{second}={canaries.values[second]}\n", encoding="utf-8")
        assert self.run("secret", "import", str(file)) == f"imported secret {second}\n"
        file.unlink()
        for name in rest:
            assert self.run("secret", "set", name, given=canaries.values[name] + "\n") == ""
        assert len(json.loads(self.run("secret", "ls", "--json"))) == len(canaries.values)


@pytest.fixture
def stage(keychain: Keychain) -> Stage:
    return Stage(keychain)


@contextlib.contextmanager
def gateway(stage: Stage, *more: str, crashes: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The gateway as a program that says all it can; yields it and its URL. It ends as asked, or by a crash."""
    log = stage.folder / ("crash.log" if crashes else "gateway.log")
    flags = ["--transport", "streaming", "--port", str(free_port()), "--verbose", "--log-calls", "--start-timeout", "5"]
    command = [sys.executable, "-m", "desktop", "gateway", "run", *flags, *more]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=stage.environment, cwd=stage.folder, stdout=output, stderr=output)
    try:
        wait_until(lambda: "> Initialized in" in log.read_text("utf-8"), what="the start of the gateway", seconds=60)
        lines = log.read_text("utf-8").splitlines()
        yield process, next(line for line in lines if "Gateway URL: " in line).partition("URL: ")[2]
        process.send_signal(signal.SIGABRT if crashes else signal.SIGTERM)
        assert process.wait(timeout=30) == (-signal.SIGABRT if crashes else 0), log.read_text("utf-8")
    finally:
        process.kill()
        process.wait(timeout=10)
    assert "\nTraceback" not in log.read_text("utf-8")


@contextlib.asynccontextmanager
async def client(stage: Stage, url: str) -> AsyncIterator[Any]:
    token = stage.run("gateway", "token").strip()
    async with connected("streaming", url=url, token=token) as found:
        yield found


async def call(stage: Stage, client: Any, tool: str, /, **arguments: Any) -> None:
    """Call a tool, and keep what came of it."""
    try:
        stage.answers[tool] = repr(await client.call_tool(tool, arguments))
    except Exception as error:
        stage.answers[tool] = repr(error)


def containers(engine: docker.DockerClient, *servers: str) -> list[Any]:
    return [
        container
        for container in engine.containers.list(all=True, ignore_removed=True, filters={"label": SERVER_LABEL})
        if container.labels[SERVER_LABEL] in servers
    ]


def engine_knows(engine: docker.DockerClient, *servers: str) -> list[tuple[str, str]]:
    """What the engine tells of the servers' containers, and what it keeps of them on its disk."""
    root = Path(engine.info()["DockerRootDir"]) / "containers"
    texts = []
    for container in containers(engine, *servers):
        server = container.labels[SERVER_LABEL]
        with contextlib.suppress(docker.errors.NotFound):
            texts.append((f"inspect {server}", json.dumps(engine.api.inspect_container(container.id))))
        texts += [
            (f"{file} of {server}", file.read_text("utf-8", "replace"))
            for file in root.joinpath(container.id).rglob("*.json")
        ]
    return texts


@pytest.mark.parametrize("blocked", [True, False])
async def test_secrets_of_containers_tools_and_remote_servers(
    stage: Stage, docker_engine: docker.DockerClient, blocked: bool
) -> None:
    canaries = Canaries(
        "all.key", "loud.key", "argued.key", "tool.key", "far.key", "shut.key", "bare.key", "unused.key"
    )
    stage.set_all(canaries)

    def secret(name: str) -> list[dict[str, Any]]:
        return [{"name": f"{name}.key", "env": f"{name.upper()}_KEY", "required": True}]

    def remote(port: int, name: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer ${{{name.upper()}_KEY}}"}
        url = f"http://127.0.0.1:{port}/mcp"
        return {"type": "remote", "remote": {"url": url, "headers": headers}, "secrets": secret(name)}

    shown = {"image": image("busybox"), "command": ["sh", "-c", "env; env >&2; exit 1"]}
    far, shut = free_port(), free_port()
    stage.home.catalog(
        {
            "all": stage.home.container("everything", secrets=secret("all")),
            "loud": stage.home.container(
                "busybox", command=["sh", "-c", "env >&2; env; exit 3"], secrets=secret("loud")
            ),
            "argued": stage.home.container(
                "busybox", command=["sh", "-c", "cat", "--at=$ARGUED_KEY"], secrets=secret("argued")
            ),
            "bare": stage.home.container("echo", secrets=secret("bare")),
            "tool": {"type": "poci", "tools": [{"name": "tool-fails", "container": shown}], "secrets": secret("tool")},
            "far": remote(far, "far"),
            "shut": remote(shut, "shut"),
        }
    )
    stage.home.enable("all", "loud", "argued", "bare", "tool", "far", "shut")
    async with (
        remote_server("streaming", far, canaries.values["far.key"]) as right,
        remote_server("streaming", shut, "another token") as wrong,
    ):
        # The test's own servers get what they should ask for in their command line.
        test_servers = {f"/proc/{process.pid}/cmdline" for process in (right, wrong)}
        with gateway(stage, f"--block-secrets={str(blocked).lower()}") as (process, url):
            async with client(stage, url) as mcp:
                stage.said.append(("tools/list", repr(await mcp.list_tools())))
                await call(stage, mcp, "get-env")
                await call(stage, mcp, "tool-fails")
                await call(stage, mcp, "header", name="authorization")
                await call(stage, mcp, "env", name="BARE_KEY")
                await call(stage, mcp, "get-sum", a="x", b=canaries.values["all.key"])
                # Each tool told its secret: to the client where nothing blocks it, to nobody else.
                told = {"get-env": "all", "tool-fails": "tool", "header": "far", "env": "bare"}
                found = canaries.in_texts((tool, stage.answers[tool]) for tool in told)
                assert found == ({} if blocked else {tool: {f"{name}.key"} for tool, name in told.items()})
                assert blocked == ("a secret is being returned" in stage.answers["get-env"])
                assert {container.labels[SERVER_LABEL] for container in containers(docker_engine, "all", "bare")} == {
                    "all", "bare",
                }  # fmt: skip
                known = engine_knows(docker_engine, "all", "loud", "argued", "tool")
                assert [name for name, _ in known if name.startswith("inspect all")]
                assert canaries.in_texts(known) == {}
                # An image from scratch has no shell, and the engine has to know its variables: decision 0012.
                of_bare = canaries.in_texts(engine_knows(docker_engine, "bare"))
                assert of_bare
                assert set.union(*of_bare.values()) == {"bare.key"}
                assert canaries.in_texts(map(environment_of, family_of(process.pid))) == {}
                lines = ((where, line) for where, line in command_lines() if where not in test_servers)
                assert canaries.in_texts(lines) == {}
                for container in containers(docker_engine, "all", "bare"):
                    container.kill()
                await call(stage, mcp, "get-env")
                await call(stage, mcp, "env", name="BARE_KEY")
        for arguments in (
            ("server", "ls"),
            ("server", "inspect", "all"),
            ("config", "dump"),
            ("secret", "ls", "--all"),
        ):
            stage.run(*arguments)
        assert "loud ended with exit code 3" in stage.run(code=HOST_TEXTS)
    log = (stage.folder / "gateway.log").read_text("utf-8")
    assert "all: secret all.key comes from the secret store" in log
    assert "LOUD_KEY=" in log  # it did say its variables, without the value
    assert canaries.in_texts(stage.said) == {}
    assert canaries.in_files(stage.folder) == {}


async def test_secrets_of_packages_without_a_container(stage: Stage) -> None:
    canaries = Canaries("pack.key", "loud.key")
    stage.set_all(canaries)
    programs = stage.folder / "bin"
    programs.mkdir()
    runner = f'#!/bin/sh\n[ "$1" = loud ] && {{ env >&2; env; exit 3; }}\nexec "{sys.executable}" "{package_server}"\n'
    (programs / "uvx").write_text(runner, encoding="utf-8")
    (programs / "uvx").chmod(0o755)
    stage.environment |= {
        "PATH": f"{programs}{os.pathsep}{stage.environment['PATH']}",
        "DOCKER_HOST": f"unix://{stage.folder}/none.sock",
    }
    uv = "ghcr.io/astral-sh/uv:latest"
    stage.home.catalog(
        {
            name: {
                "type": "server",
                "image": uv,
                "command": ["uvx", name],
                "secrets": [{"name": f"{name}.key", "env": f"{name.upper()}_KEY"}],
            }
            for name in ("pack", "loud")
        }
    )
    assert stage.run("server", "enable", "pack", "loud", "--without-container") == ""
    with gateway(stage) as (process, url):
        async with client(stage, url) as mcp:
            await call(stage, mcp, "environment")
            assert canaries.in_texts(command_lines()) == {}
            mine, *family = family_of(process.pid)
            assert canaries.in_texts([environment_of(mine)]) == {}
            of_family = canaries.in_texts(map(environment_of, family))
            assert of_family  # the package itself, and what it started
            assert set.union(*of_family.values()) == {"pack.key"}
            await call(stage, mcp, "die")
            await call(stage, mcp, "environment")
    assert "loud ended with exit code 3" in stage.run(code=HOST_TEXTS)
    assert "LOUD_KEY=" in (stage.folder / "gateway.log").read_text("utf-8")

    # A crash: Python tells where each thread was, and the system writes no image of the memory.
    stage.environment["PYTHONFAULTHANDLER"] = "1"
    with gateway(stage, crashes=True) as (process, url):
        async with client(stage, url) as mcp:
            await call(stage, mcp, "environment")
            limits = Path(f"/proc/{process.pid}/limits").read_text("utf-8")
            assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core file size")] == ["0"]
    assert "Fatal Python error: Aborted" in (stage.folder / "crash.log").read_text("utf-8")
    assert list(stage.folder.rglob("core*")) == []
    assert canaries.in_texts(stage.answers.items()) == {}
    assert canaries.in_texts(stage.said) == {}
    assert canaries.in_files(stage.folder) == {}
