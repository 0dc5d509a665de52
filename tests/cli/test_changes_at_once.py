"""Commands of several processes at the same time, and of processes that are killed while they write."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, command
from tests.helpers import reference_reader as reference

OWN = 8
CATALOG = "name: docker-mcp\nregistry:\n" + "".join(
    f"  {own}-{number}: {{image: i, config: [{{properties: {{key: {{type: string}}}}}}]}}\n"
    for own in ("left", "right")
    for number in range(OWN)
)
REGISTRY = """\
# my servers
registry:
  # of a catalog long gone
  vanished:
    ref: ""
    config: {key: 'kept'}   # as it is
# the end
extra: [1, 2]
"""
CONFIG = "# settings\nvanished: {deep: [1, 2]}  # kept\n"


def steps(own: str, count: int) -> tuple[list[list[str]], set[str]]:
    """Commands that enable and disable servers of one's own in no order, and which of them are enabled at the end."""
    chance, enabled = random.Random(own), set[str]()
    commands = []
    for _ in range(count):
        name = f"{own}-{chance.randrange(OWN)}"
        if name in enabled:
            commands.append(["server", "disable", name])
            enabled.discard(name)
        else:
            commands.append(["server", "enable", name])
            enabled.add(name)
    return commands, enabled


LOOP = """
import json, sys
from desktop.cli.main import main
for arguments in json.load(sys.stdin):
    if main(arguments) != 0:
        sys.exit(f"failed: {arguments}")
"""


@pytest.fixture
def registry(docker_mcp: Path) -> Path:
    """registry.yaml with what others wrote."""
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(CATALOG, "utf-8")
    (docker_mcp / "registry.yaml").write_text(REGISTRY, "utf-8")
    (docker_mcp / "config.yaml").write_text(CONFIG, "utf-8")
    return docker_mcp / "registry.yaml"


def watched(registry: Path, work: Callable[[], None]) -> int:
    """Do the work, and read the file as the reference does all the while; returns how many states were seen."""
    seen: set[bytes] = set()
    ended = threading.Event()
    broken: list[bytes] = []

    def look() -> None:
        while not ended.is_set():
            data = registry.read_bytes()
            if data not in seen:
                seen.add(data)
                if "vanished" not in reference.registry(data.decode()) or b"# the end\nextra: [1, 2]\n" not in data:
                    broken.append(data)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    assert broken == []
    return len(seen)


def check(registry: Path, enabled: set[str]) -> None:
    """Nothing was lost: neither an update nor what others wrote."""
    text = registry.read_text("utf-8")
    assert reference.registry(text) == enabled | {"vanished"}
    kept = [line for line in text.splitlines() if "left-" not in line and "right-" not in line]
    assert [line for line in kept if line != '    ref: ""'] == [
        line for line in REGISTRY.splitlines() if line != '    ref: ""'
    ]
    leftovers = [path.name for path in registry.parent.iterdir() if path.name.endswith("-tmp")]
    assert leftovers == []


def test_two_processes_with_200_changes_each_lose_none(registry: Path, environment: dict[str, str]) -> None:
    plans = {own: steps(own, 200) for own in ("left", "right")}

    def work() -> None:
        processes = []
        for commands, _ in plans.values():
            process = subprocess.Popen([sys.executable, "-c", LOOP], env=environment, stdin=subprocess.PIPE)
            assert process.stdin is not None
            process.stdin.write(json.dumps(commands).encode())
            process.stdin.close()
            processes.append(process)
        assert [process.wait(100) for process in processes] == [0, 0]

    assert watched(registry, work) > 10
    check(registry, plans["left"][1] | plans["right"][1])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_200_commands_in_two_terminals_at_once_lose_nothing(registry: Path, environment: dict[str, str]) -> None:
    plans = {own: steps(own, 200) for own in ("left", "right")}
    codes: list[int] = []

    def type_all(commands: list[list[str]]) -> None:
        codes.extend(
            subprocess.run(command(*arguments), env=environment, timeout=60).returncode for arguments in commands
        )

    def work() -> None:
        terminals = [threading.Thread(target=type_all, args=[commands]) for commands, _ in plans.values()]
        for terminal in terminals:
            terminal.start()
        for terminal in terminals:
            terminal.join()

    watched(registry, work)
    assert codes == [0] * 400
    check(registry, plans["left"][1] | plans["right"][1])


ENDLESS = """
import contextlib, io, sys
from desktop.cli.main import main
print("up", flush=True)
number = 0
while True:
    number += 1
    with contextlib.redirect_stdout(io.StringIO()):
        for arguments in (
            ["server", "enable", "left-1", "left-2"],
            ["config", "set", f"left-1.key={'x' * (number % 7 * 1000)}"],
            ["catalog", "create", f"c{number % 3}"],
            ["catalog", "add", "--force", f"c{number % 3}", "docker-mcp/left-1"],
            ["feature", ["enable", "disable"][number % 2], "profiles"],
            ["server", "disable", "left-1"],
            ["catalog", "rm", f"c{(number - 1) % 3}"],
        ):
            main(arguments)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL as POSIX has it")
def test_a_kill_while_files_are_written_leaves_no_half_file_and_no_lock(
    registry: Path, environment: dict[str, str], run: Run
) -> None:
    folder = registry.parent
    chance = random.Random(7)
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            before = registry.stat().st_ino
            while registry.stat().st_ino == before:
                pass
            time.sleep(chance.random() * 0.15)  # the moment of the kill differs; nothing is waited for
            process.send_signal(signal.SIGKILL)
        text = registry.read_text("utf-8")
        assert reference.registry(text) >= {"vanished"}
        assert text.endswith("# the end\nextra: [1, 2]\n")
        config = (folder / "config.yaml").read_text("utf-8")
        assert config.startswith(CONFIG)
        assert set(reference.config(config).get("left-1", {"key": ""})["key"]) <= {"x"}
        if (folder / "catalog.json").exists():
            reference.catalog_index((folder / "catalog.json").read_text("utf-8"))
        for body in (folder / "catalogs").glob("*.yaml"):
            reference.catalog(body.read_text("utf-8"))
        if (folder.parent / "config.json").exists():
            assert (folder.parent / "config.json").read_text("utf-8").endswith("}\n")
    assert run("server", "enable", "right-1").returncode == 0  # whoever is killed holds no lock
    assert run("config", "set", "right-1.key=v").returncode == 0
    assert run("catalog", "create", "after").returncode == 0
    assert "right-1" in reference.registry(registry.read_text("utf-8"))
