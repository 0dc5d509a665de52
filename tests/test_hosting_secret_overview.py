"""The secrets by name, as a person looks through them; and a `.env` file that brings several."""

from __future__ import annotations

import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.errors import StateFileError
from desktop.host import KeptSecret, SecretPlace, SecretsChanged
from tests.helpers.home import Home


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = Home(tmp_path_factory.mktemp("h"))
    key = {"name": "files.token", "env": "FILES_TOKEN", "description": "From the page of your account"}
    home.catalog(
        {
            "files": home.container("files", title="Files", secrets=[key]),
            "other": home.container("other", secrets=[key, {"name": "other.key", "env": "OTHER_KEY"}]),
            "issues": home.container(
                "issues",
                secrets=[{"name": "github.token", "env": "GITHUB_TOKEN"}],
                oauth={"providers": [{"provider": "github", "secret": "github.token", "env": "GITHUB_TOKEN"}]},
            ),
        }
    )
    home.enable("files", "issues")
    return home


async def told(host: Application) -> dict[str, KeptSecret]:
    return {secret.name: secret for secret in await host.secret_desk.overview()}


async def test_what_enabled_servers_want_is_told_with_who_uses_it_and_where_one_gets_it(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        found = await told(host)
        assert found.keys() == {"files.token", "github.token"}
        assert found["files.token"].is_missing
        assert [(use.title, use.enabled) for use in found["files.token"].uses] == [("Files", True), ("Other", False)]
        assert found["files.token"].uses[0].about == "From the page of your account"
        assert (found["github.token"].place, found["github.token"].app) == (SecretPlace.SIGN_IN, "GitHub")
        assert not found["github.token"].is_missing


async def test_a_secret_that_is_set_says_since_when_and_where_it_is_kept(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        heard: list[object] = []
        host.events.subscribe(lambda event: heard.append(event) if isinstance(event, SecretsChanged) else None)
        await host.set_secret("files.token", "hunter2-hunter2")
        assert heard
        kept = (await told(host))["files.token"]
        assert (kept.place, kept.is_missing) == (SecretPlace.SESSION, False)
        await host.unlock_secrets("correct horse")
        assert (await host.secrets_status()).protection == "passphrase"
        assert (await told(host))["files.token"].place is SecretPlace.STORE
        await host.set_secret("files.token", "hunter3-hunter3")
        await host.set_secret("nobody.asks", "swordfish")
        assert await host.services.secrets.get("files.token") == "hunter3-hunter3"
        found = await told(host)
        assert found["files.token"].place is SecretPlace.STORE
        assert found["files.token"].set_at is not None
        assert found["nobody.asks"].uses == ()
        await host.remove_secret("files.token")
        assert (await told(host))["files.token"].is_missing
        assert "hunter" not in repr(found)


async def test_a_value_in_the_persons_own_env_file_counts(home: Home) -> None:
    home.paths.env_file.parent.mkdir(parents=True, exist_ok=True)
    home.paths.env_file.write_text("FILES_TOKEN=abc\nother.key=def\n", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as host:
        found = await told(host)
        assert found["files.token"].place is SecretPlace.ENV_FILE
        assert found["other.key"].place is SecretPlace.ENV_FILE


async def test_an_env_file_is_looked_at_before_it_is_imported(home: Home) -> None:
    file = home.root / "mine.env"
    file.write_text("FILES_TOKEN=abc-abc-abc\nMINE=def\nbad name=x\nEMPTY=\n", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as host:
        await host.unlock_secrets("correct horse")
        await host.set_secret("MINE", "before")
        lines = {line.name: line for line in await host.secret_desk.read_env(file)}
        assert lines.keys() == {"files.token", "MINE", "bad name"}
        assert lines["files.token"].servers == ("Files", "Other")
        assert (lines["files.token"].replaces, lines["MINE"].replaces) == (False, True)
        assert "letters, digits" in lines["bad name"].refused
        assert await host.secret_desk.import_env(file, ["files.token"]) == 1
        assert await host.services.secrets.get("files.token") == "abc-abc-abc"
        assert await host.services.secrets.get("MINE") == "before"
        with pytest.raises(StateFileError, match="no such file"):
            await host.secret_desk.read_env(home.root / "nowhere.env")
