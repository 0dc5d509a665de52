"""``docker-mcp client``: what it prints, in the reference's words, and what it does to files."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Run, command, refusal
from tests.helpers.ports import free_port
from tests.helpers.processes import started, wait_until

REFERENCE = {"command": "docker", "args": ["mcp", "gateway", "run"]}


@pytest.fixture
def cursor(tmp_path: Path) -> Path:
    """Cursor's file, in a home where Cursor was used."""
    folder = tmp_path / ".cursor"
    folder.mkdir()
    return folder / "mcp.json"


@pytest.fixture
def listed(run: Run) -> Callable[..., Any]:
    def read(*arguments: str) -> Any:
        return json.loads(run("client", "ls", "--json", *arguments).stdout)

    return read


def test_only_clients_that_are_here_are_listed(run: Run, cursor: Path) -> None:
    cursor.write_text(
        json.dumps({"mcpServers": {"x": {"command": "npx", "args": ["-y", "x"], "env": {"K": "v4lue"}}}}), "utf-8"
    )
    result = run("client", "ls", "--global")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "=== System-wide MCP Configurations ==="
    assert lines[lines.index(" ● cursor: disconnected") + 1] == "   x: K=*** npx -y x (stdio)"
    assert not any("kiro" in line for line in lines)
    assert " ● kiro: disconnected" in run("client", "ls", "-g", "--all").stdout.splitlines()


def test_connecting_and_disconnecting_as_the_reference_says_it(run: Run, cursor: Path, tmp_path: Path) -> None:
    connected = run("client", "connect", "cursor", "--global")
    assert connected.returncode == 0
    lines = connected.stdout.splitlines()
    assert lines[lines.index(" ● cursor: connected") + 1] == "   mcp-gateway: MCP Gateway (http)"
    assert lines[-1] == "You might have to restart 'cursor'."
    assert f"mcp-gateway is in {cursor}, by http: Cursor takes it" in connected.stderr
    assert "No gateway listens there now" in connected.stderr
    assert "mcpgw_" not in connected.stdout + connected.stderr
    entry = json.loads(cursor.read_text("utf-8"))["mcpServers"]["mcp-gateway"]
    assert entry["url"] == "http://127.0.0.1:8811/mcp"
    assert entry["headers"]["Authorization"].startswith("Bearer mcpgw_")

    disconnected = run("client", "disconnect", "cursor", "-g")
    assert disconnected.returncode == 0
    assert " ● cursor: disconnected" in disconnected.stdout
    assert disconnected.stdout.endswith("You might have to restart 'cursor'.\n")
    assert not cursor.exists()
    assert cursor.parent.is_dir()


def test_quiet_means_no_list(run: Run, cursor: Path) -> None:
    assert run("client", "connect", "cursor", "-g", "-q").stdout == ""
    assert run("client", "connect", "cursor", "-g", "--quiet").stdout == ""
    assert run("client", "disconnect", "cursor", "-g", "-q").stdout == ""
    again = run("client", "disconnect", "cursor", "-g", "-q")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "Cursor was not connected.\n")


def test_the_port_that_was_set_is_written(run: Run, cursor: Path) -> None:
    run("client", "connect", "cursor", "-g", "-q", more={"MCP_GATEWAY_PORT": "9123"})
    assert "http://127.0.0.1:9123/mcp" in cursor.read_text("utf-8")


def test_where_no_gateway_runs_an_entry_may_lead_elsewhere(run: Run, cursor: Path, listed: Callable[..., Any]) -> None:
    run("client", "connect", "cursor", "-g", "-q", more={"MCP_GATEWAY_PORT": "9123"})
    assert listed("-g")["cursor"]["gateway"]["outdated"] == ""
    assert " ● cursor: connected" in run("client", "ls", "-g").stdout.splitlines()


def test_a_profile_and_the_way_may_be_chosen(run: Run, cursor: Path, listed: Callable[..., Any]) -> None:
    run("client", "connect", "cursor", "-g", "-q", "--profile", "work")
    entry = json.loads(cursor.read_text("utf-8"))["mcpServers"]["mcp-gateway"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][-4:] == ["gateway", "run", "--profile", "work"]
    assert listed("-g")["cursor"]["profile"] == "work"
    run("client", "connect", "cursor", "-g", "-q", "--way", "http")
    assert listed("-g")["cursor"]["gateway"]["way"] == "http"
    assert "token can be revoked" in listed("-g")["cursor"]["gateway"]["why"]
    run("client", "connect", "cursor", "-g", "-q", "--way=stdio")
    found = listed("-g")["cursor"]["gateway"]
    assert (found["way"], found["usualWay"], found["why"]) == ("stdio", "http", "you chose it")
    assert "only programs" in listed("-g")["claude-desktop"]["gateway"]["why"]
    assert "--way is http or stdio" in refusal(run("client", "connect", "cursor", "-g", "--way", "pigeon"))


def test_a_dry_run_prints_the_difference_and_writes_nothing(run: Run, cursor: Path) -> None:
    before = '{\n  // mine\n  "mcpServers": {},\n}\n'
    cursor.write_text(before, "utf-8")
    shown = run("client", "connect", "cursor", "-g", "--dry-run")
    assert shown.stdout.startswith(f"--- {cursor}\n+++ {cursor}\n@@")
    assert '+        "Authorization": "Bearer ***"' in shown.stdout.splitlines()
    assert "by http: Cursor takes it" in shown.stderr
    assert cursor.read_text("utf-8") == before
    run("client", "connect", "cursor", "-g", "-q")
    assert run("client", "connect", "cursor", "-g", "--dry-run").stdout == "Nothing would change.\n"
    undo = run("client", "disconnect", "cursor", "-g", "--dry-run").stdout
    assert '-    "mcp-gateway": {' in undo.splitlines()
    assert "mcpgw_" not in undo
    run("client", "disconnect", "cursor", "-g", "-q")
    assert cursor.read_text("utf-8") == before


def test_what_was_done_as_json(run: Run, cursor: Path) -> None:
    done = json.loads(run("client", "connect", "cursor", "-g", "--json").stdout)
    assert done["changed"] is True
    assert (done["client"], done["file"], done["entry"], done["way"]) == ("cursor", str(cursor), "mcp-gateway", "http")
    assert done["why"]
    assert json.loads(run("client", "connect", "cursor", "-g", "--json").stdout)["changed"] is False
    (removed,) = json.loads(run("client", "disconnect", "cursor", "-g", "--json").stdout)
    assert removed["outcome"] == "restored"


def test_the_list_as_json_has_the_references_form_and_no_secrets(cursor: Path, listed: Callable[..., Any]) -> None:
    servers = {
        "MCP_DOCKER": {"command": "docker", "args": ["mcp", "gateway", "run", "-p", "home"]},
        "key": {"command": "npx", "args": ["k"], "env": {"KEY": "s3cret"}},
        "far": {"url": "https://far.example/mcp", "headers": {"Authorization": "Bearer s3cret"}},
        "old": {"type": "sse", "url": "https://old.example/sse"},
    }
    cursor.write_text(json.dumps({"mcpServers": servers}), "utf-8")
    found = listed("-g")["cursor"]
    assert "s3cret" not in json.dumps(found)
    assert {
        key: found[key] for key in ("displayName", "configName", "dockerMCPCatalogConnected", "profile", "error")
    } == {
        "displayName": "Cursor",
        "configName": "cursor",
        "dockerMCPCatalogConnected": True,
        "profile": "home",
        "error": None,
    }
    assert (found["isInstalled"], found["isOsSupported"]) == (True, True)
    assert found["Cfg"]["STDIOServers"][1] == {"name": "key", "command": "npx", "args": ["k"], "env": {"KEY": "***"}}
    assert found["Cfg"]["HTTPServers"] == [
        {"name": "far", "url": "https://far.example/mcp", "headers": {"Authorization": "***"}}
    ]
    assert [server["name"] for server in found["Cfg"]["SSEServers"]] == ["old"]
    assert found["gateway"]["referenceEntry"] == "MCP_DOCKER"
    assert found["gateway"]["mostTools"] == 40


def test_the_entry_of_the_reference_is_shown_and_can_be_replaced(run: Run, cursor: Path) -> None:
    before = json.dumps({"mcpServers": {"MCP_DOCKER": REFERENCE}})
    cursor.write_text(before, "utf-8")
    lines = run("client", "ls", "-g").stdout.splitlines()
    assert (
        lines[lines.index(" ● cursor: connected") + 1] == "   MCP_DOCKER: Docker MCP Catalog (gateway server) (stdio)"
    )
    run("client", "connect", "cursor", "-g", "-q", "--replace")
    assert set(json.loads(cursor.read_text("utf-8"))["mcpServers"]) == {"mcp-gateway"}
    run("client", "disconnect", "cursor", "-g", "-q")
    assert cursor.read_text("utf-8") == before


def test_a_broken_file_is_told_in_the_list_and_stays(run: Run, cursor: Path, listed: Callable[..., Any]) -> None:
    cursor.write_text('{"mcpServers": {', "utf-8")
    assert f"{cursor}, line 1" in refusal(run("client", "connect", "cursor", "-g"))
    result = run("client", "ls", "-g")
    assert result.returncode == 0
    assert f" ● cursor: {cursor}, line 1" in result.stdout
    assert listed("-g")["cursor"]["error"]["type"] == "unknown"
    assert cursor.read_text("utf-8") == '{"mcpServers": {'


def test_a_project_is_found_by_its_git_folder_or_named(
    run: Run, tmp_path: Path, listed: Callable[..., Any], environment: dict[str, str]
) -> None:
    assert "--global" in refusal(run("client", "ls"))
    project = tmp_path / "project"
    project.mkdir()
    run("client", "connect", "claude-code", "--project", str(project), "-q")
    assert set(json.loads((project / ".mcp.json").read_text("utf-8"))["mcpServers"]) == {"mcp-gateway"}
    shown = run("client", "ls", "--project", str(project)).stdout.splitlines()
    assert shown[0] == f"=== Project-wide MCP Configurations ({project}) ==="
    assert " ● claude-code: connected" in shown
    assert " ● cursor: no mcp configured" in shown
    assert listed("--project", str(project))["claude-code"]["isConfigured"] is True
    assert "isInstalled" not in listed("--project", str(project))["claude-code"]
    (tmp_path / ".git").mkdir()
    assert run("client", "ls").stdout.startswith(f"=== Project-wide MCP Configurations ({tmp_path}) ===\n")
    assert "exclude" in refusal(run("client", "ls", "-g", "--project", str(project)))
    assert "not a folder" in refusal(run("client", "ls", "--project", str(tmp_path / "nowhere")))


def test_codex_has_no_project_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert "--global" in refusal(run("client", "connect", "codex"))
    assert run("client", "connect", "codex", "-g", "-q").returncode == 0


def test_an_unknown_client_gets_a_suggestion(run: Run) -> None:
    assert refusal(run("client", "connect", "cursr", "-g")) == "client cursr not found. Did you mean cursor?"
    assert "Known are amazon-q, " in refusal(run("client", "connect", "xyzzy", "-g"))


def test_manual_instructions(run: Run) -> None:
    command = json.loads(run("client", "manual-instructions", "--json").stdout)
    assert command[-2:] == ["gateway", "run"]
    assert Path(command[0]).is_absolute()
    assert shlex.split(run("client", "manual-instructions").stdout) == command
    warp = run("client", "manual-instructions", "warp").stdout
    text = warp[warp.index("{") : warp.rindex("}") + 1]
    assert json.loads(text)["mcpServers"]["mcp-gateway"] == {"command": command[0], "args": command[1:]}
    assert "AI Assistant" in run("client", "manual-instructions", "jetbrains").stdout
    assert "vscode:mcp/install?" in run("client", "manual-instructions", "vscode").stdout
    assert "[mcp_servers.mcp-gateway]" in run("client", "manual-instructions", "codex").stdout
    assert "mcp-gateway:" in run("client", "manual-instructions", "goose").stdout


def test_a_bundle_for_claude_desktop(run: Run, tmp_path: Path) -> None:
    made = run("client", "manual-instructions", "claude-desktop", "--bundle", "gateway.mcpb")
    assert (made.returncode, made.stdout) == (0, "")
    assert (tmp_path / "gateway.mcpb").read_bytes().startswith(b"PK")
    assert "for claude-desktop" in refusal(run("client", "manual-instructions", "cursor", "--bundle", "x.mcpb"))


@pytest.mark.parametrize("id", ["warp", "jetbrains", "gordon"])
def test_what_only_the_client_can_write_is_left_to_the_person(run: Run, id: str) -> None:
    assert f"client manual-instructions {id}" in refusal(run("client", "connect", id, "-g"))
    assert run("client", "manual-instructions", id).returncode == 0


def test_clients_are_offered_to_the_tab_key(run: Run) -> None:
    lines = run("__complete", "client", "connect", "cur").stdout.splitlines()
    assert lines[0] == "cursor\tCursor"


def test_the_running_gateway_says_who_has_come(
    run: Run, cursor: Path, environment: dict[str, str], tmp_path: Path, listed: Callable[..., Any], docker_mcp: Path
) -> None:
    port = free_port()
    gateway = command("gateway", "run", "--transport", "streaming", "--port", str(port))
    with started(gateway, environment, log=tmp_path / "gateway.log"):
        wait_until(lambda: run("gateway", "status").returncode == 0, what="the gateway's start")
        connected = run("client", "connect", "cursor", "-g")
        assert "No gateway listens" not in connected.stderr
        assert "   (written, waiting for Cursor)" in connected.stdout.splitlines()
        entry = json.loads(cursor.read_text("utf-8"))["mcpServers"]["mcp-gateway"]
        assert entry["url"] == f"http://127.0.0.1:{port}/mcp"
        info = {"name": "cursor-vscode", "version": "2.3"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        headers = entry["headers"] | {"Accept": "application/json, text/event-stream"}
        assert httpx.post(entry["url"], json=message, headers=headers, trust_env=False).status_code == 200
        found = listed("-g")["cursor"]["gateway"]
        assert (found["state"], found["version"], found["sessions"]) == ("connected", "2.3", 1)
        line = f"connected, Cursor 2.3, {found['tools']} tools"
        assert found["line"] == line
        assert f"   ({line})" in run("client", "ls", "-g").stdout.splitlines()
        assert run("client", "disconnect", "cursor", "-g", "-q").returncode == 0
        wait_until(
            lambda: httpx.post(entry["url"], json=message, headers=headers, trust_env=False).status_code == 401,
            what="the end of the token",
        )
