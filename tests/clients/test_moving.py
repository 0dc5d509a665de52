"""Servers moved out of clients' files and back: nothing lost, nothing left, no key in our files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from desktop.clients.known import find_client
from desktop.clients.machine import Machine
from desktop.clients.moving import Mover
from desktop.clients.roster import Roster
from desktop.clients.survey import FoundServer, survey
from desktop.errors import ClientFileError, GatewayError, SecretStoreError
from desktop.secrets.client_tokens import ClientTokens
from desktop.state.paths import Paths

CURSOR = b"""{
  // mine
  "mcpServers": {
    "github": {"command": "npx", "args": ["-y", "gh"], "env": {"GITHUB_TOKEN": "k3y-of-github"}},
    "time": {"command": "uvx", "args": ["mcp-time"]}, // both have it
    "MCP_DOCKER": {"command": "docker", "args": ["mcp", "gateway", "run"]},
    "own": {"command": "/home/me/run.sh"},
  },
}
"""
CODEX = b"""# mine
model = "o3"

[mcp_servers.time]
command = "uvx"
args = ["mcp-time"]

[mcp_servers.github]
command = "npx"
args = ["-y", "gh", "--other"]
env = { GITHUB_TOKEN = "k3y-of-codex" }
"""


class Store:
    """Secrets in memory, which fail when they are told to."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.fails = False

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        if self.fails:
            raise SecretStoreError("The keychain is locked")
        for name, value in values.items():
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value

    async def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.values))


class Desk:
    """A home with two clients."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        self.paths = Paths.of_user({"HOME": str(folder / "ours")}, "linux")
        self.roster = Roster(
            self.paths, "http://127.0.0.1:8811/mcp", Machine(environ={"HOME": str(home)}, platform="linux")
        )
        self.store = Store()
        self.mover = Mover(self.paths, self.roster, self.store)
        self.cursor, self.codex = home / ".cursor" / "mcp.json", home / ".codex" / "config.toml"
        for file, content in ((self.cursor, CURSOR), (self.codex, CODEX)):
            file.parent.mkdir(parents=True)
            file.write_bytes(content)

    def found(self, *taken: str) -> dict[str, FoundServer]:
        return {server.name: server for server in survey(self.roster.statuses(), taken)}

    def move(self, *names: str) -> None:
        found = self.found()
        asyncio.run(self.mover.move([found[name] for name in names]))

    def undo(self) -> None:
        asyncio.run(self.mover.undo())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_server_is_found_once_with_everybody_who_has_it(desk: Desk) -> None:
    found = desk.found()
    assert set(found) == {"github-codex", "github-cursor", "own", "time"}
    assert [place.client.id for place in found["time"].places] == ["codex", "cursor"]
    assert found["github-codex"].differs
    assert found["github-cursor"].keys == ("GITHUB_TOKEN",)
    assert found["own"].converted is None
    assert "run.sh" in found["own"].reason


def test_names_of_catalogs_are_not_taken_again(desk: Desk) -> None:
    assert "time-2" in desk.found("time")


def test_moved_servers_are_ours_their_keys_in_the_store_and_our_entry_in_their_place(desk: Desk) -> None:
    desk.move("github-cursor", "time")
    text = (desk.paths.catalogs / "imported.yaml").read_text("utf-8")
    catalog = yaml.safe_load(text)["registry"]
    assert set(catalog) == {"github-cursor", "time"}
    assert set(yaml.safe_load(desk.paths.registry.read_text("utf-8"))["registry"]) == {"github-cursor", "time"}
    assert desk.store.values == {"github-cursor.github_token": "k3y-of-github"}
    for file in (path for path in desk.paths.docker_mcp.rglob("*") if path.is_file()):
        assert b"k3y" not in file.read_bytes()
    text = desk.cursor.read_text("utf-8")
    assert "k3y-of-github" not in text
    assert "// mine" in text
    assert '"own"' in text
    assert '"MCP_DOCKER"' in text
    assert '"mcp-gateway"' in text
    assert "mcp-time" not in text + desk.codex.read_text("utf-8")
    assert "k3y-of-codex" in desk.codex.read_text("utf-8")


def test_a_secret_the_person_has_already_is_neither_overwritten_nor_taken_away(desk: Desk) -> None:
    desk.store.values["github-cursor.github_token"] = "set by hand"
    desk.move("github-cursor")
    assert desk.store.values == {
        "github-cursor.github_token": "set by hand",
        "github-cursor.github_token-2": "k3y-of-github",
    }
    catalog = yaml.safe_load((desk.paths.catalogs / "imported.yaml").read_text("utf-8"))["registry"]
    assert catalog["github-cursor"]["secrets"] == [{"name": "github-cursor.github_token-2", "env": "GITHUB_TOKEN"}]
    desk.undo()
    assert desk.store.values == {"github-cursor.github_token": "set by hand"}


def test_one_undo_brings_everything_back_byte_for_byte(desk: Desk) -> None:
    desk.move("github-cursor", "github-codex", "time")
    desk.undo()
    assert desk.cursor.read_bytes() == CURSOR
    assert desk.codex.read_bytes() == CODEX
    assert desk.store.values == {}
    assert not (desk.paths.catalogs / "imported.yaml").exists()
    assert yaml.safe_load(desk.paths.registry.read_text("utf-8"))["registry"] == {}
    assert ClientTokens(desk.paths).all() == ()
    with pytest.raises(GatewayError, match="Nothing was imported"):
        desk.undo()


def test_imports_are_undone_one_after_the_other(desk: Desk) -> None:
    desk.move("time")
    desk.move("github-cursor" if "github-cursor" in desk.found() else "github")
    desk.undo()
    catalog = yaml.safe_load((desk.paths.catalogs / "imported.yaml").read_text("utf-8"))["registry"]
    assert set(catalog) == {"time"}
    desk.undo()
    assert desk.cursor.read_bytes() == CURSOR
    assert desk.codex.read_bytes() == CODEX


def test_a_client_that_was_connected_stays_so_after_an_undo(desk: Desk) -> None:
    cursor = find_client("cursor")
    assert cursor is not None
    desk.roster.connect(cursor)
    desk.move("time")
    desk.undo()
    assert desk.roster.status(cursor).ours is not None
    assert "mcp-time" in desk.cursor.read_text("utf-8")
    desk.roster.disconnect(cursor)
    assert desk.cursor.read_bytes() == CURSOR


def test_what_was_written_since_stays_after_an_undo(desk: Desk) -> None:
    desk.move("time")
    desk.cursor.write_bytes(desk.cursor.read_bytes().replace(b"// mine", b"// ours"))
    desk.undo()
    text = desk.cursor.read_text("utf-8")
    assert "// ours" in text
    assert json.dumps(["mcp-time"])[1:-1] in text
    assert "mcp-gateway" not in text


def test_a_failure_takes_back_what_was_done(desk: Desk) -> None:
    found = desk.found()
    desk.store.fails = True
    with pytest.raises(SecretStoreError):
        asyncio.run(desk.mover.move([found["time"], found["github-cursor"]]))
    assert desk.cursor.read_bytes() == CURSOR
    assert desk.codex.read_bytes() == CODEX
    assert not desk.paths.registry.exists()


def test_a_file_that_can_not_be_changed_is_known_before_anything_is_done(desk: Desk) -> None:
    found = desk.found()
    broken = CURSOR.replace(b"},\n}", b"}")
    desk.cursor.write_bytes(broken)
    with pytest.raises(ClientFileError):
        asyncio.run(desk.mover.move([found["time"], found["github-cursor"]]))
    assert desk.cursor.read_bytes() == broken
    assert desk.codex.read_bytes() == CODEX
    assert desk.store.values == {}
    assert not desk.paths.registry.exists()
    assert desk.mover.last() is None


def test_an_undo_that_fails_for_one_client_can_be_tried_again(desk: Desk) -> None:
    desk.move("github-cursor", "time")
    good = desk.cursor.read_bytes()
    desk.cursor.write_bytes(b"{")
    with pytest.raises(ClientFileError):
        desk.undo()
    assert desk.codex.read_bytes() == CODEX
    assert desk.store.values == {}
    desk.cursor.write_bytes(good)
    desk.undo()
    assert desk.cursor.read_bytes() == CURSOR
    assert desk.mover.last() is None


def test_what_can_not_be_moved_is_refused_before_anything_is_done(desk: Desk) -> None:
    with pytest.raises(GatewayError, match=r"own can't be moved"):
        desk.move("time", "own")
    assert desk.codex.read_bytes() == CODEX
    assert not desk.paths.registry.exists()
