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

from tests.helpers.one_era import OfOneEra, only

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


async def serve_stdio(era: str) -> None:
    """Serve standard input and output."""
    from mcp.server.stdio import stdio_server

    server = build()
    async with stdio_server() as (reading, writing), only(era, reading, writing) as allowed:
        await server.run(allowed, writing, server.create_initialization_options())


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
