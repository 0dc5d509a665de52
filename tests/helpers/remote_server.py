"""A remote MCP server as a program: ``python -m tests.helpers.remote_server KIND PORT [TOKEN]``.

KIND is ``streaming`` or ``sse``; with a token, requests without it are refused. Says "ready" when it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context

__all__ = ["remote_server"]

ROOT = Path(__file__).resolve().parents[2]


def build() -> MCPServer:
    """The server and its tools."""
    server = MCPServer("remote", log_level="ERROR")

    @server.tool()
    def header(name: str, ctx: Context) -> str:
        """A header of this very request."""
        return str(ctx.headers.get(name, "")) if ctx.headers else ""

    @server.tool()
    def process() -> int:
        """The process that answers."""
        return os.getpid()

    @server.tool()
    async def count(to: int, ctx: Context) -> str:
        """Counts, and tells how far it is."""
        for number in range(to):
            await ctx.report_progress(number + 1, to)
        return "counted"

    return server


class Guarded:
    """Refuses requests without the token."""

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and headers.get(b"authorization") != f"Bearer {self._token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)


async def serve(kind: str, port: int, token: str) -> None:
    """Serve until killed."""
    built = build()
    app: Any = built.streamable_http_app() if kind == "streaming" else built.sse_app()
    config = uvicorn.Config(Guarded(app, token) if token else app, port=port, log_level="error")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await task


@contextlib.asynccontextmanager
async def remote_server(kind: str, port: int, token: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, listening; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.helpers.remote_server", kind, str(port), *([token] if token else [])),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
