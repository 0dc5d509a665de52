"""What goes on to the servers: tool calls, prompts, resources and completions, each under the name its server knows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.additions import server_of, servers_of
from desktop.gateway.call_work import CallWork
from desktop.gateway.envelope import RefusedError, without_answers
from desktop.gateway.log_levels import LogLevels
from desktop.gateway.naming import Route
from desktop.gateway.offers import Offers
from desktop.gateway.open_calls import OpenCalls
from desktop.gateway.session import Call, CallLog, Session
from desktop.jsonrpc import Envelope
from desktop.servers.fleet import Fleet
from desktop.servers.managed_server import ManagedServer
from desktop.servers.upstream import Upstream

__all__ = ["Forwarding"]


class _Name(msgspec.Struct):
    name: str


class _Uri(msgspec.Struct):
    uri: str


class _Reference(msgspec.Struct):
    type: str = ""
    name: str = ""
    uri: str = ""


class _Completion(msgspec.Struct):
    ref: _Reference


_name = msgspec.json.Decoder(_Name)
_uri = msgspec.json.Decoder(_Uri)
_completion = msgspec.json.Decoder(_Completion)


class Forwarding:
    """Brings requests to servers.

    Args:
        fleet: The servers.
        offers: Which names mean what.
        work: Does what can't be done at once.
        open_calls: Is told which calls wait for the start of a server.
        levels: Tells servers the log level.
        settled: Waits so many seconds for first listings of a session's servers.
        dispatch: Takes a request from the beginning, with everything that stands around it.
        call_log: Takes what becomes of tool calls.
    """

    def __init__(
        self,
        fleet: Fleet,
        offers: Offers,
        *,
        work: CallWork,
        open_calls: OpenCalls,
        levels: LogLevels,
        settled: Callable[[float, Session], Awaitable[bool]],
        dispatch: Callable[[Call, Envelope], None],
        call_log: CallLog | None,
    ) -> None:
        self._fleet = fleet
        self._offers = offers
        self._work = work
        self._open_calls = open_calls
        self._levels = levels
        self._settled = settled
        self._dispatch = dispatch
        self._call_log = call_log

    def call_tool(self, call: Call, message: Envelope) -> None:
        """A call of a server's tool, or of one of ours."""
        name = _name.decode(message.params).name
        route = self._offers.of(call.session).tool_routes.get(name)
        if route is None and not self._offers.own_of(call.session).has_tool(name):
            self._unknown(call, message, "tool", name)
            return
        call.subject = name
        if self._call_log is not None:
            self._call_log.begun(call, message)
            call.on_finish = self._call_log.ended
        if route is None:
            self._work.later(call, self._offers.own.answer(call, name, message.params))
            return
        self._forward_named(call, message, route, name)

    def get_prompt(self, call: Call, message: Envelope) -> None:
        """A prompt of a server's, or of ours."""
        name = _name.decode(message.params).name
        route = self._offers.of(call.session).prompt_routes.get(name)
        if route is None and (own := self._offers.own_of(call.session).prompt(name)) is not None:
            call.result(own)
            return
        if route is None:
            self._unknown(call, message, "prompt", name)
            return
        self._forward_named(call, message, route, name)

    def _forward_named(self, call: Call, message: Envelope, route: Route, name: str) -> None:
        if route.name != name:
            params = jsonrpc.fields(message.params)
            params["name"] = Raw(jsonrpc.encode(route.name))
            message.params = Raw(jsonrpc.encode(params))
        self._forward(call, message, route.server)

    def read_resource(self, call: Call, message: Envelope) -> None:
        """A resource of a server's."""
        self.forward_uri(call, message)

    def forward_uri(self, call: Call, message: Envelope) -> Route | None:
        """Forward what names a resource; returns whose it is, None when it has been answered or waits for first listings."""
        uri = _uri.decode(message.params).uri
        route = self.resource_route(call.session, uri)
        if route is None:
            if not self._waits_for_listing(call, message):
                call.error(jsonrpc.RESOURCE_NOT_FOUND, f"No server offers the resource {uri}", {"uri": uri})
            return None
        if route.name != uri:
            params = jsonrpc.fields(message.params)
            params["uri"] = Raw(jsonrpc.encode(route.name))
            message.params = Raw(jsonrpc.encode(params))
        self._forward(call, message, route.server)
        return route

    def resource_route(self, session: Session, uri: str) -> Route | None:
        """Whose a resource is."""
        return self._offers.of(session).resource_route(uri) or self._only_server_with_resources(session, uri)

    def _only_server_with_resources(self, session: Session, uri: str) -> Route | None:
        """A URI no list has (a link in a result) belongs to the one server that offers resources, if it is one."""
        offering = [
            server.name
            for server in servers_of(session.additions, self._fleet.servers)
            if server.listing is not None and "resources" in jsonrpc.fields(server.listing.capabilities)
        ]
        return Route(offering[0], uri) if len(offering) == 1 else None

    def complete(self, call: Call, message: Envelope) -> None:
        """A completion for an argument of a prompt or of a resource template."""
        reference = _completion.decode(message.params).ref
        if reference.type == "ref/prompt":
            route = self._offers.of(call.session).prompt_routes.get(reference.name)
            key, exposed = "name", reference.name
        else:
            offer = self._offers.of(call.session)
            route = offer.template_names.get(reference.uri) or offer.resource_route(reference.uri)
            key, exposed = "uri", reference.uri
        if route is None:
            self._unknown(call, message, "prompt or resource", exposed)
            return
        if route.name != exposed:
            params = jsonrpc.fields(message.params)
            members = jsonrpc.fields(params["ref"])
            members[key] = Raw(jsonrpc.encode(route.name))
            params["ref"] = Raw(jsonrpc.encode(members))
            message.params = Raw(jsonrpc.encode(params))
        self._forward(call, message, route.server)

    # To the server.

    def _forward(self, call: Call, message: Envelope, name: str) -> None:
        server = server_of(call.session.additions, name, self._fleet.servers)
        if server is None:
            call.error(jsonrpc.INVALID_PARAMS, f"The server {name} is turned off")
            return
        server.last_used = time.time()
        upstream = server.ready(call.session)
        if upstream is not None:
            self._send(call, message, upstream)
        else:
            self._work.later(call, self._forward_when_started(call, message, server))

    async def _forward_when_started(self, call: Call, message: Envelope, server: ManagedServer) -> None:
        self._open_calls.waits(call, message, server.name)
        upstream = await server.acquire(call.session)
        call.task = None
        if call.session.has(call):
            self._send(call, message, upstream)
            self._open_calls.forwarded(call)

    def _send(self, call: Call, message: Envelope, upstream: Upstream) -> None:
        if call.session.level and upstream.level != call.session.level:
            self._levels.apply(upstream, call.session)
        if call.session.modern and not upstream.modern:
            try:
                message.params = without_answers(message.params)
            except RefusedError as error:
                call.error(error.code, error.text)
                return
        call.upstream = upstream
        call.number = upstream.forward(message, call)

    # Names that mean nothing.

    def _unknown(self, call: Call, message: Envelope, what: str, name: str) -> None:
        ambiguous = (
            self._offers.of(call.session).ambiguous
            if what == "tool"
            else self._offers.of(call.session).ambiguous_prompts
        )
        choice = ambiguous.get(name, ())
        if choice:
            why = (
                f"The {what} {name} has another name here"
                if len(choice) == 1
                else f"Several servers have a {what} {name}"
            )
            call.error(jsonrpc.INVALID_PARAMS, f"{why}; use {' or '.join(choice)}")
        elif not self._waits_for_listing(call, message):
            call.error(jsonrpc.INVALID_PARAMS, f"Unknown {what}: {name}")

    def _waits_for_listing(self, call: Call, message: Envelope) -> bool:
        """While a server is being listed for the first time, a name may only be unknown yet: look again afterwards, once."""
        if call.waited or self._all_settled(call.session):
            return False
        call.waited = True
        self._work.later(call, self._again_when_settled(call, message))
        return True

    async def _again_when_settled(self, call: Call, message: Envelope) -> None:
        await self._settled(self._fleet.patience, call.session)
        if call.session.has(call):
            self._dispatch(call, message)

    async def server_of_tool(self, session: Session, name: str) -> str:
        """The server a tool leads to, empty for ours and unknown ones; waits for first listings."""
        route = self._offers.of(session).tool_routes.get(name)
        if route is None and not self._offers.own_of(session).has_tool(name) and not self._all_settled(session):
            await self._settled(self._fleet.patience, session)
            route = self._offers.of(session).tool_routes.get(name)
        return route.server if route is not None else ""

    def _all_settled(self, session: Session) -> bool:
        return all(server.settled for server in servers_of(session.additions, self._fleet.servers))
