"""The host tells of a server's tools, permissions and log, and follows what is chosen, in the files it is kept in."""

from __future__ import annotations

import pytest
import yaml

from desktop.app import GatewayOptions, running
from desktop.errors import ServerNotFoundError, UsageError
from tests.helpers.home import Home

TOOLS = [{"name": name, "description": f"Does {name}"} for name in ("read", "write", "delete_all")]


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = Home(tmp_path_factory.mktemp("h"))
    secret = {"name": "files.token", "env": "FILES_TOKEN"}
    files = home.container("files", tools=TOOLS, secrets=[secret])
    files["image"] = "mcp/files:1.2@sha256:" + "a" * 64
    home.catalog({"files": files, "other": home.container("other")})
    return home


async def test_tools_of_a_server_that_never_ran_are_chosen_by_its_catalog_entry(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        offer = await host.server_tools.read("files")
        assert [tool.name for tool in offer.tools] == ["read", "write", "delete_all"]
        assert (offer.on, offer.listed) == ({"read", "write", "delete_all"}, False)
        await host.server_tools.choose("files", ["delete_all"], on=False)
        assert (await host.server_tools.read("files")).on == {"read", "write"}
        assert yaml.safe_load(home.paths.tools.read_text(encoding="utf-8")) == {"files": ["read", "write"]}
        await host.server_tools.choose("files", ["read", "write"], on=False)
        assert (await host.server_tools.read("files")).on == frozenset()
        await host.server_tools.choose("files", ["read", "write", "delete_all"], on=True)
        assert not yaml.safe_load(home.paths.tools.read_text(encoding="utf-8"))
        with pytest.raises(ServerNotFoundError):
            await host.server_tools.read("nobody")


async def test_tools_chosen_at_the_start_are_not_chosen_anew(home: Home) -> None:
    async with running(GatewayOptions(tools=("files:read",)), home.paths) as host:
        assert (await host.server_tools.read("files")).on == {"read"}
        with pytest.raises(UsageError, match="was chosen when this program was started"):
            await host.server_tools.choose("files", ["write"], on=True)
    assert not home.paths.tools.exists()


async def test_tools_the_policy_denies_are_marked(home: Home) -> None:
    home.paths.policy.parent.mkdir(parents=True, exist_ok=True)
    home.paths.policy.write_text("deny tool *:delete_*\n", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as host:
        assert (await host.server_tools.read("files")).denied == {"delete_all"}


async def test_permissions_hold_consents_and_rules_of_the_server_alone(home: Home) -> None:
    home.paths.policy.parent.mkdir(parents=True, exist_ok=True)
    home.paths.policy.write_text(
        "files.token   allows files  # mine\nother.token allows other\ndeny tool other:*\nask tool delete_all\n"
        "deny tool files:nothing_like_it\n",
        encoding="utf-8",
    )
    async with running(GatewayOptions(), home.paths) as host:
        consent = host.services.consent
        consent.grant("run-without-container", "files: run npx files without a container")
        consent.grant("mount", "files: read the folder /data")
        consent.grant("mount", "files-2: read the folder /data")
        consent.grant("call-tool", "files: call its tool read")
        found = await host.server_permissions.read("files")
        assert found.rules == ("files.token allows files", "ask tool delete_all")
        assert [each.what for each in found.consents] == [
            "run npx files without a container",
            "read the folder /data",
            "call its tool read",
        ]
        assert "use the secret FILES_TOKEN" in found.may
        await host.server_permissions.take_back("files", "mount", "files: read the folder /data")
        kept = [(each.kind, each.subject) for each in consent.all()]
        assert ("mount", "files: read the folder /data") not in kept
        assert ("mount", "files-2: read the folder /data") in kept
        with pytest.raises(UsageError):
            await host.server_permissions.take_back("files", "mount", "files-2: read the folder /data")


async def test_the_time_limit_of_calls_is_kept_and_taken_away(home: Home) -> None:
    home.enable("files")
    async with running(GatewayOptions(), home.paths) as host:
        await host.server_permissions.limit_calls("files", 90.0)
        assert (await host.server_permissions.read("files")).call_timeout == 90.0
        assert host.services.fleet.servers["files"].call_timeout == 90.0
        with pytest.raises(UsageError, match="no time for a call"):
            await host.server_permissions.limit_calls("files", 0)
        await host.server_permissions.limit_calls("files", None)
        assert host.services.fleet.servers["files"].call_timeout is None


async def test_a_log_is_read_on_from_a_place_and_exported_whole(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        log = host.services.fleet.log_of("files")
        log.add(b"one")
        lines, mark = host.server_logs.lines("files")
        assert lines == ("one",)
        log.add(b"two")
        log.add(b"three")
        assert host.server_logs.lines("files", mark)[0] == ("two", "three")
        target = home.root / "files.log"
        assert await host.server_logs.export("files", target) == 3
        assert target.read_text(encoding="utf-8") == "one\ntwo\nthree\n"


async def test_without_an_engine_an_image_has_its_digest_and_nothing_is_used(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        image = await host.server_resources.image("files")
        assert image is not None
        assert (image.name, image.digest, image.id) == ("mcp/files:1.2", "sha256:" + "a" * 64, "")
        assert await host.server_resources.use("files") is None
