"""What is asked of a provider about tokens it has given: renew one (RFC 6749 section 6), take one back (RFC 7009)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from desktop.errors import GrantRefusedError, ProviderUnavailableError, SignInError
from desktop.oauth.grant import Registration, Token
from desktop.oauth.provider_client import Answer, ProviderClient

__all__ = ["ClientRefusedError", "plain_error", "post_form", "refresh", "revoke", "token_of"]

_FORM: Final = "application/x-www-form-urlencoded"
_CLIENT_ERRORS: Final = ("invalid_client", "unauthorized_client")
_LATER: Final = ("temporarily_unavailable", "server_error", "slow_down")


class ClientRefusedError(GrantRefusedError):
    """The provider does not know this program any more."""


async def refresh(client: ProviderClient, registration: Registration, token: Token) -> Token:
    """Renew a token.

    Raises:
        GrantRefusedError: The provider does not renew it; a new sign-in is needed.
        ProviderUnavailableError: It can't be asked now.
    """
    form = {"grant_type": "refresh_token", "refresh_token": token.refresh, "client_id": registration.client_id}
    if registration.resource:
        form["resource"] = registration.resource
    answer = await post_form(client, registration.token_endpoint, form, registration)
    return token_of(answer, before=token)


async def revoke(client: ProviderClient, registration: Registration, token: Token) -> None:
    """Take a token back at the provider: the refresh token, with which the access tokens end, else the access token.

    Raises:
        SignInError: The provider refuses.
        ProviderUnavailableError: It can't be asked now.
    """
    kind, value = ("refresh_token", token.refresh) if token.refresh else ("access_token", token.access)
    form = {"token": value, "token_type_hint": kind, "client_id": registration.client_id}
    answer = await post_form(client, registration.revocation_endpoint, form, registration)
    if not 200 <= answer.status < 300:
        raise SignInError(f"the provider did not take the token back ({plain_error(answer)})")


async def post_form(
    client: ProviderClient, url: str, form: Mapping[str, str], registration: Registration | None
) -> Answer:
    """Post a form as the registered client (RFC 6749 section 2.3.1)."""
    headers = {"Content-Type": _FORM, "Accept": "application/json"}
    fields = dict(form)
    if registration is not None and registration.client_secret:
        if registration.auth_method == "client_secret_post":
            fields["client_secret"] = registration.client_secret
        elif registration.auth_method != "none":
            pair = f"{quote(registration.client_id, safe='')}:{quote(registration.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return await client.send("POST", url, headers=headers, content=urlencode(fields).encode())


def token_of(answer: Answer, *, before: Token | None = None, asked: str = "") -> Token:
    """The token in a provider's answer.

    Args:
        answer: What the token endpoint has answered.
        before: The token that was renewed; what the answer leaves out stays as it was.
        asked: The scopes that were asked for, which are granted when the answer does not say otherwise.

    Raises:
        GrantRefusedError: It has no token, and why is not a passing trouble.
        ProviderUnavailableError: The provider has trouble.
    """
    fields = answer.fields
    access = fields.get("access_token")
    if not isinstance(access, str) or not access or not 200 <= answer.status < 300:
        raise _refusal(answer)
    now = time.time()
    life = _seconds(fields.get("expires_in"))
    refresh_token, scope = fields.get("refresh_token"), fields.get("scope")
    return Token(
        access=access,
        refresh=refresh_token if isinstance(refresh_token, str) and refresh_token else before.refresh if before else "",
        scope=scope if isinstance(scope, str) and scope else before.scope if before else asked,
        obtained_at=now,
        expires_at=None if life is None else now + life,
    )


def _refusal(answer: Answer) -> SignInError:
    error = answer.fields.get("error")
    said = plain_error(answer)
    if answer.status >= 500 or answer.status in (408, 425, 429) or not isinstance(error, str) or error in _LATER:
        return ProviderUnavailableError(f"the provider has trouble ({said})", "It is tried again by itself")
    if error in _CLIENT_ERRORS:
        return ClientRefusedError(f"the provider does not know this program any more ({said})", "Sign in again")
    return GrantRefusedError(f"the provider does not renew the token ({said})", "Sign in again")


def plain_error(answer: Answer) -> str:
    """What a provider says went wrong, in one line without control characters: its own words, else the HTTP status."""
    fields = answer.fields
    words = [
        str(fields[name]) for name in ("error", "error_description", "message") if isinstance(fields.get(name), str)
    ]
    text = ": ".join(words[:2]) or f"HTTP {answer.status}"
    return "".join(character if character.isprintable() else " " for character in text)[:200]


def _seconds(value: Any) -> float | None:
    """``expires_in``, which some providers send as text; what is no time means that none was said."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 1e10 else None
