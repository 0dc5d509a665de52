"""What a card and its drawer say of a server follows from its catalog entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.app import GatewayOptions, running
from desktop.servers.status import ServerKind
from tests.helpers.home import Home


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    return Home(tmp_path_factory.mktemp("h"))


FILES: dict[str, Any] = {
    "type": "server",
    "title": "Files",
    "description": "Reads\n files. ",
    "image": "mcp/files@sha256:" + "ab" * 32,
    "volumes": ["{{files.paths|volume|into}}", "cache:/cache"],
    "disableNetwork": True,
    "config": [{"name": "files", "type": "object", "properties": {"paths": {"type": "array"}}, "required": ["paths"]}],
    "tools": [{"name": "read", "description": "Read  a file"}],
    "metadata": {"category": "data", "owner": "Ada", "license": "MIT"},
    "upstream": "https://example.org/files",
}
KEYED: dict[str, Any] = {
    "type": "server",
    "title": "Keyed",
    "image": "mcp/keyed",
    "secrets": [{"name": "keyed.token", "env": "TOKEN"}],
    "allowHosts": ["api.example.org:443", "b:1", "c:1", "d:1", "e:1"],
    "volumes": ["/var/run/docker.sock:/var/run/docker.sock"],
}
FAR: dict[str, Any] = {
    "type": "remote",
    "title": "Far",
    "remote": {"url": "https://far.example/mcp"},
    "oauth": {"providers": [{"provider": "far", "secret": "far.token", "env": "T"}]},
}


async def test_cards_and_drawers_say_what_the_entry_says(home: Home) -> None:
    home.catalog({"files": FILES, "keyed": KEYED, "far": FAR})
    home.enable("keyed")
    async with running(GatewayOptions(), home.paths) as host:
        entries = {entry.name: entry for entry in host.catalogs.entries()}
        files, keyed, far = entries["files"], entries["keyed"], entries["far"]
        assert (files.description, files.category, files.tools) == ("Reads files.", "data", 1)
        assert (files.needs_settings, files.needs_key, files.pinned, files.enabled) == (True, False, True, False)
        assert (keyed.needs_key, keyed.pinned, keyed.enabled) == (True, False, True)
        assert (far.kind, far.needs_sign_in, far.source) == (ServerKind.REMOTE, True, "https://far.example/mcp")
        details = host.catalogs.details("files")
        assert details is not None
        assert details.permissions == (
            "see folders you choose in its settings, or when a client asks",
            "run without any network",
        )
        assert [(tool.name, tool.about) for tool in details.tools] == [("read", "Read a file")]
        assert (details.owner, details.license, details.source) == ("Ada", "MIT", "https://example.org/files")
        wanted = host.catalogs.details("keyed")
        assert wanted is not None
        assert wanted.permissions == (
            "use the secret TOKEN",
            "control Docker itself, and through it this machine",
            "reach api.example.org:443, b:1, c:1, d:1 and more",
        )
        assert host.catalogs.details("nobody") is None


async def test_entries_are_the_same_objects_until_something_changes(home: Home) -> None:
    home.catalog({"files": FILES})
    async with running(GatewayOptions(), home.paths) as host:
        first = host.catalogs.entries()
        assert host.catalogs.entries() is first
        await host.set_enabled("files", True)
        second = host.catalogs.entries()
        assert second is not first
        assert next(entry for entry in second if entry.name == "files").enabled


def entry(name: str, pulls: int, **more: Any) -> dict[str, Any]:
    return {"type": "server", "title": name, "image": f"mcp/{name}", "metadata": {"pulls": pulls}, **more}


SUGGESTIONS: dict[str, Any] = {
    "few": entry("few", 10),
    "many": entry("many", 1000),
    "old": entry("old (Archived)", 5000),
    "keyed": KEYED,
    "files": FILES,
    "far": {"type": "remote", "title": "Far", "remote": {"url": "https://example.org/mcp"}},
    "runs": entry("runs", 20, image="", command=["uvx", "mcp-server-time"]),
}


async def test_what_is_suggested_wants_nothing_and_is_fetched_most(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home.catalog(SUGGESTIONS)
    (tmp_path / "uvx").touch(mode=0o755)
    async with running(GatewayOptions(watch=False), home.paths) as application:
        catalogs = application.catalogs

        async def suggested() -> list[str]:
            """Those of the catalog above; the one that comes with the program has more."""
            return [name for name in await catalogs.suggested(1000) if name in SUGGESTIONS]

        monkeypatch.setattr(catalogs, "_has_engine", lambda: True)
        assert await suggested() == ["many", "runs", "few", "far"]
        assert await catalogs.suggested(2) == ("many", "runs")
        monkeypatch.setattr(catalogs, "_has_engine", lambda: False)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert await suggested() == ["runs", "far"]
        monkeypatch.setenv("PATH", "/nonexistent")
        assert await suggested() == ["far"]
