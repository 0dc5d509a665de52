"""``docker-mcp server``: the files it writes, the tables and JSON it prints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from desktop.catalog.model import CatalogServer, OAuthProvider, OAuthSettings, RemoteEndpoint, SecretReference
from desktop.catalog.source import ConfigurationSource
from desktop.cli.server_needs import needs_of, next_steps
from desktop.oauth.records import token_name
from desktop.policy.consent import ConsentStore
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from desktop.sharing import Sharing
from desktop.state.paths import Paths
from desktop.state.server_choices import ServerChoicesFile
from tests.cli.conftest import Run, refusal


def test_nothing_is_enabled_at_first(run: Run) -> None:
    assert run("server", "list").stdout == "No server is enabled\n"
    assert run("server", "ls", "--json").stdout == "[]\n"


def test_enabling_and_disabling_keeps_what_others_wrote(run: Run, docker_mcp: Path) -> None:
    registry = docker_mcp / "registry.yaml"
    registry.write_text('# mine\nregistry:\n  unknown-to-all:\n    ref: ""\n    config: {a: 1}\n', "utf-8")
    enabled = run("server", "add", "tiny", "boxed")
    assert (enabled.returncode, enabled.stdout, enabled.stderr) == (0, "", "")
    text = registry.read_text("utf-8")
    assert text.startswith("# mine\n")
    assert "config: {a: 1}" in text
    assert run("server", "rm", "tiny", "boxed", "never-enabled").returncode == 0
    assert "tiny" not in registry.read_text("utf-8")
    assert "unknown-to-all" in registry.read_text("utf-8")


def test_the_list_says_what_each_server_needs(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "tiny", "boxed", "hosted")
    result = run("server", "list")
    lines = result.stdout.splitlines()
    assert lines[:2] == ["MCP Servers (3 enabled)", ""]
    assert lines[2].split() == ["NAME", "OAUTH", "SECRETS", "CONFIG", "DESCRIPTION"]
    assert lines[3].split("  ")[0] == "boxed"
    assert lines[3].count("▲ required") == 2
    assert lines[4].split() == ["hosted", "▲", "required", "-", "-", "Wants", "a", "sign-in."]
    assert lines[5].split() == ["tiny", "-", "-", "-", "Adds", "numbers."]
    assert result.stderr == ""


def test_the_list_as_json(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "hosted")
    with (docker_mcp / "registry.yaml").open("a", encoding="utf-8") as registry:
        registry.write('  gone:\n    ref: ""\n')
    assert json.loads(run("server", "ls", "--json").stdout) == [
        {"name": "gone", "description": "No catalog has this server", "oauth": "none", "secrets": "none",
         "config": "none"},
        {"name": "hosted", "description": "Wants a sign-in.", "oauth": "required", "secrets": "none",
         "config": "none"},
    ]  # fmt: skip


def test_an_unknown_server_is_not_enabled_and_nothing_is_written(run: Run, docker_mcp: Path) -> None:
    result = run("server", "enable", "tiny", "tinny")
    assert result.returncode == 1
    assert refusal(result) == "server tinny not found in catalog. Did you mean tiny?"
    assert not (docker_mcp / "registry.yaml").exists()


def test_a_server_can_be_meant_by_its_title(run: Run, docker_mcp: Path) -> None:
    assert "Did you mean hosted?" in refusal(run("server", "inspect", "Hostd"))


def test_the_consent_to_do_without_a_container_is_recorded_for_packages_only(
    run: Run, docker_mcp: Path, environment: dict[str, str]
) -> None:
    refused = run("server", "enable", "tiny", "boxed", "--without-container")
    assert refused.returncode == 2
    assert refusal(refused).startswith("server boxed can't run without a container.")
    assert not (docker_mcp / "registry.yaml").exists()
    store = ConsentStore(Paths.of_user(environment).consents)
    subject = "tiny: run uvx tiny without a container"
    assert not store.granted("run-without-container", subject)
    assert run("server", "enable", "--without-container", "tiny").returncode == 0
    assert store.granted("run-without-container", subject)


@pytest.mark.parametrize(
    "arguments", [["list"], ["ls", "--json"], ["enable", "tiny"], ["disable", "tiny"], ["reset"], ["inspect", "tiny"]]
)
def test_a_broken_registry_is_named_with_its_place_and_left_alone(
    run: Run, docker_mcp: Path, arguments: list[str]
) -> None:
    broken = "registry:\n  tiny:\n    ref: [\n"
    (docker_mcp / "registry.yaml").write_text(broken, "utf-8")
    result = run("server", *arguments)
    assert result.returncode == 1
    assert refusal(result).startswith(f"{docker_mcp / 'registry.yaml'}, line 4, column 1: this is not valid YAML")
    assert (docker_mcp / "registry.yaml").read_text("utf-8") == broken


def test_another_broken_file_is_a_remark(run: Run, docker_mcp: Path) -> None:
    (docker_mcp / "config.yaml").write_text("tiny: 5\n", "utf-8")
    result = run("server", "enable", "tiny")
    assert result.returncode == 0
    assert "config.yaml, line 1" in result.stderr


def test_reset_disables_everything(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "tiny", "boxed")
    assert run("server", "reset").returncode == 0
    assert run("server", "ls", "--json").stdout == "[]\n"


def inspected(run: Run, name: str) -> dict[str, Any]:
    """What ``inspect`` prints."""
    found: dict[str, Any] = json.loads(run("server", "inspect", name).stdout)
    return found


def test_inspect_shows_the_entry_and_the_tools_the_server_listed_last(
    run: Run, docker_mcp: Path, environment: dict[str, str]
) -> None:
    assert inspected(run, "tiny")["tools"] == []
    paths = Paths.of_user(environment)
    configuration = ConfigurationSource(paths).load()
    server = configuration.servers["tiny"]
    listing = Listing(tools=[Raw(b'{"name":"add","x-own":1}'), Raw(b'{"name":"fail"}')])
    asyncio.run(ListingCache(paths.listings).store("tiny", configuration_hash(server, {}), listing))
    (docker_mcp / "tools.yaml").write_text("tiny: [add]\n", "utf-8")
    shown = inspected(run, "tiny")
    assert (shown["name"], shown["title"], shown["enabled"]) == ("tiny", "Tiny", False)
    assert shown["tools"] == [{"name": "add", "x-own": 1, "enabled": True}, {"name": "fail", "enabled": False}]


def test_inspect_shows_who_shares_the_server(run: Run, docker_mcp: Path, environment: dict[str, str]) -> None:
    assert inspected(run, "tiny")["sharing"] == "shared"
    assert "callTimeout" not in inspected(run, "tiny")
    paths = Paths.of_user(environment)
    choices = ServerChoicesFile(paths.server_choices, paths.lock_for(paths.server_choices))
    choices.set_sharing("tiny", Sharing.PER_CALL)
    choices.set_call_timeout("tiny", 30)
    shown = inspected(run, "tiny")
    assert (shown["sharing"], shown["callTimeout"]) == ("per call", 30.0)


@pytest.mark.parametrize(
    ("names", "stored", "word"),
    [([], [], "none"), (["a", "b"], [], "required"), (["a", "b"], ["b"], "partial"), (["a"], ["a", "z"], "done")],
)
def test_the_word_for_secrets(names: list[str], stored: list[str], word: str) -> None:
    server = CatalogServer(name="s", secrets=[SecretReference(name=name) for name in names])
    assert needs_of(server, {}, stored).secrets == word


def test_optional_secrets_are_not_required() -> None:
    server = CatalogServer(name="s", secrets=[SecretReference(name="a", required=False)])
    assert needs_of(server, {}, []).secrets == "none"
    assert needs_of(server, {}, ["a"]).secrets == "done"


@pytest.mark.parametrize(
    ("values", "word"), [({}, "required"), ({"url": "x"}, "partial"), ({"url": "x", "user": "y"}, "done")]
)
def test_the_word_for_values(values: dict[str, str], word: str) -> None:
    properties = {"url": {}, "user": {}, "port": {"default": 1}}
    schema = {"name": "s", "properties": properties, "required": ["url", "user", "port"]}
    server = CatalogServer(name="s", config=[schema], oauth=OAuthSettings(providers=[OAuthProvider(provider="p")]))
    assert needs_of(server, values, []).config == word
    assert needs_of(server, values, []).oauth == "required"


def signing_in(*providers: OAuthProvider, remote: bool = False) -> CatalogServer:
    """A server that wants sign-ins and needs the secret ``p.token``."""
    return CatalogServer(
        name="s",
        type="remote" if remote else "server",
        image="" if remote else "i",
        remote=RemoteEndpoint(url="https://example.invalid") if remote else None,
        oauth=OAuthSettings(providers=list(providers)),
        secrets=[SecretReference(name="p.token"), SecretReference(name="other")],
    )


def test_the_words_for_sign_ins_and_the_secrets_they_supply() -> None:
    one, two = OAuthProvider(provider="p", secret="p.token"), OAuthProvider(provider="q")
    words = [
        needs_of(signing_in(one, two), {}, stored) for stored in ([], ["oauth/p"], ["oauth/p", "oauth/q", "other"])
    ]
    assert [(need.oauth, need.secrets) for need in words] == [
        ("required", "required"), ("partial", "partial"), ("done", "done"),
    ]  # fmt: skip
    remote = signing_in(one, remote=True)  # one signs in to the server itself
    assert [needs_of(remote, {}, stored).oauth for stored in (["oauth/p"], ["oauth/s"])] == ["required", "done"]
    assert needs_of(signing_in(), {}, []).oauth == "none"


def test_what_is_still_to_be_done_is_told_as_commands() -> None:
    server = signing_in(OAuthProvider(provider="p", secret="p.token"))
    schema = {"properties": {"url": {}}, "required": ["url"]}
    server = msgspec.structs.replace(server, config=[schema])
    assert next_steps(server, {}, []) == {
        "Sign in": "docker-mcp oauth authorize p",
        "Set its secret": "docker-mcp secret set other",  # signing in supplies p.token
        "Set what it needs": "docker-mcp config set s.url=VALUE",
    }
    assert next_steps(server, {"url": "x"}, ["oauth/p"]) == {"Set its secret": "docker-mcp secret set other"}
    assert next_steps(server, {"url": "x"}, ["oauth/p", "other"]) == {}


def test_secrets_and_sign_ins_that_are_stored_are_seen_in_the_list(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "boxed", "hosted")
    passphrase = {"MCP_GATEWAY_PASSPHRASE": "correct horse"}
    for name in ("boxed.key", token_name("hosted")):
        assert run("secret", "set", f"{name}=hush", more=passphrase).returncode == 0
    listed = {server["name"]: server for server in json.loads(run("server", "ls", "--json").stdout)}
    assert (listed["boxed"]["secrets"], listed["hosted"]["oauth"]) == ("done", "done")
    (docker_mcp / "config.yaml").write_text("boxed: {url: x}\n", "utf-8")
    assert {server["config"] for server in json.loads(run("server", "ls", "--json").stdout)} == {"none", "done"}


def test_inspect_fetches_the_readme_and_the_tools(run: Run, docker_mcp: Path, served: str, tmp_path: Path) -> None:
    base = served.removesuffix("/catalog.yaml")
    (tmp_path / "web" / "readme.md").write_text("# Tiny\n", "utf-8")
    (tmp_path / "web" / "tools.json").write_text('[{"name": "add", "arguments": [{"name": "a"}]}]', "utf-8")
    entry = f"{{image: i, readme: {base}/readme.md, toolsUrl: {base}/tools.json, tools: [{{name: old}}]}}"
    changing = entry.replace("tools: [", "dynamic: {tools: true}, tools: [")
    catalog = f"registry: {{web: {entry}, changing: {changing}, gone: {{image: i, readme: {base}/gone.md}}}}\n"
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(catalog, "utf-8")
    shown = inspected(run, "web")
    assert (shown["readme"], shown["readmeUrl"]) == ("# Tiny\n", f"{base}/readme.md")
    assert shown["tools"] == [{"name": "add", "arguments": [{"name": "a"}], "enabled": True}]
    assert inspected(run, "changing")["tools"] == [{"name": "old", "enabled": True}]
    left_out = json.loads(run("server", "inspect", "--no-fetch", "web").stdout)
    assert (left_out["readme"], left_out["tools"]) == ("", [{"name": "old", "enabled": True}])
    gone = run("server", "inspect", "gone")
    assert (gone.returncode, json.loads(gone.stdout)["readme"]) == (0, "")
    assert gone.stderr == f"docker-mcp: {base}/gone.md can't be fetched (the server answered 404 File not found).\n"
