"""A client in memory: sends messages straight into a `Gateway` and keeps what comes back."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any

from desktop import jsonrpc
from desktop.gateway.gateway import Gateway
from tests.helpers.fake_mcp import LIMIT, eventually

__all__ = ["EVERYTHING", "Asked", "GatewayClient"]

Json = dict[str, Any]
EVERYTHING = {"sampling": {}, "elicitation": {}, "roots": {"listChanged": True}}


class Asked:
    """One request under way; also the `Reply` its answer goes to.

    Attributes:
        raw: The answer's bytes.
        before: What came for the request before its answer.
    """

    def __init__(self, id: Any) -> None:
        self.id = id
        self.before: list[Json] = []
        self.raw = b""
        self.abandoned = False
        self._done = asyncio.Event()

    def send(self, message: bytes) -> None:
        self.before.append(json.loads(message))

    def finish(self, message: bytes) -> None:
        assert not self.raw, "a request was answered twice"
        self.raw = message
        self._done.set()

    def abandon(self) -> None:
        self.abandoned = True
        self._done.set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    async def message(self) -> Json:
        """The whole answer."""
        async with asyncio.timeout(LIMIT):
            await self._done.wait()
        return json.loads(self.raw)

    async def result(self) -> Any:
        """The result; fails where the answer is an error."""
        message = await self.message()
        assert "result" in message, message
        assert message["id"] == self.id
        return message["result"]

    async def error(self) -> Json:
        """The error; fails where the answer is none."""
        message = await self.message()
        assert "error" in message, message
        assert message["id"] == self.id
        return message["error"]


class GatewayClient:
    """One session.

    Attributes:
        inbox: What came without belonging to a request.
    """

    def __init__(self, gateway: Gateway, capabilities: Mapping[str, Any] | None = None, profile: str = "") -> None:
        self.gateway = gateway
        self.capabilities = dict(capabilities or {})
        self.session = gateway.open_session("stdio", profile)
        self.session.attach(self)
        self.inbox: list[Json] = []
        self._ids = itertools.count(1)

    def send(self, message: bytes) -> None:
        """The session's channel."""
        self.inbox.append(json.loads(message))

    def abandon(self) -> None:
        """The session has ended."""

    async def initialize(self, version: Any = "2025-11-25") -> Json:
        """Shake hands; returns the gateway's answer."""
        params = {
            "protocolVersion": version,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "test", "version": "1"},
        }
        result: Json = await self.ask("initialize", params).result()
        self.tell("notifications/initialized")
        return result

    def ask(self, method: str, params: Any = None, *, id: Any = None, raw_params: bytes | None = None) -> Asked:
        """Send a request."""
        asked = Asked(next(self._ids) if id is None else id)
        data = raw_params if raw_params is not None else (None if params is None else json.dumps(params).encode())
        self.gateway.take(self.session, jsonrpc.parse(jsonrpc.request(asked.id, method, data)), asked)
        return asked

    def call(self, name: str, **more: Any) -> Asked:
        """Call a tool."""
        return self.ask("tools/call", {"name": name, "arguments": {}, **more})

    def tell(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        data = None if params is None else json.dumps(params).encode()
        self.gateway.take(self.session, jsonrpc.parse(jsonrpc.notification(method, data)), Asked(None))

    def answer(self, id: Any, result: Any) -> None:
        """Answer a question."""
        message = {"jsonrpc": "2.0", "id": id, "result": result}
        self.gateway.take(self.session, jsonrpc.parse(json.dumps(message).encode()), Asked(None))

    def answer_with_error(self, id: Any, code: int, message: str) -> None:
        """Refuse a question."""
        answer = {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
        self.gateway.take(self.session, jsonrpc.parse(json.dumps(answer).encode()), Asked(None))

    async def tools(self) -> list[str]:
        """Names of the offered tools."""
        return [entry["name"] for entry in (await self.ask("tools/list").result())["tools"]]

    def told(self, method: str) -> list[Json]:
        """Messages of this method in the inbox."""
        return [message for message in self.inbox if message.get("method") == method]

    async def wait_for(self, method: str, count: int = 1) -> Json:
        """Wait for the ``count``-th message of this method."""
        await eventually(lambda: len(self.told(method)) >= count)
        return self.told(method)[count - 1]

    async def leave(self) -> None:
        """End the session."""
        await self.gateway.end_session(self.session)
