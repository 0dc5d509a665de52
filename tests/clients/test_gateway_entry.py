"""Which entry a client gets, and what stands in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.clients.description import Client
from desktop.clients.gateway_entry import GatewayEntry, Way, choose_way
from desktop.clients.known import CLIENTS, find_client
from desktop.clients.shim_command import shim_command, shim_environment
from desktop.errors import GatewayError

URL = "http://127.0.0.1:8811/mcp"
TOKEN = "mcpgw_x"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SHIM = ("/opt/gateway/docker-mcp", "gateway", "run")
ENTRY = GatewayEntry(name="mcp-gateway", url=URL, token=TOKEN, command=SHIM)
HTTP: dict[str, Any] = {
    "amazon-q": {"url": URL, "headers": HEADERS},
    "antigravity": {"serverUrl": URL, "headers": HEADERS},
    "claude-code": {"type": "http", "url": URL, "headers": HEADERS},
    "cline": {"type": "streamableHttp", "url": URL, "headers": HEADERS},
    "codex": {"url": URL, "http_headers": HEADERS},
    "continue": {"type": "http", "url": URL, "headers": HEADERS},
    "copilot-cli": {"type": "http", "url": URL, "headers": HEADERS, "tools": ["*"]},
    "crush": {"type": "http", "url": URL, "headers": HEADERS},
    "cursor": {"url": URL, "headers": HEADERS},
    "gemini": {"httpUrl": URL, "headers": HEADERS},
    "goose": {
        "type": "streamable_http",
        "name": "mcp-gateway",
        "description": "MCP servers behind one gateway",
        "enabled": True,
        "uri": URL,
        "headers": HEADERS,
        "timeout": 300,
    },
    "kiro": {"url": URL, "headers": HEADERS},
    "lmstudio": {"url": URL, "headers": HEADERS},
    "opencode": {"type": "remote", "url": URL, "headers": HEADERS, "oauth": False, "enabled": True},
    "roo-code": {"type": "streamable-http", "url": URL, "headers": HEADERS},
    "vscode": {"type": "http", "url": URL, "headers": HEADERS},
    "vscode-insiders": {"type": "http", "url": URL, "headers": HEADERS},
    "vscodium": {"type": "http", "url": URL, "headers": HEADERS},
    "windsurf": {"serverUrl": URL, "headers": HEADERS},
    "zed": {"url": URL, "headers": HEADERS},
}
ONLY_STDIO = {"claude-desktop", "junie", "sema4"}
COMMAND = {"command": SHIM[0], "args": ["gateway", "run"]}
STDIO: dict[str, Any] = {
    "claude-desktop": COMMAND,
    "claude-code": {"type": "stdio", **COMMAND},
    "copilot-cli": {"type": "local", **COMMAND, "tools": ["*"]},
    "crush": {"type": "stdio", **COMMAND},
    "goose": {
        "type": "stdio",
        "name": "mcp-gateway",
        "description": "MCP servers behind one gateway",
        "enabled": True,
        "cmd": SHIM[0],
        "args": ["gateway", "run"],
        "timeout": 300,
    },
    "opencode": {"type": "local", "command": list(SHIM), "enabled": True},
    "sema4": {"transport": "stdio", **COMMAND},
    "vscode": {"type": "stdio", **COMMAND},
    "zed": {"source": "custom", "enabled": True, **COMMAND},
    "cursor": COMMAND,
    "codex": COMMAND,
}


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_every_client_that_takes_http_gets_it_with_a_token_in_its_own_shape(client: Client) -> None:
    choice = choose_way(client, in_project=False)
    if client.id in ONLY_STDIO:
        assert choice.way is Way.STDIO
        assert "only programs" in choice.why
    else:
        assert choice.way is Way.HTTP
        assert client.http is not None
        assert ENTRY.value(client.http) == HTTP[client.id]


@pytest.mark.parametrize("id", sorted(STDIO))
def test_a_program_stands_in_the_shape_the_client_reads(id: str) -> None:
    assert ENTRY.value(known(id).stdio) == STDIO[id]


def test_variables_are_passed_on_where_there_are_any() -> None:
    entry = GatewayEntry(name="mcp-gateway", command=SHIM, env={"XDG_STATE_HOME": "/state"})
    assert entry.value(known("cursor").stdio)["env"] == {"XDG_STATE_HOME": "/state"}
    assert entry.value(known("opencode").stdio)["environment"] == {"XDG_STATE_HOME": "/state"}
    assert entry.value(known("goose").stdio)["envs"] == {"XDG_STATE_HOME": "/state"}


def test_a_project_gets_no_token() -> None:
    choice = choose_way(known("cursor"), in_project=True)
    assert choice.way is Way.STDIO
    assert "token" in choice.why
    assert choose_way(known("cursor"), in_project=True, wished=Way.HTTP).way is Way.HTTP


def test_a_profile_gets_a_gateway_of_its_own() -> None:
    assert choose_way(known("cursor"), in_project=False, profile="work").way is Way.STDIO
    assert choose_way(known("cursor"), in_project=False, profile="work", wished=Way.HTTP).way is Way.HTTP


def test_the_person_may_choose_but_not_what_the_client_can_not() -> None:
    assert choose_way(known("cursor"), in_project=False, wished=Way.STDIO).way is Way.STDIO
    assert choose_way(known("claude-desktop"), in_project=False, wished=Way.HTTP).way is Way.STDIO


def test_the_shim_is_named_by_its_absolute_path(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    script = tmp_path / "bin" / "docker-mcp"
    script.parent.mkdir()
    without = shim_command(environ={}, executable=str(python), platform="linux", frozen=False)
    assert without == (str(python), "-P", "-m", "desktop", "gateway", "run")
    script.write_text("", "utf-8")
    assert shim_command(environ={}, executable=str(python), platform="linux") == (str(script), "gateway", "run")
    assert shim_command("work", environ={}, executable=str(python), platform="linux") == (
        str(script),
        "gateway",
        "run",
        "--profile",
        "work",
    )


def test_a_built_program_starts_the_console_program_beside_it(tmp_path: Path) -> None:
    window, console = tmp_path / "mcp-gateway-desktop.exe", tmp_path / "docker-mcp.exe"
    assert shim_command(environ={}, executable=str(window), platform="win32", frozen=True)[0] == str(window)
    console.write_text("", "utf-8")
    assert shim_command(environ={}, executable=str(window), platform="win32", frozen=True)[0] == str(console)


def test_an_appimage_is_started_from_where_it_lies_not_from_its_mount() -> None:
    environ = {"APPIMAGE": "/home/person/Gateway.AppImage", "APPDIR": "/tmp/.mount_x"}
    command = shim_command(environ=environ, executable="/tmp/.mount_x/usr/lib/x", platform="linux")
    assert command == ("/home/person/Gateway.AppImage", "gateway", "run")


def test_another_programs_appimage_is_not_taken_for_ours() -> None:
    environ = {"APPIMAGE": "/home/person/Editor.AppImage", "APPDIR": "/tmp/.mount_editor"}
    command = shim_command(environ=environ, executable="/opt/gateway/x", platform="linux", frozen=True)
    assert command == ("/opt/gateway/x", "gateway", "run")


def test_a_translocated_application_is_refused() -> None:
    place = "/private/var/folders/x/AppTranslocation/y/d/Gateway.app/Contents/MacOS/mcp-gateway-desktop"
    with pytest.raises(GatewayError, match="Applications"):
        shim_command(environ={}, executable=place, platform="darwin", frozen=True)


def test_what_the_shim_needs_to_find_our_state_is_told() -> None:
    assert shim_environment({"XDG_STATE_HOME": "/state", "HOME": "/home/x"}, "linux") == {"XDG_STATE_HOME": "/state"}
    assert shim_environment({"HOME": "/home/x"}, "linux") == {}
    windows = {"LOCALAPPDATA": "L", "ProgramFiles": "P", "ProgramData": "D", "PATH": "…"}
    assert shim_environment(windows, "win32") == {"LOCALAPPDATA": "L", "ProgramFiles": "P", "ProgramData": "D"}


def test_the_shim_runs_without_search_path_shell_and_working_folder(tmp_path: Path) -> None:
    """The command as it is on this machine; ``--help`` in place of a gateway that would run on."""
    (tmp_path / "desktop").mkdir()  # a folder of our package's name must not get in its way
    (tmp_path / "desktop" / "__init__.py").write_text("raise SystemExit('the wrong package')", "utf-8")
    command = [*shim_command(environ={}), "--help"]
    environment = {"HOME": str(tmp_path), **({"SYSTEMROOT": os.environ["SYSTEMROOT"]} if os.name == "nt" else {})}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gateway run" in done.stdout
    plain = [sys.executable, "-P", "-m", "desktop", "gateway", "run", "--help"]
    assert subprocess.run(plain, env=environment, cwd=tmp_path, capture_output=True, timeout=60).returncode == 0
