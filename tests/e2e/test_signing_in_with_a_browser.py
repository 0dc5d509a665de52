"""A person signs in with a real Chromium: a real authorization server, a real MCP server, the whole program."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.errors import GrantRefusedError, SignInCancelledError, SignInError
from desktop.oauth.status import SignInState
from desktop.servers.status import ServerState
from tests.helpers.authorization_server import AuthorizationServer, authorization_server
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.guarded_server import guarded_server
from tests.helpers.home import Home
from tests.helpers.node import install_tools, node
from tests.helpers.ports import free_port
from tests.helpers.processes import need

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]
_SCRIPT = Path(__file__).parents[1] / "helpers" / "browse.mjs"


@dataclass
class Chromium:
    """Opens each link in a browser of its own (`BrowserOpener`).

    Attributes:
        what: What the person does: agree, deny, or leave.
        pages: What the browsers showed at the end.
    """

    what: str = "agree"
    pages: list[dict[str, Any]] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, address: str) -> bool:
        task = asyncio.create_task(self._browse(address))
        self.running.add(task)
        return True

    async def _browse(self, address: str) -> None:
        modules = await asyncio.to_thread(install_tools)
        process = await asyncio.create_subprocess_exec(
            *(str(node()), "--no-warnings", str(_SCRIPT), str(modules), address, self.what),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "CHROMIUM": need("chromium")},
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        if out:
            self.pages.append(json.loads(out))

    async def closed(self) -> None:
        """Wait until every browser is closed."""
        await asyncio.gather(*self.running)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home of its own, without a keychain: secrets are sealed with a passphrase."""
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    monkeypatch.setenv("MCP_GATEWAY_OAUTH_PORT", str(free_port()))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    yield Home(root)
    shutil.rmtree(root, ignore_errors=True)


@contextlib.asynccontextmanager
async def scene(home: Home, chromium: Chromium) -> AsyncIterator[tuple[Application, AuthorizationServer]]:
    async with authorization_server() as provider, guarded_server(free_port(), provider.issuer) as url:
        home.catalog({"notes": {"type": "remote", "title": "Notes & <more>", "remote": {"url": url}}})
        home.enable("notes")
        async with running(GatewayOptions(watch=False), home.paths) as application:
            application.services.sign_ins._browser = chromium
            assert await application.settled(30)
            yield application, provider


async def test_sign_in_call_renewal_and_sign_out_with_a_real_browser(home: Home) -> None:
    chromium = Chromium()
    async with scene(home, chromium) as (application, provider):
        status = application.server("notes")
        assert status is not None
        assert status.state is ServerState.NEEDS_SIGN_IN
        await application.sign_in("notes")
        await chromium.closed()
        assert chromium.pages[0]["title"] == "You are signed in to Notes & <more>"
        assert "You can close this page" in chromium.pages[0]["text"]
        assert chromium.pages[0]["scripts"] == 0
        async with asyncio.timeout(30):
            while not (application.server("notes") or status).tool_count:
                await asyncio.sleep(0.02)
        client = GatewayClient(application.gateway)
        await client.initialize()
        assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"
        records = application.services.sign_ins._records
        before = await records.token("notes")
        assert before is not None
        await provider.end(before.access)
        results = await asyncio.gather(*(client.call("whoami").result() for _ in range(20)))
        assert {result["content"][0]["text"] for result in results} == {"somebody who has signed in"}
        after = await records.token("notes")
        assert after is not None
        assert after.refresh != before.refresh
        assert await application.sign_out("notes") == ""
        counts = await provider.counts()
        assert counts == {"registration": 1, "authorization_code": 1, "refresh_token": 1, "revocation": 1}


async def test_saying_no_in_the_browser(home: Home) -> None:
    chromium = Chromium("deny")
    async with scene(home, chromium) as (application, _):
        with pytest.raises(GrantRefusedError, match="you or the provider said no"):
            await application.sign_in("notes")
        await chromium.closed()
        assert chromium.pages[0]["title"] == "Signing in to Notes & <more> did not work"
        assert "said no" in chromium.pages[0]["text"]
        status = application.sign_in_of("notes")
        assert status is not None
        assert status.state is SignInState.NEEDED


async def test_a_browser_that_is_closed_in_the_middle(home: Home) -> None:
    chromium = Chromium("leave")
    async with scene(home, chromium) as (application, _):
        waiting = asyncio.create_task(application.sign_in("notes"))
        async with asyncio.timeout(60):
            while not chromium.running:
                await asyncio.sleep(0.02)
        await chromium.closed()
        assert not waiting.done()
        await application.cancel_sign_in("notes")
        with pytest.raises(SignInCancelledError):
            await waiting
        application.services.sign_ins._time_limit = 0.5
        with pytest.raises(SignInError, match="nobody signed in within"):
            await application.sign_in("notes")
        await chromium.closed()
