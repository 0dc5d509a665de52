"""Requests to providers: few, small, within a time limit, to allowed addresses only."""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from desktop import __version__
from desktop.errors import ProviderUnavailableError, SignInError
from desktop.oauth.addresses import AddressRule

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "ProviderClient"]

_LARGEST: Final = 1024 * 1024
_MOST_MOVES: Final = 5
_NOT_OURS: Final = ("host", "content-length", "accept-encoding", "connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider answered; the body may hold a token, so it is not shown."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is none."""
        import msgspec

        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class ProviderClient:
    """An HTTP client for one app. To be used with ``async with``.

    Args:
        rule: The addresses that are allowed.
        time_limit: Seconds one request may take.

    Attributes:
        rule: The addresses that are allowed.
    """

    def __init__(self, rule: AddressRule, *, time_limit: float = 30.0) -> None:
        self.rule = rule
        self._time_limit = time_limit
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> ProviderClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def send(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        """Send one request; a GET follows redirects on the same host.

        Raises:
            SignInError: The address is not allowed.
            ProviderUnavailableError: There is no answer, or not within the time limit.
        """
        import httpx  # here, because it takes long to import

        if self._client is None:
            self._client = await asyncio.to_thread(_new_client, self._time_limit)
        kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_OURS}
        kept["User-Agent"] = f"mcp-gateway-desktop/{__version__}"
        host = urlsplit(url).netloc.rpartition("@")[2]
        try:
            async with asyncio.timeout(self._time_limit):
                for _ in range(_MOST_MOVES):
                    self.rule.check(url)
                    answer = await self._once(method, url, kept, content)
                    target = urljoin(url, answer.headers.get("location", ""))
                    if method != "GET" or answer.status not in (301, 302, 307, 308) or not _same_place(url, target):
                        return answer
                    url = target
                return answer
        except TimeoutError:
            raise _unavailable(host, f"no answer within {self._time_limit:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _unavailable(host, str(error).splitlines()[0][:200] if str(error) else type(error).__name__) from None

    async def _once(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        assert self._client is not None
        async with self._client.stream(method, url, headers=dict(headers), content=content or None) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _LARGEST:
                    raise SignInError("an answer is larger than 1 MiB", "Ask who runs the server")
            return Answer(status=response.status_code, headers=dict(response.headers), body=bytes(body))


def _same_place(url: str, target: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(target)[:2]


def _unavailable(host: str, reason: str) -> ProviderUnavailableError:
    return ProviderUnavailableError(
        f"{host} can't be reached ({reason.rstrip('.')})", "Check the network and try again"
    )


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _new_client(time_limit: float) -> httpx.AsyncClient:
    """On a worker thread: reading the system's certificates takes long."""
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses with all that is in them
    return httpx.AsyncClient(follow_redirects=False, timeout=time_limit, verify=_tls_context())
