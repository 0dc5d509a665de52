"""Requests of 2026-07-28 as a client writes them, and a client of that revision on raw HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from desktop.servers.event_stream import EventParser

__all__ = ["CLIENT", "EVERYTHING", "ModernWeb", "OpenStream", "enveloped"]

Json = dict[str, Any]
CLIENT = {"name": "modern test", "version": "1"}
EVERYTHING = {"sampling": {}, "elicitation": {}, "roots": {}}
_P = "io.modelcontextprotocol/"
_LIMIT = 5.0


def enveloped(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    id: Any = 1,
    capabilities: Any = None,
    client: Any = None,
    version: str = "2026-07-28",
    **meta: Any,
) -> Json:
    """A request with its envelope; ``meta`` are further members of ``_meta``, ``logLevel`` under its full name."""
    envelope = {
        f"{_P}protocolVersion": version,
        f"{_P}clientCapabilities": {} if capabilities is None else capabilities,
        f"{_P}clientInfo": client or CLIENT,
    }
    if "logLevel" in meta:
        envelope[f"{_P}logLevel"] = meta.pop("logLevel")
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": {**(params or {}), "_meta": envelope | meta}}


class OpenStream:
    """An answer that is an event stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.raw = b""
        self._pieces: Any = answer.aiter_bytes()
        self._parser = EventParser()
        self._waiting: list[Json] = []

    async def message(self) -> Json | None:
        """The next message; None at the end."""
        async with asyncio.timeout(_LIMIT):
            while not self._waiting:
                try:
                    piece = await anext(self._pieces)
                except StopAsyncIteration:
                    return None
                self.raw += piece
                self._waiting += [json.loads(event.data) for event in self._parser.feed(piece)]
        return self._waiting.pop(0)

    async def close(self) -> None:
        """Read no more."""
        await self._pieces.aclose()

    async def __aiter__(self) -> AsyncIterator[Json]:
        """Every message until the end."""
        while (message := await self.message()) is not None:
            yield message


class ModernWeb:
    """A client of 2026-07-28 on raw HTTP.

    Args:
        http: The client to send with.
        capabilities: What it says it can.
        client: Who it says it is.
    """

    def __init__(self, http: httpx.AsyncClient, capabilities: Any = None, client: Any = None) -> None:
        self.http = http
        self.capabilities = capabilities or {}
        self.client = client or CLIENT
        self._ids = itertools.count(1)

    def request(self, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> Json:
        """A request as this client writes it."""
        more = {"id": next(self._ids), "capabilities": self.capabilities, "client": self.client, **more}
        return enveloped(method, params, **more)

    @staticmethod
    def headers(message: Json) -> dict[str, str]:
        """The headers that go with a request."""
        params = message.get("params") or {}
        found = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": message["method"]}
        name = params.get("uri" if message["method"] == "resources/read" else "name")
        if name is not None and message["method"] in ("tools/call", "prompts/get", "resources/read"):
            found["Mcp-Name"] = name
        return found

    async def post(self, message: Any, **headers: str | None) -> httpx.Response:
        """Send a message; ``headers`` replace those that go with it, None leaves one out."""
        own: dict[str, Any] = self.headers(message) if isinstance(message, dict) and "method" in message else {}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        given = {name: value for name, value in own.items() if value is not None}
        return await self.http.post("/mcp", content=content, headers=given)

    async def ask(self, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> Json:
        """Send a request; returns the whole answer, which has to be plain JSON."""
        answer = await self.post(self.request(method, params, **more))
        assert answer.headers["content-type"] == "application/json", answer.text
        found: Json = answer.json()
        return found

    async def result(self, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> Json:
        """Send a request; returns its result."""
        answer = await self.ask(method, params, **more)
        assert "result" in answer, answer
        result: Json = answer["result"]
        return result

    async def call(self, name: str, **more: Any) -> Json:
        """Call a tool; ``more`` goes beside its name."""
        return await self.result("tools/call", {"name": name, "arguments": {}, **more})

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, params: Mapping[str, Any] | None = None, **more: Any
    ) -> AsyncIterator[OpenStream]:
        """Send a request whose answer is an event stream."""
        message = self.request(method, params, **more)
        content = json.dumps(message).encode()
        async with self.http.stream("POST", "/mcp", content=content, headers=self.headers(message)) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"] == "text/event-stream"
            opened = OpenStream(answer)
            try:
                yield opened
            finally:
                await opened.close()
