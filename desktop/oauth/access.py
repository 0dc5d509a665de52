"""The access token of one app: read once, renewed in time, by one at a time over all processes of this person."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from desktop.errors import (
    GatewayError,
    GrantRefusedError,
    ProviderUnavailableError,
    ScopeMissingError,
    SecretStoreError,
    SignInError,
    SignInRequiredError,
)
from desktop.oauth import token_endpoint
from desktop.oauth.addresses import AddressRule
from desktop.oauth.grant import CONFIGURED, DYNAMIC, Registration, Token
from desktop.oauth.provider_client import ProviderClient
from desktop.oauth.records import Records
from desktop.state.locks import held_lock

__all__ = ["Access"]

_LOCK_LIMIT: Final = 60.0
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 300.0
log = logging.getLogger(__name__)


class Access:
    """One app's token in this process.

    Args:
        app: Its name.
        title: Its name for people.
        records: Where the token is kept.
        lock: The lock file that lets one process renew it at a time.
        tell: Is given every token before it is used, so that it is never shown.
        changed: Called when there is another token, or none any more.
        clock: Wall-clock seconds.

    Attributes:
        failure: Why the last renewal failed; None when all is well.
        needed: Whether a server has refused to go on without a sign-in.
        wanted: Scopes a server has asked for beyond those granted, with spaces between.
    """

    def __init__(
        self,
        app: str,
        title: str,
        records: Records,
        lock: Path,
        *,
        tell: Callable[[str], None],
        changed: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self.title = title
        self.failure: GatewayError | None = None
        self.needed = False
        self.wanted = ""
        self._records = records
        self._lock = lock
        self._tell = tell
        self._changed = changed
        self._clock = clock
        self._token: Token | None = None
        self._unsaved = False
        self._loading: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._failures = 0
        self._retry_at = 0.0

    @property
    def token(self) -> Token | None:
        """The token in force; None when there is none, or it was not read yet."""
        return self._token

    @property
    def current(self) -> str:
        """The access token, which may have ended; empty when there is none, or it was not read yet."""
        return self._token.access if self._token is not None else ""

    async def load(self) -> None:
        """Read the token, once for however many ask; one that can't be read now is tried again the next time."""
        if self._loading is None or (self._loading.done() and self._failed_to_load(self._loading)):
            self._loading = asyncio.get_running_loop().create_task(self._read())
        await asyncio.shield(self._loading)

    async def reload(self) -> None:
        """Read it again: another process may have signed in or out."""
        self._loading = None
        await self.load()

    async def bearer(self) -> str:
        """A token that is good now; empty when nobody is signed in.

        Raises:
            SignInRequiredError: It has ended, and can't be renewed.
            ProviderUnavailableError: It has ended, and the provider does not answer.
            SecretStoreError: The secret store can't be opened.
        """
        await self.load()
        if self._token is None:
            return ""
        if self._token.expired(self._clock()):
            await self._renewed(self._token.access)
        return self.current

    async def instead_of(self, refused: str) -> str:
        """Another token than the one a server has refused; raises as `bearer` does."""
        await self.load()
        if self._token is None:
            if not self.needed:
                self.needed = True
                self._changed(self.app)
            raise self.sign_in_needed()
        if self._token.access == refused:
            await self._renewed(refused)
        return self.current

    async def more_wanted(self, scope: str) -> ScopeMissingError:
        """A server has refused a call for want of scopes (RFC 6750 section 3.1): remember them for the next sign-in.

        Returns:
            The error that says what to do.
        """
        if self.wanted != scope:
            self.wanted = scope
            with contextlib.suppress(SecretStoreError):  # the next sign-in in this process asks for it all the same
                registration = await self._records.registration(self.app)
                if registration is not None:
                    await self._records.save_registration(self.app, msgspec.structs.replace(registration, wanted=scope))
            self._changed(self.app)
        more = f" ({scope})" if scope else ""
        return ScopeMissingError(
            f"{self.title} wants you to allow more for this{more}",
            f"Sign in again in the tray, or run docker-mcp oauth authorize {self.app}",
        )

    async def renew_if_due(self) -> None:
        """Renew it when four fifths of its life are over; what fails is tried again later."""
        token = self._token
        if token is not None and self._unsaved:
            await self._save(token)
        if token is None or not token.refresh or not token.due(self._clock()) or self._retry_at > time.monotonic():
            return
        try:
            await self._renewed(token.access)
        except GatewayError as error:
            log.info("the token of %s was not renewed: %s", self.app, error)

    def sign_in_needed(self) -> SignInRequiredError:
        """The error that says what to do."""
        return SignInRequiredError(
            f"{self.title} wants you to sign in", f"Sign in in the tray, or run docker-mcp oauth authorize {self.app}"
        )

    async def _read(self) -> None:
        if self._unsaved and self._token is not None:
            await self._save(self._token)
        else:
            self._adopt(await self._records.token(self.app))

    @staticmethod
    def _failed_to_load(task: asyncio.Task[None]) -> bool:
        return task.cancelled() or task.exception() is not None

    def _adopt(self, token: Token | None) -> None:
        if token is not None:
            self._tell(token.access)
            if token.refresh:
                self._tell(token.refresh)
            self.needed = False
        if token != self._token:
            self._token = token
            self._failures, self._retry_at, self.failure = 0, 0.0, None
            self._changed(self.app)

    async def _renewed(self, refused: str) -> None:
        if self._renewing is None:
            if self._retry_at > time.monotonic() and self.failure is not None:
                raise self.failure.with_traceback(None)
            self._renewing = asyncio.get_running_loop().create_task(self._renew(refused))
            self._renewing.add_done_callback(self._renewal_over)
        await asyncio.shield(self._renewing)

    def _renewal_over(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # those who wait have it; there may be none

    async def _renew(self, refused: str) -> None:
        async with held_lock(self._lock, timeout=_LOCK_LIMIT):
            stored = self._token if self._unsaved else await self._records.token(self.app)
            if stored is not None and stored.access != refused and not stored.expired(self._clock()):
                self._adopt(stored)  # another process was quicker
                return
            registration = await self._records.registration(self.app)
            if stored is None or registration is None or not stored.refresh or not registration.token_endpoint:
                await self._ended(stored, registration)
                raise self.sign_in_needed()
            try:
                rule = AddressRule(registration.resource or registration.issuer or registration.token_endpoint)
                async with ProviderClient(rule) as client:
                    token = await token_endpoint.refresh(client, registration, stored)
            except GrantRefusedError as error:
                log.warning("%s: %s", self.app, error.message)
                forgotten = isinstance(error, token_endpoint.ClientRefusedError) and registration.source == DYNAMIC
                await self._ended(stored, None if forgotten else registration)
                raise self.sign_in_needed() from None
            except SignInError as error:
                raise self._later(error) from None
            self._tell(token.access)
            await self._save(token)
            self._adopt(token)

    async def _save(self, token: Token) -> None:
        """Store the new token before it is used: its forerunner is worth nothing any more."""
        self._unsaved = True
        try:
            await self._records.save_token(self.app, token)
            self._unsaved = False
        except SecretStoreError as error:
            log.warning("the new token of %s can't be stored yet: %s", self.app, error)

    async def _ended(self, stored: Token | None, registration: Registration | None) -> None:
        """Nothing renews it any more. The registration stays, so that signing in again is the same client."""
        if registration is not None and stored is not None and registration.source != CONFIGURED:
            scope = stored.scope or registration.scope
            registration = msgspec.structs.replace(registration, scope=scope)
        if stored is not None:
            await self._records.save(self.app, None, registration)
        self.needed = True
        self._adopt(None)

    def _later(self, error: SignInError) -> ProviderUnavailableError:
        self._failures += 1
        pause = min(_FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
        self._retry_at = time.monotonic() + pause
        failure = ProviderUnavailableError(
            f"The token of {self.title} can't be renewed now: {error.message}", "It is tried again by itself"
        )
        self.failure = failure
        return failure
