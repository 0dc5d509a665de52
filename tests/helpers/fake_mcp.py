"""MCP servers in memory: a scripted server, its transports, and the launcher that hands them out; no process, no socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer
from desktop.errors import GatewayError
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import MessageReceiver

__all__ = [
    "LIMIT",
    "FakeLauncher",
    "FakeServer",
    "FakeTransport",
    "Refusal",
    "eventually",
    "fleet_of",
    "holding",
    "modern",
    "tool",
]

LIMIT = 5.0
Json = dict[str, Any]


def tool(name: str, **more: Any) -> Json:
    """A tool's definition."""
    return {"name": name, "inputSchema": {"type": "object"}, **more}


async def eventually(condition: Callable[[], Any], *, what: str = "", seconds: float = LIMIT) -> None:
    """Wait until ``condition`` holds, looking again whenever the loop has done something."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


class FakeServer:
    """What one MCP server offers and how it behaves.

    Attributes:
        handlers: Method -> function of (transport, message) that gives the result; raise to answer with an error.
        held: Methods whose requests are left unanswered until the test calls `FakeTransport.reply`.
        start_error: Raised when a transport starts.
        gate: Transports start only while this is set.
        transports: Every connection so far, oldest first.
    """

    def __init__(self, name: str, *tools: str, **lists: Sequence[Json]) -> None:
        self.name = name
        self.tools: list[Json] = [tool(text) for text in tools]
        self.prompts = list(lists.get("prompts", ()))
        self.resources = list(lists.get("resources", ()))
        self.templates = list(lists.get("templates", ()))
        self.capabilities: Json = {"tools": {}, "logging": {}}
        if self.prompts:
            self.capabilities["prompts"] = {}
        if self.resources or self.templates:
            self.capabilities["resources"] = {"subscribe": True}
        self.instructions = ""
        self.handlers: dict[str, Callable[[FakeTransport, Json], Any]] = {}
        self.held: set[str] = set()
        self.start_error: GatewayError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.transports: list[FakeTransport] = []

    @property
    def entry(self) -> CatalogServer:
        """A catalog entry for it."""
        return CatalogServer(name=self.name, type="server", image=f"test/{self.name}")

    @property
    def live(self) -> list[FakeTransport]:
        """Connections that are up."""
        return [transport for transport in self.transports if transport.up]

    @property
    def last(self) -> FakeTransport:
        """The newest connection, which may have been tried only to find out which era of MCP the server speaks."""
        return self.transports[-1]

    @property
    def working(self) -> FakeTransport:
        """The newest connection that is up."""
        return self.live[-1]

    def answer_to(self, transport: FakeTransport, message: Json) -> Any:
        """The result of a request."""
        method = message["method"]
        if method in self.handlers:
            return self.handlers[method](transport, message)
        if method == "initialize":
            return {
                "protocolVersion": "2025-11-25",
                "capabilities": self.capabilities,
                "serverInfo": {"name": self.name, "version": "1"},
                "instructions": self.instructions,
            }
        if method == "tools/list":
            return {"tools": self.tools}
        if method == "prompts/list":
            return {"prompts": self.prompts}
        if method == "resources/list":
            return {"resources": self.resources}
        if method == "resources/templates/list":
            return {"resourceTemplates": self.templates}
        if method == "tools/call":
            text = f"{self.name}:{message['params']['name']}"
            return {"content": [{"type": "text", "text": text}], "isError": False}
        return {}


class Refusal(Exception):
    """Raised by a handler of a `FakeServer` to answer with an error of this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def modern(server: FakeServer, *, alone: bool = True, **more: Any) -> FakeServer:
    """The same server speaking 2026-07-28; ``alone``: and nothing older. ``more`` goes into what it says of itself."""

    def discover(*_: Any) -> Json:
        return {
            "resultType": "complete",
            "supportedVersions": ["2026-07-28"],
            "capabilities": server.capabilities,
            "instructions": server.instructions,
            "ttlMs": 0,
            "cacheScope": "private",
            **more,
        }

    def initialize(*_: Any) -> Any:
        raise Refusal(-32022, "Unsupported protocol version")

    server.handlers["server/discover"] = discover
    server.held.add("subscriptions/listen")
    if alone:
        server.handlers["initialize"] = initialize
    return server


def holding(name: str, *tools: str, **lists: Any) -> FakeServer:
    """A server whose calls the test answers."""
    server = FakeServer(name, *tools, **lists)
    server.held.add("tools/call")
    return server


class FakeTransport:
    """One connection to a `FakeServer`.

    Attributes:
        got: Every message the server received, in order.
        up: Whether it is started and neither closed nor broken.
    """

    def __init__(self, server: FakeServer, log: StderrLog) -> None:
        self.server = server
        self.log = log
        self.got: list[Json] = []
        self.raw: list[bytes] = []
        self.up = False
        self.closed = False
        self.version = ""
        self._receiver: MessageReceiver | None = None

    async def start(self, receiver: MessageReceiver) -> None:
        await self.server.gate.wait()
        if self.server.start_error is not None:
            raise self.server.start_error
        self._receiver = receiver
        self.up = True

    def negotiated(self, protocol_version: str) -> None:
        self.version = protocol_version

    def send(self, message: bytes, call: int | None) -> None:
        self.raw.append(message)
        decoded = json.loads(message)
        self.got.append(decoded)
        if "method" in decoded and "id" in decoded and decoded["method"] not in self.server.held:
            asyncio.get_running_loop().call_soon(self._answer, decoded)

    async def drain(self) -> None:
        """Nothing congests."""

    async def close(self) -> None:
        self.up, self.closed = False, True

    def last_words(self) -> str:
        return self.log.last()

    # What a test makes the server do.

    def requests(self, method: str) -> list[Json]:
        """The requests or notifications of this method so far."""
        return [message for message in self.got if message.get("method") == method]

    def answers(self) -> list[Json]:
        """The answers to the server's own requests so far."""
        return [message for message in self.got if "method" not in message]

    async def wait_for(self, method: str, count: int = 1) -> Json:
        """Wait for the ``count``-th message of this method."""
        await eventually(lambda: len(self.requests(method)) >= count, what=method)
        return self.requests(method)[count - 1]

    async def wait_for_answer(self, id: Any) -> Json:
        """Wait for the answer to the server's own request ``id``."""
        await eventually(lambda: any(answer["id"] == id for answer in self.answers()))
        return next(answer for answer in self.answers() if answer["id"] == id)

    def say(self, data: bytes | Json, call: int | None = None) -> None:
        """Send anything to the gateway."""
        assert self._receiver is not None
        self._receiver.message(data if isinstance(data, bytes) else json.dumps(data).encode(), call)

    def reply(self, id: Any, result: Any = None) -> None:
        """Answer a request."""
        self.say({"jsonrpc": "2.0", "id": id, "result": {} if result is None else result})

    def tell(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        self.say({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": dict(params)})})

    def ask(self, id: Any, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a request of the server's own."""
        self.say({"jsonrpc": "2.0", "id": id, "method": method, "params": dict(params or {})})

    def break_off(self, reason: str = "") -> None:
        """End as a crashed process does."""
        assert self._receiver is not None
        self.up = False
        self._receiver.closed(reason or f"{self.server.name} ended with exit code 1")

    def _answer(self, message: Json) -> None:
        if not self.up:
            return
        try:
            result = self.server.answer_to(self, message)
        except Exception as error:
            told = {"code": getattr(error, "code", -32601), "message": str(error)}
            self.say({"jsonrpc": "2.0", "id": message["id"], "error": told})
        else:
            self.reply(message["id"], result)


class FakeLauncher:
    """Gives each catalog entry the transport of the fake server of its name.

    Attributes:
        image_ids: Content ids of the servers' images.
    """

    def __init__(self, *servers: FakeServer) -> None:
        self.servers = {server.name: server for server in servers}
        self.image_ids: dict[str, str] = {}

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> FakeTransport:
        fake = self.servers[server.name]
        made = FakeTransport(fake, log)
        fake.transports.append(made)
        return made

    def reveals_secrets(self, server: CatalogServer) -> bool:
        return False

    def image_id(self, server: CatalogServer) -> str:
        return self.image_ids.get(server.name, "")

    async def current_image_id(self, server: CatalogServer) -> str:
        return self.image_id(server)

    def configuration(self, *enabled: str, **more: Any) -> Configuration:
        """A configuration in which these (by default all) are enabled."""
        entries = {name: fake.entry for name, fake in self.servers.items()}
        return Configuration(enabled=tuple(sorted(enabled or entries)), servers=entries, **more)


def fleet_of(launcher: FakeLauncher, cache: ListingCache, *, timing: Timing | None = None, **more: Any) -> Fleet:
    """A fleet over fake servers."""
    return Fleet(launcher=launcher, cache=cache, timing=timing or Timing(), clean=lambda text: text, **more)
