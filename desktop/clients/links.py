"""Links that offer an entry to a client: it shows what it is asked to add, and the person agrees there."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from desktop.clients.description import Client

__all__ = ["install_link"]


def install_link(client: Client, name: str, value: Mapping[str, Any]) -> str:
    """The link for an entry that starts a program; empty for a client that takes none.

    Args:
        client: The client.
        name: The entry's name.
        value: The entry, without a token: links end up in histories.
    """
    text = json.dumps(value, separators=(",", ":"))
    match client.id:
        case "vscode" | "vscode-insiders":
            named = json.dumps({"name": name, **value}, separators=(",", ":"))
            return f"{client.id}:mcp/install?{quote(named, safe='')}"
        case "cursor":
            return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(name)}&config={_base64(text)}"
        case "lmstudio":
            return f"lmstudio://add_mcp?name={quote(name)}&config={_base64(text)}"
        case "kiro":
            return f"https://kiro.dev/launch/mcp/add?name={quote(name)}&config={quote(text, safe='')}"
        case "goose":
            args = "".join(f"&arg={quote(argument, safe='')}" for argument in value["args"])
            return f"goose://extension?cmd={quote(value['cmd'], safe='')}{args}&id={quote(name)}&name={quote(name)}"
    return ""


def _base64(text: str) -> str:
    return quote(base64.b64encode(text.encode()).decode(), safe="")
