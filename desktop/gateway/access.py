"""Who may talk to the HTTP endpoint: the right host name, no foreign web page, the bearer token.

A loopback address alone keeps nobody out: any web page may send requests there. So Host and Origin are checked always
(DNS rebinding; MCP 2025-11-25, basic/transports, security warning) and a bearer token (RFC 6750) is asked for by default.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from desktop.secrets.client_tokens import Caller, TokenCheck

__all__ = ["Access", "Refusal"]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Refusal(NamedTuple):
    """An HTTP answer to a request that may not pass."""

    status: int
    reason: str


class Access:
    """The rules of one listening endpoint.

    Args:
        token: The bearer token asked for; None admits without (``--allow-unauthenticated``).
        hosts: Host names accepted besides the loopback ones; ``*`` accepts any (bound to every interface).
        trusted: A transport only this user can reach (Unix socket): no token is asked for and Host does not matter.
        clients: Tokens of single clients, which are as good.
    """

    def __init__(
        self,
        token: str | None,
        hosts: Iterable[str] = (),
        *,
        trusted: bool = False,
        clients: TokenCheck | None = None,
    ) -> None:
        self._token = None if token is None else token.encode()
        self._hosts = _LOOPBACK | {host.lower().strip("[]") for host in hosts}
        self._trusted = trusted
        self._clients = clients

    @property
    def generation(self) -> int:
        """Another number whenever somebody who was let in might not be any more."""
        return 0 if self._clients is None else self._clients.generation

    def refuse(self, headers: Mapping[bytes, bytes]) -> Refusal | None:
        """Why a request may not pass, or None when it may. Header names are lower-case bytes."""
        origin = headers.get(b"origin")
        if origin is not None and not self._is_local_origin(origin.decode("latin-1")):
            return Refusal(403, "Forbidden: this Origin may not use the gateway")
        if self._trusted:
            return None
        if "*" not in self._hosts and _host_name(headers.get(b"host", b"").decode("latin-1")) not in self._hosts:
            return Refusal(403, "Forbidden: this Host name is not the gateway's")
        if self._token is not None and not self._has_token(headers.get(b"authorization", b"")):
            return Refusal(401, "Unauthorized")
        return None

    async def learns_more(self, since: int) -> bool:
        """Whether other tokens are in force than at the generation ``since``: a client was connected just now."""
        if self._clients is None:
            return False
        await asyncio.to_thread(self._clients.refresh)
        return self._clients.generation != since

    def caller(self, authorization: bytes) -> Caller | None:
        """The client whose token a request bears; None for the common token and for none."""
        token = _bearer_token(authorization)
        return None if self._clients is None or not token else self._clients.caller(token)

    def _is_local_origin(self, origin: str) -> bool:
        try:
            parts = urlsplit(origin)
            return parts.scheme in ("http", "https") and (parts.hostname or "") in self._hosts - {"*"}
        except ValueError:
            return False

    def _has_token(self, authorization: bytes) -> bool:
        token = _bearer_token(authorization)
        return bool(token) and (
            hmac.compare_digest(token, self._token or b"") or self.caller(authorization) is not None
        )


def _bearer_token(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _host_name(host: str) -> str:
    """The name without the port, in lower case: ``[::1]:8811`` and ``LOCALHOST:1`` are ``::1`` and ``localhost``."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
