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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from desktop import __version__
from desktop.errors import GatewayError, GrantRefusedError, ProviderUnavailableError, SignInError
from desktop.oauth.addresses import AddressRule
from desktop.oauth.apps import App, Provider
from desktop.oauth.challenge import Challenge
from desktop.oauth.grant import CONFIGURED, DOCUMENT, DYNAMIC, Registration, Token
from desktop.oauth.loopback import Loopback, usual_port
from desktop.oauth.provider_client import Answer, ProviderClient
from desktop.oauth.settings import AppSettings
from desktop.oauth.steps import Step, at_step
from desktop.oauth.token_endpoint import plain_error, token_of
from desktop.revisions import LATEST_MODERN

if TYPE_CHECKING:
    import httpx2
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthMetadata, OAuthToken

__all__ = ["CodeFlow", "Granted", "ShowLink"]

ShowLink = Callable[[str], Awaitable[None]]
_REVISION: Final = "2025-11-25"
_PLAIN: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_US: Final = b'{"name":"mcp-gateway-desktop","version":"%b"}' % __version__.encode()
_INITIALIZE: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":'
    b'{"protocolVersion":"%b","capabilities":{},"clientInfo":%b}}' % (_REVISION.encode(), _US)
)
_DISCOVER: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{'
    b'"io.modelcontextprotocol/protocolVersion":"%b","io.modelcontextprotocol/clientCapabilities":{},'
    b'"io.modelcontextprotocol/clientInfo":%b}}}' % (LATEST_MODERN.encode(), _US)
)
_GREETINGS: Final = (
    (_INITIALIZE, _PLAIN),
    (_DISCOVER, {**_PLAIN, "MCP-Protocol-Version": LATEST_MODERN, "Mcp-Method": "server/discover"}),
)
_METADATA_PLACES: Final = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")
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
        self._known: Registration | None = None
        self._client: ProviderClient | None = None
        self._sdk: OAuthClientProvider | None = None
        self._asked = ""
        self._issuer = ""
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
        import httpx2  # of the mcp package, whose flow is made of its requests

        self.step = Step.PREPARING
        self._known = known
        more = token if known is not None and known.wanted else None
        self._sdk = await asyncio.to_thread(self._new_sdk, more)
        url = self._app.url or self._loopback.redirect_uri
        headers = {"mcp-protocol-version": _REVISION} if self._app.url else {}
        original = httpx2.Request("POST", url, headers=headers)
        challenge = await self._challenge(known, scopes)
        flow = self._sdk.async_auth_flow(original)
        async with contextlib.aclosing(flow):
            await anext(flow)
            status = 403 if challenge.wants_more else 401
            answer = httpx2.Response(status, headers={"www-authenticate": challenge.header()}, request=original)
            await self._drive(flow, original, answer)
        return self._granted()

    async def _challenge(self, known: Registration | None, scopes: Sequence[str]) -> Challenge:
        """What the server wants, made into what the flow begins with."""
        chosen = " ".join(scopes or self._settings.scopes)
        if self._provider is not None:
            assert self._sdk is not None
            await self._sdk._initialize()
            self._sdk.context.oauth_metadata = await self._fixed_metadata()
            return Challenge(error="insufficient_scope", scope=chosen or " ".join(self._app.scopes))
        self.step = Step.ASKING
        asked = await self._ask_server()
        if known is not None and known.wanted and not chosen:
            return Challenge(error="insufficient_scope", scope=known.wanted, resource_metadata=asked.resource_metadata)
        scope = chosen or asked.scope or " ".join(self._app.scopes)
        return Challenge(scope=scope, resource_metadata=asked.resource_metadata)

    async def _ask_server(self) -> Challenge:
        """Ask without a token, in the way of either era, and read the refusal."""
        assert self._client is not None
        for hello, headers in _GREETINGS:
            answer = await self._client.send("POST", self._app.url, headers=headers, content=hello)
            if answer.status in (401, 403):
                return Challenge.of(answer.headers.get("www-authenticate", ""))
        return Challenge()

    async def _drive(
        self,
        flow: AsyncGenerator[httpx2.Request, httpx2.Response],
        original: httpx2.Request,
        answer: httpx2.Response,
    ) -> None:
        """Send what the flow wants sent, until it would repeat the original request: then there is a token."""
        from httpx2 import Response
        from mcp.client.auth import OAuthFlowError

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
        except OAuthFlowError as error:
            raise self._in_our_words(error) from None
        except ValueError as error:  # what pydantic says of metadata
            raise SignInError(f"an answer is not what the standard says ({type(error).__name__})", _ASK) from None

    def _begin(self, request: httpx2.Request) -> None:
        """Know the step by the request."""
        content_type = request.headers.get("content-type", "")
        if request.method == "GET":
            place = any(place in request.url.path for place in _METADATA_PLACES)
            self.step = Step.PROVIDER if place else Step.RESOURCE
        elif content_type.startswith("application/json"):
            self.step = Step.REGISTERING
            assert self._sdk is not None
            metadata = self._sdk.context.oauth_metadata
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
            self._choose_method(answer.fields)
            answer = self._same_issuer(answer)
        elif self.step is Step.REGISTERING and answer.status not in (200, 201):
            raise self._not_registered(answer)
        elif self.step is Step.TOKEN:
            self._token = token_of(answer, asked=self._asked)
        return answer

    def _same_issuer(self, answer: Answer) -> Answer:
        """Take a provider's name without the slash at its end for the one with it, as many servers write it.

        The package compares them letter by letter, as RFC 8414 wants. What the browser brings back is still compared with the
        provider's own word (RFC 9207).
        """
        import msgspec
        from mcp.client.auth.utils import issuers_match

        assert self._sdk is not None
        said, expected = answer.fields.get("issuer"), self._sdk._expected_issuer()
        if not isinstance(said, str):
            return answer
        self._issuer = said
        if said == expected or not issuers_match(said, expected):
            return answer
        return replace(answer, body=msgspec.json.encode({**answer.fields, "issuer": expected}))

    def _not_registered(self, answer: Answer) -> SignInError:
        assert self._sdk is not None
        if answer.status in (404, 405) and self._sdk.context.oauth_metadata is None:
            self.step = Step.PROVIDER
            return SignInError(
                "the server does not publish how to sign in",
                f"It may want a token instead; see what {self._title} says of its MCP server",
            )
        if answer.status >= 500 or answer.status == 429:
            return ProviderUnavailableError(f"the provider has trouble ({plain_error(answer)})", "Try again later")
        return SignInError(f"the provider refused ({plain_error(answer)})", self._by_hand())

    # The package's side.

    def _new_sdk(self, token: Token | None) -> OAuthClientProvider:
        """Runs on a worker thread, for the sake of the import."""
        from mcp.client.auth import OAuthClientProvider
        from mcp.shared.auth import OAuthClientMetadata
        from pydantic import AnyUrl

        logging.getLogger("mcp.client.auth.oauth2").setLevel(logging.CRITICAL)  # its errors are raised as well
        metadata = OAuthClientMetadata(
            client_name=f"MCP Gateway Desktop - {self._title}",
            redirect_uris=[AnyUrl(self._redirect_uri())],
            token_endpoint_auth_method="none",
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            software_id="mcp-gateway-desktop",
            software_version=__version__,
            scope=token.scope or None if token is not None else None,
        )
        return OAuthClientProvider(
            server_url=self._app.url or self._redirect_uri(),
            client_metadata=metadata,
            storage=_Storage(self, token),
            redirect_handler=self._redirect,
            callback_handler=self._callback,
            client_metadata_url=self._settings.client_metadata_url or None,
        )

    def _redirect_uri(self) -> str:
        return self._loopback.redirect_uri

    def client_information(self) -> OAuthClientInformationFull | None:
        """The client to sign in as, where there is one already (`_Storage`)."""
        from mcp.shared.auth import OAuthClientInformationFull

        if self._settings.client_id:
            method = "client_secret_basic" if self._client_secret else "none"
            return OAuthClientInformationFull(
                client_id=self._settings.client_id,
                client_secret=self._client_secret or None,
                token_endpoint_auth_method=method,
                issuer=self._settings.issuer or None,
            )
        if self._known is None or self._known.source != DYNAMIC or not self._known.client:
            return None
        return OAuthClientInformationFull.model_validate(self._known.client)

    async def registered(self, information: OAuthClientInformationFull) -> None:
        """Keep a new registration (`_Storage`)."""
        self._known = None
        await self._keep(self._registration(information, ""))

    def _choose_method(self, metadata: dict[str, Any]) -> None:
        """How to prove who we are, by what the provider takes: not at all where that will do (RFC 8252 section 8.4)."""
        assert self._sdk is not None
        offered = metadata.get("token_endpoint_auth_methods_supported")
        if not isinstance(offered, list):
            return
        context = self._sdk.context
        usable = [method for method in _METHODS if method in offered]
        if usable and self._settings.client_id and context.client_info is not None:
            with_secret = [method for method in usable if method != "none"]
            if self._client_secret and with_secret:
                context.client_info.token_endpoint_auth_method = with_secret[0]
        elif usable:
            context.client_metadata.token_endpoint_auth_method = usable[0]  # type: ignore[assignment]

    async def _fixed_metadata(self) -> OAuthMetadata:
        """The addresses of a provider that is no MCP server."""
        from mcp.client.auth.utils import (
            build_oauth_authorization_server_metadata_discovery_urls,
            validate_metadata_issuer,
        )
        from mcp.shared.auth import OAuthMetadata

        assert self._provider is not None
        assert self._client is not None
        provider = self._provider
        self.step = Step.PROVIDER
        if provider.authorization_endpoint and provider.token_endpoint:
            fixed = {
                "issuer": provider.issuer or provider.token_endpoint,
                "authorization_endpoint": provider.authorization_endpoint,
                "token_endpoint": provider.token_endpoint,
                "revocation_endpoint": provider.revocation_endpoint or None,
            }
            self._issuer = provider.issuer
            return OAuthMetadata.model_validate(fixed)
        for url in build_oauth_authorization_server_metadata_discovery_urls(provider.issuer, provider.issuer):
            answer = await self._client.send("GET", url, headers={"Accept": "application/json"})
            if answer.status == 200:
                metadata = OAuthMetadata.model_validate_json(answer.body)
                validate_metadata_issuer(metadata, provider.issuer)
                self._issuer = provider.issuer
                self._choose_method(answer.fields)
                return metadata
        raise SignInError(f"{provider.issuer} does not publish how to sign in", "Check the issuer in oauth.yaml")

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
        known = self._known
        if known is None or known.source != DYNAMIC or known.redirect_uri == self._redirect_uri():
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
        assert self._sdk is not None
        metadata, iss = self._sdk.context.oauth_metadata, redirected.iss
        if iss is not None and metadata is not None:
            if iss != self._issuer:
                raise _mixed_up(iss, self._issuer)
            iss = str(metadata.issuer)
        if redirected.error:
            raise _refused(redirected.error, redirected.description)
        return AuthorizationCodeResult(code=redirected.code, state=redirected.state, iss=iss)

    # The end.

    def _granted(self) -> Granted:
        assert self._sdk is not None
        information = self._sdk.context.client_info
        if self._token is None or information is None:
            raise SignInError("the sign-in ended without a token", "Try again")
        return Granted(token=self._token, registration=self._registration(information, self._token.scope))

    def _registration(self, information: OAuthClientInformationFull, scope: str) -> Registration:
        assert self._sdk is not None
        context = self._sdk.context
        metadata = context.oauth_metadata
        source = DYNAMIC
        if self._settings.client_id:
            source = CONFIGURED
        elif information.client_id == self._settings.client_metadata_url:
            source = DOCUMENT
        kept = self._known
        revocation = metadata.revocation_endpoint if metadata is not None else None
        return Registration(
            client_id=information.client_id,
            client_secret=information.client_secret or "",
            auth_method=information.token_endpoint_auth_method or "client_secret_basic",
            source=source,
            redirect_uri=kept.redirect_uri if kept is not None and source == DYNAMIC else self._redirect_uri(),
            issuer=self._issuer,
            token_endpoint=self._sdk._get_token_endpoint(),
            revocation_endpoint=str(revocation) if revocation is not None else "",
            resource=context.get_resource_url() if self._resource_counts() else "",
            scope=scope,
            client=information.model_dump(mode="json", exclude_none=True) if source == DYNAMIC else {},
        )

    def _resource_counts(self) -> bool:
        assert self._sdk is not None
        context = self._sdk.context
        return bool(self._app.url) and context.should_include_resource_param(context.protocol_version)

    def _in_our_words(self, error: Exception) -> SignInError:
        text = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        if self.step is Step.ANSWER:
            return SignInError(
                "the provider did not say who it is, although it promised to", "Try again, and tell who runs the server"
            )
        if self.step is Step.RESOURCE and "does not match" in text:
            return SignInError(f"its description is of another server ({text})", _ASK)
        return SignInError(text[:1].lower() + text[1:], _ASK)


class _Storage:
    """What the package reads and writes (its ``TokenStorage``)."""

    def __init__(self, flow: CodeFlow, token: Token | None) -> None:
        self._flow = flow
        self._token = token

    async def get_tokens(self) -> OAuthToken | None:
        from mcp.shared.auth import OAuthToken

        token = self._token
        return None if token is None else OAuthToken(access_token=token.access, scope=token.scope or None)

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """The flow has read the provider's answer itself."""

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._flow.client_information()

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        await self._flow.registered(client_info)


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
