"""The first words to a remote server, without a token: its refusal says how to sign in (RFC 9728 section 5.1)."""

from __future__ import annotations

from typing import Final

from desktop import __version__
from desktop.oauth.challenge import Challenge
from desktop.oauth.provider_client import ProviderClient
from desktop.revisions import LATEST_MODERN

__all__ = ["HANDSHAKE_REVISION", "ask_server"]

HANDSHAKE_REVISION: Final = "2025-11-25"
_PLAIN: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_US: Final = b'{"name":"mcp-gateway-desktop","version":"%b"}' % __version__.encode()
_INITIALIZE: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":'
    b'{"protocolVersion":"%b","capabilities":{},"clientInfo":%b}}' % (HANDSHAKE_REVISION.encode(), _US)
)
_DISCOVER: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{'
    b'"io.modelcontextprotocol/protocolVersion":"%b","io.modelcontextprotocol/clientCapabilities":{},'
    b'"io.modelcontextprotocol/clientInfo":%b}}}' % (LATEST_MODERN.encode(), _US)
)
_GREETINGS: Final = (
    (_INITIALIZE, _PLAIN),
    (_DISCOVER, {**_PLAIN, "MCP-Protocol-Version": LATEST_MODERN, "Mcp-Method": "server/discover"}),
)


async def ask_server(client: ProviderClient, url: str) -> Challenge:
    """Ask in the way of either era, and read the refusal; a server that refuses neither says nothing."""
    for hello, headers in _GREETINGS:
        answer = await client.send("POST", url, headers=headers, content=hello)
        if answer.status in (401, 403):
            return Challenge.of(answer.headers.get("www-authenticate", ""))
    return Challenge()
