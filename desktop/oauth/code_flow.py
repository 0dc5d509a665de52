"""The authorization code flow with a browser (MCP 2026-07-28 and before, basic/authorization).

The ``mcp`` package decides what comes next: discovery (RFC 9728, RFC 8414, OpenID), registration (RFC 7591, client ID metadata
documents), PKCE, ``state``, ``iss`` (RFC 9207), ``resource`` (RFC 8707), scopes. Here its requests are sent, within limits and
to allowed addresses only, and each failure gets the step it happened at. The package takes a second to import, so it is
imported when somebody signs in, on a worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from desktop.errors import GatewayError, GrantRefusedError, ProviderUnavailableError, SignInError
from desktop.oauth.addresses import AddressRule
from desktop.oauth.apps import App, Provider
from desktop.oauth.challenge import Challenge
from desktop.oauth.grant import DYNAMIC, Registration, Token
from desktop.oauth.greeting import HANDSHAKE_REVISION, ask_server
from desktop.oauth.loopback import Loopback, usual_port
from desktop.oauth.package_client import PackageClient, Person
from desktop.oauth.provider_client import Answer, ProviderClient
from desktop.oauth.settings import AppSettings
from desktop.oauth.steps import Step, at_step
from desktop.oauth.token_endpoint import plain_error, token_of

if TYPE_CHECKING:
    import httpx2
    from mcp.shared.auth import AuthorizationCodeResult

__all__ = ["CodeFlow", "Granted", "ShowLink"]

ShowLink = Callable[[str], Awaitable[None]]
_METADATA_PLACES: Final = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a sign-in has brought."""

    token: Token
    registration: Registration


class _RedirectRefusedError(Exception):
    """The provider does not send browsers to the port that is free now; it has to be told of that port."""


class CodeFlow:
    """One sign-in.

    Args:
        app: What is signed in to.
        provider: Its addresses where they are fixed; None for an MCP server, which says itself.
        settings: What the person has set for it.
        client_secret: Of the client the person has registered by hand.
        loopback: Where the browser comes back to; not open yet.
        show_link: Is given the address to open.
        keep: Is given a new registration at once, so that it is there the next time even if nobody signs in now.
        time_limit: Seconds the person has.

    Attributes:
        step: Where it is.
    """

    def __init__(
        self,
        app: App,
        *,
        provider: Provider | None,
        settings: AppSettings,
        client_secret: str,
        loopback: Loopback,
        show_link: ShowLink,
        keep: Callable[[Registration], Awaitable[None]],
        time_limit: float,
    ) -> None:
        self.step = Step.PREPARING
        self._app = app
        self._provider = provider
        self._settings = settings
        self._client_secret = client_secret
        self._loopback = loopback
        self._show_link = show_link
        self._keep = keep
        self._time_limit = time_limit
        self._client: ProviderClient | None = None
        self._package: PackageClient | None = None
        self._asked = ""
        self._token: Token | None = None

    async def run(self, known: Registration | None, token: Token | None, scopes: Sequence[str]) -> Granted:
        """Sign in.

        Args:
            known: How this program was registered at the last time.
            token: The token in force; only for asking for more.
            scopes: What to ask for; empty leaves that to the settings, the server and the catalog.

        Raises:
            SignInError: It failed; the message says at which step.
        """
        home = self._app.url or (self._provider.token_endpoint or self._provider.issuer if self._provider else "")
        try:
            async with ProviderClient(AddressRule(home)) as self._client:
                await self._listen(known)
                try:
                    return await self._once(known, token, scopes)
                except _RedirectRefusedError:
                    log.info("%s is registered again, for port %d", self._app.name, self._loopback.port)
                    return await self._once(None, token, scopes)
        except GatewayError as error:
            raise at_step(self._title, self.step, error) from None

    @property
    def _title(self) -> str:
        return self._app.title or self._app.name

    async def _listen(self, known: Registration | None) -> None:
        self.step = Step.LISTENING
        if self._settings.port:
            await self._loopback.open([self._settings.port])
            return
        ports = [urlsplit(known.redirect_uri).port or 0] if known is not None and known.redirect_uri else []
        await self._loopback.open([*dict.fromkeys([*(port for port in ports if port), usual_port()]), 0])

    # One attempt.

    async def _once(self, known: Registration | None, token: Token | None, scopes: Sequence[str]) -> Granted:
        self.step = Step.PREPARING
        more = token if known is not None and known.wanted else None
        person = Person(redirect=self._redirect, callback=self._callback, keep=self._keep)
        self._package = PackageClient(
            self._app, self._settings, self._client_secret, self._loopback.redirect_uri, known, more, person
        )
        provider = await self._package.begin()
        import httpx2  # here, after the thread has imported the package with it
        from mcp.client.auth import OAuthFlowError

        headers = {"mcp-protocol-version": HANDSHAKE_REVISION} if self._app.url else {}
        original = httpx2.Request("POST", self._app.url or self._loopback.redirect_uri, headers=headers)
        try:
            challenge = await self._challenge(known, more, scopes)
            flow = provider.async_auth_flow(original)
            async with contextlib.aclosing(flow):
                await anext(flow)
                status = 403 if challenge.wants_more else 401
                answer = httpx2.Response(status, headers={"www-authenticate": challenge.header()}, request=original)
                await self._drive(flow, original, answer)
        except OAuthFlowError as error:
            raise self._in_our_words(error) from None
        except ValueError as error:  # what pydantic says of metadata
            raise SignInError(f"an answer is not what the standard says ({type(error).__name__})", _ASK) from None
        return self._granted()

    async def _challenge(self, known: Registration | None, token: Token | None, scopes: Sequence[str]) -> Challenge:
        """What the server wants, made into what the flow begins with."""
        assert self._client is not None
        chosen = " ".join(scopes or self._settings.scopes)
        if self._provider is not None:
            self.step = Step.PROVIDER
            await self._of_package.use_fixed(self._provider, self._client)
            return Challenge(error="insufficient_scope", scope=chosen or " ".join(self._app.scopes))
        self.step = Step.ASKING
        asked = await ask_server(self._client, self._app.url)
        wanted = known.wanted if known is not None and not chosen else ""
        if wanted and token is not None:
            return Challenge(error="insufficient_scope", scope=wanted, resource_metadata=asked.resource_metadata)
        said = asked.scope or " ".join(self._app.scopes)
        together = " ".join(dict.fromkeys(f"{said} {wanted}".split()))
        return Challenge(scope=chosen or together, resource_metadata=asked.resource_metadata)

    @property
    def _of_package(self) -> PackageClient:
        assert self._package is not None
        return self._package

    async def _drive(
        self,
        flow: AsyncGenerator[httpx2.Request, httpx2.Response],
        original: httpx2.Request,
        answer: httpx2.Response,
    ) -> None:
        """Send what the flow wants sent, until it would repeat the original request: then there is a token."""
        from httpx2 import Response

        try:
            while True:
                request = await flow.asend(answer)
                if request is original:
                    return
                self._begin(request)
                said = await self._send(request)
                answer = Response(said.status, headers=dict(_without_coding(said)), content=said.body, request=request)
        except StopAsyncIteration:
            raise SignInError("the sign-in ended early", "Try again") from None

    def _begin(self, request: httpx2.Request) -> None:
        """Know the step by the request."""
        content_type = request.headers.get("content-type", "")
        if request.method == "GET":
            place = any(place in request.url.path for place in _METADATA_PLACES)
            self.step = Step.PROVIDER if place else Step.RESOURCE
        elif content_type.startswith("application/json"):
            self.step = Step.REGISTERING
            metadata = self._of_package.metadata
            if metadata is not None and metadata.registration_endpoint is None:
                raise SignInError("the provider only takes clients that were registered by hand", self._by_hand())
        else:
            self.step = Step.TOKEN

    def _by_hand(self) -> str:
        page = self._provider.client_page if self._provider is not None else ""
        where = f"Register one at {page}" if page else "Register one there"
        return (
            f"{where} with the redirect address {self._loopback.redirect_uri}, then run "
            f"docker-mcp oauth client {self._app.name} --client-id ID"
        )

    async def _send(self, request: httpx2.Request) -> Answer:
        assert self._client is not None
        content = request.content
        if self.step is Step.REGISTERING:
            content = _without_scope(content)
        answer = await self._client.send(
            request.method, str(request.url), headers=dict(request.headers), content=content
        )
        if self.step is Step.PROVIDER and answer.status == 200:
            answer = self._of_package.take_metadata(answer)
        elif self.step is Step.REGISTERING and answer.status not in (200, 201):
            raise self._not_registered(answer)
        elif self.step is Step.TOKEN:
            self._token = token_of(answer, asked=self._asked)
        return answer

    def _not_registered(self, answer: Answer) -> SignInError:
        if answer.status in (404, 405) and self._of_package.metadata is None:
            self.step = Step.PROVIDER
            return SignInError(
                "the server does not publish how to sign in",
                f"It may want a token instead; see what {self._title} says of its MCP server",
            )
        if answer.status >= 500 or answer.status == 429:
            return ProviderUnavailableError(f"the provider has trouble ({plain_error(answer)})", "Try again later")
        return SignInError(f"the provider refused ({plain_error(answer)})", self._by_hand())

    # The person's side.

    async def _redirect(self, link: str) -> None:
        assert self._client is not None
        self._client.rule.check(link)
        asked = parse_qs(urlsplit(link).query)
        self._asked = " ".join(asked.get("scope", []))
        if not self._app.url and self._provider is not None and "access_type" not in asked:
            link = f"{link}&{urlencode({'access_type': 'offline'})}"  # else Google gives no refresh token
        await self._check_port(link)
        self._loopback.expect(asked["state"][0])
        self.step = Step.PERSON
        await self._show_link(link)

    async def _check_port(self, link: str) -> None:
        """A provider that was told of another port may not send browsers to this one, and would only tell the person so."""
        known = self._of_package.known
        if known is None or known.source != DYNAMIC or known.redirect_uri == self._loopback.redirect_uri:
            return
        assert self._client is not None
        answer = await self._client.send("GET", link, headers={"Accept": "text/html"})
        if 400 <= answer.status < 500:
            raise _RedirectRefusedError

    async def _callback(self) -> AuthorizationCodeResult:
        from mcp.shared.auth import AuthorizationCodeResult

        try:
            async with asyncio.timeout(self._time_limit):
                redirected = await self._loopback.answer()
        except TimeoutError:
            minutes = self._time_limit / 60
            raise SignInError(
                f"nobody signed in within {minutes:g} minutes", "Try again, and finish in the browser"
            ) from None
        self.step = Step.ANSWER
        metadata, issuer, iss = self._of_package.metadata, self._of_package.issuer, redirected.iss
        if iss is not None and metadata is not None:
            if iss != issuer:
                raise _mixed_up(iss, issuer)
            iss = str(metadata.issuer)
        if redirected.error:
            raise _refused(redirected.error, redirected.description)
        return AuthorizationCodeResult(code=redirected.code, state=redirected.state, iss=iss)

    # The end.

    def _granted(self) -> Granted:
        registration = self._of_package.registration(self._token.scope) if self._token is not None else None
        if self._token is None or registration is None:
            raise SignInError("the sign-in ended without a token", "Try again")
        return Granted(token=self._token, registration=registration)

    def _in_our_words(self, error: Exception) -> SignInError:
        text = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        if self.step is Step.ANSWER:
            return SignInError(
                "the provider did not say who it is, although it promised to", "Try again, and tell who runs the server"
            )
        if self.step is Step.RESOURCE and "does not match" in text:
            return SignInError(f"its description is of another server ({text})", _ASK)
        return SignInError(text[:1].lower() + text[1:], _ASK)


_ASK: Final = "Ask who runs the server"


def _without_scope(registration: bytes) -> bytes:
    """A client that is registered for some scopes could never ask for more (RFC 7591 section 2)."""
    import msgspec

    fields = msgspec.json.decode(registration)
    fields.pop("scope", None)
    return msgspec.json.encode(fields)


def _without_coding(answer: Answer) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in answer.headers.items()
        if name.lower() not in ("content-encoding", "content-length")
    ]


def _mixed_up(said: str, expected: str) -> SignInError:
    return SignInError(
        f"the answer is of another provider ({said[:100]} instead of {expected})",
        "Do not go on: somebody may have tried to get at your sign-in. Begin again",
    )


def _refused(error: str, description: str) -> SignInError:
    said = "".join(character for character in (description or error) if character.isprintable())[:200]
    if error == "access_denied":
        return GrantRefusedError(f"you or the provider said no ({said})")
    return SignInError(f"the provider answered with {error[:60]!r} ({said})", "Try again")
