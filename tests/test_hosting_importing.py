"""The window's import: what clients have is shown without a key, moved as chosen, and brought back byte for byte."""

from __future__ import annotations

import pytest
import yaml

from desktop.app import GatewayOptions, running
from desktop.errors import GatewayError
from tests.helpers.home import Home

CURSOR = b"""{
  // mine
  "mcpServers": {
    "github": {"command": "docker", "args": ["run", "-i", "-e", "GITHUB_TOKEN=k3y-of-github", "mcp-gateway-test/gh"]},
    "far": {"url": "https://far.invalid/mcp", "headers": {"Authorization": "Bearer k3y-of-far"}},
    "clock": {"command": "uvx", "args": ["mcp-clock"]},
    "own": {"command": "npx", "args": ["own", "--api-key", "k3y-of-own"]},
  },
}
"""
CODEX = b"""# mine
[mcp_servers.clock]
command = "uvx"
args = ["mcp-clock"]
"""


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = Home(tmp_path_factory.mktemp("h"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home.root))
    for file, content in ((".cursor/mcp.json", CURSOR), (".codex/config.toml", CODEX)):
        home.root.joinpath(file).parent.mkdir(parents=True)
        home.root.joinpath(file).write_bytes(content)
    home.catalog({"far": home.container("far")})
    return home


async def test_what_clients_have_is_shown_with_duplicates_and_keys_but_no_key(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        found = {each.name: each for each in await host.importing.candidates()}
        assert set(found) == {"github", "far-2", "clock", "own"}
        assert found["clock"].clients == ("Codex", "Cursor")
        assert found["github"].keys == ("GITHUB_TOKEN",)
        assert found["far-2"].keys == ("Authorization",)
        assert "among its arguments" in found["own"].reason
        plan = await host.importing.plan(["clock", "far-2"])
        assert (plan.servers, plan.secrets) == (("clock", "far-2"), ("far-2.authorization",))
        assert {change.client for change in plan.changes} == {"Cursor", "Codex"}
        assert any('-    "clock": {"command": "uvx"' in change.diff for change in plan.changes)
        assert "k3y" not in repr(found) + repr(plan)
    assert home.root.joinpath(".cursor/mcp.json").read_bytes() == CURSOR


async def test_moved_servers_are_on_at_once_and_one_undo_brings_everything_back(home: Home) -> None:
    cursor, codex = home.root / ".cursor/mcp.json", home.root / ".codex/config.toml"
    async with running(GatewayOptions(), home.paths) as host:
        await host.importing.candidates()
        assert await host.importing.last() is None
        move = await host.importing.move(["github", "far-2", "clock"])
        assert move.servers == ("github", "far-2", "clock")
        for name in move.servers:
            status = host.server(name)
            assert status is not None
            assert status.enabled
        assert [need.is_set for need in await host.secrets_of("github")] == [True]
        assert b"k3y-of-github" not in cursor.read_bytes()
        assert b"k3y-of-own" in cursor.read_bytes()
        assert set(yaml.safe_load((home.paths.catalogs / "imported.yaml").read_text("utf-8"))["registry"]) == set(
            move.servers
        )
        assert [view.id for view in host.clients() if view.way] == ["codex", "cursor"]
        assert await host.importing.last() == move
        assert await host.importing.undo() == move
        assert host.server("github") is None
        assert await host.importing.last() is None
        with pytest.raises(GatewayError, match="Nothing was imported"):
            await host.importing.undo()
    assert cursor.read_bytes() == CURSOR
    assert codex.read_bytes() == CODEX


async def test_what_a_client_has_changed_since_it_was_shown_is_not_moved(home: Home) -> None:
    cursor = home.root / ".cursor/mcp.json"
    async with running(GatewayOptions(), home.paths) as host:
        await host.importing.candidates()
        changed = CURSOR.replace(b"k3y-of-github", b"k3y-of-other")
        cursor.write_bytes(changed)
        for ask in (host.importing.plan, host.importing.move):
            with pytest.raises(GatewayError, match="changed github meanwhile"):
                await ask(["github"])
        with pytest.raises(GatewayError, match="own can't be moved"):
            await host.importing.move(["own"])
    assert cursor.read_bytes() == changed
    assert not home.paths.registry.exists()
