"""A remote MCP server of both eras with one tool, ``remote_echo``, as cheap as Python allows: prints its port, then serves.

Streamable HTTP with plain JSON answers, a session id for everyone, no streams. Each request is parsed, and the answer has its id
and its text. Not a test.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec

__all__ = ["EchoProtocol"]

TOOLS = b'{"tools":[{"name":"remote_echo","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}}]}'
INITIALIZED = b'{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"echo","version":"1"}}'
DISCOVERED = (
    b'{"resultType":"complete","supportedVersions":["2025-11-25","2026-07-28"],"capabilities":{"tools":{}},'
    b'"ttlMs":0,"cacheScope":"public"}'
)
_FIXED = {"initialize": INITIALIZED, "server/discover": DISCOVERED, "tools/list": TOOLS}


class _Arguments(msgspec.Struct):
    text: msgspec.Raw = msgspec.Raw(b'""')


class _Params(msgspec.Struct):
    arguments: _Arguments = msgspec.field(default_factory=_Arguments)
    meta: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="_meta")


class _Message(msgspec.Struct):
    method: str = ""
    id: msgspec.Raw = msgspec.Raw()
    params: _Params = msgspec.field(default_factory=_Params)


_message = msgspec.json.Decoder(_Message)


class EchoProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"post"):
            self._reply(b"405 Method Not Allowed" if head.startswith(b"get") else b"200 OK", b"")
            return
        message = _message.decode(body)
        if not message.id:
            self._reply(b"202 Accepted", b"")
            return
        if message.method == "tools/call":
            kind = b'"resultType":"complete",' if message.params.meta else b""
            result = b'{%b"content":[{"type":"text","text":%b}],"isError":false}' % (
                kind,
                message.params.arguments.text,
            )
        else:
            result = _FIXED.get(message.method, b"{}")
        self._reply(b"200 OK", b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (message.id, result))

    def _reply(self, status: bytes, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nMcp-Session-Id: bench\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(body), body)
        )


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(EchoProtocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    factory: Any = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve())
