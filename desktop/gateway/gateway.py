"""The gateway itself: takes messages of client sessions and brings each where it belongs.

What the merged lists say is answered here at once; everything else is forwarded as the bytes it came in (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.events import EventStream
from desktop.gateway.additions import servers_of
from desktop.gateway.call_guard import CallGuard
from desktop.gateway.call_work import CallWork
from desktop.gateway.followed_resources import FollowedResources
from desktop.gateway.forwarding import Forwarding
from desktop.gateway.from_servers import FromServers
from desktop.gateway.identity import CAPABILITIES, SERVER_INFO
from desktop.gateway.log_levels import LogLevels
from desktop.gateway.naming import Route
from desktop.gateway.offer import Offer
from desktop.gateway.offers import Offers
from desktop.gateway.open_calls import OpenCalls
from desktop.gateway.own_tools import OwnTools
from desktop.gateway.profile_views import ProfileViews
from desktop.gateway.session import Call, CallLog, Reply, Session
from desktop.gateway.sightings import Sightings
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.policy.rules import NO_POLICY, Policy
from desktop.servers.fleet import Fleet
from desktop.servers.managed_server import ManagedServer
from desktop.servers.upstream import PROTOCOL_VERSION

__all__ = ["CLIENTS_METHOD", "NAMES_METHOD", "SUPPORTED_VERSIONS", "Gateway"]

SUPPORTED_VERSIONS: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
NAMES_METHOD: Final = "mcp-gateway/names"
"""Of our own: which server and which tool of it a name means, ``{"tools": {name: [server, tool]}}``."""
CLIENTS_METHOD: Final = "mcp-gateway/clients"
"""Of our own: which clients have come, ``{"clients": [{client, name, version, sessions, tools}]}``."""
_ACTIVITY_NEWS: Final = 0.25
log = logging.getLogger(__name__)


class Gateway:
    """Routes between client sessions and the fleet of servers.

    Args:
        fleet: The servers.
        patterns: ``--tools``.
        call_log: Takes what becomes of tool calls.
        guard: Stands around calls.
        policy: The person's policy in force.
        with_server_names: Every tool is offered with its server's name in front, not only where names collide.

    Attributes:
        changed: An event whenever sessions, calls or the offer changed.
        sessions: The live client sessions by id.
        open_calls: The calls under way.
        sightings: The clients that came.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        patterns: tuple[str, ...] = (),
        call_log: CallLog | None = None,
        guard: CallGuard | None = None,
        policy: Callable[[], Policy] = lambda: NO_POLICY,
        with_server_names: bool = False,
    ) -> None:
        self.changed: EventStream[None] = EventStream()
        self.sessions: dict[str, Session] = {}
        self.open_calls = OpenCalls(self.sessions, fleet)
        self._fleet = fleet
        self._offers = Offers(fleet, patterns, policy, with_server_names=with_server_names)
        self._views = ProfileViews(fleet)
        self._work = work = CallWork()
        levels = LogLevels(self.sessions, fleet, work)
        self._forwarding = forwarding = Forwarding(
            fleet,
            self._offers,
            work=work,
            open_calls=self.open_calls,
            levels=levels,
            settled=self.settled,
            dispatch=self._dispatch,
            call_log=call_log,
        )
        self._followed = FollowedResources(self.sessions, fleet, forwarding, work)
        self.sightings = Sightings(self.sessions, lambda session: len(self._offers.of(session).tool_routes))
        self._rebuilding = False
        self._active = False
        fleet.attach(FromServers(self.sessions, fleet.announce, self._rebuild_soon))
        self._methods: dict[str, Callable[[Call, Envelope], None]] = {
            "tools/call": forwarding.call_tool,
            "tools/list": lambda call, _: self._list(call, "tools"),
            "prompts/list": lambda call, _: self._list(call, "prompts"),
            "resources/list": lambda call, _: self._list(call, "resources"),
            "resources/templates/list": lambda call, _: self._list(call, "templates"),
            "prompts/get": forwarding.get_prompt,
            "resources/read": forwarding.read_resource,
            "resources/subscribe": self._followed.subscribe,
            "resources/unsubscribe": self._followed.unsubscribe,
            "completion/complete": forwarding.complete,
            "logging/setLevel": levels.set,
            NAMES_METHOD: lambda call, _: call.result(
                jsonrpc.encode({"tools": self._offers.of(call.session).tool_routes})
            ),
            CLIENTS_METHOD: self._list_clients,
            "ping": lambda call, _: call.result(b"{}"),
            "initialize": self._initialize,
        }
        self._guard = guard
        if guard is not None:
            self._methods = guard.guarded(self._methods, work.later, forwarding.server_of_tool, self._asked_about)

    @property
    def offer(self) -> Offer:
        """What is offered now."""
        return self._offers.current

    def offer_to(self, session: Session) -> Offer:
        """What is offered to one session now."""
        return self._offers.of(session)

    def _asked_about(self, session: Session) -> Mapping[str, Route]:
        return self._offers.of(session).asked

    def offer_own(self, own: OwnTools) -> None:
        """Offer tools of the gateway itself as well; once, before clients come."""
        self._offers.own = own
        self._rebuild()

    # Sessions.

    def open_session(self, transport: str, profile: str = "") -> Session:
        """Begin a client session.

        Args:
            transport: How the client is connected.
            profile: The profile it is to see in place of the enabled servers; empty for these.

        Raises:
            ProfileError: There is no such profile.
        """
        session = Session(transport, self._activity)
        if profile:
            self._views.begin(session, profile)
        self.sessions[session.id] = session
        self.changed.publish(None)
        return session

    def check_profile(self, id: str) -> None:
        """Raise `ProfileError` unless there is a profile of this id, or it is empty."""
        if id:
            self._views.profile(id)

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
        self._followed.session_ended(session)
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
        await self._work.close()

    async def settled(self, time_limit: float, session: Session | None = None) -> bool:
        """Wait until all servers were listed or have failed, and the offer says so; all of a session's, where one is given."""
        done = await self._fleet.settled(time_limit, None if session is None else lambda: self._servers_of(session))
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

    def _dispatch(self, call: Call, message: Envelope) -> None:
        self._methods[message.method or ""](call, message)

    def hand_on(self, call: Call, name: str, arguments: Raw, meta: Raw) -> None:
        """Let another tool answer a call to one of ours, as if the client had called it itself.

        Args:
            call: The call.
            name: Exposed name of the tool.
            arguments, meta: Its arguments, and the call's ``_meta``, as JSON.
        """
        params = jsonrpc.encode({"name": name, "arguments": arguments, "_meta": meta})
        call.task = None
        self._dispatch(call, Envelope(id=call.id, method="tools/call", params=Raw(params)))

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
        if instructions := self._offers.of(call.session).instructions:
            result["instructions"] = instructions
        call.result(jsonrpc.encode(result))
        self.changed.publish(None)

    def _list_clients(self, call: Call, message: Envelope) -> None:
        self.sightings.look()
        call.result(jsonrpc.encode({"clients": self.sightings.as_json()}))

    def _list(self, call: Call, which: str) -> None:
        if all(server.settled for server in self._servers_of(call.session)):
            call.result(getattr(self._offers.of(call.session), which))
        else:
            self._work.later(call, self._list_when_settled(call, which))

    async def _list_when_settled(self, call: Call, which: str) -> None:
        await self.settled(self._fleet.patience, call.session)
        call.result(getattr(self._offers.of(call.session), which))

    # The offer.

    def _servers_of(self, session: Session) -> Iterable[ManagedServer]:
        return servers_of(session.additions, self._fleet.servers)

    def configuration_changed(self) -> None:
        """Tool choice, the set of servers or a profile may be new."""
        self._views.follow(self.sessions.values())
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
