"""Pulling from a registry: a real engine, and a registry of one image in this process."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import sys
import tarfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker
import pytest
from aiohttp import web

from desktop.engine.docker_engine import DockerEngine
from desktop.engine.ports import PullProgress
from desktop.engine.pull import Pull
from desktop.errors import ImageUnavailableError
from tests.helpers.home import Home
from tests.helpers.terminal import on_a_terminal

pytestmark = pytest.mark.engine

DOCKER_TYPE = "application/vnd.docker"
LIMIT = 30.0
ROOT = Path(__file__).resolve().parents[2]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry:
    """Serves ``test/pulled:latest``, 3 MB; its layer comes in drops while `slow`, and never while `stalled`."""

    def __init__(self, architecture: str) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo("file")
            entry.size = 3_000_000
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
        self.layer = packed.getvalue()
        layers = {"type": "layers", "diff_ids": [digest(self.layer)]}
        self.config = json.dumps({"architecture": architecture, "os": "linux", "rootfs": layers, "config": {}}).encode()
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{DOCKER_TYPE}.distribution.manifest.v2+json",
                "config": self.described(self.config, "container.image.v1+json"),
                "layers": [self.described(self.layer, "image.rootfs.diff.tar")],
            }
        ).encode()
        self.stalled = self.slow = False
        self.asked = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.image = ""

    @staticmethod
    def described(data: bytes, kind: str) -> dict[str, Any]:
        return {"mediaType": f"{DOCKER_TYPE}.{kind}", "size": len(data), "digest": digest(data)}

    async def base(self, _: web.Request) -> web.Response:
        return web.Response()

    async def manifests(self, request: web.Request) -> web.Response:
        if request.match_info["reference"] not in ("latest", digest(self.manifest)):
            return web.json_response(
                {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, status=404
            )
        kind = f"{DOCKER_TYPE}.distribution.manifest.v2+json"
        headers = {"Docker-Content-Digest": digest(self.manifest), "Content-Type": kind}
        return web.Response(body=self.manifest, headers=headers)

    async def blobs(self, request: web.Request) -> web.StreamResponse:
        blob = self.config if request.match_info["digest"] == digest(self.config) else self.layer
        if blob is self.config or not (self.stalled or self.slow):
            return web.Response(body=blob)
        response = web.StreamResponse(headers={"Content-Length": str(len(blob))})
        await response.prepare(request)
        await response.write(blob[:100_000])
        self.asked.set()
        try:
            while self.slow:
                await response.write(bytes(1000))
                await asyncio.sleep(0.02)
            await asyncio.Event().wait()
        finally:
            self.hung_up.set()
        return response


@pytest.fixture
async def registry(docker_engine: docker.DockerClient) -> AsyncIterator[Registry]:
    registry = Registry(docker_engine.version()["Arch"])
    app = web.Application()
    app.router.add_get("/v2/", registry.base)
    app.router.add_get("/v2/test/pulled/manifests/{reference}", registry.manifests)
    app.router.add_get("/v2/test/pulled/blobs/{digest}", registry.blobs)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    registry.image = f"127.0.0.1:{runner.addresses[0][1]}/test/pulled"
    yield registry
    await runner.cleanup()
    for image in docker_engine.images.list(name=registry.image):
        docker_engine.images.remove(image.id, force=True)


@pytest.fixture
async def engine() -> AsyncIterator[DockerEngine]:
    engine = DockerEngine("0123456789ab")
    yield engine
    await engine.close()


async def test_an_image_is_pulled_and_its_progress_is_told(engine: DockerEngine, registry: Registry) -> None:
    reports: list[PullProgress] = []
    assert await engine.image_id(registry.image) is None
    await asyncio.wait_for(engine.pull(registry.image, reports.append), LIMIT)
    assert await engine.image_id(registry.image) == digest(registry.config)
    assert {report.image for report in reports} == {registry.image}
    assert reports[-1].done == reports[-1].total
    await asyncio.wait_for(engine.pull(f"{registry.image}@{digest(registry.manifest)}"), LIMIT)


async def test_a_tag_the_registry_lacks_is_an_image_that_can_t_be_had(engine: DockerEngine, registry: Registry) -> None:
    with pytest.raises(ImageUnavailableError, match=r"pulled:none can't be fetched: .*\. See that the name"):
        await asyncio.wait_for(engine.pull(f"{registry.image}:none"), LIMIT)


async def test_a_registry_that_is_not_there_is_named(engine: DockerEngine, registry: Registry) -> None:
    with pytest.raises(ImageUnavailableError, match="Check the network"):
        await asyncio.wait_for(engine.pull("127.0.0.1:1/nobody/there"), LIMIT)


async def test_a_pull_that_is_cancelled_ends_in_the_engine_too(engine: DockerEngine, registry: Registry) -> None:
    registry.slow = True
    pulling = asyncio.create_task(engine.pull(registry.image))
    await asyncio.wait_for(registry.asked.wait(), LIMIT)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(pulling, 5)
    await asyncio.wait_for(registry.hung_up.wait(), LIMIT)
    assert await engine.image_id(registry.image) is None


async def test_a_pull_that_stands_still_gives_its_thread_back_when_cancelled(
    engine: DockerEngine, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    run = Pull.run

    def watched(pull: Pull) -> None:
        try:
            run(pull)
        finally:
            ended.set()

    monkeypatch.setattr(Pull, "run", watched)
    registry.stalled = True
    pulling = asyncio.create_task(engine.pull(registry.image))
    await asyncio.wait_for(registry.asked.wait(), LIMIT)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(pulling, 5)
    assert await asyncio.to_thread(ended.wait, 5)


@pytest.mark.filterwarnings("ignore:docker-credential-not-installed")
async def test_a_broken_credential_helper_does_not_keep_public_images_away(
    engine: DockerEngine,
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"credsStore": "not-installed"}), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with caplog.at_level(logging.CRITICAL, "desktop.engine.pull"):
        await asyncio.wait_for(engine.pull(registry.image), LIMIT)
    assert await engine.image_id(registry.image) is not None


async def test_the_command_line_shows_a_pull_on_a_terminal(registry: Registry, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.catalog({"pulled": {"type": "server", "image": registry.image}})
    home.enable("pulled")
    command = [sys.executable, "-m", "desktop", "gateway", "run", "--dry-run", "--start-timeout", "20"]
    shown = await asyncio.to_thread(
        on_a_terminal,
        command,
        {**home.environment, "TERM": "xterm", "PYTHONPATH": str(ROOT)},
        columns=100,
        with_remarks=True,
    )
    line = f"\r\x1b[KPulling {registry.image}"
    assert line in shown
    # The image has no program, so its server can't start; by then the line is gone.
    assert shown.index(line) < shown.rindex("\r\x1b[K") < shown.index("  > Can't start pulled: ")
