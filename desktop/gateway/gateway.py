"""The gateway itself: takes messages of client sessions and brings each where it belongs.

What the merged lists say is answered here at once; everything else is forwarded as the bytes it came in (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import GatewayError
from desktop.events import EventStream
from desktop.gateway.call_guard import CallGuard
from desktop.gateway.envelope import RefusedError, without_answers
from desktop.gateway.from_servers import FromServers
from desktop.gateway.identity import CAPABILITIES, SERVER_INFO
from desktop.gateway.naming import Route
from desktop.gateway.offer import Offer
from desktop.gateway.offers import Offers
from desktop.gateway.open_calls import OpenCalls
from desktop.gateway.own_tools import OwnTools
from desktop.gateway.session import LOG_LEVELS, Call, CallLog, Reply, Session
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.policy.rules import NO_POLICY, Policy
from desktop.servers.fleet import Fleet
from desktop.servers.managed_server import ManagedServer
from desktop.servers.upstream import PROTOCOL_VERSION, Upstream

__all__ = ["NAMES_METHOD", "SUPPORTED_VERSIONS", "Gateway"]

SUPPORTED_VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
NAMES_METHOD: Final = "mcp-gateway/names"
"""Of our own: which server and which tool of it a name means, ``{"tools": {name: [server, tool]}}``."""
_FIRST_LISTING: Final = 10.0
_ACTIVITY_NEWS: Final = 0.25
log = logging.getLogger(__name__)


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


class Gateway:
    """Routes between client sessions and the fleet of servers.

    Args:
        fleet: The servers.
        patterns: ``--tools``.
        call_log: Is told of tool calls, for ``--log-calls``.
        guard: Stands around calls.
        policy: The person's policy in force.

    Attributes:
        changed: An event whenever sessions, calls or the offer changed.
        sessions: The live client sessions by id.
        open_calls: The calls under way.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        patterns: tuple[str, ...] = (),
        call_log: CallLog | None = None,
        guard: CallGuard | None = None,
        policy: Callable[[], Policy] = lambda: NO_POLICY,
    ) -> None:
        self.changed: EventStream[None] = EventStream()
        self.sessions: dict[str, Session] = {}
        self.open_calls = OpenCalls(self.sessions, fleet)
        self._fleet = fleet
        self._offers = Offers(fleet, patterns, policy)
        self._own = OwnTools()
        self._call_log = call_log
        self._tasks: set[asyncio.Task[Any]] = set()
        self._rebuilding = False
        self._active = False
        fleet.attach(FromServers(self.sessions, fleet.announce, self._rebuild_soon))
        self._methods: dict[str, Callable[[Call, Envelope], None]] = {
            "tools/call": self._call_tool,
            "tools/list": lambda call, _: self._list(call, "tools"),
            "prompts/list": lambda call, _: self._list(call, "prompts"),
            "resources/list": lambda call, _: self._list(call, "resources"),
            "resources/templates/list": lambda call, _: self._list(call, "templates"),
            "prompts/get": self._get_prompt,
            "resources/read": self._read_resource,
            "resources/subscribe": self._subscribe,
            "resources/unsubscribe": self._unsubscribe,
            "completion/complete": self._complete,
            "logging/setLevel": self._set_level,
            NAMES_METHOD: lambda call, _: call.result(
                jsonrpc.encode({"tools": self._offers.of(call.session).tool_routes})
            ),
            "ping": lambda call, _: call.result(b"{}"),
            "initialize": self._initialize,
        }
        self._guard = guard
        if guard is not None:
            self._methods = guard.guarded(self._methods, self._later, self._server_of_tool, self._asked_about)

    @property
    def offer(self) -> Offer:
        """What is offered now."""
        return self._offers.current

    def offer_to(self, session: Session) -> Offer:
        """What is offered to one session now."""
        return self._offers.of(session)

    def offer_own(self, own: OwnTools) -> None:
        """Offer tools of the gateway itself as well; once, before clients come."""
        self._own = self._offers.own = own
        self._rebuild()

    # Sessions.

    def open_session(self, transport: str) -> Session:
        """Begin a client session."""
        session = Session(transport, self._activity)
        self.sessions[session.id] = session
        self.changed.publish(None)
        return session

    async def end_session(self, session: Session) -> None:
        """End a client session: its calls are cancelled, its own server connections closed."""
        if session.closed:
            return
        self.sessions.pop(session.id, None)
        for call in tuple(session.calls.values()):
            call.cancel({"reason": Raw(b'"the session has ended"')}, error="The session has ended")
        session.end()
        if self._guard is not None:
            self._guard.session_ended(session)
        for server, uri in session.subscriptions:
            self._stop_subscription(session, server, uri)
        self.changed.publish(None)
        await self._fleet.release(session)

    def _activity(self) -> None:
        """Calls begin and end by the thousand; the faces hear of it a few times a second."""
        if not self._active:
            self._active = True
            asyncio.get_running_loop().call_later(_ACTIVITY_NEWS, self._tell_activity)

    def _tell_activity(self) -> None:
        self._active = False
        if any(session.calls for session in self.sessions.values()):
            self.open_calls.watch()
        self.changed.publish(None)

    async def close(self) -> None:
        """End every session."""
        await self.open_calls.close()
        await asyncio.gather(*(self.end_session(session) for session in tuple(self.sessions.values())))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self, time_limit: float) -> bool:
        """Wait until all servers were listed or have failed, and the offer says so."""
        done = await self._fleet.settled(time_limit)
        self._rebuild()
        return done

    # Messages of clients.

    def take(self, session: Session, message: Envelope, reply: Reply) -> None:
        """Take any message of a client; only a request uses ``reply``."""
        if message.method is None:
            self.answer(session, message)
        elif message.id is None:
            self.notify(session, message)
        else:
            self.request(session, message, reply)

    def request(self, session: Session, message: Envelope, reply: Reply) -> None:
        """Take a client's request; its answer goes to ``reply``, at once or later."""
        assert message.id is not None
        session.last_active = time.monotonic()
        self._rebuild_if_due()
        call = Call(session, message.id, reply)
        if session.calls.setdefault(message.id, call) is not call:
            session.begun_again(call)
        self._activity()
        method = self._methods.get(message.method or "")
        if method is None:
            call.error(jsonrpc.METHOD_NOT_FOUND, f"Method not found: {message.method}")
            return
        try:
            method(call, message)
        except (MalformedMessageError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            call.error(jsonrpc.INVALID_PARAMS, f"Invalid params of {message.method}: {error}")

    def notify(self, session: Session, message: Envelope) -> None:
        """Take a client's notification."""
        session.last_active = time.monotonic()
        try:
            if message.method == "notifications/cancelled":
                params = jsonrpc.fields(message.params)
                call = session.calls.get(jsonrpc.decode(params["requestId"])) if "requestId" in params else None
                if call is not None:
                    call.cancel(params)
            elif message.method == "notifications/progress":
                self._progress_on_question(session, message)
            elif message.method != "notifications/initialized":
                for server in self._servers_of(session):
                    upstream = server.known(session)
                    if upstream is not None and upstream.owner is session and message.method is not None:
                        upstream.notify(message.method, message.params)
        except (MalformedMessageError, TypeError):
            log.debug("a notification of %s is malformed", session.client)

    def answer(self, session: Session, message: Envelope) -> None:
        """Take a client's answer to a server's request."""
        session.last_active = time.monotonic()
        question = session.questions.pop(str(message.id), None)
        if question is not None:
            message.id = question.id
            question.upstream.answer(jsonrpc.to_wire(message))

    def _progress_on_question(self, session: Session, message: Envelope) -> None:
        params = jsonrpc.fields(message.params)
        token = str(jsonrpc.decode(params["progressToken"])) if "progressToken" in params else ""
        question = session.questions.get(token)
        if question is not None and question.progress_token is not None:
            params["progressToken"] = question.progress_token
            question.upstream.notify("notifications/progress", jsonrpc.encode(params))

    # What is answered here.

    def _initialize(self, call: Call, message: Envelope) -> None:
        params = jsonrpc.fields(message.params)
        wanted = jsonrpc.decode(params["protocolVersion"]) if "protocolVersion" in params else ""
        call.session.introduce(params)
        call.session.protocol_version = wanted if wanted in SUPPORTED_VERSIONS else PROTOCOL_VERSION
        result: dict[str, Any] = {
            "protocolVersion": call.session.protocol_version,
            "capabilities": Raw(CAPABILITIES),
            "serverInfo": Raw(SERVER_INFO),
        }
        if self.offer.instructions:
            result["instructions"] = self.offer.instructions
        call.result(jsonrpc.encode(result))
        self.changed.publish(None)

    def _list(self, call: Call, which: str) -> None:
        if self._all_settled():
            call.result(getattr(self._offers.of(call.session), which))
        else:
            self._later(call, self._list_when_settled(call, which))

    async def _list_when_settled(self, call: Call, which: str) -> None:
        await self.settled(self._patience())
        call.result(getattr(self._offers.of(call.session), which))

    def _set_level(self, call: Call, message: Envelope) -> None:
        level = jsonrpc.decode(jsonrpc.fields(message.params).get("level", Raw(b'""')))
        if level not in LOG_LEVELS:
            call.error(jsonrpc.INVALID_PARAMS, f"{level!r} is not a log level; use one of {', '.join(LOG_LEVELS)}")
            return
        call.session.level = level
        for server in self._servers_of(call.session):
            upstream = server.known(call.session)
            if upstream is not None:
                self._apply_level(upstream, call.session)
        call.result(b"{}")

    def _apply_level(self, upstream: Upstream, session: Session) -> None:
        """Tell a server the session's log level; a shared one gets the most talkative of all sessions."""
        if upstream.modern or "logging" not in upstream.capabilities:
            return  # a modern server is told with each request
        levels = [session.level] if upstream.owner is session else [item.level for item in self.sessions.values()]
        set_levels = [level for level in levels if level]
        if set_levels:
            level = min(set_levels, key=LOG_LEVELS.index)
            if upstream.level != level:
                upstream.level = level
                self._tell(upstream, "logging/setLevel", jsonrpc.encode({"level": level}))

    def _tell(self, upstream: Upstream, method: str, params: bytes) -> None:
        """Ask a server something, now, whose answer nobody waits for."""

        def answered(task: asyncio.Task[Any]) -> None:
            if not task.cancelled() and task.exception() is not None:
                log.debug("%s does not take %s: %s", upstream.server, method, task.exception())

        self._spawn(upstream.request(method, params, time_limit=10)).add_done_callback(answered)

    # What is forwarded.

    def _call_tool(self, call: Call, message: Envelope) -> None:
        name = _name.decode(message.params).name
        route = self._offers.of(call.session).tool_routes.get(name)
        if route is None and not self._own.has_tool(name):
            self._unknown(call, message, "tool", name)
            return
        call.subject = name
        if self._call_log is not None:
            self._call_log.begun(call, message)
            call.on_finish = self._call_log.ended
        if route is None:
            self._later(call, self._own.answer(call, name, message.params))
            return
        self._forward_named(call, message, route, name)

    def hand_on(self, call: Call, name: str, arguments: Raw, meta: Raw) -> None:
        """Let another tool answer a call to one of ours, as if the client had called it itself.

        Args:
            call: The call.
            name: Exposed name of the tool.
            arguments, meta: Its arguments, and the call's ``_meta``, as JSON.
        """
        params = jsonrpc.encode({"name": name, "arguments": arguments, "_meta": meta})
        call.task = None
        self._methods["tools/call"](call, Envelope(id=call.id, method="tools/call", params=Raw(params)))

    async def _server_of_tool(self, session: Session, name: str) -> str:
        """The server a tool leads to, empty for ours and unknown ones; waits for first listings."""
        route = self._offers.of(session).tool_routes.get(name)
        if route is None and not self._own.has_tool(name) and not self._all_settled():
            await self.settled(self._patience())
            route = self._offers.of(session).tool_routes.get(name)
        return route.server if route is not None else ""

    def _asked_about(self, session: Session) -> Mapping[str, Route]:
        return self._offers.of(session).asked

    def _get_prompt(self, call: Call, message: Envelope) -> None:
        name = _name.decode(message.params).name
        route = self._offers.of(call.session).prompt_routes.get(name)
        if route is None and (own := self._own.prompt(name)) is not None:
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

    def _read_resource(self, call: Call, message: Envelope) -> None:
        self._forward_uri(call, message)

    def _forward_uri(self, call: Call, message: Envelope) -> Route | None:
        uri = _uri.decode(message.params).uri
        route = self._offers.of(call.session).resource_route(uri) or self._only_server_with_resources(call.session, uri)
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

    def _only_server_with_resources(self, session: Session, uri: str) -> Route | None:
        """A URI no list has (a link in a result) belongs to the one server that offers resources, if it is one."""
        offering = [
            server.name
            for server in self._servers_of(session)
            if server.listing is not None and "resources" in jsonrpc.fields(server.listing.capabilities)
        ]
        return Route(offering[0], uri) if len(offering) == 1 else None

    def _subscribe(self, call: Call, message: Envelope) -> None:
        uri = _uri.decode(message.params).uri
        route = self._forward_uri(call, message)
        if route is not None and (server := self._server(call.session, route.server)) is not None:
            call.session.subscriptions.setdefault((route.server, route.name), uri)
            server.subscribed.add(route.name)

    def _unsubscribe(self, call: Call, message: Envelope) -> None:
        uri = _uri.decode(message.params).uri
        route = self._offers.of(call.session).resource_route(uri) or self._only_server_with_resources(call.session, uri)
        if route is None or call.session.subscriptions.pop((route.server, route.name), None) is None:
            call.result(b"{}")
            return
        server = self._server(call.session, route.server)
        upstream = server.known(call.session) if server is not None else None
        others = self._subscribers(route.server, route.name)
        if server is not None and not others:
            server.subscribed.discard(route.name)
        if upstream is None or (others and upstream.owner is None):
            call.result(b"{}")  # another session still wants it over the shared connection, or there is none any more
        else:
            self._forward_uri(call, message)

    def _subscribers(self, server: str, uri: str) -> list[Session]:
        return [session for session in self.sessions.values() if (server, uri) in session.subscriptions]

    def _stop_subscription(self, session: Session, server: str, uri: str) -> None:
        running = self._server(session, server)
        if running is None or self._subscribers(server, uri):
            return
        running.subscribed.discard(uri)
        upstream = running.known(session)
        if upstream is not None and upstream.owner is None:
            self._tell(upstream, "resources/unsubscribe", jsonrpc.encode({"uri": uri}))

    def _complete(self, call: Call, message: Envelope) -> None:
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

    def _forward(self, call: Call, message: Envelope, name: str) -> None:
        server = self._server(call.session, name)
        if server is None:
            call.error(jsonrpc.INVALID_PARAMS, f"The server {name} is turned off")
            return
        server.last_used = time.time()
        upstream = server.ready(call.session)
        if upstream is not None:
            self._send(call, message, upstream)
        else:
            self._later(call, self._forward_when_started(call, message, server))

    async def _forward_when_started(self, call: Call, message: Envelope, server: ManagedServer) -> None:
        self.open_calls.waits(call, message, server.name)
        upstream = await server.acquire(call.session)
        call.task = None
        if call.session.has(call):
            self._send(call, message, upstream)
            self.open_calls.forwarded(call)

    def _send(self, call: Call, message: Envelope, upstream: Upstream) -> None:
        if call.session.level and upstream.level != call.session.level:
            self._apply_level(upstream, call.session)
        if call.session.modern and not upstream.modern:
            try:
                message.params = without_answers(message.params)
            except RefusedError as error:
                call.error(error.code, error.text)
                return
        call.upstream = upstream
        call.number = upstream.forward(message, call)

    def _server(self, session: Session, name: str) -> ManagedServer | None:
        """The running server a name means to a session."""
        servers = self._fleet.servers
        return servers.get(name) if session.additions is None else session.additions.server(name, servers)

    def _servers_of(self, session: Session) -> Iterable[ManagedServer]:
        servers = self._fleet.servers
        return servers.values() if session.additions is None else session.additions.servers(servers)

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
        if call.waited or self._all_settled():
            return False
        call.waited = True
        self._later(call, self._again_when_settled(call, message))
        return True

    async def _again_when_settled(self, call: Call, message: Envelope) -> None:
        await self.settled(self._patience())
        if call.session.has(call):
            self._methods[message.method or ""](call, message)

    def _patience(self) -> float:
        """How long a client may still have to wait for servers that are being listed for the first time."""
        return max(self._fleet.begun + _FIRST_LISTING - time.monotonic(), 0.0)

    def _all_settled(self) -> bool:
        return all(server.settled for server in self._fleet.servers.values())

    # The offer.

    def configuration_changed(self) -> None:
        """Tool choice or the set of servers may be new."""
        self._rebuild_soon()

    def _rebuild_soon(self) -> None:
        if not self._rebuilding:
            self._rebuilding = True
            asyncio.get_running_loop().call_soon(self._rebuild_if_due)

    def _rebuild_if_due(self) -> None:
        if self._rebuilding:
            self._rebuild()

    def _rebuild(self) -> None:
        """Merge the listings again and tell each client which of its lists are new."""
        self._rebuilding = False
        sessions = [session for session in self.sessions.values() if session.protocol_version]
        news = self._offers.renew(sessions)
        for session in sessions:
            self._tell_lists(session, news[session.id])
        self.changed.publish(None)

    def session_changed(self, session: Session) -> None:
        """A session has changed its servers (`Session.additions`): tell it, and nobody else, which of its lists are new."""
        self._tell_lists(session, self._offers.renew_for(session))

    def _tell_lists(self, session: Session, new: Iterable[str]) -> None:
        for which in new:
            session.deliver(jsonrpc.notification(f"notifications/{which}/list_changed"))

    def _later(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except GatewayError as error:
                call.error(jsonrpc.CONNECTION_CLOSED, str(error))
            except (MalformedMessageError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                call.error(jsonrpc.INVALID_PARAMS, f"The params of the request are invalid: {error}")
            except Exception as error:
                log.exception("a request failed")
                call.error(jsonrpc.INTERNAL_ERROR, f"The gateway failed: {type(error).__name__}")

        call.task = task = self._spawn(guarded())
        task.add_done_callback(lambda _: work.close())  # a call that was cancelled at once has not begun it

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
