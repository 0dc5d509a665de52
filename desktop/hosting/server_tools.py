"""Which tools of a server may be used, as faces show and choose it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.model import CatalogServer
from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import ServerNotFoundError, UsageError
from desktop.facets.server import OfferedEntry, ServerOffer
from desktop.gateway.offered_tools import offered_tools
from desktop.gateway.tool_filter import tool_filter
from desktop.host import HostPart
from desktop.policy.rules import Action
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from desktop.servers.status import OfferedTool
from desktop.services import Services
from desktop.state.tools_file import ToolsFile

__all__ = ["ServerToolsDesk", "name_of"]


class ServerToolsDesk(HostPart):
    """Implements `desktop.facets.server.ToolsDesk`.

    Args:
        services: Who knows what servers offer.
        configuration: What is in force.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce) -> None:
        paths = services.paths
        self._services = services
        self._configuration = configuration
        self._file = ToolsFile(paths.tools, paths.lock_for(paths.tools))
        self._listings = ListingCache(paths.listings)

    async def read(self, name: str) -> ServerOffer:
        """What a server offers."""
        server = self._server(name)
        listing = await self._listing(server)
        if listing is None:
            tools = tuple(OfferedTool(name=tool.name, description=tool.description or "") for tool in server.tools)
            prompts: tuple[OfferedEntry, ...] = ()
            resources: tuple[OfferedEntry, ...] = ()
        else:
            tools = _first_of_each(offered_tools(listing, name, self._services.gateway.offer))
            prompts = _entries(listing.prompts, "name")
            resources = (*_entries(listing.resources, "uri"), *_entries(listing.templates, "uriTemplate"))
        allowed = tool_filter(self._services.options.tools, self._configuration.current.tools)
        policy = self._services.policy.current
        return ServerOffer(
            tools=tools,
            on=frozenset(tool.name for tool in tools if allowed(server, tool.name)),
            denied=frozenset(
                tool.name
                for tool in tools
                if policy.on_tool(name, tool.name, read_only=tool.read_only, destructive=tool.destructive)
                is Action.DENY
            ),
            prompts=prompts,
            resources=resources,
            listed=listing is not None,
        )

    async def choose(self, name: str, tools: Sequence[str], *, on: bool) -> None:
        """Allow or forbid tools."""
        server = self._server(name)
        if self._services.options.tools:
            raise UsageError(
                "Which tools are offered was chosen when this program was started",
                "Start it without --tools to choose here",
            )
        listing = await self._listing(server)
        known = [tool.name for tool in server.tools] if listing is None else list(map(name_of, listing.tools))
        change = self._file.enable if on else self._file.disable
        await asyncio.to_thread(change, name, tools, tuple(dict.fromkeys(known)))
        await self._configuration.reload()

    def _server(self, name: str) -> CatalogServer:
        server = self._configuration.current.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        return server

    async def _listing(self, server: CatalogServer) -> Listing | None:
        """What it listed: of one that runs what is known, else what was kept when it ran last."""
        running = self._services.fleet.servers.get(server.name)
        if running is not None:
            return running.listing
        wanted = configuration_hash(server, self._configuration.current.values_of(server))
        return await asyncio.to_thread(self._listings.load, server.name, wanted)


def name_of(tool: Raw) -> str:
    """The name in a tool's definition."""
    return str(jsonrpc.decode(jsonrpc.fields(tool)["name"]))


def _first_of_each(tools: Iterable[OfferedTool]) -> tuple[OfferedTool, ...]:
    """A server that lists a name twice means the first."""
    found: dict[str, OfferedTool] = {}
    for tool in tools:
        found.setdefault(tool.name, tool)
    return tuple(found.values())


def _entries(listed: Iterable[Raw], key: str) -> tuple[OfferedEntry, ...]:
    entries = (jsonrpc.decode(entry) for entry in listed)
    return tuple(
        OfferedEntry(
            name=str(entry.get("name") or entry.get(key) or ""), description=str(entry.get("description") or "")
        )
        for entry in entries
    )
