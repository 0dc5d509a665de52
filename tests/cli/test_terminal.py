"""What is different on a terminal."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run, command

pty = pytest.importorskip("pty", reason="only Unix has pseudo-terminals")


def on_a_terminal(environment: dict[str, str], *arguments: str, with_remarks: bool = False) -> str:
    """What a command shows on a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave if with_remarks else subprocess.DEVNULL,
    )
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the terminal's other end was closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=30) == 0
    return shown.decode()


def test_colour_is_for_terminals_and_no_color_is_honoured(
    environment: dict[str, str], docker_mcp: Path, run: Run
) -> None:
    run("server", "enable", "boxed")
    piped = run("server", "list").stdout
    shown = on_a_terminal({**environment, "TERM": "xterm"}, "server", "list")
    plain = on_a_terminal({**environment, "TERM": "xterm", "NO_COLOR": "1"}, "server", "list")
    assert "\x1b[" not in piped
    assert "\x1b[1mNAME" in shown
    assert "\x1b[" not in plain
    assert piped.splitlines()[2].split() == plain.splitlines()[2].split()


def test_what_a_catalog_says_can_not_steer_the_terminal(environment: dict[str, str], docker_mcp: Path) -> None:
    evil = 'name: docker-mcp\nregistry:\n  evil: {description: "\\e]0;owned\\a\\e[2Jhello", image: x, type: server}\n'
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(evil, "utf-8")
    shown = on_a_terminal({**environment, "NO_COLOR": "1"}, "catalog", "show")
    assert "hello" in shown
    assert "\x1b" not in shown


def test_a_person_is_told_what_to_do_next_and_a_program_is_not(
    environment: dict[str, str], docker_mcp: Path, run: Run
) -> None:
    plain = {**environment, "NO_COLOR": "1"}
    shown = on_a_terminal(plain, "server", "enable", "boxed", "hosted", with_remarks=True)
    assert [line.strip() for line in shown.splitlines() if line.strip()] == [
        "Next steps:",
        "Set its secret (boxed): docker-mcp secret set boxed.key",
        "Set what it needs (boxed): docker-mcp config set boxed.url=VALUE",
        "Sign in (hosted): docker-mcp oauth authorize hosted",
        "See its tools with docker-mcp server inspect boxed",
    ]
    assert "Next steps:" in on_a_terminal(plain, "server", "ls", with_remarks=True)
    for arguments in (
        ["server", "enable", "boxed"],
        ["server", "ls"],
        ["server", "disable", "bxed"],
        ["catalog", "show"],
    ):
        assert run(*arguments).stderr == ""
    told = on_a_terminal(plain, "server", "disable", "bxed", with_remarks=True)
    assert told.strip() == "bxed was not enabled; did you mean boxed?"
