"""Filters in front of a server that speaks both eras of MCP: what is of the other era is refused as a server without it would."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["OfOneEra", "only"]

Json = dict[str, Any]


def refusal(era: str, message: Json) -> Json | None:
    """The error of a server without the era of this message, if it is of that era."""
    meta = (message.get("params") or {}).get("_meta") or {}
    enveloped = "io.modelcontextprotocol/protocolVersion" in meta
    error: Json | None = None
    if era == "modern" and message.get("method") == "initialize":
        data = {"supported": ["2026-07-28"], "requested": message["params"]["protocolVersion"]}
        error = {"code": -32022, "message": "Unsupported protocol version", "data": data}
    elif era == "handshake" and enveloped and "id" in message:
        error = {"code": -32601, "message": f"Method not found: {message['method']}"}
    return error and {"jsonrpc": "2.0", "id": message["id"], "error": error}


class OfOneEra:
    """Refuses POSTs of the other era."""

    def __init__(self, app: Any, era: str) -> None:
        self._app = app
        self._era = era

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        refused = refusal(self._era, json.loads(body))
        if refused is not None:
            await send(
                {"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": json.dumps(refused).encode()})
            return
        given = False

        async def again() -> Any:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


@contextlib.asynccontextmanager
async def only(era: str, reading: Any, writing: Any) -> AsyncIterator[Any]:
    """The messages of one era among those of an SDK transport; the others are refused."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCError

    send, receive = anyio.create_memory_object_stream[Any](0)

    async def filtered() -> None:
        async with send:
            async for item in reading:
                wire = item.message.model_dump(mode="json", by_alias=True, exclude_none=True)
                refused = refusal(era, wire)
                if refused is None:
                    await send.send(item)
                else:
                    await writing.send(SessionMessage(JSONRPCError.model_validate(refused)))

    async with anyio.create_task_group() as group:
        group.start_soon(filtered)
        yield receive
        group.cancel_scope.cancel()
