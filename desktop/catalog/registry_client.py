"""The community registry's API: one server, or all of them page by page, as catalog entries (spec 1.11)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from desktop.catalog.download import is_url, shown
from desktop.catalog.registry_conversion import catalog_entry
from desktop.catalog.registry_document import read_document
from desktop.errors import CatalogError

if TYPE_CHECKING:
    import httpx

__all__ = ["RegistryServers", "fetch_document", "fetch_servers", "registry_base"]

PAGE: Final = 100
LARGEST_ANSWER: Final = 16 * 1024 * 1024
MOST_PAGES: Final = 2000
ANSWER_TIME: Final = 10.0
_BUSY: Final = frozenset({429, 503})
_TRIES: Final = 4
_LONGEST_WAIT: Final = 10
_API: Final = re.compile(r"(?P<base>.*?)/v0(?:\.1)?/servers(?P<rest>/.*)?")
_VERSIONS: Final = ("/v0/servers", "/v0.1/servers")


@dataclass(slots=True)
class RegistryServers:
    """What a registry has.

    Attributes:
        base: Its address without the path of the API; empty when the address is that of a document kept elsewhere.
        entries: Catalog entries by server name, in the registry's order.
        skipped: One sentence for each server that can't be run from here.
    """

    base: str = ""
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def add(self, data: Any) -> None:
        """Take a document; a deleted server, and a further version of one that is here, is passed over."""
        try:
            document = read_document(data)
            if document.status == "deleted":
                return
            entry = catalog_entry(document, base=self.base)
        except CatalogError as error:
            self.skipped.append(error.message)
            return
        known = self.entries.setdefault(entry["name"], entry)
        if known["title"] != entry["title"]:
            self.skipped.append(f"The server {document.name} is passed over: another is called {entry['name']} as well")


def registry_base(url: str) -> str:
    """The registry's address without the path of its API; empty when the path isn't one of the API's."""
    parts = urlsplit(url)
    match = _API.fullmatch(parts.path.rstrip("/"))
    return urlunsplit((parts.scheme, parts.netloc, match["base"], "", "")) if match else ""


async def fetch_document(url: str) -> tuple[Any, str]:
    """The one document at an address of the API, or of a ``server.json``; and the registry's base, or empty.

    Raises:
        CatalogError: It can't be had, or the address is that of a whole registry.
    """
    _check(url)
    async with _client() as client:
        try:
            data = await _get(client, url)
        except _NothingThere:
            if urlsplit(url).path.strip("/"):
                raise
            data = {"servers": []}
    if isinstance(data, dict) and isinstance(data.get("servers"), list):
        raise CatalogError(
            f"{shown(url)} is a whole registry, one of its servers is wanted",
            "Add the server's name: …/v0/servers/NAME, where a slash in the name is %2F",
        )
    return data, registry_base(url)


async def fetch_servers(url: str, *, progress: Callable[[int], None] | None = None) -> RegistryServers:
    """Everything an address leads to: a single server, a list, or the latest version of every server of a registry.

    Args:
        url: A registry, a path of its API, or the address of a ``server.json``.
        progress: Called with the number of servers read so far.

    Raises:
        CatalogError: It can't be had, is no registry, or has no end.
    """
    _check(url)
    async with _client() as client:
        if urlsplit(url).path.endswith(".json") or _is_of_one(url):
            place, data = url, await _get(client, url)
        else:
            place, data = await _first_page(client, url)
        found = RegistryServers(registry_base(place))
        if not isinstance(data, dict) or not isinstance(data.get("servers"), list):
            read_document(data)  # one that is none is an error here, since there is nothing else
            found.add(data)
            return found
        seen: set[str] = set()
        while True:
            for item in data["servers"]:
                found.add(item)
            if progress is not None:
                progress(len(found.entries))
            cursor = _next_cursor(data)
            if not cursor:
                return found
            if cursor in seen or len(seen) >= MOST_PAGES:
                raise CatalogError(f"The registry {shown(url)} has pages without end", "Tell whoever runs it")
            seen.add(cursor)
            data = await _get(client, _with_query(place, cursor=cursor))
            if not isinstance(data, dict) or not isinstance(data.get("servers"), list):
                raise _failure(place, "a page of its list is none")


def _check(url: str) -> None:
    try:
        is_good = is_url(url) and bool(urlsplit(url).netloc)
    except ValueError:
        is_good = False
    if not is_good:
        raise CatalogError(f"{url!r} is not the address of a registry", "It begins with https://")


def _is_of_one(url: str) -> bool:
    match = _API.fullmatch(urlsplit(url).path.rstrip("/"))
    return match is not None and bool(match["rest"])


async def _first_page(client: httpx.AsyncClient, url: str) -> tuple[str, Any]:
    """The first page, and its address: as given where it is the API's, else below the address of the registry."""
    if registry_base(url) or _API.fullmatch(urlsplit(url).path.rstrip("/")):
        place = _with_query(url, version="latest", limit=str(PAGE))
        return place, await _get(client, place)
    parts = urlsplit(url)
    for version in _VERSIONS:
        path = parts.path.rstrip("/") + version
        place = _with_query(
            urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")), version="latest", limit=str(PAGE)
        )
        try:
            return place, await _get(client, place)
        except _NothingThere:
            continue
    raise _failure(url, "it answers neither at /v0/servers nor at /v0.1/servers")


class _NothingThere(CatalogError):
    """The registry has nothing at this address."""


class _BusyError(CatalogError):
    """The registry wants to be asked again in so many seconds."""

    def __init__(self, message: str, hint: str, *, wait: int) -> None:
        super().__init__(message, hint)
        self.wait = wait


def _client() -> httpx.AsyncClient:
    import httpx  # here, because it takes long to import and most starts fetch nothing

    return httpx.AsyncClient(follow_redirects=True, timeout=ANSWER_TIME, headers={"Accept": "application/json"})


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    """The JSON at an address; a registry that says when to come again is asked again then."""
    for _ in range(_TRIES - 1):
        try:
            return await _get_once(client, url)
        except _BusyError as error:
            await asyncio.sleep(error.wait)
    return await _get_once(client, url)


async def _get_once(client: httpx.AsyncClient, url: str) -> Any:
    import httpx

    try:
        async with asyncio.timeout(ANSWER_TIME), client.stream("GET", url) as response:
            wait = response.headers.get("retry-after", "")
            if response.status_code in _BUSY and wait.isdecimal() and int(wait) <= _LONGEST_WAIT:
                reason = f"it is busy and answered {response.status_code} {response.reason_phrase}".rstrip()
                raise _failure(url, reason, partial(_BusyError, wait=int(wait)))
            if response.status_code != 200:
                reason = f"it answered {response.status_code} {response.reason_phrase}".rstrip()
                raise _failure(url, reason, _NothingThere if response.status_code == 404 else CatalogError)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise _failure(url, f"an answer is larger than {LARGEST_ANSWER // 2**20} MiB")
    except TimeoutError as error:
        raise _failure(url, f"no complete answer within {ANSWER_TIME:g} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(url, str(error).rstrip(".") or type(error).__name__) from error
    try:
        return msgspec.json.decode(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _failure(url, "its answer is not JSON") from error


def _failure(url: str, reason: str, kind: Callable[[str, str], CatalogError] = CatalogError) -> CatalogError:
    return kind(f"The registry {shown(url)} can't be read ({reason})", "Check the address and the network connection")


def _next_cursor(data: Mapping[str, Any]) -> str:
    metadata = data.get("metadata")
    cursor = (metadata.get("nextCursor") or metadata.get("next_cursor")) if isinstance(metadata, dict) else None
    return cursor if isinstance(cursor, str) else ""


def _with_query(url: str, **wanted: str) -> str:
    """The address with these in its query; ``version`` and ``limit`` it has already stay."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    kept = {name: value for name, value in given.items() if name != "cursor"}
    return urlunsplit(parts._replace(query=urlencode({**wanted, **kept}), fragment=""))
