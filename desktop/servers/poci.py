"""Tools that are containers: no MCP server, each call runs one container and its output is the result (spec 3.2, POCI)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from desktop import __version__, jsonrpc
from desktop.catalog.model import CatalogServer, ToolEntry
from desktop.errors import GatewayError
from desktop.jsonrpc import Envelope
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import MessageReceiver
from desktop.servers.upstream import PROTOCOL_VERSION

__all__ = ["PociTransport"]

log = logging.getLogger(__name__)


class _CallParams(msgspec.Struct):
    name: str
    arguments: dict[str, Any] | None = None


_call_params = msgspec.json.Decoder(_CallParams)


class PociTransport:
    """Answers MCP itself, on behalf of a catalog entry's tools.

    Args:
        server: The entry.
        run: Runs the container of one call to a tool, with these arguments and this time limit in seconds; gives its exit
            code, standard output and standard error, and may raise `GatewayError`.
        log: Receives the containers' standard error.
        time_limit: Seconds one call may take.
    """

    def __init__(
        self,
        server: CatalogServer,
        run: Callable[[ToolEntry, dict[str, Any], float], Awaitable[tuple[int, bytes, bytes]]],
        log: StderrLog,
        *,
        time_limit: float = 300.0,
    ) -> None:
        self._name = server.name
        self._tools = {tool.name: tool for tool in server.tools if tool.container is not None}
        self._run = run
        self._log = log
        self._time_limit = time_limit
        self._receiver: MessageReceiver | None = None
        self._calls: dict[int, asyncio.Task[None]] = {}

    async def start(self, receiver: MessageReceiver) -> None:
        """Nothing runs before the first call."""
        self._receiver = receiver

    def negotiated(self, protocol_version: str) -> None:
        """Nothing to do."""

    def send(self, message: bytes, call: int | None) -> None:
        """Answer a request, or cancel a call."""
        envelope = jsonrpc.parse(message)
        if call is not None:
            self._calls[call] = asyncio.get_running_loop().create_task(self._answer(envelope, call))
            self._calls[call].add_done_callback(lambda _: self._calls.pop(call, None))
        elif envelope.method == "notifications/cancelled":
            task = self._calls.get(jsonrpc.decode(jsonrpc.fields(envelope.params)["requestId"]))
            if task is not None:
                task.cancel()

    async def drain(self) -> None:
        """Nothing congests."""

    async def close(self) -> None:
        """End the calls under way; their containers are removed by the engine room."""
        tasks = tuple(self._calls.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def last_words(self) -> str:
        """Nothing runs between calls."""
        return ""

    async def _answer(self, message: Envelope, call: int) -> None:
        assert self._receiver is not None
        try:
            answer = await self._answer_to(message, call)
        except Exception as error:  # an answer of any kind is better than a call that hangs
            log.exception("%s: a call failed", self._name)
            answer = jsonrpc.response_error(
                call, jsonrpc.INTERNAL_ERROR, f"{self._name} failed: {type(error).__name__}"
            )
        self._receiver.message(answer, call)

    async def _answer_to(self, message: Envelope, call: int) -> bytes:
        if message.method == "initialize":
            info = {"name": "tools-in-containers", "version": __version__}
            result: Any = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {"tools": {}}, "serverInfo": info}
        elif message.method == "tools/list":
            result = {"tools": [_definition(tool) for tool in self._tools.values()]}
        elif message.method == "tools/call":
            try:
                params = _call_params.decode(message.params)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                return jsonrpc.response_error(call, jsonrpc.INVALID_PARAMS, f"Invalid params of tools/call: {error}")
            result = await self._call(params)
        else:
            return jsonrpc.response_error(call, jsonrpc.METHOD_NOT_FOUND, "Method not found")
        return jsonrpc.response(call, jsonrpc.encode(result))

    async def _call(self, params: _CallParams) -> dict[str, Any]:
        tool = self._tools.get(params.name)
        if tool is None:
            return _text(f"There is no tool {params.name!r}", error=True)
        try:
            code, out, err = await self._run(tool, params.arguments or {}, self._time_limit)
        except GatewayError as error:
            return _text(str(error), error=True)
        for line in err.splitlines():
            self._log.add(line)
        text = out.decode("utf-8", "replace")
        if code != 0:
            return _text(text + err.decode("utf-8", "replace"), error=True)
        return _text(text, error=False)


def _definition(tool: ToolEntry) -> dict[str, Any]:
    """The tool as ``tools/list`` gives it: its parameters' schema whole, or any object where it has none (spec 1.7.2)."""
    schema: dict[str, Any] = {"type": "object"}
    if tool.parameters.get("properties"):
        schema = {key: value for key, value in tool.parameters.items() if value is not None} | schema
    entry: dict[str, Any] = {"name": tool.name, "description": tool.description, "inputSchema": schema}
    if tool.annotations:
        entry["annotations"] = tool.annotations
    return entry


def _text(text: str, *, error: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": error}
