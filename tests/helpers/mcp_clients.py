"""The MCP SDK's client, connected to the gateway each way a client can be."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from tests.helpers.home import Home

__all__ = ["Answers", "connected"]


class Answers:
    """What our test client says when a server asks, and what it was told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[Any] = []
        self.logged: list[Any] = []

    async def sampling(self, context: Any, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        """Answer a sampling request."""
        self.asked.append("sampling")
        return types.CreateMessageResult(
            role="assistant", content=types.TextContent(type="text", text="sampled by the test"), model="test-model"
        )

    async def elicitation(self, context: Any, params: Any) -> types.ElicitResult:
        """Answer an elicitation request with what its schema asks for."""
        self.asked.append("elicitation")
        schema = getattr(params, "requested_schema", None) or {}
        content = {name: _value(entry) for name, entry in schema.get("properties", {}).items()}
        return types.ElicitResult(action="accept", content=content)

    async def roots(self, context: Any) -> types.ListRootsResult:
        """Answer a request for roots."""
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri="file:///srv/test-root", name="test root")])

    async def message(self, message: Any) -> None:
        """Keep every notification."""
        self.told.append(message)

    async def log(self, params: Any) -> None:
        """Keep every log message."""
        self.logged.append(params)


def _value(entry: dict[str, Any]) -> Any:
    if "enum" in entry:
        return entry["enum"][0]
    if "oneOf" in entry:
        return entry["oneOf"][0]["const"]
    return {"boolean": True, "integer": 7, "number": 7, "array": []}.get(entry.get("type", ""), "from the test")


@contextlib.asynccontextmanager
async def connected(
    way: str, *, url: str = "", token: str = "", home: Home | None = None, answers: Answers | None = None, **more: Any
) -> AsyncIterator[Client]:
    """A client connected by ``streaming``, ``sse`` or ``stdio``."""
    if answers is not None:
        more |= {
            "sampling_callback": answers.sampling,
            "elicitation_callback": answers.elicitation,
            "list_roots_callback": answers.roots,
            "message_handler": answers.message,
            "logging_callback": answers.log,
        }
    headers = {"Authorization": f"Bearer {token}"}
    async with contextlib.AsyncExitStack() as stack:
        server: Any
        if way == "streaming":
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
            server = streamable_http_client(url, http_client=http)
        elif way == "sse":
            server = sse_client(url.removesuffix("/mcp") + "/sse", headers=headers)
        else:
            assert home is not None
            server = StdioServerParameters(
                command=sys.executable, args=["-m", "desktop", "gateway", "run"], env=home.environment
            )
        yield await stack.enter_async_context(Client(server, **more))
