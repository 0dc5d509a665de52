"""Both built programs are one file; which of them it is, its name says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from desktop import __main__ as entry


@pytest.mark.parametrize("name", ["docker-mcp", "/usr/bin/docker-mcp", r"C:\Programs\docker-mcp.exe", "Docker-MCP.EXE"])
def test_docker_mcp_is_the_command_line_even_without_arguments(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.setattr(entry, "command_line", lambda: 11)
    monkeypatch.setattr(entry, "main", lambda: 12)
    assert entry._by_name() == 11


@pytest.mark.parametrize("name", ["mcp-gateway-desktop", r"C:\docker-mcp\mcp-gateway-desktop.exe", "-m"])
def test_every_other_name_is_the_tray(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.setattr(entry, "main", lambda: 12)
    assert entry._by_name() == 12


def test_a_link_opens_the_window_and_carries_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("desktop.tray.application.run", lambda _host, arguments: started.append(arguments) or 0)
    monkeypatch.setattr(sys, "argv", ["mcp-gateway-desktop", "mcp-gateway-desktop:server/enable/evil"])
    assert entry.main() == 0
    assert started == [[]]


def test_help_without_a_command() -> None:
    command = [sys.executable, "-c", "import sys; from desktop.__main__ import _by_name; sys.exit(_by_name())"]
    code = command[2].replace("import sys;", "import sys; sys.argv[:] = ['docker-mcp'];")
    done = subprocess.run([*command[:2], code], capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.stdout.startswith("usage: docker-mcp")
