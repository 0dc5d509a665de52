"""From a reference to a server, as the command line takes it, to what a profile records (spec 1.10)."""

from __future__ import annotations

import fnmatch
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from desktop.catalog.loading import Catalog, load_catalog, read_entry
from desktop.catalog.model import CatalogServer
from desktop.catalog.official import OFFICIAL_NAME
from desktop.catalog.registry_client import fetch_document
from desktop.catalog.registry_conversion import catalog_entry
from desktop.catalog.registry_document import read_document
from desktop.catalog.starter import load_starter
from desktop.errors import CatalogError, ServerNotFoundError, UsageError
from desktop.state import yaml_text
from desktop.state.atomic_file import read_bytes
from desktop.state.catalog_index import catalog_file_name
from desktop.state.paths import Paths
from desktop.state.yaml_document import decode

__all__ = ["References", "recorded"]

_OFFICIAL_IMAGE: Final = "mcp/docker-mcp-catalog"
_REQUIRED: Final = ("name", "type", "title", "description")
_SECRETS: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Finds what references name.

    Attributes:
        servers: The servers of all catalogs by name.
        paths: Where the catalogs are.
        describe: Gives the entry an image describes itself by.
    """

    servers: Mapping[str, CatalogServer]
    paths: Paths
    describe: Callable[[str], Awaitable[dict[str, Any]]]

    async def resolve(self, reference: str) -> list[dict[str, Any]]:
        """The servers a reference names, as a profile records them.

        Args:
            reference: The name of a server of a catalog, ``catalog://CATALOG/PATTERN+PATTERN``, ``docker://IMAGE``,
                ``file://PATH`` below the folder of catalogs, or the address of a server in a community registry.

        Raises:
            CatalogError: There is nothing there, or nothing that can be understood.
            UsageError: It is no reference.
        """
        scheme, separator, rest = reference.partition("://")
        if not separator:
            return [recorded(self._named(reference, self.servers))]
        match scheme.lower():
            case "docker":
                return [_record("image", "image", rest, await self.describe(rest))]
            case "catalog":
                return [recorded(server) for server in self._matching(reference, rest)]
            case "file":
                entry = self._from_file(rest)
                return [recorded(read_entry(str(entry["name"]), entry))]
            case "http" | "https":
                data, base = await fetch_document(reference)
                entry = catalog_entry(read_document(data), base=base)
                source = entry["metadata"].get("registryUrl") or reference
                return [_record("registry", "source", source, entry)]
            case _:
                raise UsageError(
                    f"{reference!r} is no reference to a server",
                    "Use a server's name, docker://IMAGE, catalog://CATALOG/NAME, file://PATH or an address in a registry",
                )

    def _named(self, name: str, servers: Mapping[str, CatalogServer]) -> CatalogServer:
        found = servers.get(name)
        if found is None:
            import difflib

            close = difflib.get_close_matches(name, list(servers), n=1, cutoff=0.6)
            hint = f"Did you mean {close[0]}?" if close else "See docker-mcp catalog show"
            raise ServerNotFoundError(f"server {name} not found in catalog", hint)
        return found

    def _matching(self, reference: str, rest: str) -> list[CatalogServer]:
        place, _, patterns = rest.rpartition("/")
        wanted = [pattern for pattern in patterns.split("+") if pattern]
        if not place or not wanted:
            raise UsageError(f"{reference!r} names no servers", "Write it as catalog://CATALOG/NAME+NAME, or * for all")
        servers = self._catalog(place).servers
        found = [server for name, server in servers.items() if any(fnmatch.fnmatchcase(name, item) for item in wanted)]
        for pattern in wanted:
            if not fnmatch.filter(servers, pattern):
                raise ServerNotFoundError(
                    f"server {pattern} not found in the catalog {place}", "See docker-mcp catalog show"
                )
        return found

    def _catalog(self, place: str) -> Catalog:
        """The catalog here of this name; the official one's image stands for the file we have of it."""
        is_official = place.partition("@")[0].partition(":")[0] == _OFFICIAL_IMAGE
        file = self.paths.catalogs / catalog_file_name(OFFICIAL_NAME if is_official else place)
        if file.is_file():
            return load_catalog(file, self.paths.cache)
        if is_official or place == OFFICIAL_NAME:
            return load_starter(self.paths.cache)
        raise CatalogError(
            f'catalog "{place}" not found',
            "Import it with docker-mcp catalog import; catalogs in images are not pulled",
        )

    def _from_file(self, rest: str) -> dict[str, Any]:
        folder = self.paths.catalogs
        file = (folder / unquote(rest)).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise CatalogError(
                f"{file} is not in the folder of catalogs", f"Copy it to {folder} and name it file://{file.name}"
            )
        if not file.is_file():
            raise CatalogError(f"{file}: there is no such file", f"Files are looked for in {folder}")
        data = yaml_text.parse(decode(read_bytes(file), file), str(file))
        if not isinstance(data, dict):
            raise CatalogError(f"{file}: the entry of one server is expected")
        missing = [key for key in _REQUIRED if not data.get(key)]
        if missing:
            raise CatalogError(f"{file}: the entry of one server is expected, and it has no {missing[0]}")
        try:
            server = read_entry("", data)
        except ValueError as error:
            raise CatalogError(f"{file}: the entry can't be understood ({error})") from error
        has_place = server.image if server.type != "remote" else (server.remote is not None and server.remote.url)
        if server.type != "poci" and not has_place:
            raise CatalogError(f"{file}: the entry has no {'remote.url' if server.type == 'remote' else 'image'}")
        return data


def recorded(server: CatalogServer) -> dict[str, Any]:
    """A server of a catalog as a profile records it, whole, so that it stays what was chosen."""
    entry = msgspec.to_builtins(server)
    endpoint = server.remote.url if server.remote is not None and server.remote.url else server.sseEndpoint
    if endpoint and not server.image:
        return _record("remote", "endpoint", endpoint, entry)
    image = server.image or next((tool.container.image for tool in server.tools if tool.container is not None), "")
    return _record("image", "image", image, entry)


def _record(type: str, key: str, place: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": type, key: place, "secrets": _SECRETS, "snapshot": {"server": dict(entry)}}


def with_choices(
    entries: Iterable[Mapping[str, Any]], values: Mapping[str, Mapping[str, Any]], tools: Mapping[str, Iterable[str]]
) -> list[dict[str, Any]]:
    """The records with the settings and the choice of tools the files have for their servers now."""
    found = []
    for entry in entries:
        name = entry["snapshot"]["server"]["name"]
        chosen = dict(entry)
        config = values.get(name) or values.get(name.replace(".", "_"))
        if config:
            chosen["config"] = dict(config)
        if name in tools:
            chosen["tools"] = sorted(tools[name])
        found.append(chosen)
    return found
