"""The helpers themselves: images answer, displays show a tray, keychains keep secrets, and nothing is left behind."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from tests.helpers.cache import content_hash
from tests.helpers.display import Display
from tests.helpers.docker_engine import image
from tests.helpers.keychain import private_keychain
from tests.helpers.ports import free_port

SERVERS = [
    ("echo", [], "echo"),
    ("time", [], "get_current_time"),
    ("fetch", [], "fetch"),
    ("everything", [], "echo"),
    ("filesystem", ["/tmp"], "read_text_file"),
    ("memory", [], "read_graph"),
    ("conformance", [], "test_simple_text"),
    ("faulty", ["garbage-then-work"], "echo"),
]


def ask(name: str, arguments: list[str]) -> list[dict]:
    """Say hello to a server in a container and ask for its tools; returns its answers, leaving out what is not JSON."""
    client = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    command = ["docker", "run", "-i", "--rm", "--network=none", image(name), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        answers: list[dict] = []
        for line in process.stdout:
            try:
                answers.append(json.loads(line))
            except ValueError:
                continue
            if answers[-1].get("id") == 2:
                break
        process.stdin.close()
        process.wait(timeout=30)
    return answers


@pytest.mark.engine
@pytest.mark.parametrize(("name", "arguments", "tool"), SERVERS, ids=[name for name, *_ in SERVERS])
def test_an_image_answers_hello_and_lists_its_tools(
    docker_engine: docker.DockerClient, name: str, arguments: list[str], tool: str
) -> None:
    answers = {answer.get("id"): answer for answer in ask(name, arguments)}
    assert "serverInfo" in answers[1]["result"]
    assert tool in {found["name"] for found in answers[2]["result"]["tools"]}


@pytest.mark.engine
def test_the_faulty_image_exits_with_a_reason(docker_engine: docker.DockerClient) -> None:
    done = subprocess.run(["docker", "run", "--rm", image("faulty")], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "API_KEY is not set" in done.stderr


@pytest.mark.display
def test_a_display_shows_a_tray_and_can_be_photographed(display: Display, tmp_path: Path) -> None:
    picture = display.screenshot(tmp_path / "screen.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert display.owns_bus_name("org.kde.StatusNotifierWatcher") == (display.tray_host == "xfce4-panel")


KEYRING = """
import keyring, sys
from keyring.errors import KeyringLocked
try:
    keyring.set_password("service", "name", "secret")
    print(keyring.get_password("service", "name"))
except KeyringLocked:
    print("locked")
"""


@pytest.mark.keychain
@pytest.mark.parametrize(("locked", "printed"), [(False, "secret"), (True, "locked")])
def test_a_private_keychain_keeps_a_secret_unless_locked(locked: bool, printed: str) -> None:
    with private_keychain(locked=locked) as keychain:
        done = subprocess.run(
            [sys.executable, "-c", KEYRING], env=keychain.environment, capture_output=True, text=True, timeout=60
        )
    assert done.stdout.strip() == printed, done.stderr


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] > 0


def test_a_content_hash_keeps_its_parts_apart() -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
