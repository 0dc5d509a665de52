"""The tab key in real shells: what is typed with it is run, and has the effect that was meant."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.home import Home

pty = pytest.importorskip("pty", reason="only Unix has pseudo-terminals")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(docker-mcp completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(docker-mcp completion zsh)"),
    "fish": (["fish", "-i"], "docker-mcp completion fish | source"),
}
# A shell wants the terminal to be the one its session belongs to.
AT_ITS_TERMINAL = [
    sys.executable,
    "-c",
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.catalog({name: home.container("echo") for name in ("weather-station", "wiki", "weekly")})
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "docker-mcp"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m desktop "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return home


def _type(home: Home, shell: str, lines: list[str]) -> str:
    """Everything a shell on a terminal shows while these lines are typed."""
    command, loading = SHELLS[shell]
    master, slave = pty.openpty()
    environment = {
        **home.environment,
        "PATH": f"{home.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        [*AT_ITS_TERMINAL, *command],
        env=environment,
        cwd=home.root,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    typed = "".join(f"{line}\n" for line in [loading, *lines, "exit"]).encode()
    os.write(master, typed)
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and select.select([master], [], [], 60)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the shell has closed its end
                break
        process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return shown.decode(errors="replace")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands_options_and_names(home: Home, shell: str) -> None:
    # Options and their values, behind a space and behind =; names of servers that the catalog has.
    shown = _type(
        home,
        shell,
        [
            "docker-mcp serv\tena\twea\t",
            "docker-mcp catalog ls --for\tjs\t > one.txt",
            "docker-mcp catalog ls --format=js\t > two.txt",
            "docker-mcp server inspect wik\t > three.txt",
        ],
    )
    assert home.paths.registry.is_file(), shown
    assert "weather-station" in home.paths.registry.read_text("utf-8"), shown
    assert '"catalogs"' in (home.root / "one.txt").read_text("utf-8"), shown
    assert '"catalogs"' in (home.root / "two.txt").read_text("utf-8"), shown
    assert '"wiki"' in (home.root / "three.txt").read_text("utf-8"), shown
