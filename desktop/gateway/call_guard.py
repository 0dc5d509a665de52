"""What stands between a call and its server: interceptors (spec 3.12), the search for secrets (spec 3.13), the person's yes.

Outermost first: interceptors in the order they were given, then the search of the arguments, then the person where the policy
says to ask them, then the server. The answer is searched last of all, so that what interceptors say is searched as well.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import InterceptorError
from desktop.gateway.interceptors import Interceptor, InterceptorRunner
from desktop.gateway.naming import Route
from desktop.gateway.session import Call, Session
from desktop.jsonrpc import Envelope, MalformedMessageError
from desktop.policy.call_consent import CallConsent
from desktop.secrets.scanner import INLINE, SecretScanner

__all__ = ["CallGuard", "SecretScreen"]

Method = Callable[[Call, Envelope], None]
ServerOf = Callable[[Session, str], Awaitable[str]]
Asked = Callable[[Session], Mapping[str, Route]]
Later = Callable[[Call, Coroutine[Any, Any, None]], None]
_KINDS: Final = {"tools/call": "tool", "prompts/get": "prompt", "resources/read": "resource"}
_ADDED: Final = ("server", "client", "session", "tool")


class _Subject(msgspec.Struct):
    name: str = ""
    uri: str = ""
    arguments: Raw = Raw()
    inputResponses: Raw = Raw()


_subject = msgspec.json.Decoder(_Subject)


class SecretScreen:
    """How messages are searched for secrets.

    Args:
        scanner: Searches.
        redact: Replace secrets, instead of letting the call fail.
        tell: Told each step of a tool call, for ``--log-calls``.
    """

    def __init__(self, scanner: SecretScanner, *, redact: bool, tell: Callable[[str], None] | None = None) -> None:
        self.scanner = scanner
        self.redact = redact
        self.tell = tell

    def search(self, data: bytes) -> tuple[bytes, str]:
        """The data as it may be passed on, and the kinds of secrets for which it may not (empty: none)."""
        if not self.redact:
            return data, self.scanner.family(data)
        cleaned, families = self.scanner.redacted(data)
        return cleaned, "" if cleaned else " and ".join(families)

    def note(self, call: GuardedCall, text: str) -> None:
        """Tell a step."""
        if self.tell is not None and call.kind == "tool":
            self.tell(text)


class GuardedCall(Call):
    """A call whose answer passes the guard before it reaches the client.

    Attributes:
        kind: What is called: ``tool``, ``prompt`` or ``resource``.
        outer: How many interceptors stand before the one that answered in the server's place; all, when none did.
        agreed: Whether the person has allowed this call.
    """

    __slots__ = ("agreed", "guard", "kind", "outer")

    def __init__(self, call: Call, guard: CallGuard, kind: str, subject: str, outer: int) -> None:
        super().__init__(call.session, call.id, call.reply)
        self.started = call.started
        self.subject = subject
        self.guard = guard
        self.kind = kind
        self.outer = outer
        self.agreed = False

    def finish(self, message: bytes) -> None:
        """The answer, before the guard has seen it."""
        self.guard.answered(self, message)

    def pass_on(self, message: bytes) -> None:
        """The answer as the client gets it."""
        super().finish(message)

    def cancel(self, params: dict[str, Raw], error: str = "") -> None:
        """Also ends what the guard still does with the answer."""
        if self.upstream is not None and self.task is not None:
            self.task.cancel()
        super().cancel(params, error)


class CallGuard:
    """Guards calls.

    Args:
        interceptors: In their order.
        runner: Runs them.
        screen: Searches for secrets; None does not.
        consent: Asks the person; None lets no call wait.
    """

    def __init__(
        self,
        *,
        interceptors: Sequence[Interceptor] = (),
        runner: InterceptorRunner | None = None,
        screen: SecretScreen | None = None,
        consent: CallConsent | None = None,
    ) -> None:
        self._interceptors = tuple(interceptors)
        self._runner = runner
        self._screen = screen
        self._consent = consent
        self._later: Later
        self._server_of: ServerOf
        self._asked: Asked

    def guarded(self, methods: dict[str, Method], later: Later, server_of: ServerOf, asked: Asked) -> dict[str, Method]:
        """The methods of the gateway with the guard around those that call servers.

        Args:
            methods: The gateway's methods.
            later: Does work for a call and answers with the error it ends with.
            server_of: The server a session's tool leads to, or empty.
            asked: A session's tools that the person is to be asked about before each call, and where they lead.
        """
        self._later, self._server_of, self._asked = later, server_of, asked
        return {**methods, **{name: self._around(methods[name], kind) for name, kind in _KINDS.items()}}

    def set_screen(self, screen: SecretScreen | None) -> None:
        """From now on search calls with this; None does not."""
        self._screen = screen

    def session_ended(self, session: Session) -> None:
        """Forget what the person has allowed for a session."""
        if self._consent is not None:
            self._consent.session_ended(session.id)

    def _around(self, method: Method, kind: str) -> Method:
        def take(call: Call, message: Envelope) -> None:
            watches = self._screen is not None or bool(self._interceptors)
            if not watches and (kind != "tool" or self._consent is None or not self._asked(call.session)):
                method(call, message)
                return
            subject = _subject.decode(message.params)
            name = subject.name or subject.uri
            outer = len(self._interceptors) if kind == "tool" else 0
            if not isinstance(call, GuardedCall):
                guarded = GuardedCall(call, self, kind, name, outer)
                call.session.replace(call, guarded)
            elif call.subject == name:  # it has waited until the servers were listed
                self._send(call, message, method)
                return
            else:  # one of our own tools hands it on to another
                guarded = call
                guarded.subject, guarded.outer, guarded.agreed = name, outer, False
            if outer and any(item.when == "before" for item in self._interceptors):
                self._later(guarded, self._before(guarded, message, method))
            else:
                self._search_arguments(guarded, message, method, subject)

        return take

    # On the way to the server.

    async def _before(self, call: GuardedCall, message: Envelope, method: Method) -> None:
        for place, interceptor in enumerate(self._interceptors):
            if interceptor.when != "before":
                continue
            output = await self._run(interceptor, _request_payload(message, await self._origin(call)))
            if not output:
                continue
            members = _members(interceptor, output)
            if "method" in members:
                _replace_request(interceptor, members, message)
                call.subject = _subject.decode(message.params).name
            else:
                call.outer = place
                call.finish(jsonrpc.response(call.id, _tool_result(interceptor, members)))
                return
        call.task = None
        self._search_arguments(call, message, method, _subject.decode(message.params))

    def _search_arguments(self, call: GuardedCall, message: Envelope, method: Method, subject: _Subject) -> None:
        screen = self._screen
        if screen is None:
            self._send(call, message, method)
            return
        data = bytes(subject.arguments)
        if subject.inputResponses:
            members = {"arguments": subject.arguments or Raw(b"{}"), "inputResponses": subject.inputResponses}
            data = jsonrpc.encode(members)
        screen.note(call, "  - Scanning tool call arguments for secrets...")
        if len(data) <= INLINE:
            self._arguments_searched(call, message, method, data, screen, screen.search(data))
        else:

            async def search() -> None:
                found = await asyncio.to_thread(screen.search, data)
                call.task = None
                self._arguments_searched(call, message, method, data, screen, found)

            self._later(call, search())

    def _arguments_searched(
        self,
        call: GuardedCall,
        message: Envelope,
        method: Method,
        data: bytes,
        screen: SecretScreen,
        found: tuple[bytes, str],
    ) -> None:
        cleaned, families = found
        if families:
            text = f"a secret is being passed to {call.kind} {call.subject}: {families}"
            screen.note(call, f"  > {text}")
            call.pass_on(jsonrpc.response_error(call.id, jsonrpc.INVALID_PARAMS, text))
            return
        if cleaned is data:
            screen.note(call, "  > No secret found in arguments.")
        else:
            screen.note(call, "  > Secrets in arguments were removed.")
            members = jsonrpc.fields(message.params)
            members |= jsonrpc.fields(Raw(cleaned)) if "inputResponses" in members else {"arguments": Raw(cleaned)}
            message.params = Raw(jsonrpc.encode(members))
        self._send(call, message, method)

    def _send(self, call: GuardedCall, message: Envelope, method: Method) -> None:
        """To the server, once the person agrees where they are to be asked."""
        route = None
        if self._consent is not None and call.kind == "tool" and not call.agreed:
            route = self._asked(call.session).get(call.subject)
        if route is None:
            _dispatch(method, call, message)
        else:
            self._later(call, self._ask(call, message, method, route))

    async def _ask(self, call: GuardedCall, message: Envelope, method: Method, route: Route) -> None:
        assert self._consent is not None
        await self._consent.ask(
            session=call.session.id,
            asker=call.session.client,
            server=route.server,
            title=route.server,
            tool=route.name,
            arguments=bytes(_subject.decode(message.params).arguments),
        )
        call.agreed, call.task = True, None
        _dispatch(method, call, message)

    # On the way back.

    def answered(self, call: GuardedCall, message: bytes) -> None:
        """Take a call's answer; it goes on to the client when it has passed."""
        if call.outer and any(item.when == "after" for item in self._interceptors[: call.outer]):
            answer = jsonrpc.parse(message)
            if answer.result and not _asks_for_input(answer.result):
                self._later(call, self._after(call, answer.result))
                return
        self._search_answer(call, message)

    async def _after(self, call: GuardedCall, result: Raw) -> None:
        interceptors, call.outer = self._interceptors[: call.outer], 0
        for interceptor in reversed(interceptors):
            if interceptor.when == "after":
                output = await self._run(interceptor, _result_payload(result, await self._origin(call)))
                if output:
                    result = _tool_result(interceptor, _members(interceptor, output))
        self._search_answer(call, jsonrpc.response(call.id, result))

    def _search_answer(self, call: GuardedCall, message: bytes) -> None:
        screen = self._screen
        if screen is None or (b"input_required" in message and _asks_for_input(jsonrpc.parse(message).result)):
            call.pass_on(message)
            return
        screen.note(call, "  - Scanning tool call response for secrets...")
        if len(message) <= INLINE:
            self._answer_searched(call, message, screen, screen.search(message))
        else:

            async def search() -> None:
                self._answer_searched(call, message, screen, await asyncio.to_thread(screen.search, message))

            self._later(call, search())

    def _answer_searched(
        self, call: GuardedCall, message: bytes, screen: SecretScreen, found: tuple[bytes, str]
    ) -> None:
        cleaned, families = found
        if families:
            text = f"a secret is being returned by the {call.subject} {call.kind}: {families}"
            screen.note(call, f"  > {text}")
            call.pass_on(jsonrpc.response_error(call.id, jsonrpc.INTERNAL_ERROR, text))
        else:
            removed = cleaned is not message
            screen.note(
                call, "  > Secrets in response were removed." if removed else "  > No secret found in response."
            )
            call.pass_on(cleaned)

    # Interceptors.

    async def _run(self, interceptor: Interceptor, payload: bytes) -> bytes:
        assert self._runner is not None
        return await self._runner.run(interceptor, payload)

    async def _origin(self, call: GuardedCall) -> dict[str, Raw]:
        """Who calls what; a session's id opens it to whoever knows it, so only a digest of it is told."""
        session = call.session
        digest = hashlib.sha256(session.id.encode()).hexdigest()[:16]
        server = await self._server_of(session, call.subject)
        values = {"server": server, "client": session.client, "session": digest, "tool": call.subject}
        return {key: Raw(jsonrpc.encode(value)) for key, value in values.items()}


def _dispatch(method: Method, call: Call, message: Envelope) -> None:
    try:
        method(call, message)
    except (MalformedMessageError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        call.error(jsonrpc.INVALID_PARAMS, f"Invalid params of {message.method}: {error}")


def _asks_for_input(result: Raw) -> bool:
    """Whether a result is no result yet but a question to the client (2026-07-28)."""
    return bool(result) and jsonrpc.fields(result).get("resultType") == Raw(b'"input_required"')


def _request_payload(message: Envelope, origin: dict[str, Raw]) -> bytes:
    method, params = Raw(jsonrpc.encode(message.method)), message.params
    told = {key: value for key, value in origin.items() if key != "tool"}
    return jsonrpc.encode({"method": method, "params": params, **told})


def _result_payload(result: Raw, origin: dict[str, Raw]) -> bytes:
    return jsonrpc.encode({**jsonrpc.fields(result), **origin})


def _members(interceptor: Interceptor, output: bytes) -> dict[str, Raw]:
    try:
        jsonrpc.decode(output)
        return jsonrpc.fields(Raw(output))
    except MalformedMessageError as error:
        raise _misspoken(interceptor, "is not a JSON object") from error


def _replace_request(interceptor: Interceptor, members: dict[str, Raw], message: Envelope) -> None:
    params = members.get("params", Raw(b"{}"))
    try:
        named = bool(_subject.decode(params).name)
    except msgspec.MsgspecError:
        named = False
    if members["method"] != Raw(b'"tools/call"') or not named:
        raise _misspoken(interceptor, "is neither a tools/call request nor a tool's result")
    message.params = params


def _tool_result(interceptor: Interceptor, members: dict[str, Raw]) -> Raw:
    if not {"content", "structuredContent"} & members.keys():
        raise _misspoken(interceptor, "is not a tool's result")
    return Raw(jsonrpc.encode({key: value for key, value in members.items() if key not in _ADDED}))


def _misspoken(interceptor: Interceptor, what: str) -> InterceptorError:
    return InterceptorError(f"executing interceptor: what {interceptor.label} said {what}")
