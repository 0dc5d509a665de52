"""The OAuth client of the ``mcp`` package for one attempt to sign in: what it is told, and what is read from it.

The package takes a second to import, so everything of it is imported when somebody signs in, on a worker thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from desktop import __version__
from desktop.errors import SignInError
from desktop.oauth.apps import App, Provider
from desktop.oauth.grant import CONFIGURED, DOCUMENT, DYNAMIC, Registration, Token
from desktop.oauth.provider_client import Answer, ProviderClient
from desktop.oauth.settings import AppSettings

if TYPE_CHECKING:
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthMetadata, OAuthToken

__all__ = ["PackageClient", "Person"]

_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What the package asks of the person's side.

    Attributes:
        redirect: Sends the browser to an address.
        callback: Gives what the browser brought back.
        keep: Is given a new registration at once.
    """

    redirect: Callable[[str], Awaitable[None]]
    callback: Callable[[], Awaitable[AuthorizationCodeResult]]
    keep: Callable[[Registration], Awaitable[None]]


class PackageClient:
    """Made by `create`.

    Args:
        app: What is signed in to.
        settings: What the person has set for it.
        client_secret: Of the client the person has registered by hand.
        redirect_uri: Where the browser comes back to.
        known: How this program was registered at the last time.
        token: The token in force; only for asking for more.
        person: What it asks of the person's side.

    Attributes:
        known: The same, until there is another registration.
        issuer: What the provider calls itself.
    """

    def __init__(
        self,
        app: App,
        settings: AppSettings,
        client_secret: str,
        redirect_uri: str,
        known: Registration | None,
        token: Token | None,
        person: Person,
    ) -> None:
        self.known = known
        self.issuer = ""
        self._app = app
        self._settings = settings
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._person = person
        self._token = token
        self._provider: OAuthClientProvider | None = None

    async def begin(self) -> OAuthClientProvider:
        """The package's object, whose flow is to be driven."""
        self._provider = await asyncio.to_thread(self._new)
        return self._provider

    @property
    def provider(self) -> OAuthClientProvider:
        """The package's object; there is one after `begin`."""
        assert self._provider is not None
        return self._provider

    @property
    def metadata(self) -> OAuthMetadata | None:
        """What the provider has published, as far as it was read by now."""
        return self.provider.context.oauth_metadata

    def _new(self) -> OAuthClientProvider:
        from mcp.client.auth import OAuthClientProvider
        from mcp.shared.auth import OAuthClientMetadata
        from pydantic import AnyUrl

        logging.getLogger("mcp.client.auth.oauth2").setLevel(logging.CRITICAL)  # its errors are raised as well
        metadata = OAuthClientMetadata(
            client_name=f"MCP Gateway Desktop - {self._app.title or self._app.name}",
            redirect_uris=[AnyUrl(self._redirect_uri)],
            token_endpoint_auth_method="none",
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            software_id="mcp-gateway-desktop",
            software_version=__version__,
            scope=self._token.scope or None if self._token is not None else None,
        )
        return OAuthClientProvider(
            server_url=self._app.url or self._redirect_uri,
            client_metadata=metadata,
            storage=_Storage(self, self._token),
            redirect_handler=self._person.redirect,
            callback_handler=self._person.callback,
            client_metadata_url=self._settings.client_metadata_url or None,
        )

    # What it is told.

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
        if self.known is None or self.known.source != DYNAMIC or not self.known.client:
            return None
        return OAuthClientInformationFull.model_validate(self.known.client)

    async def registered(self, information: OAuthClientInformationFull) -> None:
        """Keep a new registration (`_Storage`)."""
        self.known = None
        await self._person.keep(self._registration(information, ""))

    def take_metadata(self, answer: Answer) -> Answer:
        """Read what a provider publishes, before the package does (RFC 8414); returns what the package is to read.

        A provider's name without the slash at its end is taken for the one with it, as many servers write it; the package
        compares them letter by letter. What the browser brings back is still compared with the provider's own word (RFC 9207).
        """
        import msgspec
        from mcp.client.auth.utils import issuers_match

        self._choose_method(answer.fields)
        said, expected = answer.fields.get("issuer"), self.provider._expected_issuer()
        if not isinstance(said, str):
            return answer
        self.issuer = said
        if said == expected or not issuers_match(said, expected):
            return answer
        return replace(answer, body=msgspec.json.encode({**answer.fields, "issuer": expected}))

    async def use_fixed(self, provider: Provider, client: ProviderClient) -> None:
        """Use the addresses of a provider that is no MCP server; raises `SignInError` or what the package says of them."""
        await self.provider._initialize()
        self.provider.context.oauth_metadata = await self._fixed_metadata(provider, client)
        self.issuer = provider.issuer

    def _choose_method(self, metadata: dict[str, Any]) -> None:
        """How to prove who we are, by what the provider takes: not at all where that will do (RFC 8252 section 8.4)."""
        offered = metadata.get("token_endpoint_auth_methods_supported")
        if not isinstance(offered, list):
            return
        context = self.provider.context
        usable = [method for method in _METHODS if method in offered]
        if usable and self._settings.client_id and context.client_info is not None:
            with_secret = [method for method in usable if method != "none"]
            if self._client_secret and with_secret:
                context.client_info.token_endpoint_auth_method = with_secret[0]
        elif usable:
            context.client_metadata.token_endpoint_auth_method = usable[0]  # type: ignore[assignment]

    async def _fixed_metadata(self, provider: Provider, client: ProviderClient) -> OAuthMetadata:
        from mcp.client.auth.utils import (
            build_oauth_authorization_server_metadata_discovery_urls,
            validate_metadata_issuer,
        )
        from mcp.shared.auth import OAuthMetadata

        if provider.authorization_endpoint and provider.token_endpoint:
            fixed = {
                "issuer": provider.issuer or provider.token_endpoint,
                "authorization_endpoint": provider.authorization_endpoint,
                "token_endpoint": provider.token_endpoint,
                "revocation_endpoint": provider.revocation_endpoint or None,
            }
            return OAuthMetadata.model_validate(fixed)
        for url in build_oauth_authorization_server_metadata_discovery_urls(provider.issuer, provider.issuer):
            answer = await client.send("GET", url, headers={"Accept": "application/json"})
            if answer.status == 200:
                metadata = OAuthMetadata.model_validate_json(answer.body)
                validate_metadata_issuer(metadata, provider.issuer)
                self._choose_method(answer.fields)
                return metadata
        raise SignInError(f"{provider.issuer} does not publish how to sign in", "Check the issuer in oauth.yaml")

    # What is read from it.

    def registration(self, scope: str) -> Registration | None:
        """How this program is registered after the flow, and what was granted; None when it isn't."""
        information = self.provider.context.client_info
        return None if information is None else self._registration(information, scope)

    def _registration(self, information: OAuthClientInformationFull, scope: str) -> Registration:
        context = self.provider.context
        metadata = context.oauth_metadata
        source = DYNAMIC
        if self._settings.client_id:
            source = CONFIGURED
        elif information.client_id == self._settings.client_metadata_url:
            source = DOCUMENT
        kept = self.known
        revocation = metadata.revocation_endpoint if metadata is not None else None
        return Registration(
            client_id=information.client_id,
            client_secret=information.client_secret or "",
            auth_method=information.token_endpoint_auth_method or "client_secret_basic",
            source=source,
            redirect_uri=kept.redirect_uri if kept is not None and source == DYNAMIC else self._redirect_uri,
            issuer=self.issuer,
            token_endpoint=self.provider._get_token_endpoint(),
            revocation_endpoint=str(revocation) if revocation is not None else "",
            resource=context.get_resource_url() if self._resource_counts() else "",
            scope=scope,
            client=information.model_dump(mode="json", exclude_none=True) if source == DYNAMIC else {},
        )

    def _resource_counts(self) -> bool:
        context = self.provider.context
        return bool(self._app.url) and context.should_include_resource_param(context.protocol_version)


class _Storage:
    """What the package reads and writes (its ``TokenStorage``)."""

    def __init__(self, client: PackageClient, token: Token | None) -> None:
        self._client = client
        self._token = token

    async def get_tokens(self) -> OAuthToken | None:
        from mcp.shared.auth import OAuthToken

        token = self._token
        return None if token is None else OAuthToken(access_token=token.access, scope=token.scope or None)

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """The flow has read the provider's answer itself."""

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client.client_information()

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        await self._client.registered(client_info)
