"""Images are fetched once whoever waits for them, and no longer than somebody does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from desktop.catalog.model import CatalogServer
from desktop.engine.ports import PullProgress
from desktop.errors import EngineError
from desktop.secrets.lookup import SecretLookup
from desktop.secrets.redaction import Redactor
from desktop.servers.launch import ContainerLimits
from desktop.servers.launcher import Launcher
from desktop.servers.server_secrets import ServerSecrets
from desktop.servers.stderr_log import StderrLog
from tests.helpers.fake_mcp import eventually

ENTRY = CatalogServer(name="s", type="server", image="far/s:1")


class SlowEngine:
    """An engine whose pulls take until the test lets them end; nothing can be run on it."""

    def __init__(self) -> None:
        self.pulls = 0
        self.given_up = 0
        self.have = False
        self.done = asyncio.Event()

    async def available(self) -> SlowEngine:
        return self

    async def image_id(self, image: str) -> str | None:
        return "sha256:1" if self.have else None

    async def pull(self, image: str, progress: Any = None) -> None:
        self.pulls += 1
        try:
            progress(PullProgress(image=image, status="Downloading"))
            await self.done.wait()
            self.have = True
        except asyncio.CancelledError:
            self.given_up += 1
            raise

    async def own_networks(self) -> tuple[str, ...]:
        return ()

    async def run(self, spec: Any, output: Any) -> Any:
        raise EngineError("nothing runs here")


async def nothing() -> None:
    """Before the start."""


@pytest.fixture
def engine() -> SlowEngine:
    return SlowEngine()


@pytest.fixture
def launcher(engine: SlowEngine) -> Launcher:
    unused: Any = None
    return Launcher(
        engine=engine,  # type: ignore[arg-type]
        secrets=ServerSecrets(SecretLookup([]), Redactor()),
        consent=unused,
        questions=unused,
        instance="test",
        limits=ContainerLimits(),
        guard=None,
        before_start=nothing,
        on_pull=lambda *_: None,
    )


async def start(launcher: Launcher) -> None:
    transport = await launcher.transport(ENTRY, {}, StderrLog(str))
    with pytest.raises(EngineError, match="nothing runs here"):
        await transport.start(None)  # type: ignore[arg-type]


async def test_two_that_need_an_image_fetch_it_once(launcher: Launcher, engine: SlowEngine) -> None:
    starts = [asyncio.create_task(start(launcher)) for _ in range(2)]
    await eventually(lambda: engine.pulls)
    engine.done.set()
    await asyncio.gather(*starts)
    assert (engine.pulls, engine.given_up) == (1, 0)
    assert launcher.image_id(ENTRY) == "sha256:1"


async def test_a_pull_goes_on_while_one_still_waits_and_stops_with_the_last(
    launcher: Launcher, engine: SlowEngine
) -> None:
    first, last = asyncio.create_task(start(launcher)), asyncio.create_task(start(launcher))
    await eventually(lambda: engine.pulls)
    first.cancel()
    await asyncio.wait([first])
    assert engine.given_up == 0
    last.cancel()
    await asyncio.wait([last])
    await eventually(lambda: engine.given_up == 1)
    again = asyncio.create_task(start(launcher))
    await eventually(lambda: engine.pulls == 2)
    engine.done.set()
    await again
