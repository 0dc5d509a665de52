"""A small MCP client over the running gateway's local socket, for the command line: synchronous, standard library only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from desktop import __version__
from desktop.errors import GatewayError
from desktop.gateway.shim import Closed, Connection, connect, read_endpoint
from desktop.state.paths import Paths

__all__ = ["LocalClient", "RequestError", "gateway_url", "running_gateway", "usual_url"]

USUAL_PORT: Final = 8811
_GONE = "The running gateway does not answer"


class RequestError(GatewayError):
    """The gateway (or a server behind it) answered with a JSON-RPC error.

    Args:
        code: JSON-RPC error code.
        message: Its message.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def running_gateway(paths: Paths) -> str | None:
    """Address of this user's running gateway, when one answers."""
    endpoint = read_endpoint(str(paths.endpoint_file))
    connection = connect(endpoint[0]) if endpoint is not None else None
    if endpoint is None or connection is None:
        return None
    connection.close()
    return endpoint[0]


def gateway_url(paths: Paths) -> str:
    """Where this user's running gateway listens for HTTP; empty when none runs, or one that listens nowhere."""
    if running_gateway(paths) is None:
        return ""
    lines = paths.endpoint_file.read_text(encoding="utf-8").split("\n")
    return lines[2] if len(lines) > 2 else ""


def usual_url(environ: Mapping[str, str] = os.environ) -> str:
    """Where the tray's gateway listens for HTTP unless its port is taken: MCP_GATEWAY_PORT, else 8811."""
    port = environ.get("MCP_GATEWAY_PORT", "")
    return f"http://127.0.0.1:{port if port.isdecimal() else USUAL_PORT}/mcp"


class LocalClient:
    """One MCP session with the running gateway."""

    def __init__(self, connection: Connection, token: str) -> None:
        self._connection = connection
        self._token = token
        self._session = ""
        self._number = 0

    @classmethod
    def connect(cls, paths: Paths) -> LocalClient | None:
        """A session with this user's running gateway, or None when none answers."""
        endpoint = read_endpoint(str(paths.endpoint_file))
        opened = connect(endpoint[0]) if endpoint is not None else None
        if endpoint is None or opened is None:
            return None
        client = cls(Connection(opened), endpoint[1])
        info = {"name": "docker-mcp", "version": __version__}
        try:
            client.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info})
            client._exchange("POST", {"jsonrpc": "2.0", "method": "notifications/initialized"})
        except GatewayError:
            opened.close()
            raise
        return client

    def request(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        *,
        on_notification: Callable[[dict[str, Any]], None] | None = None,
    ) -> Any:
        """Ask, and wait for the answer.

        Args:
            method: MCP method.
            params: Its parameters.
            on_notification: Called with each notification that comes before the answer.

        Returns:
            The result.

        Raises:
            RequestError: The answer is an error.
            GatewayError: The gateway has gone.
        """
        self._number += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": self._number, "method": method}
        if params is not None:
            message["params"] = params
        for answer in self._exchange("POST", message):
            if "method" in answer:
                if on_notification is not None and "id" not in answer:
                    on_notification(answer)
            elif "error" in answer:
                error = answer["error"]
                raise RequestError(int(error.get("code", 0)), str(error.get("message", "")))
            else:
                return answer.get("result")
        raise GatewayError(_GONE)

    def close(self) -> None:
        """End the session."""
        try:
            if self._session:
                self._exchange("DELETE", None)
        finally:
            self._connection.socket.close()

    def _exchange(self, method: str, message: dict[str, Any] | None) -> list[dict[str, Any]]:
        body = b"" if message is None else json.dumps(message).encode()
        head = [f"{method} /mcp HTTP/1.1", "Host: localhost", "Accept: application/json, text/event-stream"]
        if self._session:
            head.append(f"Mcp-Session-Id: {self._session}")
        if self._token:
            head.append(f"Authorization: Bearer {self._token}")
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        try:
            self._connection.socket.sendall("\r\n".join(head).encode() + body)
            _, headers = self._connection.head()
            pieces = self._connection.body(headers)
            self._session = self._session or headers.get(b"mcp-session-id", b"").decode()
            if headers.get(b"content-type", b"").startswith(b"text/event-stream"):
                return list(_events(pieces))
            text = b"".join(pieces)
        except (Closed, OSError) as error:
            raise GatewayError(_GONE, "Start it again, or look at its window") from error
        return [json.loads(text)] if headers.get(b"content-type") == b"application/json" and text else []


def _events(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in b"".join(pieces).split(b"\n"):
        if line.startswith(b"data: ") and len(line) > 6:  # one without data only tells an id
            yield json.loads(line[6:])
