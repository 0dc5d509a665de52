"""A real MCP server of one era or of both, as a program: ``python -m tests.helpers.era_server ERA (--stdio | --port N)``.

ERA is ``modern``, ``handshake`` or ``both``. Built with the SDK's low-level server, which always speaks both; a filter in front
of it refuses the other era as a server without it would.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["era_server", "stdio_command"]

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


def build() -> Any:
    """The server."""
    import mcp_types as types
    from mcp.server.lowlevel.server import Server
    from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged

    bus = InMemorySubscriptionBus()
    names = ["who", "greet", "slow", "log", "count", "grow", "touch", "need"]
    cancelled: list[str] = []

    async def list_tools(request: Any, params: Any) -> Any:
        tools: list[Json] = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        region = {"type": "string", "x-mcp-header": "Region"}
        tools.append({"name": "routed", "inputSchema": {"type": "object", "properties": {"region": region}}})
        wrong = {"type": "number", "x-mcp-header": "Amount"}
        tools.append({"name": "forbidden", "inputSchema": {"type": "object", "properties": {"amount": wrong}}})
        return types.ListToolsResult.model_validate({"tools": tools})

    async def call_tool(request: Any, params: Any) -> Any:
        meta = dict(params.meta or {})
        found: Any = ""
        if params.name == "who":
            found = {key.rpartition("/")[2]: value for key, value in meta.items()}
            found["process"] = os.getpid()
        elif params.name == "greet":
            answers = params.input_responses or {}
            if "user" not in answers:
                form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
                ask = {"method": "elicitation/create", "params": {"message": "Name?", "requestedSchema": form}}
                asked = {"resultType": "input_required", "inputRequests": {"user": ask}, "requestState": "greeting"}
                return types.InputRequiredResult.model_validate(asked)
            answer = answers["user"]
            content = answer["content"] if isinstance(answer, dict) else answer.content
            found = f"Hello, {content['name']} ({params.request_state})"
        elif params.name == "slow":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(str((params.arguments or {}).get("mark")))
                raise
        elif params.name == "log":
            await request.session.send_log_message("info", "a line", related_request_id=request.request_id)
            found = cancelled
        elif params.name == "count":
            for step in (1, 2):
                await request.session.report_progress(step, 2)
        elif params.name == "grow":
            names.append("grown")
            await bus.publish(ToolsListChanged())
        elif params.name == "touch":
            await bus.publish(ResourceUpdated(uri="x://1"))
        elif params.name == "need":
            from mcp.shared.exceptions import MCPError

            raise MCPError(-32021, "sampling is needed", {"requiredCapabilities": {"sampling": {}}})
        elif params.name == "routed":
            found = (params.arguments or {}).get("region")
        text = found if isinstance(found, str) else json.dumps(found)
        return types.CallToolResult.model_validate({"content": [{"type": "text", "text": text}]})

    async def list_resources(request: Any, params: Any) -> Any:
        return types.ListResourcesResult.model_validate({"resources": [{"uri": "x://1", "name": "one"}]})

    async def read_resource(request: Any, params: Any) -> Any:
        from mcp.shared.exceptions import MCPError

        if str(params.uri) != "x://1":
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": str(params.uri)})
        return types.ReadResourceResult.model_validate({"contents": [{"uri": "x://1", "text": "one"}]})

    return Server(
        "era",
        instructions="Instructions of a real server",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
        on_subscriptions_listen=ListenHandler(bus),
    )


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


async def serve_stdio(era: str) -> None:
    """Serve standard input and output."""
    import anyio
    from mcp.server.stdio import stdio_server
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCError

    server = build()
    async with stdio_server() as (reading, writing):
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
            await server.run(receive, writing, server.create_initialization_options())
            group.cancel_scope.cancel()


async def serve_http(era: str, port: int) -> None:
    """Serve HTTP until killed."""
    import uvicorn

    app = OfOneEra(build().streamable_http_app(), era)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", http="h11"))
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await task


def stdio_command(era: str) -> tuple[str, ...]:
    """The command that serves standard input and output."""
    return (sys.executable, "-m", "tests.helpers.era_server", era, "--stdio")


@contextlib.contextmanager
def era_server(era: str, port: int) -> Iterator[str]:
    """The program, listening; gives its URL; killed at the end."""
    command = (sys.executable, "-m", "tests.helpers.era_server", era, "--port", str(port))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("era", choices=("modern", "handshake", "both"))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdio", action="store_true")
    where.add_argument("--port", type=int)
    options = parser.parse_args()
    asyncio.run(serve_stdio(options.era) if options.stdio else serve_http(options.era, options.port))


if __name__ == "__main__":
    main()
