"""AI clients nobody here wrote: our entry in their file, and their own word that the gateway is connected."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.clients.gateway_entry import Way
from desktop.clients.known import find_client
from desktop.clients.machine import Machine
from desktop.clients.roster import Roster, Wish
from tests.helpers.home import Home
from tests.helpers.node import client_path, node, node_environment

pytestmark = pytest.mark.slow
_LIMIT = 100.0


def gemini(home: Home, folder: Path) -> list[str]:
    """Gemini CLI connects its servers only where the person trusts the folder."""
    trusted = home.root / ".gemini" / "trustedFolders.json"
    trusted.parent.mkdir(exist_ok=True)
    trusted.write_text(json.dumps({str(folder): "TRUST_FOLDER"}), "utf-8")
    return [str(node()), str(client_path("@google/gemini-cli") / "bundle" / "gemini.js"), "mcp", "list"]


def opencode(home: Home, folder: Path) -> list[str]:
    """opencode is a program of its own, in a package for each kind of computer; this one is for Linux on any x86-64."""
    return [str(client_path("opencode-linux-x64-baseline") / "bin" / "opencode"), "mcp", "list"]


@pytest.fixture
async def application(home: Home) -> AsyncIterator[Application]:
    async with running(GatewayOptions(), home.paths) as application:
        await application.publish_locally()
        await application.listen("127.0.0.1", 0, token=await application.token())
        yield application


@pytest.mark.parametrize("way", [Way.HTTP, Way.STDIO])
@pytest.mark.parametrize(
    ("id", "command", "connected"),
    [
        ("gemini", gemini, r"✓ mcp-gateway: .* - Connected"),
        ("opencode", opencode, r"✓ mcp-gateway .*connected"),
    ],
)
async def test_the_clients_own_list_says_that_the_gateway_is_connected(
    application: Application,
    home: Home,
    id: str,
    command: Callable[[Home, Path], list[str]],
    connected: str,
    way: Way,
) -> None:
    folder = home.root / "work"
    folder.mkdir()
    environment = {**node_environment(), **home.environment, "NO_COLOR": "1"}
    roster = Roster(
        home.paths, application.endpoint().url, Machine(environ={"HOME": str(home.root)}, platform=sys.platform)
    )
    client = find_client(id)
    assert client is not None
    done = roster.connect(client, wish=Wish(way=way))
    assert done.choice.way is way
    arguments = command(home, folder)
    callers: set[str] = set()

    def look(_: object) -> None:
        callers.update(session.caller.client for session in application.gateway.sessions.values() if session.caller)

    application.gateway.changed.subscribe(look)

    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(_LIMIT):
        out, _ = await process.communicate()

    text = re.sub(r"\x1b\[[0-9;]*m", "", out.decode("utf-8", "replace"))
    assert re.search(connected, text), text
    assert callers == ({id} if way is Way.HTTP else set())
    roster.disconnect(client)
    assert not roster.status(client).connected
