"""Tools with which a model finds servers in the catalogs and adds them to its session, as the person allows (spec 3.7).

Unlike the reference, a change is seen by the session that made it alone, and what concerns the person is asked of the person.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.config_schema import complaints
from desktop.catalog.model import CatalogServer
from desktop.catalog.ranking import nearest
from desktop.catalog.search import CatalogSearch
from desktop.errors import GatewayError, MissingSettingError, ServerStartError
from desktop.gateway import dynamic_definitions as definitions
from desktop.gateway.additions import Additions
from desktop.gateway.offer import renamed
from desktop.gateway.own_tools import OwnPrompt, OwnTool, OwnTools, text_result
from desktop.gateway.session import Call, Session
from desktop.policy.questions import Questions
from desktop.servers.fleet import Fleet
from desktop.servers.holds import Hold
from desktop.servers.stakes import stakes

if TYPE_CHECKING:
    from desktop.gateway.gateway import Gateway

__all__ = ["DynamicTools"]

_MOST_FOUND: Final = 50
PROGRESS_EVERY: Final = 5.0
_NO_ARGUMENTS: Final = Raw(b"{}")


class _Find(msgspec.Struct):
    query: str
    limit: int = 10


class _Add(msgspec.Struct):
    name: str
    activate: bool = True


class _Remove(msgspec.Struct):
    name: str


class _ConfigSet(msgspec.Struct):
    server: str
    config: dict[str, Any]


class _Exec(msgspec.Struct):
    name: str
    arguments: Raw = _NO_ARGUMENTS


class DynamicTools:
    """The tools' work.

    Args:
        gateway: Offers them, and calls tools for ``mcp-exec``.
        fleet: Runs the servers.
        search: The index over the catalogs.
        questions: Where the person is asked.
        check: Raises `MissingSettingError` for a server whose secrets or values are not all set.

    Attributes:
        own: What the gateway is to offer.
    """

    def __init__(
        self,
        gateway: Gateway,
        fleet: Fleet,
        *,
        search: CatalogSearch,
        questions: Questions,
        check: Callable[[CatalogServer, Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        self._gateway = gateway
        self._fleet = fleet
        self._search = search
        self._questions = questions
        self._check = check
        self._changing: dict[str, asyncio.Lock] = {}
        self.own = OwnTools(
            (
                OwnTool(definitions.FIND, _Find, self._find),
                OwnTool(definitions.ADD, _Add, self._add),
                OwnTool(definitions.REMOVE, _Remove, self._remove),
                OwnTool(definitions.CONFIG_SET, _ConfigSet, self._config_set),
                OwnTool(definitions.EXEC, _Exec, self._exec),
            ),
            (OwnPrompt(definitions.DISCOVER, definitions.DISCOVER_RESULT),),
        )

    # Looking.

    async def _find(self, call: Call, arguments: _Find, meta: Raw) -> bytes:
        index = await self._search.index(self._fleet.configuration.servers)
        found = index.find(arguments.query)
        taken = self._gateway.offer_to(call.session).tool_routes
        shown = [_told(server, taken) for server in found[: max(1, min(arguments.limit, _MOST_FOUND))]]
        answer = {"prompt": arguments.query, "total_matches": len(found), "servers": shown}
        return text_result(jsonrpc.encode(answer).decode())

    async def _entry(self, name: str) -> CatalogServer:
        """The catalog's server of this name; raises `GatewayError` that names those it may mean."""
        servers = self._fleet.configuration.servers
        if name in servers:
            return servers[name]
        meant = (await self._search.index(servers)).suggest(name)
        hint = f"Did you mean {' or '.join(meant)}?" if meant else "Look for one with mcp-find"
        raise GatewayError(f"No catalog has a server called {name}", hint)

    # Changing the session's servers.

    async def _add(self, call: Call, arguments: _Add, meta: Raw) -> bytes:
        session = call.session
        server = await self._entry(arguments.name)
        name = server.name
        async with self._lock(session), _signs_of_life(call, meta):
            additions = _additions(session)
            chosen = additions.values.get(name)
            is_on = name in self._fleet.servers and chosen is None
            if name not in additions.holds and not is_on:
                additions.holds[name] = await self._started(session, server, chosen)
            additions.left_out.discard(name)
            (additions.hidden.discard if arguments.activate or is_on else additions.hidden.add)(name)
            self._gateway.session_changed(session)
        return text_result(jsonrpc.encode(self._added(session, name, is_listed=name not in additions.hidden)).decode())

    async def _started(self, session: Session, server: CatalogServer, chosen: Mapping[str, Any] | None) -> Hold:
        """The server, held for the session and listed; raises `GatewayError` when something is in the way."""
        if self._fleet.paused:
            raise ServerStartError("All servers are paused", "The person can resume them in the tray")
        values = chosen if chosen is not None else self._fleet.configuration.values_of(server)
        faults = await asyncio.to_thread(complaints, server, values)
        if faults:
            schema = jsonrpc.encode(server.config).decode()
            raise MissingSettingError(
                f"{server.name} is not set up: {'; '.join(faults)}",
                f"Call mcp-config-set with server {server.name} and a config that follows this schema: {schema}",
            )
        await self._check(server, values)
        await self._ask(session, server, values, chosen)
        hold = self._fleet.hold(server, values, session)
        try:
            if hold.managed is not None:
                await hold.managed.ensure_listed()
            if session.closed or hold.managed is None or hold.managed.listing is None:
                failed = hold.managed.failure if hold.managed is not None else None
                raise failed or ServerStartError(f"{server.name} was stopped while it was starting")
        except BaseException:
            self._fleet.holds.leave(hold, session.id)
            raise
        return hold

    async def _ask(
        self, session: Session, server: CatalogServer, values: Mapping[str, Any], chosen: Mapping[str, Any] | None
    ) -> None:
        """Get the person's consent to what the server would do, where it would do anything new."""
        trusted = tuple(running.server for running in self._fleet.servers.values())
        matters = await asyncio.to_thread(stakes, server, values, chosen or {}, trusted)
        if matters:
            await self._questions.ask(
                "add-server",
                server=server.name,
                title=server.title or server.name,
                asker=session.client,
                matters=matters,
                instead=f"The person can turn it on: docker-mcp server enable {server.name}",
            )

    def _added(self, session: Session, name: str, *, is_listed: bool) -> dict[str, Any]:
        """What ``mcp-add`` answers: the tools by the names to call them by, with their schemas."""
        assert session.additions is not None
        server = session.additions.server(name, self._fleet.servers)
        listing = server.listing_for(session.abilities) if server is not None else None
        offer = self._gateway.offer_to(session)
        exposed = {route.name: known for known, route in offer.tool_routes.items() if route.server == name}
        tools: list[Raw] = []
        entries = listing.tools if listing is not None else []
        for entry in entries:
            original = str(jsonrpc.decode(jsonrpc.fields(entry)["name"]))
            if original in exposed:
                tools.append(renamed(entry, "name", original, exposed.pop(original)))
        answer: dict[str, Any] = {"server": name, "added": len(tools), "tools": tools}
        if not is_listed:
            answer["note"] = "These tools are not listed: call them with mcp-exec"
        if len(tools) < len(entries):
            answer["not_offered"] = f"{len(entries) - len(tools)} of its tools are turned off by the person"
        return answer

    async def _remove(self, call: Call, arguments: _Remove, meta: Raw) -> bytes:
        session, name = call.session, arguments.name
        async with self._lock(session):
            additions = _additions(session)
            hold = additions.holds.pop(name, None)
            is_on = name in self._fleet.servers and name not in additions.left_out
            if hold is None and not is_on:
                known = sorted({server.name for server in additions.servers(self._fleet.servers)})
                raise GatewayError(f"{name} is not in this session", f"There are: {', '.join(known) or 'none'}")
            if is_on:
                additions.left_out.add(name)
            additions.hidden.discard(name)
            self._gateway.session_changed(session)
            if hold is not None:
                self._fleet.holds.leave(hold, session.id)
        return text_result(f"{name} and its tools are removed from this session")

    async def _config_set(self, call: Call, arguments: _ConfigSet, meta: Raw) -> bytes:
        session, values = call.session, arguments.config
        server = await self._entry(arguments.server)
        name = server.name
        if not server.config:
            raise GatewayError(f"{name} has no settings", "Add it with mcp-add")
        faults = await asyncio.to_thread(complaints, server, values)
        if faults:
            schema = jsonrpc.encode(server.config).decode()
            raise GatewayError(f"The settings are not right: {'; '.join(faults)}", f"The schema is: {schema}")
        async with self._lock(session), _signs_of_life(call, meta):
            additions = _additions(session)
            before = additions.holds.get(name)
            if before is not None or name in additions.servers_on(self._fleet.servers):
                additions.holds[name] = await self._started(session, server, values)
                if before is not None and before is not additions.holds[name]:
                    self._fleet.holds.leave(before, session.id)
            additions.values[name] = values
            self._gateway.session_changed(session)
        settings = ", ".join(sorted(values)) or "none"
        then = "it runs with them now" if name in additions.holds else "add it with mcp-add"
        return text_result(f"{name} has these settings for this session: {settings}; {then}")

    # Calling.

    async def _exec(self, call: Call, arguments: _Exec, meta: Raw) -> None:
        name = arguments.name
        offer = self._gateway.offer_to(call.session)
        if self.own.has_tool(name):
            raise GatewayError(f"{name} can't be called through mcp-exec", "Call it directly")
        if name not in offer.tool_routes:
            meant = list(offer.ambiguous.get(name, ())) or nearest(name, offer.tool_routes)
            hint = f"Did you mean {' or '.join(meant)}?" if meant else "Look for a server with mcp-find"
            raise GatewayError(f"There is no tool {name} in this session", hint)
        self._gateway.hand_on(call, name, _object(arguments.arguments), meta)

    def _lock(self, session: Session) -> asyncio.Lock:
        """One change of a session at a time."""
        for gone in [known for known in self._changing if known not in self._gateway.sessions]:
            del self._changing[gone]
        return self._changing.setdefault(session.id, asyncio.Lock())


def _additions(session: Session) -> Additions:
    if session.additions is None:
        session.additions = Additions()
    return session.additions


@contextlib.asynccontextmanager
async def _signs_of_life(call: Call, meta: Raw) -> AsyncIterator[None]:
    """Send progress now and then, where the client has asked for it, so that it waits for the person and for an image."""
    token = jsonrpc.fields(meta).get("progressToken") if meta else None
    telling = asyncio.create_task(_tell_progress(call, token)) if token is not None else None
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()


async def _tell_progress(call: Call, token: Raw) -> None:
    for step in itertools.count(1):
        await asyncio.sleep(PROGRESS_EVERY)
        params = {
            "progressToken": token,
            "progress": step,
            "message": "Waiting for the person, or for the server to start",
        }
        call.send(jsonrpc.notification("notifications/progress", jsonrpc.encode(params)))


def _told(server: CatalogServer, taken: Mapping[str, Any]) -> dict[str, Any]:
    """One server as ``mcp-find`` tells it."""
    told: dict[str, Any] = {"name": server.name}
    if server.description:
        told["description"] = server.description.strip()
    if server.secrets:
        told["required_secrets"] = [secret.name for secret in server.secrets]
    if server.config:
        told["config_schema"] = server.config
    told["long_lived"] = server.longLived
    clashes = [tool.name for tool in server.tools if tool.name in taken and taken[tool.name].server != server.name]
    if clashes:
        told["tool_name_warnings"] = [f"{name} is the name of a tool of {taken[name].server} too" for name in clashes]
    return told


def _object(arguments: Raw) -> Raw:
    """Arguments given as an object or as its JSON text."""
    try:
        given = jsonrpc.decode(arguments) if bytes(arguments)[:1] == b'"' else None
        found = Raw(given.strip().encode() or b"{}") if isinstance(given, str) else arguments
        jsonrpc.fields(found)
    except (jsonrpc.MalformedMessageError, msgspec.MsgspecError, ValueError) as error:
        raise GatewayError("The arguments are neither an object nor the JSON text of one") from error
    return found
