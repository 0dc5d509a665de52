"""The revisions of MCP and what tells their two eras apart on the wire.

Up to 2025-11-25 a connection begins with ``initialize`` (the handshake era); since 2026-07-28 every request stands alone and
carries what used to be agreed on in its ``_meta`` (the modern era).
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CAPABILITIES_KEY",
    "CLIENT_INFO_KEY",
    "HANDSHAKE_REVISIONS",
    "HEADER_MISMATCH",
    "LATEST_HANDSHAKE",
    "LATEST_MODERN",
    "LOG_LEVEL_KEY",
    "MISSING_CAPABILITY",
    "MODERN_REVISIONS",
    "SERVER_INFO_KEY",
    "SUBSCRIPTION_KEY",
    "UNSUPPORTED_REVISION",
    "VERSION_KEY",
]

HANDSHAKE_REVISIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
LATEST_HANDSHAKE: Final = HANDSHAKE_REVISIONS[0]
MODERN_REVISIONS: Final = ("2026-07-28",)
LATEST_MODERN: Final = MODERN_REVISIONS[0]

# Members of a modern request's `_meta` (2026-07-28, basic).
VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CLIENT_INFO_KEY: Final = "io.modelcontextprotocol/clientInfo"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
LOG_LEVEL_KEY: Final = "io.modelcontextprotocol/logLevel"
# Members of a modern result's or notification's `_meta`.
SERVER_INFO_KEY: Final = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_KEY: Final = "io.modelcontextprotocol/subscriptionId"

# Error codes of the modern era.
HEADER_MISMATCH: Final = -32020
MISSING_CAPABILITY: Final = -32021
UNSUPPORTED_REVISION: Final = -32022
