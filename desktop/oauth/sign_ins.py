"""Signing in and out: which apps there are, who is signed in, one sign-in at a time for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from desktop.errors import (
    GatewayError,
    SecretStoreError,
    SignInCancelledError,
    SignInError,
    UsageError,
)
from desktop.events import EventStream
from desktop.oauth import token_endpoint
from desktop.oauth.access_tokens import AccessTokens
from desktop.oauth.addresses import AddressRule
from desktop.oauth.apps import PROVIDERS, App, Provider
from desktop.oauth.grant import Registration, Token
from desktop.oauth.provider_client import ProviderClient
from desktop.oauth.records import Records
from desktop.oauth.settings import AppSettings, OAuthSettingsFile
from desktop.oauth.status import SignInState, SignInStatus
from desktop.oauth.steps import Step, at_step

if TYPE_CHECKING:  # what only a sign-in needs is imported when there is one
    from desktop.oauth.code_flow import Granted
    from desktop.oauth.device_flow import DeviceCode, DeviceFlow
    from desktop.oauth.loopback import Loopback

__all__ = ["BrowserOpener", "SignIns"]

_PERSON_LIMIT: Final = 300.0
log = logging.getLogger(__name__)


class BrowserOpener(Protocol):
    """Opens the system's browser."""

    async def open(self, address: str) -> bool:
        """Open an address; False when there is no browser."""


@dataclass(slots=True)
class _UnderWay:
    """A sign-in that has not ended."""

    task: asyncio.Task[Token] | None = None
    loopback: Loopback | None = None
    link: str = ""
    user_code: str = ""
    cancelled: bool = field(default=False)


class SignIns:
    """The sign-ins of this person.

    Args:
        apps: All apps there are, by name.
        records: Where tokens and registrations are kept.
        settings: What the person has set.
        tokens: The tokens in this process.
        browser: Opens the browser; None leaves that to whoever shows the link.
        time_limit: Seconds a person has to sign in.

    Attributes:
        changed: The name of an app whose status is new.
    """

    def __init__(
        self,
        apps: Callable[[], Mapping[str, App]],
        records: Records,
        settings: OAuthSettingsFile,
        tokens: AccessTokens,
        *,
        browser: BrowserOpener | None,
        time_limit: float = _PERSON_LIMIT,
    ) -> None:
        self.changed: EventStream[str] = EventStream()
        self._apps = apps
        self._records = records
        self._settings = settings
        self._tokens = tokens
        self._browser = browser
        self._time_limit = time_limit
        self._under_way: dict[str, _UnderWay] = {}
        self._failures: dict[str, GatewayError] = {}
        self._signed_in: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()
        self._signed_out: set[str] = set()
        tokens.changed.subscribe(self._token_changed)

    # What there is.

    def find(self, name: str) -> App:
        """An app by its name, or the app a server of that name uses; raises `GatewayError`."""
        apps = self._apps()
        found = apps.get(name) or next((app for app in apps.values() if name in app.servers), None)
        if found is None:
            import difflib  # here: only a wrong name needs it

            known = [*apps, *(server for app in apps.values() for server in app.servers)]
            meant = next(iter(difflib.get_close_matches(name, known, n=1)), "")
            hint = f"Did you mean {meant}?" if meant else "See docker-mcp oauth ls"
            raise GatewayError(f"sign-in {name} not found", hint)
        return found

    async def look(self) -> None:
        """Read anew who is signed in; nothing has to be unlocked for it. Raises `SecretStoreError`."""
        names = tuple(self._apps())
        self._signed_in, self._known = await self._records.signed_in(names), await self._records.known(names)

    def status(self, name: str) -> SignInStatus | None:
        """One app as shown, as of the last `look` and what has happened since; may be read from any thread."""
        app = self._apps().get(name)
        if app is None:
            return None
        access, under_way, failure = self._tokens.known(name), self._under_way.get(name), self._failures.get(name)
        token = access.token if access is not None else None
        if under_way is not None:
            state = SignInState.SIGNING_IN
        elif token is not None or name in self._signed_in:
            state = SignInState.SIGNED_IN
        else:
            state = SignInState.NEEDED if self._is_known(name) else SignInState.SIGNED_OUT
        return SignInStatus(
            app=name,
            title=app.title or name,
            state=state,
            servers=app.servers,
            scopes=tuple(token.scope.split()) if token is not None and token.scope else app.scopes,
            wanted=tuple(access.wanted.split()) if access is not None else (),
            expires_at=token.expires_at if token is not None else None,
            link=under_way.link if under_way is not None else "",
            user_code=under_way.user_code if under_way is not None else "",
            reason=failure.message if failure is not None and under_way is None else "",
            hint=failure.hint if failure is not None and under_way is None else "",
        )

    def statuses(self) -> tuple[SignInStatus, ...]:
        """The apps one signs in to as far as is known, sorted by title: of other servers nothing is to be shown."""
        known = [app.name for app in tuple(self._apps().values()) if app.declared or self._is_known(app.name)]
        found = [status for name in known if (status := self.status(name)) is not None]
        return tuple(sorted(found, key=lambda status: (status.title.casefold(), status.app)))

    def _is_known(self, name: str) -> bool:
        access = self._tokens.known(name)
        asked_for = access is not None and access.needed
        return asked_for or any(
            name in names for names in (self._signed_in, self._known, self._failures, self._signed_out)
        )

    # Signing in.

    async def sign_in(self, name: str, scopes: Sequence[str] = (), *, device: bool | None = None) -> Token:
        """Sign in, and wait until it has ended one way or the other; a second one for the same app joins the first.

        Args:
            name: The app, or a server that uses it.
            scopes: What to ask for; empty leaves that to the server.
            device: Whether to sign in on another device; None leaves it to what the app can do.

        Raises:
            SignInCancelledError: `cancel` was called.
            SignInError: It failed; the message says at which step.
            GatewayError: There is no such app.
        """
        app = self.find(name)
        under_way = self._under_way.get(app.name)
        if under_way is None:
            under_way = self._under_way[app.name] = _UnderWay()
            under_way.task = asyncio.get_running_loop().create_task(self._run(app, tuple(scopes), device, under_way))
            under_way.task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._tell(app.name)
        assert under_way.task is not None
        try:
            return await asyncio.shield(under_way.task)
        except asyncio.CancelledError:
            if under_way.cancelled:
                raise SignInCancelledError(f"Signing in to {app.title or app.name} was cancelled") from None
            raise

    async def cancel(self, name: str) -> None:
        """Call a sign-in off; one that has ended is fine."""
        under_way = self._under_way.get(self.find(name).name)
        if under_way is not None and under_way.task is not None:
            under_way.cancelled = True
            under_way.task.cancel()
            await asyncio.wait([under_way.task])

    def take_address(self, name: str, address: str) -> None:
        """Take what a person has copied from the address bar of a browser on another machine; raises `UsageError`."""
        under_way = self._under_way.get(self.find(name).name)
        if under_way is None or under_way.loopback is None:
            raise UsageError("no sign-in waits for an address", "Begin one first")
        under_way.loopback.take(address)

    async def _run(self, app: App, scopes: tuple[str, ...], device: bool | None, under_way: _UnderWay) -> Token:
        self._failures.pop(app.name, None)
        try:
            granted = await self._granted(app, scopes, device, under_way)
            if under_way.loopback is not None:
                under_way.loopback.succeeded()
        except GatewayError as error:
            if under_way.loopback is not None:
                under_way.loopback.failed(error.message, error.hint)
            self._failures[app.name] = error
            log.info("%s", error)
            raise
        finally:
            if under_way.loopback is not None:
                await under_way.loopback.close()
            self._under_way.pop(app.name, None)
            self._tell(app.name)
        await self._settled(app.name)
        return granted.token

    async def _granted(self, app: App, scopes: tuple[str, ...], device: bool | None, under_way: _UnderWay) -> Granted:
        from desktop.oauth.code_flow import CodeFlow
        from desktop.oauth.loopback import Loopback

        settings = await asyncio.to_thread(self._settings.settings_of, app.name)
        provider = None if app.url else _provider(app, settings)
        known, token, secret = await self._stored(app, settings)
        if provider is not None and not settings.client_id and not settings.client_metadata_url:
            raise _no_client(app, provider)
        if provider is not None and _by_device(provider, secret, device):
            flow = self._device_flow(app, provider, settings, secret, under_way)
            granted = await flow.run(scopes)
        else:
            if device:
                raise UsageError(f"{app.name} can't be signed in to with a code on another device")
            under_way.loopback = Loopback(app.title or app.name)
            code_flow = CodeFlow(
                app,
                provider=provider,
                settings=settings,
                client_secret=secret,
                loopback=under_way.loopback,
                show_link=lambda link: self._show(app, under_way, link),
                keep=lambda registration: self._records.save_registration(app.name, registration),
                time_limit=self._time_limit,
            )
            granted = await code_flow.run(known, token, scopes)
        try:
            await self._records.save(app.name, granted.token, granted.registration)
        except SecretStoreError as error:
            raise at_step(app.title or app.name, Step.SAVING, error) from None
        return granted

    def _device_flow(
        self, app: App, provider: Provider, settings: AppSettings, secret: str, under_way: _UnderWay
    ) -> DeviceFlow:
        from desktop.oauth.device_flow import DeviceFlow

        async def show(code: DeviceCode) -> None:
            under_way.user_code = code.code
            await self._show(app, under_way, code.link or code.address)

        return DeviceFlow(
            app, provider=provider, settings=settings, client_secret=secret, show_code=show, time_limit=self._time_limit
        )

    async def _stored(self, app: App, settings: AppSettings) -> tuple[Registration | None, Token | None, str]:
        """What there is from before; a store that can't be opened ends the sign-in before the person has any trouble."""
        try:
            known = await self._records.registration(app.name)
            token = await self._records.token(app.name)
            secret = await self._records.client_secret(app.name) if settings.client_id else ""
        except SecretStoreError as error:
            raise at_step(app.title or app.name, Step.PREPARING, error) from None
        return known, token, secret

    async def _show(self, app: App, under_way: _UnderWay, link: str) -> None:
        under_way.link = link
        self._tell(app.name)
        if self._browser is not None and not await self._browser.open(link):
            log.warning("no browser could be opened to sign in to %s", app.name)

    # Signing out.

    async def sign_out(self, name: str) -> str:
        """Revoke the token at the provider (RFC 7009) and forget it here; being signed out already is fine.

        Returns:
            Why the provider could not be told, one sentence; empty when it was, or has no way to be.

        Raises:
            SecretStoreError: The token can't be taken away here.
            GatewayError: There is no such app.
        """
        app = self.find(name)
        await self.cancel(app.name)
        token, registration = await self._records.token(app.name), await self._records.registration(app.name)
        trouble = ""
        if token is not None and registration is not None and registration.revocation_endpoint:
            try:
                async with ProviderClient(AddressRule(registration.revocation_endpoint)) as client:
                    await token_endpoint.revoke(client, registration, token)
            except SignInError as error:
                trouble = f"The provider still holds the token of {app.title or app.name}: {error.message}"
        elif token is not None:
            trouble = f"The provider of {app.title or app.name} has no way to revoke a token; remove it on its website"
        await self._records.save(app.name, None, None)
        self._failures.pop(app.name, None)
        if token is not None:
            self._signed_out.add(app.name)  # so that it is still shown where one may sign in again
        await self._settled(app.name)
        return trouble

    async def close(self) -> None:
        """Call off what is under way."""
        for name in tuple(self._under_way):
            await self.cancel(name)

    # Changes.

    async def _settled(self, name: str) -> None:
        """Follow what is in the store now. Other processes notice by themselves that its file is another one."""
        access = self._tokens.of(name)
        access.wanted, access.needed = "", False
        await self.look()
        await access.reload()
        self._tell(name)

    def _token_changed(self, name: str) -> None:
        signed_in = self._tokens.of(name).token is not None
        self._signed_in = self._signed_in | {name} if signed_in else self._signed_in - {name}
        self._tell(name)

    def _tell(self, name: str) -> None:
        self.changed.publish(name)


def _provider(app: App, settings: AppSettings) -> Provider:
    """The provider of a service: what the person has set, else what is known of it."""
    known = PROVIDERS.get(app.provider or app.name, Provider())
    if settings.issuer and settings.issuer != known.issuer:
        known = Provider(client_page=known.client_page)
    chosen = Provider(
        issuer=settings.issuer or known.issuer,
        authorization_endpoint=settings.authorization_endpoint or known.authorization_endpoint,
        token_endpoint=settings.token_endpoint or known.token_endpoint,
        device_authorization_endpoint=settings.device_authorization_endpoint or known.device_authorization_endpoint,
        revocation_endpoint=settings.revocation_endpoint or known.revocation_endpoint,
        client_page=known.client_page,
    )
    if not chosen.issuer and not chosen.token_endpoint:
        raise SignInError(
            f"It is not known where one signs in to {app.title or app.name}",
            f"Set the issuer of {app.name} in oauth.yaml, or store its token as a secret",
        )
    return chosen


def _by_device(provider: Provider, secret: str, wanted: bool | None) -> bool:
    """With a code on another device: when wanted, or when the provider's browser flow needs a secret that isn't there."""
    possible = bool(provider.device_authorization_endpoint and provider.token_endpoint)
    return possible and (wanted if wanted is not None else not secret)


def _no_client(app: App, provider: Provider) -> SignInError:
    where = f"Register one at {provider.client_page}" if provider.client_page else "Register one there"
    return SignInError(
        f"{app.title or app.name} only takes clients that were registered by hand, and there is none yet",
        f"{where}, then run docker-mcp oauth client {app.name} --client-id ID",
    )
