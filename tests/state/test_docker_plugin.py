"""Our place among Docker's plugins, and the one of another program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.state.docker_plugin import DockerPlugin, plugin_folder
from desktop.state.paths import Paths

POSIX = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of_user({"HOME": str(tmp_path)}, "linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plugin_folder({"HOME": str(tmp_path)}, "linux")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return _program(tmp_path / "venv" / "docker-mcp", "ours")


@pytest.fixture(params=["linux", pytest.param("win32", id="as on Windows")])
def plugin(request: pytest.FixtureRequest, paths: Paths, folder: Path) -> DockerPlugin:
    return DockerPlugin(paths, folder, request.param)


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_docker_config_moves_the_folder(tmp_path: Path) -> None:
    assert plugin_folder({"HOME": "/h"}, "linux") == Path("/h/.docker/cli-plugins")
    assert plugin_folder({"HOME": "/h", "DOCKER_CONFIG": str(tmp_path)}, "linux") == tmp_path / "cli-plugins"
    assert plugin_folder({"USERPROFILE": "/u"}, "win32") == Path("/u/.docker/cli-plugins")


def test_what_is_installed_goes_again_without_a_trace(plugin: DockerPlugin, program: Path, folder: Path) -> None:
    assert not plugin.status().installed
    status = plugin.install(program)
    assert status == plugin.status()
    assert (status.installed, status.program, status.other) == (True, str(program), False)
    assert plugin.place.read_text("utf-8") == "ours"
    assert os.access(plugin.place, os.X_OK)
    assert plugin.uninstall()
    assert list(folder.iterdir()) == []
    assert not plugin.uninstall()


def test_another_programs_plugin_stays_unless_forced_and_comes_back(
    plugin: DockerPlugin, program: Path, folder: Path
) -> None:
    _program(plugin.place, "theirs")
    with pytest.raises(StateFileError, match="another program's plugin is there"):
        plugin.install(program)
    assert plugin.place.read_text("utf-8") == "theirs"
    assert plugin.status().other
    assert plugin.install(program, force=True).installed
    assert plugin.place.read_text("utf-8") == "ours"
    # Docker must not take what was put aside for a plugin of its own.
    assert [file.name for file in folder.iterdir() if file.name.startswith("docker-")] == [plugin.place.name]
    plugin.install(program)
    assert plugin.uninstall()
    assert plugin.place.read_text("utf-8") == "theirs"
    assert os.access(plugin.place, os.X_OK)
    assert list(folder.iterdir()) == [plugin.place]


def test_a_plugin_that_took_our_place_meanwhile_stays(plugin: DockerPlugin, program: Path, folder: Path) -> None:
    _program(plugin.place, "theirs")
    plugin.install(program, force=True)
    plugin.place.unlink()
    _program(plugin.place, "theirs, newer")
    assert not plugin.uninstall()
    assert plugin.place.read_text("utf-8") == "theirs, newer"
    assert list(folder.iterdir()) == [plugin.place]


def test_an_installation_cut_short_is_put_right(plugin: DockerPlugin, program: Path, folder: Path) -> None:
    _program(plugin.place, "theirs")
    plugin.install(program, force=True)
    plugin.place.unlink()  # as if the process had ended between putting theirs aside and putting ours there
    assert not plugin.uninstall()
    assert plugin.place.read_text("utf-8") == "theirs"


def test_a_program_that_moved_is_installed_again(plugin: DockerPlugin, program: Path, tmp_path: Path) -> None:
    plugin.install(program)
    program.unlink()
    assert not plugin.status().installed
    moved = _program(tmp_path / "elsewhere" / "docker-mcp", "moved")
    assert plugin.install(moved).program == str(moved)
    assert plugin.place.read_text("utf-8") == "moved"


@POSIX
def test_a_link_of_another_program_is_theirs_even_when_it_leads_nowhere(
    paths: Paths, folder: Path, program: Path, tmp_path: Path
) -> None:
    plugin = DockerPlugin(paths, folder, "linux")
    folder.mkdir(parents=True)
    plugin.place.symlink_to(tmp_path / "gone")
    with pytest.raises(StateFileError, match="another program's"):
        plugin.install(program)
    plugin.install(program, force=True)
    plugin.uninstall()
    assert plugin.place.readlink() == tmp_path / "gone"


def test_a_receipt_nobody_understands_is_named(plugin: DockerPlugin, paths: Paths, program: Path) -> None:
    plugin.install(program)
    (receipt,) = paths.own.glob("*.json")
    receipt.write_text("[]", encoding="utf-8")
    with pytest.raises(StateFileError, match="no receipt"):
        plugin.status()


@POSIX
def test_a_bundle_is_linked_everywhere_since_a_copy_would_miss_its_other_files(
    paths: Paths, folder: Path, program: Path
) -> None:
    plugin = DockerPlugin(paths, folder, "win32", is_bundle=True)
    plugin.install(program)
    assert plugin.place.name == "docker-mcp.exe"
    assert plugin.place.readlink() == program


def test_where_no_link_may_be_made_it_says_who_may(
    paths: Paths, folder: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    plugin = DockerPlugin(paths, folder, "win32", is_bundle=True)
    with pytest.raises(StateFileError, match="developer mode"):
        plugin.install(program)
    assert list(folder.iterdir()) == []
    assert not plugin.status().installed
