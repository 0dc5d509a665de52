"""Every client: connected, connected again, changed by hand, disconnected; judged by parsers that had no part in it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from desktop.clients.description import Client
from desktop.clients.document import Format
from desktop.clients.gateway_entry import Way
from desktop.clients.known import CLIENTS, find_client
from desktop.clients.machine import Machine
from desktop.clients.roster import Roster, Wish
from desktop.errors import ClientFileError, GatewayError
from desktop.secrets.client_tokens import ClientTokens
from desktop.state.paths import Paths

URL = "http://127.0.0.1:8811/mcp"
REFERENCE = {"command": "docker", "args": ["mcp", "gateway", "run"]}
COMMENTED = (
    '{\r\n\t// mine\r\n\t"theme": "dark", /* ü */\r\n\t"KEY": {\r\n'
    '\t\t"a": {"command": "npx", "n": 1.0},\r\n\t},\r\n}\r\n'
)
PLAIN = '{\n  "theme": "dark",\n  "KEY": {\n    "a": {"command": "npx", "args": ["-y", "a"]}\n  }\n}\n'
TOML = (
    'model = "o3" # mine\n\n[mcp_servers.a]\ncommand = "npx"\nargs = ["-y", "a"]\n\n[projects."/x"]\ntrusted = true\n'
)
YAML = "# mine\nGOOSE_MODEL: x\nextensions:\n  a:\n    cmd: npx   # theirs\n    args: []\n    type: stdio\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of_user({"HOME": str(tmp_path / "ours")}, "linux")


@pytest.fixture
def roster(home: Path, paths: Paths) -> Roster:
    return Roster(paths, URL, Machine(environ={"HOME": str(home), "PATH": ""}, platform="linux"))


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


def file_of(roster: Roster, client: Client) -> Path:
    status = roster.status(client)
    assert status.file is not None
    return status.file.path


def sample(client: Client) -> bytes:
    """A file somebody has written with care."""
    text = {Format.TOML: TOML, Format.YAML: YAML, Format.JSON: PLAIN, Format.JSONC: COMMENTED}[client.format]
    return text.replace("KEY", client.container[0]).encode()


def parsed(client: Client, data: bytes) -> Any:
    """What an independent parser makes of a file."""
    text = data.decode("utf-8")
    if client.format is Format.TOML:
        return tomllib.loads(text)
    if client.format is Format.YAML:
        return yaml.safe_load(text)
    if client.format is Format.JSONC:
        text = re.sub(r"/\*.*?\*/|//[^\n\"]*\n", "\n", text)
        text = re.sub(r",(\s*[}\]])", r"\1", text)
    return json.loads(text)


def entries(client: Client, data: bytes) -> dict[str, Any]:
    found: Any = parsed(client, data)
    for key in client.container:
        found = found[key]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_a_file_written_with_care_comes_back_byte_for_byte(roster: Roster, client: Client) -> None:
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = sample(client)
    file.write_bytes(before)
    was = parsed(client, before)

    done = roster.connect(client)

    assert (done.name, done.changed) == ("mcp-gateway", True)
    after = file.read_bytes()
    added = entries(client, after).pop("mcp-gateway")
    now = parsed(client, after)
    del now[client.container[0]]["mcp-gateway"]
    assert now == was
    shape = client.http if done.choice.way is Way.HTTP else client.stdio
    assert shape is not None
    assert set(added) <= set(shape)
    if done.choice.way is Way.HTTP:
        assert URL in added.values()
        assert "Bearer mcpgw_" in json.dumps(added)
    status = roster.status(client)
    assert status.connected
    assert (status.way, status.outdated, status.error) == (done.choice.way, "", "")

    os.utime(file, ns=(1, 1))
    stamp = file.stat()
    again = roster.connect(client)
    assert not again.changed
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (stamp.st_mtime_ns, stamp.st_ino)

    roster.disconnect(client)
    assert file.read_bytes() == before
    assert not roster.status(client).connected


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_what_is_written_by_hand_in_between_stays(roster: Roster, client: Client) -> None:
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = sample(client)
    file.write_bytes(before)
    roster.connect(client)
    for old, new in ((b'"dark"', b'"light"'), (b'"o3"', b'"o4"'), (b"GOOSE_MODEL: x", b"GOOSE_MODEL: y")):
        file.write_bytes(file.read_bytes().replace(old, new))
        before = before.replace(old, new)
    roster.disconnect(client)
    assert file.read_bytes() == before


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_what_was_not_there_is_gone_again(roster: Roster, home: Path, client: Client) -> None:
    file = file_of(roster, client)
    roster.connect(client)
    assert entries(client, file.read_bytes())["mcp-gateway"]
    assert file.stat().st_mode & 0o077 == (0 if roster.status(client).way is Way.HTTP else 0o044)
    roster.disconnect(client)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_an_empty_file_becomes_empty_again(roster: Roster, client: Client) -> None:
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    roster.connect(client)
    roster.disconnect(client)
    assert file.read_bytes() == b""


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_what_can_not_be_understood_is_named_and_stays(roster: Roster, paths: Paths, client: Client) -> None:
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    broken = {Format.TOML: b"[x\n", Format.YAML: b"a: [\n"}.get(client.format, b'{"a": \n')
    file.write_bytes(broken)
    with pytest.raises(ClientFileError, match=re.escape(str(file))):
        roster.connect(client)
    assert file.read_bytes() == broken
    assert ClientTokens(paths).all() == ()
    status = roster.status(client)
    assert str(file) in status.error
    assert not status.no_permission


@pytest.mark.parametrize("client", [c for c in CLIENTS if c.project], ids=lambda client: client.id)
def test_a_project_gets_an_entry_without_a_token(roster: Roster, tmp_path: Path, client: Client) -> None:
    project = tmp_path / "project"
    project.mkdir()
    done = roster.connect(client, project)
    assert done.choice.way is Way.STDIO
    assert done.file.path.is_relative_to(project)
    assert b"Bearer" not in done.file.path.read_bytes()
    assert roster.status(client, project).connected
    assert not roster.status(client).connected
    roster.disconnect(client, project)
    assert list(project.iterdir()) == []


def test_a_client_without_project_files_says_so(roster: Roster, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="--global"):
        roster.connect(known("codex"), tmp_path)


# Tokens.


def test_every_connection_has_a_token_of_its_own_which_ends_with_it(roster: Roster, paths: Paths) -> None:
    tokens = ClientTokens(paths)
    for id in ("cursor", "zed", "codex"):
        roster.connect(known(id))
    assert sorted(token.client for token in tokens.all()) == ["codex", "cursor", "zed"]
    assert len({token.hash for token in tokens.all()}) == 3
    roster.disconnect(known("zed"))
    assert sorted(token.client for token in tokens.all()) == ["codex", "cursor"]


def test_a_token_that_is_not_valid_any_more_is_replaced(roster: Roster, paths: Paths) -> None:
    file = file_of(roster, known("cursor"))
    roster.connect(known("cursor"))
    old = file.read_bytes()
    ClientTokens(paths).revoke("cursor", file)
    assert "token" in roster.status(known("cursor")).outdated
    assert roster.connect(known("cursor")).changed
    assert file.read_bytes() != old
    assert roster.status(known("cursor")).outdated == ""


def test_another_port_changes_the_address_alone(home: Path, roster: Roster, paths: Paths) -> None:
    file = file_of(roster, known("cursor"))
    roster.connect(known("cursor"))
    before = file.read_bytes()
    moved = Roster(paths, "http://127.0.0.1:9000/mcp", roster.machine)
    assert "8811" in moved.status(known("cursor")).outdated
    moved.connect(known("cursor"))
    assert file.read_bytes() == before.replace(b"8811", b"9000")
    moved.disconnect(known("cursor"))
    assert list(home.iterdir()) == []


def test_the_other_way_takes_the_entrys_place_and_ends_the_token(roster: Roster, paths: Paths) -> None:
    roster.connect(known("cursor"))
    done = roster.connect(known("cursor"), wish=Wish(way=Way.STDIO))
    assert done.choice.way is Way.STDIO
    (entry,) = entries(known("cursor"), file_of(roster, known("cursor")).read_bytes()).values()
    assert set(entry) == {"command", "args"}
    assert ClientTokens(paths).all() == ()


# Names.


def test_somebody_elses_entry_of_our_name_is_left_alone(roster: Roster) -> None:
    file = file_of(roster, known("cursor"))
    file.parent.mkdir(parents=True, exist_ok=True)
    theirs = {"command": "npx", "args": ["some-other-mcp-gateway"]}
    before = json.dumps({"mcpServers": {"mcp-gateway": theirs}}).encode()
    file.write_bytes(before)
    assert not roster.status(known("cursor")).connected
    assert roster.connect(known("cursor")).name == "mcp-gateway-2"
    found = entries(known("cursor"), file.read_bytes())
    assert found["mcp-gateway"] == theirs
    assert set(found) == {"mcp-gateway", "mcp-gateway-2"}
    assert not roster.connect(known("cursor")).changed
    roster.disconnect(known("cursor"))
    assert file.read_bytes() == before


# The reference's entry.


@pytest.mark.parametrize("changed_since", [False, True])
def test_the_entry_of_the_reference_is_replaced_and_comes_back(roster: Roster, changed_since: bool) -> None:
    file = file_of(roster, known("cursor"))
    file.parent.mkdir(parents=True, exist_ok=True)
    before = json.dumps({"mcpServers": {"MCP_DOCKER": REFERENCE, "a": {"command": "x"}}, "n": 1}, indent=2).encode()
    file.write_bytes(before)
    status = roster.status(known("cursor"))
    assert status.connected
    assert status.reference is not None
    kept = roster.connect(known("cursor"))
    assert any("--replace" in remark for remark in kept.remarks)
    assert set(entries(known("cursor"), file.read_bytes())) == {"MCP_DOCKER", "a", "mcp-gateway"}
    done = roster.connect(known("cursor"), wish=Wish(replace=True))
    assert done.changed
    assert set(entries(known("cursor"), file.read_bytes())) == {"a", "mcp-gateway"}
    assert not roster.connect(known("cursor"), wish=Wish(replace=True)).changed
    if changed_since:
        file.write_bytes(file.read_bytes().replace(b'"n": 1', b'"n": 2'))
    roster.disconnect(known("cursor"))
    if changed_since:
        assert json.loads(file.read_bytes()) == json.loads(before) | {"n": 2}
    else:
        assert file.read_bytes() == before


def test_where_we_are_not_connected_the_references_entry_is_what_goes(roster: Roster) -> None:
    file = file_of(roster, known("cursor"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": {"MCP_DOCKER": REFERENCE, "a": {"command": "x"}}}), "utf-8")
    (removed,) = roster.disconnect(known("cursor"))
    assert removed.name == "MCP_DOCKER"
    assert set(entries(known("cursor"), file.read_bytes())) == {"a"}
    assert roster.disconnect(known("cursor")) == ()


def test_continues_own_file_is_used_only_to_replace_the_reference_there(roster: Roster, home: Path) -> None:
    client = known("continue")
    yaml_file = home / ".continue" / "config.yaml"
    yaml_file.parent.mkdir()
    before = (
        b"name: x\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: MCP_DOCKER # theirs\n    command: docker\n"
        b"    args:\n      - mcp\n      - gateway\n      - run\n  - name: other\n    command: npx\n"
    )
    yaml_file.write_bytes(before)
    assert roster.status(client).reference is not None
    roster.connect(client)
    assert yaml_file.read_bytes() == before
    roster.disconnect(client)
    assert not (home / ".continue" / "mcpServers").exists()
    roster.connect(client, wish=Wish(replace=True))
    listed = yaml.safe_load(yaml_file.read_bytes())["mcpServers"]
    assert [server["name"] for server in listed] == ["other", "mcp-gateway"]
    assert listed[1]["type"] == "streamable-http"
    assert listed[1]["requestOptions"]["headers"]["Authorization"].startswith("Bearer ")
    assert roster.status(client).way is Way.HTTP
    roster.disconnect(client)
    assert yaml_file.read_bytes() == before


# Forms of files.


def test_opencodes_second_form_is_kept_to(roster: Roster) -> None:
    client = known("opencode")
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"mcp": {"servers": {"a": {"type": "local", "command": ["a"]}}}}', "utf-8")
    roster.connect(client)
    data = json.loads(file.read_bytes())["mcp"]
    assert set(data) == {"servers"}
    assert data["servers"]["mcp-gateway"]["type"] == "remote"
    assert "enabled" not in data["servers"]["mcp-gateway"]
    assert roster.status(client).connected


def test_an_opencode_server_called_servers_is_a_server(roster: Roster) -> None:
    client = known("opencode")
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"mcp": {"servers": {"type": "local", "command": ["a"]}}}', "utf-8")
    roster.connect(client)
    assert set(json.loads(file.read_bytes())["mcp"]) == {"servers", "mcp-gateway"}


def test_a_profile_is_asked_for_by_the_shim(roster: Roster) -> None:
    done = roster.connect(known("cursor"), wish=Wish(profile="work"))
    assert done.choice.way is Way.STDIO
    assert roster.status(known("cursor")).profile == "work"
    (entry,) = entries(known("cursor"), done.file.path.read_bytes()).values()
    assert entry["args"][-4:] == ["gateway", "run", "--profile", "work"]


def test_a_profile_may_be_asked_for_in_the_address(roster: Roster, home: Path) -> None:
    client = known("cursor")
    done = roster.connect(client, wish=Wish(profile="my work", way=Way.HTTP))
    (entry,) = entries(client, done.file.path.read_bytes()).values()
    assert entry["url"] == f"{URL}/my%20work"
    status = roster.status(client)
    assert (status.profile, status.way, status.outdated) == ("my work", Way.HTTP, "")
    assert not roster.connect(client, wish=Wish(profile="my work", way=Way.HTTP)).changed
    roster.disconnect(client)
    assert list(home.iterdir()) == []


# Dry runs.


def test_a_dry_run_shows_the_change_without_secrets_and_writes_nothing(
    roster: Roster, paths: Paths, home: Path
) -> None:
    file = file_of(roster, known("cursor"))
    file.parent.mkdir(parents=True, exist_ok=True)
    before = json.dumps({"mcpServers": {"a": {"command": "x", "env": {"KEY": "very-secret"}}}}, indent=2).encode()
    file.write_bytes(before)
    plan = roster.plan_connect(known("cursor"))
    assert '+    "mcp-gateway": {' in plan.diff
    assert "very-secret" not in plan.diff
    assert "mcpgw_" not in plan.diff
    assert file.read_bytes() == before
    assert ClientTokens(paths).all() == ()
    roster.connect(known("cursor"))
    token = json.loads(file.read_bytes())["mcpServers"]["mcp-gateway"]["headers"]["Authorization"]
    assert roster.plan_connect(known("cursor")).diff == ""
    (undo,) = roster.plan_disconnect(known("cursor"))
    assert '-    "mcp-gateway": {' in undo.diff
    assert token.split()[1] not in undo.diff


# What the person is told.


def test_a_file_others_can_read_is_remarked_since_it_holds_a_token(roster: Roster) -> None:
    file = file_of(roster, known("cursor"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}", "utf-8")
    file.chmod(0o644)
    assert any("other users" in remark for remark in roster.connect(known("cursor")).remarks)
    file.chmod(0o600)
    assert not any("other users" in remark for remark in roster.connect(known("cursor")).remarks)


def test_a_program_that_is_gone_and_a_server_that_is_off_are_told(roster: Roster) -> None:
    client = known("zed")
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    entry: dict[str, Any] = {"command": "/nowhere/docker-mcp", "args": ["gateway", "run"]}
    file.write_text(json.dumps({"context_servers": {"mcp-gateway": entry}}), "utf-8")
    assert "/nowhere/docker-mcp" in roster.status(client).outdated
    file.write_text(json.dumps({"context_servers": {"mcp-gateway": entry | {"enabled": False}}}), "utf-8")
    assert "turned off" in roster.status(client).outdated


def test_a_link_out_of_the_home_folder_is_not_followed(roster: Roster, home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}", "utf-8")
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").symlink_to(outside)
    with pytest.raises(ClientFileError, match="outside of your home"):
        roster.connect(known("cursor"))
    assert outside.read_text("utf-8") == "{}"
    assert "outside" in roster.status(known("cursor")).error


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"excluded": ["mcp-gateway"]}, "excluded"),
        ({"allowed": ["other"]}, "allowed"),
        ({"allowed": ["mcp-gateway", "other"], "excluded": ["x"]}, ""),
        ({"allowed": []}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_geminis_own_lists_may_shut_us_out_and_that_is_told(roster: Roster, rules: Any, word: str) -> None:
    client = known("gemini")
    file = file_of(roster, client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcp": rules}), "utf-8")
    roster.connect(client)
    told = roster.status(client).outdated
    assert word in told if word else told == ""


def test_a_place_that_can_not_even_be_looked_at_is_told_and_spoils_no_list(home: Path, paths: Paths) -> None:
    impossible = "/" + "x" * 300  # longer than any file system takes, and the same to us as a folder we may not enter
    machine = Machine(environ={"HOME": str(home), "PATH": "", "CODEX_HOME": impossible}, platform="linux")
    statuses = {status.client.id: status for status in Roster(paths, URL, machine).statuses()}
    assert impossible in statuses["codex"].error
    assert statuses["cursor"].error == ""
