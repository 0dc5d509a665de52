"""``docker-mcp server add-from``: what a server's page shows becomes a server of the person's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run, refusal

PASTED = json.dumps(
    {"mcpServers": {"files": {"command": "npx", "args": ["-y", "files"], "env": {"FILES_KEY": "hunter2-hunter2"}}}}
)


@pytest.fixture
def locked(environment: dict[str, str]) -> None:
    """A passphrase protects secrets where there is no keychain."""
    environment["MCP_GATEWAY_PASSPHRASE"] = "a passphrase of the test"


@pytest.mark.usefixtures("locked")
def test_a_file_is_added_and_its_key_is_in_no_file(run: Run, docker_mcp: Path, tmp_path: Path) -> None:
    file = tmp_path / "from-readme.json"
    file.write_text(PASTED, "utf-8")
    planned = run("server", "add-from", str(file), "--dry-run")
    assert planned.stdout.splitlines() == ["would add files (package, npx files)"]
    assert "Into the secret store: files.files_key" in planned.stderr
    assert not (docker_mcp / "registry.yaml").exists()
    added = run("server", "add-from", str(file))
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines() == ["added files (package, npx files)", "stored secret files.files_key"]
    file.unlink()
    (listed,) = json.loads(run("server", "ls", "--json").stdout)
    assert (listed["name"], listed["secrets"]) == ("files", "done")
    for other in tmp_path.rglob("*"):
        if other.is_file():
            assert b"hunter2" not in other.read_bytes(), other


def test_without_a_keychain_a_key_is_not_taken(run: Run, docker_mcp: Path) -> None:
    assert "no keychain" in refusal(run("server", "add-from", PASTED))
    assert not (docker_mcp / "registry.yaml").exists()


def test_a_text_is_added_under_the_wished_name_and_dropped_again(run: Run, docker_mcp: Path) -> None:
    added = run("server", "add-from", "docker run -i --rm -e API_KEY example/it", "--name", "mine")
    assert added.stdout.splitlines() == ["added mine (container, example/it)"]
    catalog = docker_mcp / "catalogs" / "my-servers.yaml"
    assert set(yaml.safe_load(catalog.read_text("utf-8"))["registry"]) == {"mine"}
    assert run("server", "drop", "mine").returncode == 0
    assert json.loads(run("server", "ls", "--json").stdout) == []
    assert not yaml.safe_load(catalog.read_text("utf-8"))["registry"]
    assert "not a duplicate" in refusal(run("server", "drop", "mine"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tiny", "docker-mcp server enable tiny"),
        ("hello there", "neither an address"),
        ("docker run --privileged -i example/it", "It can't be added: it runs Docker with --privileged"),
        ("", "nothing in the text"),
    ],
)
def test_what_can_not_be_added_says_why(run: Run, docker_mcp: Path, text: str, says: str) -> None:
    assert says in refusal(run("server", "add-from", text))
    assert not (docker_mcp / "registry.yaml").exists()
