"""What the gateway itself asks a server, and how a server may refuse."""

from __future__ import annotations

import asyncio

from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import ServerGoneError, ServerStartError

__all__ = ["OwnQuestion", "RefusedError", "WrongEraError"]


class RefusedError(ServerGoneError):
    """A server answered a question of ours with an error.

    Args:
        message: In words, for a person.
        code: The JSON-RPC error's code.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class WrongEraError(ServerStartError):
    """The server does not speak the era of MCP it was greeted in."""


class OwnQuestion:
    """Sink of a question the gateway itself asks.

    Attributes:
        answer: The whole answer, as it came.
    """

    session = None

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def send(self, message: bytes) -> None:
        """Progress on our own questions interests nobody."""

    def finish(self, message: bytes) -> None:
        """The answer has come."""
        if not self.answer.done():
            self.answer.set_result(message)

    async def result(self, server: str, method: str) -> Raw:
        """The result's bytes.

        Args:
            server, method: Who was asked what, for messages.

        Raises:
            RefusedError: The server answered with an error.
        """
        answer = jsonrpc.parse(await self.answer)
        if answer.error:
            error = jsonrpc.fields(answer.error)
            text = jsonrpc.decode(error["message"]) if "message" in error else "an error without a message"
            code = jsonrpc.decode(error["code"]) if "code" in error else 0
            raise RefusedError(f"{server} answered {method} with: {text}", code if isinstance(code, int) else 0)
        return answer.result
