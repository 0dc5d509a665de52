"""What a client's server becomes in our configuration, and what can't become anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.kinds import kind_of
from desktop.catalog.loading import parse_catalog
from desktop.clients.configured import ConfiguredServer, configured_servers
from desktop.clients.import_entry import ImportEntry, import_entry
from desktop.clients.secret_signs import PlainKeys
from desktop.errors import GatewayError
from desktop.state import yaml_text

KEYS = PlainKeys()
GITHUB = "ghp_" + "a1B2c3D4e5F6" * 3


def server(entry: Any, name: str = "it") -> ConfiguredServer:
    (found,) = configured_servers({name: entry})
    return found


def converted(entry: Any) -> ImportEntry:
    return import_entry(server(entry), "it", KEYS)


def test_a_package_runs_in_the_image_made_for_it_and_its_key_becomes_a_secret() -> None:
    found = converted(
        {"command": "npx", "args": ["-y", "@x/it", "--fast"], "env": {"IT_API_KEY": "abc123", "MODE": "a"}}
    )
    assert found.secrets == {"it.it_api_key": "abc123"}
    assert found.entry["command"] == ["npx", "--yes", "@x/it", "--fast"]
    assert found.entry["secrets"] == [{"name": "it.it_api_key", "env": "IT_API_KEY"}]
    assert found.entry["env"] == [{"name": "MODE", "value": "a"}]
    assert "abc123" not in str(found.entry)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"command": "npx", "args": ["it"]}, "package"),
        ({"command": "/usr/local/bin/npx", "args": ["-y", "it"]}, "package"),
        ({"command": "cmd", "args": ["/c", "npx", "-y", "it"]}, "package"),
        ({"command": r"C:\Program Files\nodejs\npx.cmd", "args": ["it"]}, "package"),
        ({"command": "uvx", "args": ["--from", "it==1", "it"]}, "package"),
        ({"command": "docker", "args": ["run", "-i", "--rm", "example/it", "--fast"]}, "container"),
        ({"url": "https://it.example/mcp"}, "remote"),
        ({"type": "sse", "url": "https://it.example/sse"}, "remote"),
    ],
)
def test_what_it_becomes_is_an_entry_of_a_catalog(entry: Any, kind: str) -> None:
    text = yaml_text.dump({"name": "imported", "registry": {"it": converted(entry).entry}})
    catalog = parse_catalog(text, where="imported")
    assert catalog.problems == ()
    assert kind_of(catalog.servers["it"]) == kind


def test_what_docker_was_told_is_taken_over() -> None:
    args = ["run", "-i", "--rm", "--name", "x", "-e", "TOKEN", "-e", "MODE=a", "-v", "/a:/b:ro", "--mount"]
    args += ["type=bind,src=/c,dst=/d", "-u", "1000", "--network=none", "example/it:1", "--fast", "now"]
    found = converted({"command": "docker", "args": args, "env": {"TOKEN": "abc123"}})
    assert found.entry == {
        "title": "it",
        "type": "server",
        "image": "example/it:1",
        "command": ["--fast", "now"],
        "user": "1000",
        "disableNetwork": True,
        "volumes": ["/a:/b:ro", "/c:/d"],
        "secrets": [{"name": "it.token", "env": "TOKEN"}],
        "env": [{"name": "MODE", "value": "a"}],
    }
    assert found.secrets == {"it.token": "abc123"}


def test_a_folder_a_package_is_told_of_is_there_in_its_container(tmp_path: Path) -> None:
    found = converted({"command": "npx", "args": ["-y", "files", str(tmp_path), "/not/there"]})
    assert f"{tmp_path}:{tmp_path}" in found.entry["volumes"]
    assert not any("/not/there" in volume for volume in found.entry["volumes"])


def test_keys_whose_names_differ_only_in_spelling_stay_two() -> None:
    found = converted({"command": "npx", "args": ["it"], "env": {"API_KEY": "abc123", "api_key": "def456"}})
    assert found.secrets == {"it.api_key": "abc123", "it.api_key-2": "def456"}
    headers = {"X-Api-Key": "abc123", "X_Api_Key": "def456"}
    found = converted({"url": "https://it.example/mcp", "headers": headers})
    values = {f"${{{item['env']}}}": found.secrets[item["name"]] for item in found.entry["secrets"]}
    assert {name: values[text] for name, text in found.entry["remote"]["headers"].items()} == headers


def test_a_key_in_a_header_becomes_a_secret() -> None:
    headers = {"Authorization": "Bearer abc123", "X-Api-Key": "def456", "Accept-Language": "de"}
    found = converted({"url": "https://it.example/mcp", "headers": headers})
    assert found.secrets == {"it.authorization": "abc123", "it.x_api_key": "def456"}
    assert found.entry["remote"] == {
        "url": "https://it.example/mcp",
        "transport_type": "streamable-http",
        "headers": {
            "Authorization": "Bearer ${IT_AUTHORIZATION}",
            "X-Api-Key": "${IT_X_API_KEY}",
            "Accept-Language": "de",
        },
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"command": "/home/me/run.sh"}, "run.sh"),
        ({"command": "python", "args": ["server.py"]}, "python"),
        ({"command": "docker", "args": ["compose", "run", "it"]}, "docker"),
        ({"command": "docker", "args": ["run", "-i"]}, "without an image"),
        ({"command": "docker", "args": ["run", "--privileged", "-i", "it"]}, "--privileged"),
        ({"command": "docker", "args": ["run", "-p", "80:80", "it"]}, "-p"),
        ({"command": "npx", "args": ["it", "--api-key=abcdef123"]}, "arguments"),
        ({"command": "npx", "args": ["it", "--token", "abcdef123"]}, "arguments"),
        ({"command": "npx", "args": ["it", GITHUB]}, "arguments"),
        ({"command": "npx", "args": ["it", "${input:key}"]}, "look up"),
        ({"command": "npx", "args": ["it"], "env": {"KEY": "${env:KEY}"}}, "look up"),
        ({"url": "https://it.example/mcp", "headers": {"Authorization": "Bearer ${input:key}"}}, "look up"),
        ({"url": "unix:///run/it.sock"}, "address"),
        ({"command": "npx", "args": ["it"], "env": {"A-B": "c"}}, "A-B"),
    ],
)
def test_what_can_not_be_moved_says_why(entry: Any, reason: str) -> None:
    with pytest.raises(GatewayError, match=reason) as caught:
        converted(entry)
    assert GITHUB not in str(caught.value)
    assert "abcdef123" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "is_key"),
    [
        ("GITHUB_TOKEN", "x1y2z3", True),
        ("OPENAI_API_KEY", "x1y2z3", True),
        ("apiKey", "x1y2z3", True),
        ("DB_PASSWORD", "x1y2z3", True),
        ("Authorization", "Bearer x", True),
        ("ANYTHING", GITHUB, True),
        ("MONKEY", "banana", False),
        ("KEYBOARD", "de", False),
        ("TOKEN", "true", False),
        ("TOKEN", "${env:TOKEN}", False),
        ("PATH", "/usr/bin", False),
        ("LOG_LEVEL", "debug", False),
    ],
)
def test_keys_are_told_by_name_and_by_look(name: str, value: str, is_key: bool) -> None:
    assert KEYS.in_values({name: value}) == ((name,) if is_key else ())
