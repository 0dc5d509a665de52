"""Whether a client is installed, and whether it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.clients.description import Client
from desktop.clients.detection import Sign, detect
from desktop.clients.known import CLIENTS, find_client
from desktop.clients.machine import Machine
from desktop.clients.processes import Running, is_alive, running_programs
from tests.helpers.processes import wait_until


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(environ={"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}, platform="linux")


def test_in_an_empty_home_nothing_is_installed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.clients.machine._LAUNCHD_PATH", ())
    found = {client.id: detect(client, machine, Running()) for client in CLIENTS}
    assert {id for id, presence in found.items() if presence.installed} == set()
    assert not any(presence.running for presence in found.values())


def test_a_program_on_the_search_path_is_installed(machine: Machine, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "codex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", "utf-8")
    assert detect(known("codex"), machine, Running()).sign is Sign.NONE
    program.chmod(0o755)
    presence = detect(known("codex"), machine, Running())
    assert (presence.sign, presence.place) == (Sign.PROGRAM, str(program))


@pytest.mark.parametrize(
    ("id", "platform", "place"),
    [
        ("cursor", "darwin", "Applications/Cursor.app"),
        ("cline", "linux", ".vscode/extensions/saoudrizwan.claude-dev-3.4.0"),
        ("claude-desktop", "win32", "AppData/Local/Packages/Claude_pzs8sxrjxfjjc"),
        ("vscode", "win32", "AppData/Local/Programs/Microsoft VS Code"),
    ],
)
def test_where_installers_put_it_it_is_installed(tmp_path: Path, id: str, platform: str, place: str) -> None:
    machine = Machine(environ={"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}, platform=platform)
    (tmp_path / place).mkdir(parents=True)
    assert detect(known(id), machine, Running()).sign is Sign.PROGRAM


def test_settings_alone_are_a_weaker_sign(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    presence = detect(known("cursor"), machine, Running())
    assert (presence.sign, presence.place, presence.running) == (Sign.SETTINGS, str(tmp_path / ".cursor"), False)


def test_an_editor_runs_while_the_process_in_its_lock_lives(machine: Machine, tmp_path: Path) -> None:
    lock = tmp_path / ".config" / "Cursor" / "code.lock"
    lock.parent.mkdir(parents=True)
    for text, expected in [(str(os.getpid()), True), ("no number", False), ("", False)]:
        lock.write_text(text, "utf-8")
        assert detect(known("cursor"), machine, Running()).running is expected
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    lock.write_bytes(ended.stdout)
    assert detect(known("cursor"), machine, Running()).running is False


def test_chromiums_link_names_the_process(machine: Machine, tmp_path: Path) -> None:
    lock = tmp_path / ".config" / "Claude" / "SingletonLock"
    lock.parent.mkdir(parents=True)
    for target, expected in [(f"some-host-{os.getpid()}", True), ("some-host-x", False), ("elsewhere", False)]:
        lock.unlink(missing_ok=True)
        lock.symlink_to(target)
        assert detect(known("claude-desktop"), machine, Running()).running is expected
    assert not detect(known("claude-desktop"), machine, Running(frozenset({"claude"}))).running
    assert detect(known("claude-code"), machine, Running(frozenset({"claude"}))).running


def test_on_windows_chromiums_lock_is_there_only_while_the_program_runs(tmp_path: Path) -> None:
    machine = Machine(environ={"USERPROFILE": str(tmp_path), "APPDATA": str(tmp_path / "Roaming")}, platform="win32")
    assert not detect(known("claude-desktop"), machine, Running()).running
    (tmp_path / "Roaming" / "Claude").mkdir(parents=True)
    (tmp_path / "Roaming" / "Claude" / "lockfile").touch()
    assert detect(known("claude-desktop"), machine, Running()).running


def test_a_program_that_runs_is_seen_by_its_name(machine: Machine, tmp_path: Path) -> None:
    program = tmp_path / "goosed"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        wait_until(lambda: "goosed" in running_programs().names, what="the program's start")
        assert detect(known("goose"), machine, running_programs()).running
        assert is_alive(process.pid)
    finally:
        process.kill()
        process.wait()
    assert not is_alive(process.pid)
    assert not detect(known("goose"), machine, Running()).running


def test_a_script_is_seen_behind_its_interpreter(machine: Machine, tmp_path: Path) -> None:
    interpreter, script = tmp_path / "node", tmp_path / "gemini.js"
    interpreter.symlink_to(sys.executable)
    script.write_text("import sys; sys.stdin.read()", "utf-8")
    process = subprocess.Popen([interpreter, "-u", script], stdin=subprocess.PIPE)
    try:
        wait_until(lambda: "gemini" in running_programs().names, what="the script's start")
        assert detect(known("gemini"), machine, running_programs()).running
    finally:
        process.kill()
        process.communicate()
