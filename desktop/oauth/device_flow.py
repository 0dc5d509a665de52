"""Signing in on another device: a short code to type there (RFC 8628)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from desktop.errors import GatewayError, GrantRefusedError, ProviderUnavailableError, SignInError
from desktop.oauth.addresses import AddressRule
from desktop.oauth.apps import App, Provider
from desktop.oauth.code_flow import Granted
from desktop.oauth.grant import CONFIGURED, Registration
from desktop.oauth.provider_client import Answer, ProviderClient
from desktop.oauth.settings import AppSettings
from desktop.oauth.steps import Step, at_step
from desktop.oauth.token_endpoint import plain_error, post_form, token_of

__all__ = ["DeviceCode", "DeviceFlow"]

_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_USUAL_PAUSE: Final = 5.0
_SLOWER: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What the person has to do: open the address, type the code.

    Attributes:
        code: The code to type.
        address: Where to type it.
        link: The address with the code in it; empty when the provider has none.
    """

    code: str = field(repr=False)
    address: str
    link: str = field(default="", repr=False)


class DeviceFlow:
    """One sign-in.

    Args:
        app: What is signed in to.
        provider: Its addresses.
        settings: What the person has set for it; the client id among them.
        client_secret: Of the client, where it has one.
        show_code: Is given what the person has to do.
        time_limit: Seconds the person has; the provider may give less.

    Attributes:
        step: Where it is.
    """

    def __init__(
        self,
        app: App,
        *,
        provider: Provider,
        settings: AppSettings,
        client_secret: str,
        show_code: Callable[[DeviceCode], Awaitable[None]],
        time_limit: float,
    ) -> None:
        self.step = Step.PREPARING
        self._app = app
        self._provider = provider
        self._show_code = show_code
        self._time_limit = time_limit
        self._scopes = settings.scopes
        self._registration = Registration(
            client_id=settings.client_id,
            client_secret=client_secret,
            auth_method="client_secret_post" if client_secret else "none",
            source=CONFIGURED,
            issuer=provider.issuer,
            token_endpoint=provider.token_endpoint,
            revocation_endpoint=provider.revocation_endpoint,
        )

    async def run(self, scopes: Sequence[str]) -> Granted:
        """Sign in; raises `SignInError`, whose message says at which step it failed."""
        try:
            async with ProviderClient(AddressRule(self._provider.token_endpoint)) as client:
                return await self._run(client, " ".join(scopes or self._scopes or self._app.scopes))
        except GatewayError as error:
            raise at_step(self._app.title or self._app.name, self.step, error) from None

    async def _run(self, client: ProviderClient, scope: str) -> Granted:
        import msgspec

        self.step = Step.DEVICE
        form = {"client_id": self._registration.client_id} | ({"scope": scope} if scope else {})
        answer = await post_form(client, self._provider.device_authorization_endpoint, form, self._registration)
        fields = answer.fields
        code, address = fields.get("user_code"), fields.get("verification_uri") or fields.get("verification_url")
        if answer.status != 200 or not isinstance(code, str) or not isinstance(address, str):
            raise SignInError(f"the provider gave none ({plain_error(answer)})", "Check the client id")
        link = fields.get("verification_uri_complete")
        link = link if isinstance(link, str) else ""
        for shown in filter(None, (address, link)):
            client.rule.check(shown)
        self.step = Step.PERSON
        await self._show_code(DeviceCode(code=code, address=address, link=link))
        token = token_of(await self._wait(client, answer), asked=scope)
        return Granted(token=token, registration=msgspec.structs.replace(self._registration, scope=token.scope))

    async def _wait(self, client: ProviderClient, given: Answer) -> Answer:
        """Ask again and again, as seldom as the provider wants."""
        fields = given.fields
        pause = _number(fields.get("interval"), _USUAL_PAUSE)
        deadline = time.monotonic() + min(_number(fields.get("expires_in"), self._time_limit), self._time_limit)
        form = {
            "grant_type": _GRANT,
            "device_code": str(fields.get("device_code", "")),
            "client_id": self._registration.client_id,
        }
        while time.monotonic() + pause < deadline:
            await asyncio.sleep(pause)
            try:
                answer = await post_form(client, self._provider.token_endpoint, form, self._registration)
            except ProviderUnavailableError:
                pause *= 2  # RFC 8628 section 3.5
                continue
            error = answer.fields.get("error")
            if error == "slow_down":
                pause += _SLOWER
            elif error == "access_denied":
                raise GrantRefusedError("you or the provider said no")
            elif error == "expired_token":
                break
            elif error != "authorization_pending":
                self.step = Step.TOKEN
                return answer
        raise SignInError("nobody typed the code in time", "Try again")


def _number(value: object, usual: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else usual
