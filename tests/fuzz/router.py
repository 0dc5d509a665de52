"""Random traffic of many sessions and servers through the gateway, both ways, every payload marked as whose it is."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from pathlib import Path
from typing import Any

from desktop import jsonrpc
from desktop.gateway.call_guard import CallGuard, SecretScreen
from desktop.gateway.gateway import Gateway
from desktop.gateway.session import Session
from desktop.jsonrpc import MalformedMessageError
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import SecretScanner
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.upstream import Upstream
from tests.fuzz.material import Json, Material
from tests.fuzz.watching import Watch
from tests.helpers.fake_mcp import FakeLauncher, FakeServer, FakeTransport, fleet_of

__all__ = ["Router", "mark_of", "marks_in"]

_ABILITIES = ({}, {"sampling": {}}, {"elicitation": {}, "roots": {}}, {"sampling": {}, "elicitation": {}, "roots": {}})
_SETTLE = 3.0
_MARK = re.compile(r"(<(c\d+):[0-9a-f]{8}>)")


class _Server(FakeServer):
    """Leaves calls open until the fuzzer says what becomes of them."""

    def __init__(self, name: str, material: Material) -> None:
        resources = [{"uri": f"test://{name}", "name": name}, {"uri": "test://shared", "name": "shared"}]
        templates = [{"uriTemplate": "item://" + name + "/{id}", "name": "item"}]
        super().__init__(name, "t", name, prompts=[{"name": "p"}], resources=resources, templates=templates)
        self.capabilities = {key: {"listChanged": True} for key in ("tools", "prompts")} | {
            "resources": {"subscribe": True}, "logging": {}, "completions": {},
        }  # fmt: skip
        self.held = {"tools/call", "prompts/get", "resources/read", "completion/complete"}
        self.material = material

    def open_calls(self, transport: FakeTransport) -> list[Json]:
        """Requests that wait for an answer, which their client has not cancelled."""
        cancelled = [message["params"].get("requestId") for message in transport.requests("notifications/cancelled")]
        return [message for message in _open(transport) if message["id"] not in cancelled]


class _Request:
    """One request of a client; takes everything that comes for it."""

    def __init__(self, client: _Client, id: Any, data: bytes) -> None:
        self.client = client
        self.id = id
        self.data = data
        self.ends = 0

    def send(self, message: bytes) -> None:
        self.client.got(message)

    def finish(self, message: bytes) -> None:
        self.client.got(message)
        self._ended()
        answer = json.loads(message)
        if answer.get("id") != self.id and not (answer.get("id") is None and self.id is None):
            self.client.watch.found("an answer has another id than its request", f"{self.id!r}: {answer.get('id')!r}")

    def abandon(self) -> None:
        self._ended()

    def _ended(self) -> None:
        self.ends += 1
        if self.ends > 1:
            self.client.watch.found("a request was answered twice", repr(self.data[:400]))


class _Client:
    """A session that keeps no rules."""

    def __init__(self, name: str, gateway: Gateway, watch: Watch, material: Material) -> None:
        self.mark = mark_of(name)
        self.gateway = gateway
        self.watch = watch
        self.material = material
        self.session: Session = gateway.open_session("stdio")
        self.session.attach(self)
        self.requests: list[_Request] = []
        self.asked: list[Json] = []

    # Channel.

    def send(self, message: bytes) -> None:
        self.got(message)

    def abandon(self) -> None:
        """The session has ended."""

    def got(self, message: bytes) -> None:
        """Look at whatever came."""
        try:
            found = json.loads(message)
        except ValueError:
            self.watch.found("a client got something that is not JSON", repr(message[:300]))
            return
        for mark in marks_in(message):
            if mark != self.mark:
                self.watch.found("a message reached another session", f"{self.mark}: {message[:500]!r}")
        if "method" in found and "id" in found:
            self.asked.append(found)

    # What it does.

    def take(self, data: bytes) -> None:
        """Send bytes as a transport does."""
        self.watch.done["messages of clients"] += 1
        try:
            message = jsonrpc.parse(data)
        except MalformedMessageError:
            return
        request = _Request(self, message.id, data)
        if message.method is not None and message.id is not None:
            self.requests.append(request)
        try:
            self.gateway.take(self.session, message, request)
        except Exception as error:
            self.watch.caught("a client's message", error)
            request.ends += 1

    def say(self, value: Json) -> None:
        self.take(self.material.wire(value))

    def act(self) -> None:
        """Do something."""
        material = self.material
        kind = material.random.randrange(20)
        if kind < 6:
            self.call(material.random.choice(("t", "a__t", "b__t", "a", "b", "c", "nosuch", material.text())))
        elif kind == 6:
            self.say(
                {
                    "jsonrpc": "2.0",
                    "id": material.id(),
                    "method": "prompts/get",
                    "params": {"name": "a__p", "arguments": {"m": self.mark}},
                }
            )
        elif kind == 7:
            uri = material.random.choice(
                (
                    "test://a",
                    "test://b",
                    "test://shared",
                    "b+test://shared",
                    "item://a/1",
                    "item://b/x",
                    material.text(),
                )
            )
            method = material.random.choice(("resources/read", "resources/subscribe", "resources/unsubscribe"))
            self.say(
                {"jsonrpc": "2.0", "id": material.id(), "method": method, "params": {"uri": uri, "mark": self.mark}}
            )
        elif kind in (8, 9):
            ids = [request.id for request in self.requests[-8:]] or [1]
            id = material.random.choice(ids) if material.chance(0.8) else material.id()
            self.say(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/cancelled",
                    "params": {"requestId": id, "reason": self.mark},
                }
            )
        elif kind in (10, 11, 12):
            self.answer()
        elif kind == 13:
            token = material.random.choice([question["id"] for question in self.asked[-4:]] or ["gw-1"])
            self.say(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/progress",
                    "params": {"progressToken": token, "progress": 1},
                }
            )
        elif kind == 14:
            self.say({"jsonrpc": "2.0", "id": material.id(), "method": material.method(), "params": material.value()})
        elif kind == 15:
            self.say(material.message())
        elif kind == 16:
            self.take(material.damaged(material.wire(self.tool_call("t", material.id()))))
        elif kind == 17:
            deep = material.deep()
            method = material.wire(material.method())
            self.take(
                b'{"jsonrpc":"2.0","id":%d,"method":%b,"params":%b}' % (material.random.randrange(9), method, deep)
            )
        elif kind == 18:
            self.say(
                {
                    "jsonrpc": "2.0",
                    "id": material.id(),
                    "method": "logging/setLevel",
                    "params": {"level": material.random.choice(("debug", "error", "loud", 5))},
                }
            )
        else:
            self.say(material.changed(self.tool_call("t", material.id()), 0.6))

    def tool_call(self, name: str, id: Any) -> Json:
        params: Json = {"name": name, "arguments": {"mark": self.mark, "junk": self.material.value(2)}}
        if self.material.chance(0.5):
            params["_meta"] = {"progressToken": self.material.id()}
        return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}

    def call(self, name: str) -> None:
        self.say(self.tool_call(name, self.material.id()))

    def answer(self) -> None:
        """Answer a question of a server, or what looks like one."""
        id = self.asked.pop(0)["id"] if self.asked and self.material.chance(0.8) else self.material.id()
        if self.material.chance(0.8):
            self.say({"jsonrpc": "2.0", "id": id, "result": {"mark": self.mark}})
        else:
            self.say({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": self.mark}})

    def greet(self) -> None:
        """Shake hands, more or less."""
        params = {
            "protocolVersion": "2025-11-25",
            "capabilities": self.material.random.choice(_ABILITIES),
            "clientInfo": {"name": self.mark},
        }
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        self.say(self.material.changed(hello) if self.material.chance(0.1) else hello)
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})


def mark_of(name: str) -> str:
    """A text that tells whose something is, and does not become another's by damage."""
    return f"<{name}:{zlib.crc32(name.encode()):08x}>"


def marks_in(message: bytes) -> set[str]:
    text = message.decode("utf-8", "replace").replace("\\u003c", "<").replace("\\u003e", ">")
    return {mark for mark, name in _MARK.findall(text) if mark == mark_of(name)}


class Router:
    """Episodes of random traffic.

    Args:
        watch: Told what is found.
        folder: For what gateways keep on disk.
    """

    def __init__(self, watch: Watch, folder: Path) -> None:
        self.watch = watch
        self._folder = folder

    async def episode(self, seed: int) -> None:
        """One gateway from its start to its end; everything in it follows from the seed."""
        self.watch.seed = f"router {seed}"
        self.watch.done["episodes"] += 1
        await self._episode(Material(seed), self._folder / str(seed))

    async def _episode(self, material: Material, folder: Path) -> None:
        servers = [_Server(name, material) for name in "abc"[: material.random.randrange(1, 4)]]
        timing = Timing(start=2, listing=2, longest_pause=0.05)
        fleet = fleet_of(FakeLauncher(*servers), ListingCache(folder), timing=timing, long_lived=material.chance(0.3))
        guard = None
        if material.chance(0.4):
            guard = CallGuard(screen=SecretScreen(SecretScanner(Redactor()), redact=material.chance(0.5)))
        gateway = Gateway(fleet, guard=guard)
        await fleet.apply(FakeLauncher(*servers).configuration())
        if material.chance(0.8):
            await gateway.settled(2)
        clients: list[_Client] = []
        everyone: list[_Client] = []
        for step in range(material.random.randrange(20, 160)):
            if len(clients) < 2 or (len(clients) < 6 and material.chance(0.05)):
                clients.append(_Client(f"c{len(everyone)}", gateway, self.watch, material))
                everyone.append(clients[-1])
                self.watch.done["sessions"] += 1
                clients[-1].greet()
            if material.chance(0.55):
                material.random.choice(clients).act()
            else:
                self._server_acts(material.random.choice(servers), material)
            if material.chance(0.02):
                await gateway.end_session(clients.pop(material.random.randrange(len(clients))).session)
            if material.chance(0.4):
                await asyncio.sleep(0)
            if step % 50 == 49:
                await asyncio.sleep(0.002)
        await self._finish(gateway, servers, clients, everyone)
        await fleet.close()

    def _server_acts(self, server: _Server, material: Material) -> None:
        transports = server.live
        if not transports:
            return
        self.watch.done["messages of servers"] += 1
        transport = material.random.choice(transports)
        waiting = server.open_calls(transport)
        call = material.random.choice(waiting) if waiting else None
        params = call["params"] if call is not None and isinstance(call.get("params"), dict) else {}
        mark = _mark_in(params)
        kind = material.random.randrange(16)
        try:
            if call is not None and kind < 5:
                call["done"] = True
                transport.reply(call["id"], {"content": [{"type": "text", "text": mark}]})
                if material.chance(0.1):
                    transport.reply(call["id"], {"again": mark})
            elif call is not None and kind == 5:
                call["done"] = True
                transport.say(
                    {"jsonrpc": "2.0", "id": call["id"], "error": material.changed({"code": -1, "message": mark})}
                )
            elif call is not None and kind in (6, 7):
                token = params.get("_meta", {}).get("progressToken") if isinstance(params.get("_meta"), dict) else None
                transport.tell("notifications/progress", {"progressToken": token, "progress": 1, "message": mark})
            elif call is not None and kind == 8 and len(waiting) == 1:
                asked = material.random.choice(("sampling/createMessage", "elicitation/create", "roots/list"))
                transport.ask(material.id(), asked, {"mark": mark, "_meta": {"progressToken": material.id()}})
            elif kind == 9:
                transport.tell("notifications/progress", {"progressToken": material.id(), "progress": material.value()})
            elif kind == 10:
                transport.tell(
                    material.random.choice(("notifications/tools/list_changed", "notifications/resources/list_changed"))
                )
            elif kind == 11:
                transport.tell(
                    "notifications/resources/updated",
                    {"uri": material.random.choice(("test://a", "test://shared", "?"))},
                )
            elif kind == 12:
                transport.tell("notifications/cancelled", {"requestId": material.id()})
            elif kind == 13:
                transport.say(material.wire(_without_answers(material.message())))
            elif kind == 14:
                transport.say(
                    material.damaged(
                        material.wire({"jsonrpc": "2.0", "method": "notifications/message", "params": material.value()})
                    )
                )
            elif kind == 15 and material.chance(0.15):
                transport.break_off()
            else:
                transport.tell(
                    "notifications/message",
                    {"level": material.random.choice(("debug", "error", "x")), "data": material.value()},
                )
        except Exception as error:
            self.watch.caught("a server's message", error)

    async def _finish(
        self, gateway: Gateway, servers: list[_Server], clients: list[_Client], everyone: list[_Client]
    ) -> None:
        """Answer what is open, let all go, and look what is left."""
        for server in servers:
            server.held.clear()
            for transport in server.live:
                for call in _open(transport):
                    transport.reply(call["id"], {})
        try:
            async with asyncio.timeout(_SETTLE):
                while any(client.session.calls for client in clients):
                    await asyncio.sleep(0.001)
        except TimeoutError:
            left = {str(call.id): call.subject for client in clients for call in client.session.calls.values()}
            self.watch.found("calls stay open though their servers have answered", repr(left)[:500])
        for client in clients:
            if client.session.questions and not any(server.live for server in servers):
                self.watch.found("questions stay open though their servers are gone")
            await gateway.end_session(client.session)
        upstreams = [upstream for server in gateway._fleet.servers.values() for upstream in _upstreams(server)]
        if any(pending.sink.session for upstream in upstreams for pending in upstream._pending.values()):
            self.watch.found("a server connection still waits for answers to sessions that have gone")
        await gateway.close()
        if gateway.sessions or gateway._work.tasks:
            self.watch.found("the gateway keeps sessions or tasks after its end")
        for client in everyone:
            for request in client.requests:
                if request.ends == 0:
                    same = sum(other.id == request.id for other in client.requests)
                    self.watch.found("a request was never answered", f"{same} with this id: {request.data[:400]!r}")


def _open(transport: FakeTransport) -> list[Json]:
    kinds = ("tools/call", "prompts/get", "resources/read", "completion/complete")
    return [
        message
        for message in transport.got
        if message.get("method") in kinds and "id" in message and not message.get("done")
    ]


def _upstreams(server: Any) -> list[Upstream]:
    found = [item for item in vars(server).values() if isinstance(item, dict)]
    nested = [
        item
        for part in vars(server).values()
        if hasattr(part, "__dict__")
        for item in vars(part).values()
        if isinstance(item, dict)
    ]
    return [item for table in (*found, *nested) for item in table.values() if isinstance(item, Upstream)]


def _mark_in(params: Json) -> str:
    for place in (params.get("arguments"), params):
        if isinstance(place, dict):
            mark = place.get("mark", place.get("m"))
            if isinstance(mark, str):
                return mark
    return ""


def _without_answers(message: Json) -> Json:
    """A server's message that is no answer to a call of somebody else: an id there could be anybody's."""
    if "method" not in message:
        message["id"] = 10**9
    return message
