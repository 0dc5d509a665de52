"""A remote MCP server (``mcp`` package) that wants tokens of an authorization server, as a program.

``python -m tests.helpers.guarded_server PORT ISSUER SCOPE [PATH]``: it asks the authorization server about each token
(RFC 7662), and publishes where to sign in (RFC 9728). The tool ``more`` wants the scope ``mcp:more``. Says "ready" when it
listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

__all__ = ["guarded_server"]

ROOT = Path(__file__).resolve().parents[2]


class Introspection:
    """Asks the authorization server whether a token is good (``TokenVerifier``)."""

    def __init__(self, issuer: str) -> None:
        self._endpoint = f"{issuer}/token/introspection"

    async def verify_token(self, token: str) -> AccessToken | None:
        form = {"token": token, "client_id": "resource-server", "client_secret": "introspection"}
        async with httpx.AsyncClient() as client:
            said = (await client.post(self._endpoint, data=form)).json()
        if not said.get("active"):
            return None
        return AccessToken(
            token=token, client_id=said["client_id"], scopes=said.get("scope", "").split(), expires_at=said.get("exp")
        )


def build(port: int, issuer: str, scope: str, path: str) -> Any:
    """The server's application; at the path ``sse`` it speaks HTTP with SSE."""
    url = f"http://127.0.0.1:{port}"
    settings = AuthSettings(
        issuer_url=AnyHttpUrl(issuer),
        resource_server_url=AnyHttpUrl(f"{url}/{path}"),
        required_scopes=[scope] if scope else None,
    )
    server = MCPServer("guarded", token_verifier=Introspection(issuer), auth=settings, log_level="ERROR")

    @server.tool()
    def whoami() -> str:
        """Says who is asking."""
        return "somebody who has signed in"

    @server.tool()
    async def slow(seconds: float) -> str:
        """Takes its time."""
        await asyncio.sleep(seconds)
        return "done"

    @server.tool()
    def more() -> str:
        """Wants more than the others."""
        return "more"

    app = server.sse_app() if path == "sse" else server.streamable_http_app()
    return NeedsMore(app, Introspection(issuer), f"{url}/.well-known/oauth-protected-resource/{path}")


class NeedsMore:
    """Refuses calls of the tool ``more`` to tokens without its scope (RFC 6750 section 3.1)."""

    def __init__(self, app: Any, introspection: Introspection, metadata: str) -> None:
        self._app = app
        self._introspection = introspection
        self._metadata = metadata

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        with contextlib.suppress(ValueError):
            said = json.loads(body)
            if said.get("method") == "tools/call" and said["params"]["name"] == "more":
                token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
                known = await self._introspection.verify_token(token)
                if known is not None and "mcp:more" not in known.scopes:
                    challenge = (
                        f'Bearer error="insufficient_scope", scope="mcp:more", resource_metadata="{self._metadata}"'
                    )
                    headers = [(b"www-authenticate", challenge.encode())]
                    await send({"type": "http.response.start", "status": 403, "headers": headers})
                    await send({"type": "http.response.body", "body": b""})
                    return
        given = False

        async def again() -> Any:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


async def serve(port: int, issuer: str, scope: str, path: str) -> None:
    """Serve until killed."""
    server = uvicorn.Server(uvicorn.Config(build(port, issuer, scope, path), port=port, log_level="error"))
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await task


@contextlib.asynccontextmanager
async def guarded_server(port: int, issuer: str, scope: str = "mcp:tools", path: str = "mcp") -> AsyncIterator[str]:
    """The program, listening; gives its URL, and is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.helpers.guarded_server", str(port), issuer, scope, path),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}/{path}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else "mcp"))
