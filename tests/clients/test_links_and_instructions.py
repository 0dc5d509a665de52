"""What a person copies, and the links that offer an entry to a client."""

from __future__ import annotations

import base64
import io
import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml

from desktop.clients.bundle import bundle, write_bundle
from desktop.clients.description import Client
from desktop.clients.instructions import MANUAL_CLIENTS, instructions, manual_client
from desktop.clients.known import CLIENTS, find_client
from desktop.clients.links import install_link
from desktop.clients.machine import Machine
from desktop.errors import GatewayError

COMMAND = ("/opt/my gateway/docker-mcp", "gateway", "run")
MACHINE = Machine(environ={"HOME": "/home/person"}, platform="linux")


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


def link_of(id: str) -> str:
    client = known(id)
    if id == "goose":
        return install_link(client, "mcp-gateway", {"cmd": COMMAND[0], "args": list(COMMAND[1:])})
    return install_link(client, "mcp-gateway", {"command": COMMAND[0], "args": list(COMMAND[1:])})


def query(link: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(link).query, strict_parsing=True)


@pytest.mark.parametrize("id", ["vscode", "vscode-insiders"])
def test_vs_code_gets_all_in_one_object(id: str) -> None:
    scheme, _, text = link_of(id).partition("mcp/install?")
    assert scheme == f"{id}:"
    assert json.loads(unquote(text)) == {"name": "mcp-gateway", "command": COMMAND[0], "args": list(COMMAND[1:])}


@pytest.mark.parametrize(("id", "start"), [("cursor", "cursor://anysphere"), ("lmstudio", "lmstudio://add_mcp?")])
def test_some_take_the_entry_in_base64(id: str, start: str) -> None:
    link = link_of(id)
    assert link.startswith(start)
    assert query(link)["name"] == ["mcp-gateway"]
    assert json.loads(base64.b64decode(query(link)["config"][0]))["command"] == COMMAND[0]


def test_kiro_takes_it_as_it_is() -> None:
    assert json.loads(query(link_of("kiro"))["config"][0])["args"] == ["gateway", "run"]


def test_goose_takes_command_and_arguments() -> None:
    found = query(link_of("goose"))
    assert (found["cmd"], found["arg"]) == ([COMMAND[0]], ["gateway", "run"])


def test_others_take_no_link() -> None:
    assert link_of("codex") == ""


def pasted(client: Client, text: str) -> Any:
    """The part of the instructions that goes into the file."""
    lines = text.split("\n\n")
    body = lines[1]
    match client.format.value:
        case "toml":
            return tomllib.loads(body)
        case "yaml":
            return yaml.safe_load(body)
        case _:
            return json.loads(body)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_what_is_to_be_pasted_is_the_file_of_a_client_with_nothing_else(client: Client) -> None:
    text = instructions(client, COMMAND, MACHINE)
    assert str(MACHINE.choose(client.places)) in text
    data = pasted(client, text)
    for key in client.container:
        data = data[key]
    assert COMMAND[0] in json.dumps(data["mcp-gateway"])
    assert "Bearer" not in text


@pytest.mark.parametrize("manual", MANUAL_CLIENTS, ids=lambda manual: manual.id)
def test_what_only_the_client_can_write_is_explained(manual: Any) -> None:
    text = instructions(manual, COMMAND)
    assert text.startswith(manual.steps)
    assert (COMMAND[0] in text) == manual.takes_entry
    assert manual_client(manual.id.upper()) is manual
    assert find_client(manual.id) is None


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_bundle_names_our_program_and_holds_none(platform: str) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle(COMMAND, {"A": "b"}, platform))) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["server"]["entry_point"] in archive.namelist()
    assert manifest["manifest_version"] == "0.3"
    assert manifest["server"]["mcp_config"] == {"command": COMMAND[0], "args": ["gateway", "run"], "env": {"A": "b"}}
    assert manifest["compatibility"]["platforms"] == [platform]


def test_a_bundle_replaces_only_a_bundle(tmp_path: Path) -> None:
    file = tmp_path / "mcp-gateway.mcpb"
    write_bundle(file, COMMAND, {})
    first = file.read_bytes()
    write_bundle(file, COMMAND, {})
    assert file.read_bytes() == first
    file.write_text("something of the person's", "utf-8")
    with pytest.raises(GatewayError, match="not a bundle"):
        write_bundle(file, COMMAND, {})
    assert file.read_text("utf-8") == "something of the person's"
    with pytest.raises(GatewayError, match="not a bundle"):
        write_bundle(tmp_path, COMMAND, {})
