"""The list of clients, as text and as JSON in the reference's form (spec 6.4). Values of variables and headers stay hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from desktop.cli import output
from desktop.clients.configured import ConfiguredServer, Transport, is_of_reference
from desktop.clients.gateway_entry import choose_way
from desktop.clients.status import ClientStatus
from desktop.clients.view import view_of

__all__ = ["as_json", "print_list"]

_GREEN, _ORANGE, _RED = 32, 33, 31
_HIDDEN: Final = "***"
_GROUPS: Final = {Transport.STDIO: "STDIOServers", Transport.SSE: "SSEServers", Transport.HTTP: "HTTPServers"}
_OURS: Final = "MCP Gateway"
_REFERENCE: Final = "Docker MCP Catalog (gateway server)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenClient:
    """A client that has come to the running gateway (`desktop.gateway.sightings.Sighting`)."""

    client: str
    name: str
    version: str
    sessions: int
    tools: int


def print_list(
    statuses: Sequence[ClientStatus],
    seen: Sequence[SeenClient] | None,
    project: Path | None,
    *,
    show_all: bool = False,
) -> None:
    """Clients and their servers.

    Args:
        statuses: The clients.
        seen: Who has come to the running gateway; None when none runs.
        project: The project they are of; None for the user's own files.
        show_all: Whether to list clients that are not here as well.
    """
    if project is None:
        print("=== System-wide MCP Configurations ===")
    else:
        print(f"=== Project-wide MCP Configurations ({project}) ===")
    for status in statuses:
        if show_all or project is not None or status.presence.installed:
            _print_client(status, seen, in_project=project is not None)


def as_json(statuses: Sequence[ClientStatus], seen: Sequence[SeenClient] | None) -> dict[str, Any]:
    """Clients by id."""
    return {status.client.id: _client(status, seen) for status in statuses}


def _print_client(status: ClientStatus, seen: Sequence[SeenClient] | None, *, in_project: bool) -> None:
    if status.error:
        line, colour = status.error, _RED
    elif status.connected:
        line, colour = "connected", _GREEN
    elif in_project and not status.exists:
        line, colour = "no mcp configured", _RED
    else:
        line, colour = "disconnected", _ORANGE if status.servers else _RED
    print(f" {output.coloured('●', colour)} {status.client.id}: {output.printable(line)}")
    if status.dropped or status.outdated or (status.ours is not None and seen is not None):
        view = view_of(status, seen or ())
        print(output.printable(f"   ({'. '.join(filter(None, (view.line, view.hint)))})"))
    for server in status.servers:
        print(output.printable(f"   {server.name}: {_shown(server, status)} ({server.transport.value})"))


def _shown(server: ConfiguredServer, status: ClientStatus) -> str:
    if is_of_reference(server):
        return _REFERENCE
    if server is status.ours:
        return _OURS
    if server.url:
        return server.url
    variables = (f"{name}={_HIDDEN}" for name in server.env)
    return " ".join((*variables, server.command, *server.args))


def _client(status: ClientStatus, seen: Sequence[SeenClient] | None) -> dict[str, Any]:
    servers: dict[str, list[dict[str, Any]]] = {name: [] for name in _GROUPS.values()}
    for server in status.servers:
        servers[_GROUPS[server.transport]].append(_server(server))
    kind = "permission" if status.no_permission else "unknown"
    found: dict[str, Any] = {
        "displayName": status.client.name,
        "source": status.client.homepage,
        "icon": "",
        "configName": status.client.id,
        "dockerMCPCatalogConnected": status.connected,
        "profile": status.profile,
        "error": {"type": kind, "error": status.error} if status.error else None,
        "Cfg": servers,
    }
    if status.file is not None and status.file.in_project:
        found["isConfigured"] = status.exists
    else:
        found["isInstalled"] = status.presence.installed
        found["isOsSupported"] = status.file is not None
    return found | {"gateway": _gateway(status, seen)}


def _gateway(status: ClientStatus, seen: Sequence[SeenClient] | None) -> dict[str, Any]:
    """What is ours beside the reference's form."""
    client = status.client
    view = view_of(status, seen or ())
    in_project = status.file is not None and status.file.in_project
    choice = choose_way(client, in_project=in_project, profile=status.profile if status.ours is not None else "")
    return {
        "state": view.state.name.lower(),
        "line": view.line,
        "hint": view.hint,
        "version": view.version,
        "sessions": view.sessions,
        "tools": view.tools,
        "file": str(status.file.path) if status.file is not None else "",
        "format": status.file.format.value if status.file is not None else "",
        "entry": status.ours.name if status.ours is not None else "",
        "way": status.way.value if status.way is not None else "",
        "usualWay": choice.way.value,
        "why": choice.why if status.way in (None, choice.way) else "you chose it",
        "outdated": status.outdated,
        "referenceEntry": status.reference.name if status.reference is not None else "",
        "found": status.presence.sign.value,
        "foundAt": status.presence.place,
        "running": status.presence.running,
        "takesHttp": client.http is not None,
        "restart": client.restart,
        "mostTools": client.most_tools or None,
        "longestToolName": client.longest_name or None,
    }


def _server(server: ConfiguredServer) -> dict[str, Any]:
    if server.transport is Transport.STDIO:
        return {
            "name": server.name,
            "command": server.command,
            "args": list(server.args),
            "env": dict.fromkeys(server.env, _HIDDEN),
        }
    return {"name": server.name, "url": server.url, "headers": dict.fromkeys(server.headers, _HIDDEN)}
