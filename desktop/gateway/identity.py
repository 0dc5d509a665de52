"""What the gateway says of itself to clients of either era."""

from __future__ import annotations

from typing import Final

from desktop import __version__, jsonrpc

__all__ = ["CAPABILITIES", "SERVER_INFO"]

SERVER_INFO: Final = jsonrpc.encode({"name": "mcp-gateway", "title": "MCP Gateway", "version": __version__})
CAPABILITIES: Final = (
    b'{"tools":{"listChanged":true},"prompts":{"listChanged":true},'
    b'"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{}}'
)
