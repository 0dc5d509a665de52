"""What a client has in its file already, read whatever its shape."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.clients.configured import (
    ConfiguredServer,
    Transport,
    bearer_token,
    configured_servers,
    is_of_reference,
    profile_of,
)

REFERENCE = {"command": "docker", "args": ["mcp", "gateway", "run"]}


def only(entry: Any, name: str = "it") -> ConfiguredServer:
    (server,) = configured_servers({name: entry})
    return server


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "npx", "args": ["-y", "it"], "env": {"KEY": "v"}},
        {"type": "stdio", "command": "npx", "args": ["-y", "it"], "env": {"KEY": "v"}},
        {"source": "custom", "command": {"path": "npx", "args": ["-y", "it"]}, "env": {"KEY": "v"}},
        {"type": "local", "command": ["npx", "-y", "it"], "environment": {"KEY": "v"}, "enabled": True},
        {"type": "stdio", "cmd": "npx", "args": ["-y", "it"], "envs": {"KEY": "v"}, "bundled": None},
        {"transport": "stdio", "command": "npx", "args": ["-y", "it"], "env": {"KEY": "v", "UNSET": None}},
    ],
)
def test_programs_in_every_shape(entry: Any) -> None:
    server = only(entry)
    assert (server.transport, server.command, server.args) == (Transport.STDIO, "npx", ("-y", "it"))
    assert server.env == {"KEY": "v"}
    assert server.enabled


@pytest.mark.parametrize("key", ["url", "httpUrl", "serverUrl", "uri"])
def test_addresses_in_every_shape(key: str) -> None:
    server = only({key: "https://it.example/mcp", "headers": {"Authorization": "Bearer abc"}})
    assert (server.transport, server.url) == (Transport.HTTP, "https://it.example/mcp")
    assert bearer_token(server) == "abc"


def test_codex_and_continue_keep_headers_elsewhere() -> None:
    assert bearer_token(only({"url": "u", "http_headers": {"authorization": "bearer abc"}})) == "abc"
    assert bearer_token(only({"url": "u", "requestOptions": {"headers": {"Authorization": "Bearer abc"}}})) == "abc"
    assert bearer_token(only({"url": "u", "headers": {"X-Key": "abc"}})) == ""
    assert bearer_token(only({"url": "u", "headers": {"Authorization": "Basic abc"}})) == ""


def test_sse_is_told_apart() -> None:
    assert only({"type": "sse", "url": "u"}).transport is Transport.SSE


def test_a_list_of_servers_is_read_by_their_names() -> None:
    servers = configured_servers(
        [{"name": "a", "command": "x"}, {"command": "nameless"}, "text", {"name": "b", "url": "u"}]
    )
    assert [server.name for server in servers] == ["a", "b"]


@pytest.mark.parametrize("container", [None, [], {}, "text", 3, {"a": None, "b": [], "c": {}, "d": {"command": []}}])
def test_what_is_no_server_is_passed_over(container: Any) -> None:
    assert configured_servers(container) == ()


def test_what_goose_brings_itself_is_passed_over() -> None:
    assert configured_servers({"developer": {"type": "builtin", "bundled": True, "cmd": "x"}}) == ()


def test_servers_that_are_turned_off_are_known_as_such() -> None:
    assert not only({"command": "x", "disabled": True}).enabled
    assert not only({"command": "x", "enabled": False}).enabled


@pytest.mark.parametrize(
    ("name", "entry", "expected"),
    [
        ("MCP_DOCKER", REFERENCE, True),
        ("mcpdocker", {"cmd": "docker", "args": ["mcp", "gateway", "run"], "bundled": None}, True),
        ("renamed", REFERENCE, True),
        ("MCP_DOCKER", {"command": "docker", "args": ["run", "-i", "alpine/socat"]}, True),
        ("MCP_DOCKER", {"type": "local", "command": ["docker", "mcp", "gateway", "run"]}, True),
        ("win", {"command": r"C:\Program Files\Docker\docker.exe", "args": ["mcp", "gateway", "run"]}, True),
        ("MCP_DOCKER", {"url": "http://localhost:8811/mcp"}, False),
        ("MCP_DOCKER", {"command": "podman", "args": ["mcp", "gateway", "run"]}, False),
        ("other", {"command": "docker", "args": ["run", "-i", "mcp/time"]}, False),
    ],
)
def test_the_entry_of_the_reference_is_recognised(name: str, entry: Any, expected: bool) -> None:
    assert is_of_reference(only(entry, name)) is expected


@pytest.mark.parametrize(
    ("more", "profile"),
    [
        ([], ""),
        (["--profile", "work"], "work"),
        (["-p", "work"], "work"),
        (["--profile=work"], "work"),
        (["--profile"], ""),
    ],
)
def test_the_profile_of_an_entry_is_read(more: list[str], profile: str) -> None:
    assert profile_of(only({"command": "docker", "args": ["mcp", "gateway", "run", *more]})) == profile
