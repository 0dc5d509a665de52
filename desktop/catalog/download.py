"""Catalogs fetched from the web."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from desktop.errors import CatalogError

if TYPE_CHECKING:
    import httpx

__all__ = ["Download", "Progress", "fetch", "is_url", "shown"]

Progress = Callable[[int, int], None]

LARGEST: Final = 64 * 1024 * 1024
TIME_LIMIT: Final = 60.0
ANSWER_LIMIT: Final = 15.0
CONNECT_LIMIT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Download:
    """What a server answered: the body, or None when it has not changed; the ETag, or empty."""

    body: bytes | None
    etag: str


def shown(url: str) -> str:
    """The address as it may be shown: without a password or a key in it."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as [ without ]; what is wrong with it is said when it is fetched
        return "of the given address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_url(text: str) -> bool:
    """Whether the text is the address of something on the web."""
    return text.lower().startswith(("http://", "https://"))


async def fetch(url: str, *, etag: str = "", progress: Progress | None = None) -> Download:
    """Fetch a catalog's bytes.

    Args:
        url: Its address.
        etag: What the copy at hand was served with; the answer may then be "not changed".
        progress: Called with bytes received and bytes in all (0 when unknown).

    Raises:
        CatalogError: It can't be had within a minute, is too large, or the server refuses.
    """
    import httpx  # here, because it takes long to import and most starts fetch nothing

    headers = {"If-None-Match": etag} if etag else {}
    try:
        async with (
            asyncio.timeout(TIME_LIMIT),
            httpx.AsyncClient(
                follow_redirects=True, timeout=httpx.Timeout(ANSWER_LIMIT, connect=CONNECT_LIMIT), headers=headers
            ) as client,
            client.stream("GET", url) as response,
        ):
            return await _receive(response, url, progress)
    except TimeoutError as error:
        raise _failure(url, f"no complete answer within {TIME_LIMIT:g} seconds") from error
    except httpx.InvalidURL as error:  # its text may quote a password out of the address
        raise _failure(url, "it is not a valid address") from error
    except httpx.HTTPError as error:
        raise _failure(url, str(error).rstrip(".") or type(error).__name__) from error


async def _receive(response: httpx.Response, url: str, progress: Progress | None) -> Download:
    if response.status_code == 304:
        return Download(None, "")
    if response.status_code != 200:
        raise _failure(url, f"the server answered {response.status_code} {response.reason_phrase}".rstrip())
    length = response.headers.get("content-length", "")
    total = int(length) if length.isdecimal() else 0
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST:
            raise _failure(url, f"it is larger than {LARGEST // 2**20} MiB")
        if progress is not None:
            progress(response.num_bytes_downloaded, total)
    return Download(bytes(body), response.headers.get("etag", ""))


def _failure(url: str, reason: str) -> CatalogError:
    return CatalogError(
        f"The catalog {shown(url)} can't be fetched ({reason})", hint="Check the network connection and try again."
    )
