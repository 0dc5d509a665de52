"""An MCP server as a package runner would start it; tells its environment, and leaves a grandchild behind if it can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

GRANDCHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def answer(message: dict[str, Any], family: list[int]) -> dict[str, Any]:
    """The result of one request."""
    if message["method"] == "initialize":
        info = {"name": "package", "version": "1"}
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
    if message["method"] == "tools/list":
        return {
            "tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("environment", "family", "die")]
        }
    name = message["params"]["name"]
    if name == "die":
        sys.stderr.write("last words without a line break")
        sys.stderr.flush()
        os._exit(9)
    found: Any = dict(os.environ) if name == "environment" else family
    return {"content": [{"type": "text", "text": json.dumps(found)}], "isError": False}


def main() -> None:
    """Answer until the end of input."""
    grandchild = subprocess.Popen(
        [sys.executable, "-c", GRANDCHILD],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family = [os.getpid(), grandchild.pid]
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message, family)
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
