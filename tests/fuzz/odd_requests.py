"""Ways to write an HTTP request that is not as it should be."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.material import Json, Material

__all__ = ["OddRequests"]

_LENGTHS = (b"-1", b"0", b"5", b"+7", b"0x10", b"1e3", b"", b"99999999999999999999", b"70000000", b"12, 12")
_METHODS = (b"GET", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"get", b"\xffX", b"POST")
_PATHS = (b"/", b"/sse", b"/message", b"/mcp?x=%00", b"*", b"/health", b"/mcp/../mcp", b"http://evil/mcp", b"/%ff")
_LINES = (
    b"Expect: 100-continue", b"Connection: close", b"Connection: upgrade\r\nUpgrade: websocket", b"Upgrade: h2c",
    b"Host: evil.example", b"Origin: https://evil.example", b"Origin: null", b"MCP-Protocol-Version: 2026-07-28",
    b"MCP-Protocol-Version: 1900-01-01", b"Mcp-Method: tools/call", b"X: " + b"y" * 9000, b"X: " + b"y" * 70_000,
    b": nothing", b"a b: c", b"X: \xff\xfe", b"Transfer-Encoding: chunked", b"Mcp-Session-Id: other", b"Last-Event-ID: 5",
    b"Accept: text/plain", b"\r\n".join(b"H%d: x" % number for number in range(300)),
)  # fmt: skip
_NO_HTTP = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n" * 50, b"GET /\r\n\r\n", bytes(range(256)),
    b"GET / HTTP/1.0\r\n\r\n", b"\0" * 3000,
)  # fmt: skip
_MODERN = ("tools/call", "subscriptions/listen", "server/discover")


class OddRequests:
    """Makes them.

    Args:
        material: What they are made of.
        request: Writes a good request: body, session, method, path and more header lines.
        call: Writes a tool call: number and mark.
    """

    def __init__(self, material: Material, request: Callable[..., bytes], call: Callable[..., bytes]) -> None:
        self._material = material
        self._request = request
        self._call = call

    def any(self, session: bytes, mark: str) -> bytes:
        """One of them; now and then a good one."""
        kinds = (
            self._length, self._two_lengths, self._chunks, self._target, self._line, self._line, self._body, self._body,
            self._modern, self._no_http, self._good, self._good, self._stream,
        )  # fmt: skip
        return self._material.random.choice(kinds)(session, mark)

    def _length(self, session: bytes, mark: str) -> bytes:
        body = self._call(1, mark)
        length = b"Content-Length: " + self._material.random.choice(_LENGTHS)
        return self._request(body, session).replace(b"Content-Length: %d" % len(body), length)

    def _two_lengths(self, session: bytes, mark: str) -> bytes:
        body = self._call(1, mark)
        other = self._material.random.choice((len(body), 3))
        return self._request(body, session, b"POST", b"/mcp", b"Content-Length: %d" % other)

    def _chunks(self, session: bytes, mark: str) -> bytes:
        pieces = self._material.pieces(self._call(1, mark))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        head = self._request(b"", session, b"POST", b"/mcp", b"Transfer-Encoding: chunked")
        return (head.replace(b"Content-Length: 0\r\n", b"") if self._material.chance(0.7) else head) + chunks

    def _target(self, session: bytes, mark: str) -> bytes:
        material = self._material
        path = material.random.choice((*_PATHS, b"/message?sessionId=" + session))
        body = self._call(1, mark) if material.chance(0.5) else b""
        return self._request(body, session if material.chance(0.7) else b"", material.random.choice(_METHODS), path)

    def _line(self, session: bytes, mark: str) -> bytes:
        return self._request(self._call(1, mark), session, b"POST", b"/mcp", self._material.random.choice(_LINES))

    def _body(self, session: bytes, mark: str) -> bytes:
        material = self._material
        odd = (
            material.wire(material.message()),
            material.deep(),
            b"",
            b"[]",
            b"\xff\xfe",
            material.damaged(self._call(1, mark)),
        )
        return self._request(material.random.choice(odd), session)

    def _modern(self, session: bytes, mark: str) -> bytes:
        material = self._material
        meta: Json = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
        meta["io.modelcontextprotocol/clientCapabilities"] = {}
        meta["io.modelcontextprotocol/clientInfo"] = {"name": mark, "version": "1"}
        params = {"name": "t", "arguments": {"mark": mark}, "_meta": meta}
        message = {"jsonrpc": "2.0", "id": 1, "method": material.random.choice(_MODERN), "params": params}
        lines = (b"MCP-Protocol-Version: 2026-07-28", b"Mcp-Method: " + str(message["method"]).encode(), b"Mcp-Name: t")
        return self._request(material.wire(material.changed(message, 0.1)), b"", b"POST", b"/mcp", *lines)

    def _no_http(self, session: bytes, mark: str) -> bytes:
        return self._material.random.choice(_NO_HTTP)

    def _good(self, session: bytes, mark: str) -> bytes:
        return self._request(self._call(1, mark, progress=self._material.chance(0.3)), session)

    def _stream(self, session: bytes, mark: str) -> bytes:
        path = b"/mcp" if self._material.chance(0.9) else b"/sse"
        return self._request(b"", session, b"GET", path)
