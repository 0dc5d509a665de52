"""``docker-mcp plugin``; that Docker's own command line finds what is installed is tested in tests/e2e."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from desktop.cli.plugin import own_program
from desktop.errors import StateFileError
from tests.cli.conftest import Run, refusal


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_plugin_is_installed_named_and_taken_away(run: Run, tmp_path: Path) -> None:
    place = tmp_path / ".docker" / "cli-plugins" / "docker-mcp"
    before = run("plugin", "status")
    assert (before.returncode, before.stdout) == (1, "not installed\n")
    installed = run("plugin", "install")
    assert (installed.returncode, installed.stdout) == (0, "")
    assert installed.stderr.startswith(f"Installed {place}; docker mcp starts ")
    told = json.loads(run("plugin", "status", "--format", "json").stdout)
    assert told == {
        "path": str(place),
        "installed": True,
        "program": str(Path(sys.executable).with_name("docker-mcp")),
        "other": False,
        "kept": "",
    }
    assert run("plugin", "status").stdout == f"installed: {place} starts {told['program']}\n"
    assert run("plugin", "rm").returncode == 0
    assert not place.exists()


def test_another_programs_plugin_is_left_alone(run: Run, tmp_path: Path) -> None:
    place = _program(tmp_path / ".docker" / "cli-plugins" / "docker-mcp")
    assert refusal(run("plugin", "install")) == (
        f"{place}: another program's plugin is there. "
        "docker-mcp plugin install --force puts it aside, and plugin uninstall puts it back."
    )
    status = run("plugin", "status")
    assert (status.returncode, status.stdout) == (1, f"not installed: {place} belongs to another program\n")
    assert run("plugin", "uninstall").stderr == "The plugin is not installed.\n"
    assert place.exists()


def test_docker_config_moves_the_plugin(run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert run("plugin", "install", more={"DOCKER_CONFIG": str(elsewhere)}).returncode == 0
    assert (elsewhere / "cli-plugins" / "docker-mcp").exists()


def test_an_environment_of_python_has_the_program_beside_it(tmp_path: Path) -> None:
    program = _program(tmp_path / "bin" / "docker-mcp")
    assert own_program("-m", str(tmp_path / "bin" / "python"), {}, "linux") == program
    windows = _program(tmp_path / "Scripts" / "docker-mcp.exe")
    assert own_program("-m", str(tmp_path / "Scripts" / "python.exe"), {}, "win32") == windows


def test_called_as_the_plugin_the_program_finds_itself(tmp_path: Path) -> None:
    program = _program(tmp_path / "local" / "docker-mcp")
    link = tmp_path / "cli-plugins" / "docker-mcp"
    link.parent.mkdir()
    link.symlink_to(program)
    assert own_program(str(link), "/usr/bin/python3-that-is-not-here", {}, "linux") == program


def test_a_bundle_and_an_appimage_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program = _program(tmp_path / "bundle" / "docker-mcp")
    tray = str(tmp_path / "bundle" / "mcp-gateway-desktop")
    assert own_program(tray, tray, {}, "linux") == program
    image = {"APPIMAGE": "/apps/gateway.AppImage", "APPDIR": str(tmp_path / "bundle")}
    # What an AppImage is mounted at is gone when it ends; the image itself stays.
    assert own_program(tray, tray, image, "linux") == Path("/apps/gateway.AppImage")
    assert own_program("x", str(tmp_path / "other" / "app"), {}, "linux") == tmp_path / "other" / "app"


def test_a_bare_source_tree_can_not_be_installed(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="not installed for this Python"):
        own_program(str(tmp_path / "__main__.py"), str(tmp_path / "python"), {}, "linux")
