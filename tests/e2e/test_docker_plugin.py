"""``docker mcp …`` through Docker's own command line, with a configuration folder of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desktop import __version__
from desktop.cli.main import GROUPS, group
from tests.helpers.home import Home

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# One command of each group, and what it prints.
COMMANDS = {
    "catalog": (["ls", "--format", "json"], '{"catalogs":'),
    "client": (["ls", "--global", "--json"], "{"),
    "config": (["read"], "boxed:\n  level: 3\n"),
    "feature": (["ls"], "dynamic-tools"),
    "gateway": (["token"], "\n"),
    "oauth": (["ls", "--json"], "[]"),
    "plugin": (["status"], "installed: "),
    "policy": (["dump"], "a allows boxed"),
    "profile": (["ls", "--format", "json"], "[]"),
    "registry": (["convert", "--help"], "usage: docker mcp registry convert"),
    "secret": (["ls", "--json"], "[]"),
    "server": (["list", "--json"], '"boxed"'),
    "template": (["ls"], "ai-coding"),
    "tools": (["count"], " tools\n"),
}


class Docker:
    """Docker's command line in a home of its own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.plugins = home.root / "docker-config" / "cli-plugins"
        self.environment = {
            **home.environment,
            "DOCKER_CONFIG": str(self.plugins.parent),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "DOCKER_HOST": f"unix://{home.root}/no-engine-is-needed.sock",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return self._run([str(shutil.which("docker")), *arguments])

    def ours(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of ours, called by its own name."""
        return self._run([str(Path(sys.executable).with_name("docker-mcp")), *arguments])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.home.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    home = Home(tmp_path)
    home.catalog({"boxed": home.container("echo")})
    home.enable("boxed")
    home.paths.config.write_text("boxed:\n  level: 3\n", encoding="utf-8")
    found = Docker(home)
    installed = found.ours("plugin", "install")
    assert installed.returncode == 0, installed.stderr
    assert found.ours("policy", "set", "a allows boxed").returncode == 0
    return found


def test_docker_lists_the_plugin(docker: Docker) -> None:
    assert "Docker MCP Plugin" in docker.run("--help").stdout
    assert docker.run("mcp", "version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("asked", [["mcp", "--help"], ["help", "mcp"], ["mcp"]])
def test_help_names_commands_as_they_are_typed_here(docker: Docker, asked: list[str]) -> None:
    shown = docker.run(*asked)
    assert shown.returncode == 0
    assert "usage: docker mcp" in shown.stdout
    assert "docker-mcp " not in shown.stdout


@pytest.mark.parametrize("name", GROUPS)
def test_a_command_of_each_group_runs(docker: Docker, name: str) -> None:
    arguments, expected = COMMANDS[name]
    result = docker.run("mcp", name, *arguments)
    assert result.returncode == 0, result.stderr
    assert expected in result.stdout


def test_the_whole_command_line_is_reached(docker: Docker) -> None:
    found = group("server")
    assert found is not None
    for command in found.commands:
        assert docker.run("mcp", "server", command.names[0], "--help").stdout.startswith("usage: docker mcp server")


def test_exit_codes_and_errors_come_through(docker: Docker) -> None:
    wrong = docker.run("mcp", "servr", "ls")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith('docker-mcp: unknown command "servr". Did you mean server?\n')
    failed = docker.run("mcp", "server", "enable", "nobody")
    assert failed.returncode == 1
    assert "docker mcp catalog search" in failed.stderr


def test_options_of_docker_itself_may_stand_in_front(docker: Docker) -> None:
    result = docker.run("--log-level", "error", "mcp", "server", "list", "--json")
    assert [server["name"] for server in json.loads(result.stdout)] == ["boxed"]


def test_docker_completes_what_comes_behind_mcp(docker: Docker) -> None:
    result = docker.run("__complete", "mcp", "server", "enab")
    assert "enable\tEnable servers.\n:4\n" in result.stdout
    names = docker.run("__complete", "mcp", "server", "disable", "")
    assert names.stdout.splitlines()[0].split() == ["boxed"]


def test_another_programs_plugin_comes_back(docker: Docker) -> None:
    docker.ours("plugin", "uninstall")
    assert docker.run("mcp", "version").returncode != 0
    theirs = docker.plugins / "docker-mcp"
    theirs.write_text(
        '#!/bin/sh\n[ "$1" != docker-cli-plugin-metadata ] || '
        'exec echo \'{"SchemaVersion":"0.1.0","Vendor":"Somebody","Version":"9"}\'\necho theirs\n',
        encoding="utf-8",
    )
    theirs.chmod(0o755)
    assert docker.run("mcp", "version").stdout == "theirs\n"
    refused = docker.ours("plugin", "install")
    assert refused.returncode == 1
    assert "another program's plugin is there. docker-mcp plugin install --force" in refused.stderr
    assert docker.ours("plugin", "install", "--force").returncode == 0
    assert docker.run("mcp", "version").stdout == f"{__version__}\n"
    # Also when it is called as the plugin, it finds itself.
    assert docker.run("mcp", "plugin", "install").returncode == 0
    assert docker.run("mcp", "plugin", "uninstall").returncode == 0
    assert docker.run("mcp", "version").stdout == "theirs\n"
    assert [file.name for file in docker.plugins.iterdir()] == ["docker-mcp"]
