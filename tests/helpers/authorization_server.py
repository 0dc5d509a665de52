"""A real authorization server (npm ``oidc-provider``) on loopback, and a person who signs in there without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.helpers.node import install_tools, node

__all__ = ["AuthorizationServer", "Person", "authorization_server"]

_SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class AuthorizationServer:
    """One that runs."""

    issuer: str

    async def set(self, **values: Any) -> None:
        """Change how it behaves: ``life`` of access tokens in seconds, ``down``, ``onlyPort``."""
        async with httpx.AsyncClient() as client:
            (await client.get(f"{self.issuer}/test/set", params={"values": json.dumps(values)})).raise_for_status()

    async def end(self, token: str) -> None:
        """End an access token before its time."""
        async with httpx.AsyncClient() as client:
            (await client.get(f"{self.issuer}/test/end", params={"token": token})).raise_for_status()

    async def counts(self) -> dict[str, int]:
        """How often tokens were granted by which grant, and what else happened."""
        return dict((await self._state())["counts"])

    async def redirects(self) -> list[str]:
        """Every redirect URI that was registered."""
        return list((await self._state())["redirects"])

    async def _state(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            state: dict[str, Any] = (await client.get(f"{self.issuer}/test/get")).json()
            return state


@contextlib.asynccontextmanager
async def authorization_server(**options: Any) -> AsyncIterator[AuthorizationServer]:
    """Start one; it ends with us."""
    modules = await asyncio.to_thread(install_tools)
    process = await asyncio.create_subprocess_exec(
        str(node()),
        "--no-warnings",
        str(_SCRIPT),
        str(modules),
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := await process.stdout.readline()).startswith(b"{"):
                if not line:
                    raise RuntimeError(f"the authorization server did not start: {await process.communicate()!r}")
        yield AuthorizationServer(json.loads(line)["issuer"])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class Person:
    """Opens links as a browser would and fills in the forms (`BrowserOpener`).

    Attributes:
        links: What was opened.
        consents: Whether the person agrees; else they go back.
        comes_back: Whether the browser follows the way back to the program.
        pages: What the browser showed at the end.
    """

    def __init__(self, *, consents: bool = True, comes_back: bool = True) -> None:
        self.links: list[str] = []
        self.consents = consents
        self.comes_back = comes_back
        self.pages: list[str] = []
        self.address = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, address: str) -> bool:
        self.links.append(address)
        task = asyncio.create_task(self.browse(address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def done(self) -> None:
        """Wait until the browser has shown its last page."""
        await asyncio.gather(*self._tasks)

    async def browse(self, address: str) -> None:
        """Sign in from an address on, until the program's page is shown."""
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.get(address)
            while True:
                if answer.is_redirect:
                    target = urljoin(str(answer.url), answer.headers["location"])
                    if "/callback?" in target:
                        self.address = target
                        if self.comes_back:
                            self.pages.append((await client.get(target)).text)
                        return
                    answer = await client.get(target)
                    continue
                form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
                if form is None:
                    self.pages.append(answer.text)
                    return
                if not self.consents and 'value="consent"' in answer.text:
                    abort = re.search(r'href="([^"]+/abort)"', answer.text)
                    assert abort is not None
                    answer = await client.get(urljoin(str(answer.url), abort[1]))
                    continue
                fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text))
                fields |= {"login": "alice", "password": "pw"} if 'name="login"' in answer.text else {}
                answer = await client.post(urljoin(str(answer.url), form[1]), data=fields)
