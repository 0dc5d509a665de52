"""The event loop the gateway runs on when it has the choice: uvloop where it is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import importlib.util
import os

__all__ = ["new_event_loop"]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A new event loop.

    ``MCP_GATEWAY_LOOP=asyncio`` keeps to asyncio's own, to find out whether a fault lies in uvloop.
    """
    if os.environ.get("MCP_GATEWAY_LOOP") != "asyncio" and importlib.util.find_spec("uvloop") is not None:
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()
