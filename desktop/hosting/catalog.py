"""The servers of the catalogs, as a person looks through them before turning one on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable

from desktop.catalog.model import CatalogServer
from desktop.configuration_in_force import ConfigurationInForce
from desktop.host import CatalogDetails, CatalogEntry, CatalogTool, HostPart
from desktop.servers.launch import server_kind, source_of
from desktop.servers.stakes import ENGINE_SOCKET_MATTER
from desktop.servers.status import ServerKind
from desktop.servers.templates import to_text

__all__ = ["CatalogView", "permissions_of"]


class CatalogView(HostPart):
    """Implements `desktop.host.Catalogs`.

    Args:
        configuration: What is in force.
        has_engine: Tells whether there is a container engine.
    """

    def __init__(self, configuration: ConfigurationInForce, has_engine: Callable[[], bool]) -> None:
        self._configuration = configuration
        self._has_engine = has_engine
        self._seen: tuple[object, tuple[CatalogEntry, ...]] = (None, ())

    def entries(self) -> tuple[CatalogEntry, ...]:
        """Every server; the same objects as long as nothing has changed."""
        configuration = self._configuration.current
        if self._seen[0] is not configuration:
            enabled = frozenset(configuration.enabled)
            entries = (_entry(server, server.name in enabled) for server in tuple(configuration.servers.values()))
            ordered = sorted(entries, key=lambda entry: (entry.title.casefold(), entry.name))
            self._seen = (configuration, tuple(ordered))
        return self._seen[1]

    def details(self, name: str) -> CatalogDetails | None:
        """All that is known of one."""
        server = self._configuration.current.servers.get(name)
        if server is None:
            return None
        return CatalogDetails(
            name=name,
            tools=tuple(
                CatalogTool(name=tool.name, about=" ".join((tool.description or "").split())) for tool in server.tools
            ),
            permissions=tuple(permissions_of(server)),
            owner=server.metadata.owner,
            license=server.metadata.license,
            source=server.upstream or server.source,
            readme=server.readme,
        )

    async def suggested(self, count: int) -> tuple[str, ...]:
        """Names of servers to begin with."""
        servers = tuple(self._configuration.current.servers.values())
        fitting = await asyncio.to_thread(lambda: list(_suggested(servers, self._has_engine())))
        fitting.sort(key=lambda server: (-server.metadata.pulls, (server.title or server.name).casefold()))
        return tuple(server.name for server in fitting[:count])


def _suggested(servers: Iterable[CatalogServer], has_engine: bool) -> Iterable[CatalogServer]:
    """Those that want nothing and can run here; looks for programs, so not for the event loop."""
    runners: dict[str, bool] = {}
    for server in servers:
        if server.secrets or server.oauth is not None or any(schema.get("required") for schema in server.config):
            continue
        if "(archived)" in server.title.casefold():
            continue
        kind = server_kind(server)
        if not has_engine and kind is ServerKind.PACKAGE:
            runner = to_text(server.command[0]) if server.command else ""
            if runner not in runners:
                runners[runner] = bool(runner) and shutil.which(runner) is not None
            if not runners[runner]:
                continue
        elif not has_engine and kind is not ServerKind.REMOTE:
            continue
        yield server


def _entry(server: CatalogServer, enabled: bool) -> CatalogEntry:
    return CatalogEntry(
        name=server.name,
        title=server.title or server.name,
        description=" ".join(server.description.split()),
        kind=server_kind(server),
        category=server.metadata.category or "",
        source=source_of(server),
        enabled=enabled,
        needs_key=any(secret.required is not False for secret in server.secrets),
        needs_settings=any(schema.get("required") for schema in server.config),
        needs_sign_in=server.oauth is not None,
        pinned="@sha256:" in server.image,
        tools=len(server.tools),
    )


def permissions_of(server: CatalogServer) -> Iterable[str]:
    """What turning it on gives it, a phrase each."""
    kind = server_kind(server)
    if kind is ServerKind.REMOTE:
        yield f"see what you send to {source_of(server)}"
    for secret in server.secrets:
        yield f"use the secret {secret.env or secret.name}"
    volumes = [
        *server.volumes,
        *(volume for tool in server.tools if tool.container for volume in tool.container.volumes),
    ]
    for text in map(to_text, volumes):
        if "docker.sock" in text:
            yield ENGINE_SOCKET_MATTER
        elif "{{" in text:
            yield "see folders you choose in its settings, or when a client asks"
        elif text[:1] in "/~." or text[1:3] in (":\\", ":/"):
            yield f"see {text.partition(':')[0]}"
    if kind is not ServerKind.REMOTE:
        if server.disableNetwork:
            yield "run without any network"
        elif server.allowHosts:
            yield f"reach {', '.join(server.allowHosts[:4])}" + (" and more" if len(server.allowHosts) > 4 else "")
        else:
            yield "reach the network"
