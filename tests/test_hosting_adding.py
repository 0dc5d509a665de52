"""A server that was pasted stands in the person's own catalog, is on, and its keys are in no file of plain text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from desktop.app import GatewayOptions, running
from desktop.errors import GatewayError, SecretStoreError, UsageError
from desktop.servers.status import ServerKind
from tests.helpers.home import Home
from tests.helpers.registry import registry

PASTED = json.dumps(
    {
        "mcpServers": {
            "files": {
                "command": "docker",
                "args": ["run", "-i", "-e", "FILES_KEY=hunter2-hunter2", "mcp-gateway-test/x"],
            },
            "far": {"url": "https://far.invalid/mcp", "headers": {"Authorization": "Bearer <token>"}},
        }
    }
)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    home = Home(tmp_path_factory.mktemp("h"))
    home.catalog({"time": home.container("time"), "io-github-acme-files": home.container("files")})
    return home


async def test_what_was_pasted_is_there_and_on_and_its_keys_are_in_no_file(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        drafts = (await host.adding.understand(PASTED)).drafts
        await host.adding.add(drafts)
        files, far = host.server("files"), host.server("far")
        assert files is not None
        assert far is not None
        assert (files.title, files.kind, files.enabled) == ("Files", ServerKind.CONTAINER, True)
        assert (far.kind, far.source, far.enabled) == (ServerKind.REMOTE, "https://far.invalid/mcp", True)
        assert [(need.name, need.is_set) for need in await host.secrets_of("files")] == [("files.files_key", True)]
        assert [(need.name, need.is_set) for need in await host.secrets_of("far")] == [("far.authorization", False)]
        assert (await host.adding.understand(PASTED)).drafts[0].name == "files-2"
    for file in home.root.rglob("*"):
        if file.is_file():
            assert b"hunter2" not in file.read_bytes(), file


async def test_a_secret_the_person_has_already_is_not_overwritten(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        await host.services.secrets.set("files.files_key", "set by hand")
        await host.adding.add((await host.adding.understand(PASTED)).drafts)
        assert await host.services.secrets.get("files.files_key") == "set by hand"
        assert await host.services.secrets.get("files.files_key-2") == "hunter2-hunter2"
        assert [(need.name, need.is_set) for need in await host.secrets_of("files")] == [("files.files_key-2", True)]


async def test_the_persons_own_catalog_keeps_its_comments_when_a_server_is_added(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        await host.adding.add((await host.adding.understand("docker run -i mcp-gateway-test/one")).drafts)
        file = home.paths.catalogs / "my-servers.yaml"
        file.write_text(file.read_text("utf-8") + "# mine\n", encoding="utf-8")
        before = file.read_text("utf-8")
        await host.adding.add((await host.adding.understand("https://two.invalid/mcp")).drafts)
    after = file.read_text("utf-8")
    assert "# mine\n" in after
    assert all(line in after.splitlines() for line in before.splitlines())
    assert set(yaml.safe_load(after)["registry"]) == {"one", "two"}
    assert set(yaml.safe_load(home.paths.registry.read_text("utf-8"))["registry"]) == {"one", "two"}


async def test_a_name_that_is_taken_or_none_is_refused_before_anything_is_written(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        (draft,) = (await host.adding.understand("docker run -i mcp-gateway-test/one")).drafts
        for name, says in (("time", "already"), ("a b", "can't be the name"), ("", "can't be the name")):
            with pytest.raises(UsageError, match=says):
                await host.adding.add([replace(draft, name=name)])
        with pytest.raises(UsageError, match="already"):
            await host.adding.add([draft, draft])
        (bad,) = (await host.adding.understand("docker run --privileged -i mcp-gateway-test/two")).drafts
        with pytest.raises(GatewayError, match="--privileged"):
            await host.adding.add([draft, bad])
        assert host.server("one") is None
    assert not (home.paths.catalogs / "my-servers.yaml").exists()
    assert not home.paths.registry.exists()


async def test_nothing_is_written_when_the_secrets_can_not_be_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        drafts = (await host.adding.understand(PASTED)).drafts

        async def refuse(values: object, *, provider: str = "") -> None:
            raise SecretStoreError("The keychain is locked")

        monkeypatch.setattr(host.services.secrets, "set_many", refuse)
        with pytest.raises(SecretStoreError):
            await host.adding.add(drafts)
    assert not (home.paths.catalogs / "my-servers.yaml").exists()
    assert not home.paths.registry.exists()


async def test_a_registry_that_can_not_be_written_leaves_neither_server_nor_key(home: Home) -> None:
    home.paths.registry.write_text("registry: [no, map]\n", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as host:
        drafts = (await host.adding.understand(PASTED)).drafts
        with pytest.raises(GatewayError):
            await host.adding.add(drafts)
        assert "files.files_key" not in await host.services.secrets.names()
    text = (home.paths.catalogs / "my-servers.yaml").read_text("utf-8")
    assert not yaml.safe_load(text)["registry"]


async def test_a_name_leads_to_the_server_of_the_catalogs(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        for text in ("time", "TIME", "https://hub.docker.com/mcp/server/time/overview"):
            found = await host.adding.understand(text)
            assert (found.wanted, found.problem) == ("time", "")
        assert (await host.adding.understand("io.github.acme/files")).wanted == "io-github-acme-files"
        nobody = await host.adding.understand("nobody-has-this")
        assert nobody.drafts == ()
        assert 'No catalog has a server called "nobody-has-this"' in nobody.problem


async def test_an_address_in_a_registry_becomes_the_server_it_describes(home: Home) -> None:
    remote = {"type": "streamable-http", "url": "https://far.invalid/mcp"}
    document = {"name": "io.github.acme/far", "description": "Far", "version": "1", "remotes": [remote]}
    with registry() as shelf:
        shelf.servers.append(document)
        async with running(GatewayOptions(), home.paths) as host:
            found = await host.adding.understand(shelf.url_of("io.github.acme/far"))
            await host.adding.add(found.drafts)
            far = host.server("far")
            assert far is not None
            assert (far.kind, far.source, far.enabled) == (ServerKind.REMOTE, "https://far.invalid/mcp", True)
            nothing = await host.adding.understand(shelf.url_of("io.github.acme/nobody"))
            assert nothing.drafts == ()
            assert nothing.problem
    entry = yaml.safe_load((home.paths.catalogs / "my-servers.yaml").read_text("utf-8"))["registry"]["far"]
    assert entry["metadata"]["registryUrl"] == f"{shelf.base}/v0/servers/io.github.acme%2Ffar/versions/1"


async def test_what_was_added_can_be_forgotten_and_nothing_else(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        assert await host.adding.added() == frozenset()
        await host.adding.add((await host.adding.understand(PASTED)).drafts)
        assert await host.adding.added() == {"files", "far"}
        await host.adding.forget("files")
        assert host.server("files") is None
        assert await host.adding.added() == {"far"}
        for name in ("files", "time"):
            with pytest.raises(UsageError, match="not added by hand"):
                await host.adding.forget(name)
        await host.adding.add((await host.adding.understand("docker run -i mcp-gateway-test/files")).drafts)
        assert await host.adding.added() == {"files", "far"}
    assert set(yaml.safe_load(home.paths.registry.read_text("utf-8"))["registry"]) == {"files", "far"}
