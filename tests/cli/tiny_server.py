"""An MCP server in a few lines: ``add`` answers with the arguments it got, ``fail`` with an error."""

from __future__ import annotations

import json
import sys
from typing import Any

ADD = {
    "name": "add",
    "description": "Adds two numbers.\nReturns the sum. Never fails.",
    "inputSchema": {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "the first"}, "b": {"type": "number"}},
        "required": ["a"],
    },
}
FAIL = {"name": "fail", "description": "Fails", "inputSchema": {"type": "object"}}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of one request."""
    if method == "initialize":
        version = params["protocolVersion"]
        info = {"name": "tiny", "version": "1"}
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [ADD, FAIL]}
    if method == "tools/call":
        text = json.dumps(params.get("arguments"), sort_keys=True)
        return {"content": [{"type": "text", "text": text}], "isError": params["name"] == "fail"}
    return {}


def main() -> None:
    """Answer until the end of input."""
    print("the tiny server is up", file=sys.stderr, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message["method"], message.get("params") or {})
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
