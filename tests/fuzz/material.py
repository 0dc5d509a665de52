"""What fuzzing feeds on: random JSON, odd texts, and messages that are nearly right. All of it follows from a seed."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

__all__ = ["Material"]

Json = dict[str, Any]
_ODD = (
    "", " ", "\0", "\ufeff", "é", "e\u0301", "👩‍👩‍👧", "\u202e", "\ud83d", "\udc00x", "\u2028\u2029", "a" * 5000, "ﷺ" * 50,
    "\\", '"', "\n\r\t", "__proto__", "../../etc/passwd", "%00%n", "{{x}}", "null", "true", "0", "-1", "NaN",
)  # fmt: skip
_NUMBERS = (0, -0.0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 1e308, 5e-324, 0.1, 1.0)
_METHODS = (
    "initialize", "ping", "tools/call", "tools/list", "prompts/get", "prompts/list", "resources/read", "resources/list",
    "resources/templates/list", "resources/subscribe", "resources/unsubscribe", "completion/complete", "logging/setLevel",
    "sampling/createMessage", "elicitation/create", "roots/list", "tasks/get", "server/discover", "subscriptions/listen",
    "notifications/initialized", "notifications/cancelled", "notifications/progress", "notifications/message",
    "notifications/tools/list_changed", "notifications/resources/updated", "notifications/roots/list_changed",
    "mcp-gateway/names", "rpc.discover", "",
)  # fmt: skip
_MEMBERS = (
    "jsonrpc", "id", "method", "params", "result", "error", "name", "arguments", "_meta", "progressToken", "requestId",
    "uri", "level", "protocolVersion", "capabilities", "clientInfo", "content", "isError", "tools", "cursor", "ref", "code",
    "message", "data", "reason", "progress", "total", "resultType", "inputResponses", "requestState", "logger", "nextCursor",
)  # fmt: skip


class Material:
    """A stream of odd things.

    Args:
        seed: What it follows from.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.random.random() < share

    def text(self) -> str:
        """An odd string."""
        if self.chance(0.6):
            return self.random.choice(_ODD)
        return "".join(
            chr(self.random.choice((0x41, 0x7F, 0x3B1, 0x4E2D, 0x1F600)) + self.random.randrange(20)) for _ in range(8)
        )

    def id(self) -> Any:
        """Something for an id; mostly what JSON-RPC allows."""
        kind = self.random.randrange(12)
        if kind < 5:
            return self.random.randrange(6)
        if kind < 7:
            return str(self.random.randrange(6))
        if kind == 7:
            return self.random.choice(_NUMBERS)
        if kind == 8:
            return self.text()
        if kind == 9:
            return f"gw-{self.random.randrange(8)}"
        return self.random.choice((None, True, [], {}, [1], 1.5, -7))

    def value(self, depth: int = 0) -> Any:
        """Any JSON value."""
        kind = self.random.randrange(9 if depth < 4 else 6)
        if kind < 2:
            return self.text()
        if kind < 4:
            return self.random.choice(_NUMBERS)
        if kind < 6:
            return self.random.choice((None, True, False))
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        names = [
            self.random.choice(_MEMBERS) if self.chance(0.7) else self.text() for _ in range(self.random.randrange(5))
        ]
        return {name: self.value(depth + 1) for name in names}

    def method(self) -> str:
        """A method, known or not."""
        return self.random.choice(_METHODS) if self.chance(0.9) else self.text()

    def message(self) -> Json:
        """Something with the members of JSON-RPC."""
        found: Json = {"jsonrpc": "2.0"} if self.chance(0.9) else {}
        if self.chance(0.7):
            found["id"] = self.id()
        if self.chance(0.7):
            found["method"] = self.method()
        if self.chance(0.7):
            found["params"] = self.value()
        if self.chance(0.15):
            found["result"] = self.value()
        if self.chance(0.1):
            found["error"] = self.value() if self.chance(0.5) else {"code": self.value(), "message": self.value()}
        return found

    def changed(self, value: Any, share: float = 0.15) -> Any:
        """The value with some of its parts replaced, left out, doubled or put elsewhere."""
        if self.chance(share / 3):
            return self.value()
        if isinstance(value, dict):
            found = {}
            for name, item in value.items():
                if self.chance(share / 3):
                    continue
                found[self.random.choice(_MEMBERS) if self.chance(share / 5) else name] = self.changed(item, share)
            if self.chance(share / 3):
                found[self.random.choice(_MEMBERS)] = self.value()
            return found
        if isinstance(value, list):
            return [self.changed(item, share) for item in value for _ in range(2 if self.chance(share / 5) else 1)]
        return value

    def wire(self, value: Any) -> bytes:
        """JSON in one of the ways it can be written."""
        ascii_only = self.chance(0.5)
        spaces = self.random.choice(((",", ":"), (", ", ": "), (" , ", " : ")))
        return json.dumps(value, ensure_ascii=ascii_only, separators=spaces).encode("utf-8", "surrogatepass")

    def deep(self) -> bytes:
        """JSON that is nested as deep as parsers stand, or a little deeper."""
        depth = self.random.choice((10, 100, 900, 940, 960, 970, 980, 990, 1000, 5000, 50_000))
        left, right = self.random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        return left * depth + b"1" + right * depth

    def damaged(self, data: bytes) -> bytes:
        """The bytes with a few of them wrong."""
        if not data:
            return data
        found = bytearray(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 4, 16))):
            if not found:
                break
            place = self.random.randrange(len(found))
            kind = self.random.randrange(7)
            if kind == 0:
                found[place] = self.random.randrange(256)
            elif kind == 1:
                del found[place : place + self.random.choice((1, 2, 8, 64))]
            elif kind == 2:
                found[place:place] = self.random.choice(
                    (b'"', b"{", b"}", b"[", b",", b":", b"\\", b"\\u", b"\xff", b"\0", b"\r\n", b"\n")
                )
            elif kind == 3:
                found[place:place] = found[place : place + self.random.randrange(1, 40)]
            elif kind == 4:
                del found[place:]
            elif kind == 5:
                found[place] ^= 1 << self.random.randrange(8)
            else:
                found[place:place] = self.random.choice(
                    (b"null", b"1e999", b"-", b"99999999999999999999", b"\xed\xa0\x80", b"\xc3")
                )
        return bytes(found)

    def pieces(self, data: bytes) -> list[bytes]:
        """The bytes cut at random places."""
        if self.chance(0.4) or len(data) < 2:
            return [data]
        if len(data) < 400 and self.chance(0.1):
            return [data[place : place + 1] for place in range(len(data))]
        cuts = sorted({0, len(data), *(self.random.randrange(len(data)) for _ in range(self.random.randrange(1, 6)))})
        return [data[begin:end] for begin, end in itertools.pairwise(cuts)]
