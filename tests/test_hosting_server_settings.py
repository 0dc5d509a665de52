"""The host keeps a server's settings where the reference looks for them, and its secrets out of every file of plain text."""

from __future__ import annotations

import pytest

from desktop.app import GatewayOptions, running
from desktop.errors import ServerNotFoundError, UsageError
from tests.helpers.home import Home

SCHEMA = {
    "name": "files.local",
    "type": "object",
    "required": ["paths"],
    "properties": {"paths": {"type": "array", "items": {"type": "string"}}, "limit": {"type": "integer"}},
}


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = Home(tmp_path_factory.mktemp("h"))
    secret = {"name": "files.token", "env": "FILES_TOKEN"}
    home.catalog({"files.local": home.container("files", config=[SCHEMA], secrets=[secret])})
    return home


async def test_settings_are_written_under_the_name_the_reference_uses_and_read_back(home: Home) -> None:
    home.paths.config.write_text("# mine\nother:\n  a: 1  # kept\n", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as host:
        before = await host.settings_desk.read("files.local")
        assert (before.values, [need.is_set for need in before.secrets]) == ({}, [False])
        await host.settings_desk.write("files.local", {"paths": ["/a"], "limit": 3}, {"files.token": "hunter2-hunter2"})
        after = await host.settings_desk.read("files.local")
        assert after.values == {"paths": ["/a"], "limit": 3}
        assert [need.is_set for need in after.secrets] == [True]
    text = home.paths.config.read_text(encoding="utf-8")
    assert text.startswith("# mine\nother:\n  a: 1  # kept\n")
    assert "files_local:" in text
    for file in home.root.rglob("*"):
        if file.is_file():
            assert b"hunter2-hunter2" not in file.read_bytes(), file


async def test_settings_that_do_not_fit_the_schema_are_refused_whole(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        with pytest.raises(UsageError, match="paths is missing"):
            await host.settings_desk.write("files.local", {"limit": 3}, {"files.token": "never stored"})
        with pytest.raises(UsageError, match="limit should be of the type integer"):
            await host.settings_desk.write("files.local", {"paths": [], "limit": "many"}, {})
        assert [need.is_set for need in (await host.settings_desk.read("files.local")).secrets] == [False]
        with pytest.raises(ServerNotFoundError):
            await host.settings_desk.read("nobody")
    assert not home.paths.config.exists()
