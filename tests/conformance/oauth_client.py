"""The gateway as the conformance suite's client: ``python -m tests.conformance.oauth_client URL``.

A gateway with the suite's server behind it signs in where the server wants it, as a person would, and calls each tool once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.app import Application, GatewayOptions, running
from desktop.errors import GatewayError
from desktop.servers.status import ServerState
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home
from tests.helpers.modern_client import ModernWeb
from tests.helpers.ports import free_port

__all__ = ["main"]

_METADATA = "https://conformance-test.local/client-metadata.json"
_MOST_SIGN_INS = 3
Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class Agreeing:
    """A browser whose person has agreed to everything before: it follows each redirect (`BrowserOpener`)."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, address: str) -> bool:
        self._tasks.add(asyncio.create_task(self._follow(address)))
        return True

    async def _follow(self, address: str) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.get(address)
            while answer.is_redirect:
                answer = await client.get(urljoin(str(answer.url), answer.headers["location"]))


class Client:
    """Signs in as often as it is worth it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._left = _MOST_SIGN_INS

    def _wanted(self) -> bool:
        status, sign_in = self._application.server("fixture"), self._application.sign_in_of("fixture")
        needed = status is not None and status.state is ServerState.NEEDS_SIGN_IN
        return needed or (sign_in is not None and bool(sign_in.wanted))

    async def signed_in(self) -> bool:
        """Sign in if that is wanted; whether it was."""
        if not self._wanted() or not self._left:
            return False
        self._left -= 1
        await self._application.sign_in("fixture")
        managed = self._application.fleet.servers["fixture"]
        await managed.retry()
        await managed.ensure_listed()
        if self._wanted() and self._left:
            return await self.signed_in()
        if managed.failure is not None:
            raise managed.failure
        return True


async def asker(application: Application, stack: contextlib.AsyncExitStack) -> Ask:
    """Asks as a client of the revision the suite wants."""
    if os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "") < "2026":
        client = GatewayClient(application.gateway)
        await client.initialize()

        async def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
            return await client.ask(method, params).message()

        return ask
    url = await application.listen("127.0.0.1", 0, token=None)
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    http = await stack.enter_async_context(
        httpx.AsyncClient(base_url=url.removesuffix("/mcp"), timeout=60, headers=headers)
    )
    return ModernWeb(http).ask


async def main(url: str) -> None:
    """Sign in, list and call; raises where the gateway refuses."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    os.environ["MCP_GATEWAY_OAUTH_PORT"] = str(free_port())
    os.environ["MCP_GATEWAY_PASSPHRASE"] = "correct horse"
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    os.environ["DOCKER_HOST"] = "unix:///nowhere.sock"
    async with contextlib.AsyncExitStack() as stack:
        home = Home(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpgw-"))))
        home.catalog({"fixture": {"type": "remote", "remote": {"url": url}}})
        home.enable("fixture")
        application = await stack.enter_async_context(running(GatewayOptions(watch=False), home.paths))
        sign_ins = application.services.sign_ins
        sign_ins._browser = Agreeing()
        settings = {"client_metadata_url": _METADATA}
        if "client_id" in context:
            settings = {"client_id": context["client_id"]}
            await sign_ins._records.save_client_secret("fixture", context.get("client_secret", ""))
        sign_ins._settings.change("fixture", settings)
        client = Client(application)
        await application.settled(60)
        await client.signed_in()
        ask = await asker(application, stack)
        tools = (await ask("tools/list", {}))["result"]["tools"]
        for tool in tools:
            call = {"name": tool["name"], "arguments": {}}
            answer = await ask("tools/call", call)
            while "error" in answer and await client.signed_in():
                answer = await ask("tools/call", call)
            print(json.dumps(answer))
            if "error" in answer:
                raise RuntimeError(answer["error"]["message"])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s %(message)s")
    try:
        asyncio.run(main(sys.argv[1]))
    except (GatewayError, RuntimeError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
