"""``docker-mcp client import``: shows what clients have, moves it, and brings it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run, refusal

GITHUB = "ghp_" + "a1B2c3D4e5F6" * 3
SERVERS = {
    "github": {"command": "npx", "args": ["-y", "gh"], "env": {"GITHUB_TOKEN": GITHUB}},
    "clock": {"command": "uvx", "args": ["mcp-clock"]},
    "own": {"command": "/home/me/run.sh"},
}


@pytest.fixture
def cursor(tmp_path: Path) -> Path:
    file = tmp_path / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"mcpServers": SERVERS}, indent=2), "utf-8")
    return file


@pytest.fixture
def locked(environment: dict[str, str]) -> None:
    """A passphrase protects secrets where there is no keychain."""
    environment["MCP_GATEWAY_PASSPHRASE"] = "a passphrase of the test"


def test_without_names_it_shows_what_there_is(run: Run, cursor: Path, docker_mcp: Path) -> None:
    before = cursor.read_bytes()
    shown = run("client", "import")
    assert shown.returncode == 0
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert rows[0] == ["NAME", "CLIENTS", "KEYS", "SERVER"]
    assert ["github", "cursor", "GITHUB_TOKEN", "npx", "-y", "gh"] in rows
    assert "own can't be moved: it starts the program run.sh" in shown.stderr
    assert "1 of them have keys in plain text" in shown.stderr
    assert GITHUB not in shown.stdout + shown.stderr
    found = {server["name"]: server for server in json.loads(run("client", "import", "--json").stdout)}
    assert found["github"]["keys"] == ["GITHUB_TOKEN"]
    assert (found["own"]["canMove"], found["clock"]["canMove"]) == (False, True)
    assert cursor.read_bytes() == before


@pytest.mark.usefixtures("locked")
def test_moved_and_brought_back(run: Run, cursor: Path, docker_mcp: Path) -> None:
    before = cursor.read_bytes()
    moved = run("client", "import", "github", "clock")
    assert moved.returncode == 0, moved.stderr
    assert moved.stdout.splitlines() == ["imported github", "imported clock", "stored secret github.github_token"]
    assert GITHUB not in moved.stdout + moved.stderr
    assert set(json.loads(cursor.read_text("utf-8"))["mcpServers"]) == {"own", "mcp-gateway"}
    listed = {server["name"]: server for server in json.loads(run("server", "ls", "--json").stdout)}
    assert set(listed) == {"clock", "github"}
    assert "github.github_token" in run("secret", "ls").stdout
    assert "MCP_GATEWAY" not in (docker_mcp / "catalogs" / "imported.yaml").read_text("utf-8")

    back = run("client", "import", "--undo")
    assert back.stdout.splitlines() == ["took back github", "took back clock"]
    assert cursor.read_bytes() == before
    assert run("server", "ls").stdout == "No server is enabled\n"
    assert run("secret", "ls", "--json").stdout == "[]\n"
    assert "Nothing was imported" in refusal(run("client", "import", "--undo"))


def test_a_dry_run_changes_nothing(run: Run, cursor: Path, docker_mcp: Path) -> None:
    before = cursor.read_bytes()
    shown = run("client", "import", "--all", "--dry-run")
    assert "github would be moved; into the secret store: github.github_token" in shown.stderr
    assert '-    "github": {' in shown.stdout.splitlines()
    assert GITHUB not in shown.stdout + shown.stderr
    plan = json.loads(run("client", "import", "--all", "--dry-run", "--json").stdout)
    assert set(plan["servers"]) == {"clock", "github"}
    assert cursor.read_bytes() == before
    assert not (docker_mcp / "registry.yaml").exists() or not yaml.safe_load((docker_mcp / "registry.yaml").read_text())


def test_without_a_place_for_keys_nothing_is_moved(run: Run, cursor: Path, docker_mcp: Path) -> None:
    before = cursor.read_bytes()
    assert "nothing was moved" in refusal(run("client", "import", "github"))
    assert cursor.read_bytes() == before
    assert run("client", "import", "clock").returncode == 0


def test_what_is_typed_wrongly_is_told(run: Run, cursor: Path, docker_mcp: Path) -> None:
    assert "Did you mean github?" in refusal(run("client", "import", "githb"))
    assert "own can't be moved" in refusal(run("client", "import", "own"))
    assert "last import as a whole" in refusal(run("client", "import", "--undo", "github"))


def test_where_no_client_has_anything_it_says_so(run: Run, docker_mcp: Path) -> None:
    assert run("client", "import").stdout == "No client has a server of its own\n"
