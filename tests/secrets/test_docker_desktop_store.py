"""Docker Desktop's store: names are asked for over its socket, and containers get references that it replaces."""

from __future__ import annotations

import http.server
import json
import shutil
import socketserver
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.model import CatalogServer, RemoteEndpoint, SecretReference
from desktop.errors import MissingSettingError, SecretStoreError
from desktop.secrets.docker_desktop import DockerDesktopSource, is_docker_desktop, socket_of
from desktop.secrets.lookup import SecretLookup
from desktop.secrets.redaction import Redactor
from desktop.secrets.sources import StoreSource
from desktop.servers.launch import ContainerLimits, container_spec
from desktop.servers.server_secrets import ServerSecrets
from tests.helpers.secret_store import MemoryStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
ITEMS = [SecretReference(name="a", env="A"), SecretReference(name="b", env="B"), SecretReference(name="c", env="C")]


class Store(http.server.BaseHTTPRequestHandler):
    """Answers ``GET /secrets`` as the store does."""

    answer: bytes = json.dumps([{"name": "a", "provider": "credstore"}, {"name": "b"}, {"name": "z"}]).encode()
    status = 200
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "a socket"


@pytest.fixture
def store() -> type[Store]:
    class Own(Store):
        asked: list[str] = []

    return Own


@pytest.fixture
def path(store: type[Store]) -> Iterator[Path]:
    """The socket; its path is short, as sockets' have to be."""
    folder = Path(tempfile.mkdtemp(prefix="jfs-"))
    with socketserver.ThreadingUnixStreamServer(str(folder / "s"), store) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder / "s"
        server.shutdown()
        thread.join()
    shutil.rmtree(folder)


async def test_what_it_has_is_given_as_references(path: Path, store: type[Store]) -> None:
    source = DockerDesktopSource(path, lambda: True)
    assert await source.read(ITEMS) == {"a": "se://docker/mcp/a", "b": "se://docker/mcp/b"}
    assert store.asked == ["/secrets"]


async def test_our_own_store_comes_first_name_by_name(path: Path) -> None:
    lookup = SecretLookup([StoreSource(MemoryStore({"a": "mine"})), DockerDesktopSource(path, lambda: True)])
    found = await lookup.find(ITEMS)
    assert {name: (item.value, item.source) for name, item in found.items()} == {
        "a": ("mine", "the secret store"),
        "b": ("se://docker/mcp/b", "Docker Desktop"),
    }


async def test_nothing_is_asked_where_another_engine_starts_containers(path: Path, store: type[Store]) -> None:
    assert await DockerDesktopSource(path, lambda: False).read(ITEMS) == {}
    assert await DockerDesktopSource(None, lambda: True).read(ITEMS) == {}
    assert store.asked == []


async def test_where_it_does_not_run_it_has_nothing(tmp_path: Path) -> None:
    assert await DockerDesktopSource(tmp_path / "none.sock", lambda: True).read(ITEMS) == {}


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (500, b"{}", "refused to list its secrets (status 500)"),
        (200, b"hello", "isn't secrets"),
        (200, b'[{"title": "a"}]', "isn't secrets"),
        (200, b"[1]", "isn't secrets"),
    ],
)
async def test_an_odd_answer_is_an_error(
    path: Path, store: type[Store], status: int, answer: bytes, words: str
) -> None:
    store.status, store.answer = status, answer
    with pytest.raises(SecretStoreError) as caught:
        await DockerDesktopSource(path, lambda: True).read(ITEMS)
    assert words in caught.value.message


async def test_a_container_gets_the_reference_in_the_open_and_secrets_as_ever(path: Path) -> None:
    server = CatalogServer(name="s", image="i", secrets=ITEMS[:2], command=["--a=$A", "--b=$B"])
    lookup = SecretLookup([StoreSource(MemoryStore({"a": "mine"})), DockerDesktopSource(path, lambda: True)])
    redactor = Redactor()
    secrets = await ServerSecrets(lookup, redactor).find(server, {})
    spec = container_spec(server, {}, secrets, instance="i", limits=ContainerLimits())
    assert (spec.env, spec.hidden_env) == ({"B": "se://docker/mcp/b"}, {"A": "mine"})
    assert spec.hides_command
    assert redactor.clean("se://docker/mcp/b") == "se://docker/mcp/b"


async def test_a_remote_server_can_not_use_what_docker_desktop_keeps(path: Path) -> None:
    server = CatalogServer(name="s", remote=RemoteEndpoint(url="https://example.com"), secrets=ITEMS[:1])
    lookup = SecretLookup([DockerDesktopSource(path, lambda: True)])
    with pytest.raises(MissingSettingError) as caught:
        await ServerSecrets(lookup, Redactor()).find(server, {})
    assert caught.value.message == "s needs a, which Docker Desktop keeps and hands to containers alone"
    assert caught.value.hint == "Set it here too: docker-mcp secret set a"


def test_its_socket_is_where_its_makers_put_it() -> None:
    home = Path("/home/me")
    assert socket_of(home, "linux") == home / ".docker/desktop/jfs.sock"
    assert socket_of(home, "darwin") == home / "Library/Containers/com.docker.docker/Data/jfs.sock"
    assert socket_of(home, "win32") is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:///home/me/.docker/desktop/docker.sock", True),
        ("unix:///Users/me/.docker/run/docker.sock", True),
        ("npipe:////./pipe/dockerDesktopLinuxEngine", True),
        ("unix:///var/run/docker.sock", False),
        ("unix:///run/user/1000/podman/podman.sock", False),
        ("tcp://localhost:2375", False),
    ],
)
def test_its_engine_is_told_from_others(address: str, expected: bool) -> None:
    assert is_docker_desktop(address) is expected
