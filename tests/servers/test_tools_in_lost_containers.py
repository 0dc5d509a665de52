"""Tools that are containers, when the engine goes away under them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.catalog.model import CatalogServer, ToolContainer, ToolEntry
from desktop.engine.monitor import EngineMonitor
from desktop.engine.ports import ContainerEngine, ContainerSpec, EngineInfo
from desktop.errors import EngineUnavailableError
from desktop.policy.consent import ConsentStore
from desktop.policy.questions import Questions
from desktop.secrets.lookup import SecretLookup
from desktop.secrets.redaction import Redactor
from desktop.servers.launch import ContainerLimits
from desktop.servers.launcher import Launcher
from desktop.servers.server_secrets import ServerSecrets
from desktop.servers.stderr_log import StderrLog
from tests.helpers.fake_mcp import eventually

ENTRY = CatalogServer(
    name="tools", type="poci", tools=[ToolEntry(name="run", container=ToolContainer(image="x", command=["true"]))]
)


class FadingEngine:
    """Answers until a container is to be run, or already when its image is looked for."""

    def __init__(self, goes_at: str) -> None:
        self.goes_at = goes_at

    async def ping(self) -> EngineInfo:
        return EngineInfo(name="Fading 1", version="1", api_version="1.44", address="unix:///nothing")

    async def image_id(self, image: str) -> str:
        return self._still_there("image", "sha256:1")

    async def own_networks(self) -> tuple[str, ...]:
        return ()

    async def run_once(self, spec: ContainerSpec, *, time_limit: float) -> tuple[int, bytes, bytes]:
        return self._still_there("run", (0, b"done", b""))

    async def close(self) -> None:
        """Nothing to give back."""

    def _still_there(self, step: str, answer: Any) -> Any:
        if step == self.goes_at:
            raise EngineUnavailableError("Docker is not running", "Start Docker")
        return answer


class Receiver:
    """Keeps answers."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def message(self, data: bytes, call: int | None) -> None:
        self.answers.append(json.loads(data))


@pytest.mark.parametrize("goes_at", ["image", "run", "never"])
async def test_an_engine_that_has_gone_is_noticed_by_a_call(tmp_path: Path, goes_at: str) -> None:
    monitor = EngineMonitor(cast("ContainerEngine", FadingEngine(goes_at)))
    await monitor.look()
    consent = ConsentStore(tmp_path / "consents.json")

    async def nothing() -> None:
        """Nothing has to run before."""

    launcher = Launcher(
        engine=monitor,
        secrets=ServerSecrets(SecretLookup([]), Redactor()),
        consent=consent,
        questions=Questions(consent),
        instance="test",
        limits=ContainerLimits(),
        guard=None,
        before_start=nothing,
        on_pull=lambda server, progress: None,
    )
    transport = await launcher.transport(ENTRY, {}, StderrLog(lambda text: text))
    receiver = Receiver()
    await transport.start(cast("Any", receiver))
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "run"}}
    transport.send(json.dumps(message).encode(), 1)
    async with asyncio.timeout(5):
        await eventually(lambda: receiver.answers)
    result = receiver.answers[0]["result"]
    if goes_at == "never":
        assert (result["content"][0]["text"], monitor.info is not None) == ("done", True)
    else:
        assert result == {"content": [{"type": "text", "text": "Docker is not running. Start Docker"}], "isError": True}
        assert monitor.info is None
    await transport.close()
