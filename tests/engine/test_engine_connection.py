"""First contact with an engine, and what becomes of its errors; a small HTTP server stands in for the engine."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from desktop.engine import connection
from desktop.engine.container import container_configuration, container_name
from desktop.engine.discovery import KNOWN_SOCKET, EngineCandidate
from desktop.engine.docker_engine import DockerEngine
from desktop.engine.labels import INSTANCE, OWNER, OWNER_VALUE, SERVER
from desktop.engine.ports import ContainerSpec
from desktop.engine.pull import LayerTotals
from desktop.errors import EngineError, EnginePermissionError, EngineUnavailableError

DOCKER = {"Version": "28.2.1", "ApiVersion": "1.50", "MinAPIVersion": "1.24", "Components": [{"Name": "Engine"}]}


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers GET requests from `answers`, path without version prefix -> (status, body)."""

    daemon_threads = True

    def __init__(self, path: Path, version: dict[str, Any]) -> None:
        self.answers: dict[str, tuple[int, Any]] = {"/version": (200, version)}
        self.paths: list[str] = []
        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: FakeEngine

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        path = self.path.split("?")[0]
        path = "/" + path.split("/", 2)[2] if path.startswith("/v1") else path
        status, body = self.server.answers.get(path, (404, {"message": "page not found"}))
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "test"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    with closing(FakeEngine(tmp_path / "engine.sock", DOCKER)) as engine:
        yield engine


def at(path: Path, source: str = KNOWN_SOCKET) -> EngineCandidate:
    return EngineCandidate(address=f"unix://{path}", source=source)


async def test_the_engine_says_its_name_and_the_api_version_is_negotiated(fake: FakeEngine, tmp_path: Path) -> None:
    engine = DockerEngine("abc", [at(tmp_path / "missing"), at(tmp_path / "engine.sock")])
    info = await engine.ping()
    assert (info.name, info.version, info.api_version) == ("Docker 28.2", "28.2.1", "1.45")
    assert info.address == f"unix://{tmp_path / 'engine.sock'}"
    await engine.close()


@pytest.mark.parametrize(
    ("newest", "oldest", "chosen"), [("1.41", "1.12", "1.41"), ("1.60", "1.50", "1.50"), ("1.45", None, "1.45")]
)
def test_the_api_version_is_the_newest_that_both_know(newest: str, oldest: str | None, chosen: str) -> None:
    assert connection._negotiated({"ApiVersion": newest, "MinAPIVersion": oldest}, "here") == chosen


def test_podman_goes_by_its_own_name() -> None:
    answer = {"Version": "5.3.1", "Components": [{"Name": "Podman Engine"}]}
    assert connection._info(answer, "1.41", at(Path("/x"))).name == "Podman 5.3"


@pytest.mark.parametrize("version", [{"ApiVersion": "1.30"}, {"ApiVersion": "?"}, {}])
async def test_an_engine_that_is_too_old_is_refused(fake: FakeEngine, tmp_path: Path, version: dict[str, str]) -> None:
    fake.answers["/version"] = (200, version)
    engine = DockerEngine("abc", [at(tmp_path / "engine.sock", "DOCKER_HOST")])
    with pytest.raises(EngineUnavailableError, match="too old"):
        await engine.ping()
    await engine.close()


@pytest.mark.parametrize("listening", [False, True])
async def test_no_engine_at_the_usual_places_means_docker_is_not_running(tmp_path: Path, listening: bool) -> None:
    if listening:
        with closing(FakeEngine(tmp_path / "s", {})):
            pass
    engine = DockerEngine("abc", [at(tmp_path / "s"), at(tmp_path / "t")])
    with pytest.raises(EngineUnavailableError) as caught:
        await engine.ping()
    assert caught.value.message == "Docker is not running"
    assert caught.value.hint
    await engine.close()


async def test_an_engine_the_person_named_is_named_when_it_does_not_answer(tmp_path: Path) -> None:
    engine = DockerEngine("abc", [at(tmp_path / "s", "DOCKER_HOST")])
    with pytest.raises(EngineUnavailableError, match=r"nothing answers at .* \(DOCKER_HOST\)"):
        await engine.ping()
    await engine.close()


async def test_ssh_addresses_are_refused_with_a_way_out() -> None:
    engine = DockerEngine("abc", [EngineCandidate(address="ssh://far", source="context far")])
    with pytest.raises(EngineUnavailableError, match="ssh -nNT -L"):
        await engine.ping()
    await engine.close()


def closed_door(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Tests may run as root, whom no file mode stops."""
    real = connection.knock

    def knock(candidate: EngineCandidate) -> None:
        if candidate.address.endswith(name):
            raise PermissionError(13, "Permission denied")
        real(candidate)

    monkeypatch.setattr(connection, "knock", knock)


async def test_a_closed_door_is_told_apart_from_a_missing_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_door(monkeypatch, "closed")
    engine = DockerEngine("abc", [at(tmp_path / "missing"), at(tmp_path / "closed"), at(tmp_path / "missing2")])
    with pytest.raises(EnginePermissionError) as caught:
        await engine.ping()
    assert "sudo usermod -aG docker $USER" in caught.value.hint
    await engine.close()


async def test_a_closed_door_does_not_hide_an_open_one(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_door(monkeypatch, "closed")
    engine = DockerEngine("abc", [at(tmp_path / "closed"), at(tmp_path / "engine.sock")])
    assert (await engine.ping()).name == "Docker 28.2"
    await engine.close()


async def test_a_lost_engine_is_noticed_and_found_again(fake: FakeEngine, tmp_path: Path) -> None:
    fake.answers["/images/x/json"] = (200, {"Id": "sha256:1"})
    engine = DockerEngine("abc", [at(tmp_path / "engine.sock")])
    assert await engine.image_id("x") == "sha256:1"
    fake.close()
    (tmp_path / "engine.sock").unlink()
    for _ in range(2):
        with pytest.raises(EngineUnavailableError, match="Docker is not running"):
            await engine.owned_containers()
    with closing(FakeEngine(tmp_path / "engine.sock", DOCKER)) as again:
        again.answers["/images/x/json"] = (200, {"Id": "sha256:2"})
        assert await engine.image_id("x") == "sha256:2"
        await engine.close()


async def test_a_refusal_of_the_engine_is_one_sentence(fake: FakeEngine, tmp_path: Path) -> None:
    fake.answers["/containers/json"] = (500, {"message": "disk on fire\nat line 1"})
    engine = DockerEngine("abc", [at(tmp_path / "engine.sock")])
    with pytest.raises(EngineError) as caught:
        await engine.owned_containers()
    assert caught.value.message == "Docker could not list containers: disk on fire"
    assert type(caught.value) is EngineError
    await engine.close()


async def test_a_call_that_takes_too_long_is_an_error(fake: FakeEngine, tmp_path: Path) -> None:
    engine = DockerEngine("abc", [at(tmp_path / "engine.sock")])
    go_on = threading.Event()
    with pytest.raises(EngineError, match=r"Docker did not dawdle within 0\.05 s"):
        await engine._calls.call("dawdle", lambda _: go_on.wait(10), limit=0.05)
    go_on.set()
    await engine.close()


async def test_a_closed_engine_says_so(fake: FakeEngine, tmp_path: Path) -> None:
    engine = DockerEngine("abc", [at(tmp_path / "engine.sock")])
    await engine.ping()
    await engine.close()
    await engine.close()
    for call in (engine.ping(), engine.pull("x"), engine.run_once(SPEC, time_limit=1)):
        with pytest.raises(EngineUnavailableError, match="closed"):
            await asyncio.wait_for(call, 5)


SPEC = ContainerSpec(
    image="a/b",
    command=("run",),
    env={"TOKEN": "t=1"},
    labels={SERVER: "my server/1"},
    binds=("data:/data",),
    user="1000",
    network="none",
    extra_hosts=("h:1.2.3.4",),
    cpus=0.5,
    memory=1024,
    pids=7,
    cap_add=("NET_RAW",),
)


def test_a_container_gets_the_limits_of_its_spec_and_our_labels() -> None:
    body = container_configuration(SPEC, instance="abc", stdin=True)
    assert body["HostConfig"] == {
        "AutoRemove": True,
        "Init": True,
        "SecurityOpt": ["no-new-privileges"],
        "CapDrop": ["ALL"],
        "CapAdd": ["NET_RAW"],
        "NanoCpus": 500_000_000,
        "Memory": 1024,
        "PidsLimit": 7,
        "NetworkMode": "none",
        "Binds": ["data:/data"],
        "ExtraHosts": ["h:1.2.3.4"],
        "LogConfig": {"Type": "none"},
    }
    assert body["Env"] == ["TOKEN=t=1"]
    assert body["Labels"] == {OWNER: OWNER_VALUE, INSTANCE: "abc", SERVER: "my server/1"}
    assert (body["User"], body["Cmd"], body["StdinOnce"], body["Tty"]) == ("1000", ["run"], True, False)


def test_no_limit_means_none_and_no_command_means_the_image_s_own() -> None:
    spec = ContainerSpec(image="a", env={}, labels={}, cpus=0, memory=0, pids=0)
    body = container_configuration(spec, instance="abc", stdin=False)
    assert (body["HostConfig"]["NanoCpus"], body["HostConfig"]["Memory"]) == (0, 0)
    assert "PidsLimit" not in body["HostConfig"]
    assert (body["Cmd"], body["OpenStdin"]) == (None, False)


def test_a_container_s_name_shows_its_server_and_is_one_of_a_kind() -> None:
    assert container_name(SPEC).startswith("mcp-my-server-1-")
    assert container_name(SPEC) != container_name(SPEC)


def test_the_progress_of_layers_is_added_up() -> None:
    totals = LayerTotals("a/b")
    events: list[dict[str, Any]] = [
        {"status": "Pulling from a/b", "id": "latest"},
        {"status": "Downloading", "id": "1", "progressDetail": {"current": 5, "total": 10}},
        {"status": "Downloading", "id": "2", "progressDetail": {"current": 50, "total": 100}},
        {"status": "Extracting", "id": "2", "progressDetail": {"current": 1, "total": 100}},
        {"status": "Download complete", "id": "1", "progressDetail": {}},
        {"status": "Already exists", "id": "3"},
    ]
    reached = [(report.done, report.total) for report in map(totals.add, events)]
    assert reached == [(0, 0), (5, 10), (55, 110), (55, 110), (60, 110), (60, 110)]
