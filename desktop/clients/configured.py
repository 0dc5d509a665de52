"""The MCP servers a client has in its file, whatever shape its entries have."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

__all__ = ["ConfiguredServer", "Transport", "bearer_token", "configured_servers", "is_of_reference", "profile_of"]

_URL_KEYS: Final = ("url", "httpUrl", "serverUrl", "uri")
_COMMAND_KEYS: Final = ("command", "cmd")
_ENV_KEYS: Final = ("env", "envs", "environment")
_HEADER_KEYS: Final = ("headers", "http_headers")
_PROFILES: Final = "/mcp/"
_REFERENCE_NAMES: Final = frozenset({"MCP_DOCKER", "mcpdocker"})
_REFERENCE_COMMAND: Final = ("mcp", "gateway", "run")


class Transport(enum.Enum):
    """How a client reaches a server."""

    STDIO = "stdio"
    SSE = "sse"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredServer:
    """One server in a client's file.

    Attributes:
        name: What the client calls it.
        transport: How it is reached.
        command, args, env: The program that is started, else empty.
        url, headers: Where it is reached, else empty.
        enabled: Whether the client uses it.
    """

    name: str
    transport: Transport
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True


def configured_servers(container: Any) -> tuple[ConfiguredServer, ...]:
    """The servers in a client's map (or list) of entries; what is no server is passed over."""
    return tuple(server for name, entry in _entries(container) if (server := _server(name, entry)) is not None)


def bearer_token(server: ConfiguredServer) -> str:
    """The token in an entry's ``Authorization`` header, or empty."""
    for name, value in server.headers.items():
        scheme, _, token = value.partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "bearer":
            return token.strip()
    return ""


def is_of_reference(server: ConfiguredServer) -> bool:
    """Whether an entry is the one that ``docker mcp client connect`` of the reference writes (spec 6.1)."""
    if server.transport is not Transport.STDIO:
        return False
    program = PurePosixPath(server.command.replace("\\", "/")).name.lower().removesuffix(".exe")
    starts_it = program == "docker" and server.args[:3] == _REFERENCE_COMMAND
    return starts_it or (server.name in _REFERENCE_NAMES and program == "docker")


def profile_of(server: ConfiguredServer) -> str:
    """The profile an entry asks for with ``--profile`` (spec 6.4), or at the end of our address; else empty."""
    if server.url:
        _, found, profile = urlsplit(server.url).path.partition(_PROFILES)
        return unquote(profile) if found and "/" not in profile else ""
    for argument, following in pairwise((*server.args, "")):
        if argument in ("--profile", "-p"):
            return following
        if argument.startswith("--profile="):
            return argument.partition("=")[2]
    return ""


def _entries(container: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(container, dict):
        for name, entry in container.items():
            if isinstance(entry, dict):
                yield str(name), entry
    elif isinstance(container, list):
        for entry in container:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                yield entry["name"], entry


def _server(name: str, entry: dict[str, Any]) -> ConfiguredServer | None:
    if entry.get("bundled") is True:
        return None
    said = entry.get("enabled", True)
    enabled = said is not False and entry.get("disabled") is not True
    url = next((entry[key] for key in _URL_KEYS if isinstance(entry.get(key), str)), "")
    if url:
        headers = _headers(entry)
        transport = Transport.SSE if str(entry.get("type", "")).lower() == "sse" else Transport.HTTP
        return ConfiguredServer(name=name, transport=transport, url=url, headers=headers, enabled=enabled)
    command, args = _command(entry)
    if not command:
        return None
    env = next((_texts(entry[key]) for key in _ENV_KEYS if key in entry), {})
    return ConfiguredServer(name=name, transport=Transport.STDIO, command=command, args=args, env=env, enabled=enabled)


def _headers(entry: dict[str, Any]) -> dict[str, str]:
    """Where clients keep them: in the entry, or one level deeper (Continue)."""
    for place in (entry, entry.get("requestOptions")):
        if isinstance(place, dict):
            for key in _HEADER_KEYS:
                if key in place:
                    return _texts(place[key])
    return {}


def _command(entry: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The program and its arguments: apart, in one list (opencode), or one level deeper (Zed once)."""
    command: Any = next((entry[key] for key in _COMMAND_KEYS if key in entry), None)
    args: Any = entry.get("args")
    if isinstance(command, dict):
        command, args = command.get("path"), command.get("args", args)
    if isinstance(command, list) and command:
        command, args = command[0], command[1:]
    listed = tuple(str(part) for part in args) if isinstance(args, list) else ()
    return (command, listed) if isinstance(command, str) else ("", ())


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name): str(text) for name, text in value.items() if text is not None}
