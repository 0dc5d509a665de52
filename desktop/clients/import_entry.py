"""A server of a client's file as an entry of a catalog of ours, its keys apart (spec 1.7.1)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from desktop.catalog.registry_conversion import NODE_IMAGE, PYTHON_IMAGE, cache_volume
from desktop.clients.configured import ConfiguredServer, Transport
from desktop.clients.docker_run import container_of
from desktop.clients.machine import is_there
from desktop.clients.secret_signs import KeyFinder, is_reference
from desktop.errors import GatewayError

__all__ = ["ImportEntry", "import_entry", "with_free_names"]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEntry:
    """What a server becomes.

    Attributes:
        entry: The catalog entry.
        secrets: Name of each secret it declares -> the value from the client's file.
    """

    entry: dict[str, Any]
    secrets: Mapping[str, str]


def import_entry(server: ConfiguredServer, name: str, keys: KeyFinder) -> ImportEntry:
    """Convert a server.

    Args:
        server: As the client has it.
        name: What it is to be called in our catalog.
        keys: Finds keys.

    Raises:
        GatewayError: The gateway can't run it as it is; the message is half a sentence that says why.
    """
    for text in (server.url, *server.args):
        if is_reference(text):
            raise GatewayError("it refers to something that only the client can look up")
    if server.transport is not Transport.STDIO:
        return _remote(server, name, keys)
    if keys.in_arguments(server):
        raise GatewayError("a key stands among its arguments, where every program can read it")
    command, args = _without_shell(server)
    program = PurePosixPath(command.replace("\\", "/")).name.lower().removesuffix(".exe").removesuffix(".cmd")
    match program:
        case "npx" | "bunx":
            runs = {"image": NODE_IMAGE, "command": ["npx", *_npx(args)], "longLived": True}
            return _program(server, name, keys, runs, [cache_volume("npm", name), *_folders(args)])
        case "uvx":
            runs = {"image": PYTHON_IMAGE, "command": ["uvx", *args], "longLived": True}
            return _program(server, name, keys, runs, [cache_volume("pypi", name), *_folders(args)])
        case "docker" | "podman" if args[:1] == ("run",):
            runs, volumes, given = container_of(args[1:], server.env)
            return _program(server, name, keys, runs, volumes, given)
    raise GatewayError(f"it starts the program {program}, which the gateway does not run")


def with_free_names(converted: ImportEntry, taken: set[str]) -> ImportEntry:
    """The same with other names for secrets that the person has already; all its names are ``taken`` from then on."""
    renamed = {name: _free(name, taken) for name in converted.secrets}
    declared = [
        {**item, "name": renamed.get(item["name"], item["name"])} for item in converted.entry.get("secrets", ())
    ]
    return ImportEntry(
        entry=converted.entry | ({"secrets": declared} if declared else {}),
        secrets={renamed[name]: value for name, value in converted.secrets.items()},
    )


def _free(name: str, taken: set[str], between: str = "-") -> str:
    """The name, or the next one with a number that isn't taken; it is from then on."""
    numbered = (f"{name}{between}{number}" for number in itertools.count(2))
    free = name if name not in taken else next(other for other in numbered if other not in taken)
    taken.add(free)
    return free


def _remote(server: ConfiguredServer, name: str, keys: KeyFinder) -> ImportEntry:
    if urlsplit(server.url).scheme not in ("http", "https"):
        raise GatewayError("its address is none of the web")
    if keys.in_address(server.url):
        raise GatewayError("a key stands in its address, where every program can read it")
    plain = set(keys.in_values(server.headers))
    headers, secrets, declared = {}, {}, []
    names: set[str] = set()
    variables: set[str] = set()
    for header, value in server.headers.items():
        if is_reference(value):
            raise GatewayError(f"its header {header} refers to something that only the client can look up")
        if header not in plain and "$" not in value:
            headers[header] = value
            continue
        variable = _free(re.sub(r"[^A-Za-z0-9]", "_", f"{name}_{header}").upper(), variables, "_")
        scheme, blank, rest = value.partition(" ")
        prefix = f"{scheme} " if blank and scheme.lower() in ("bearer", "basic", "token") else ""
        secret = _free(f"{name}.{_plain(header)}", names)
        headers[header] = f"{prefix}${{{variable}}}"
        declared.append({"name": secret, "env": variable})
        secrets[secret] = rest if prefix else value
    transport = "sse" if server.transport is Transport.SSE else "streamable-http"
    entry: dict[str, Any] = {
        "title": server.name,
        "type": "remote",
        "remote": {"url": server.url, "transport_type": transport, **({"headers": headers} if headers else {})},
    }
    return ImportEntry(entry=entry | ({"secrets": declared} if declared else {}), secrets=secrets)


def _program(
    server: ConfiguredServer,
    name: str,
    keys: KeyFinder,
    runs: Mapping[str, Any],
    volumes: list[str],
    variables: Mapping[str, str] | None = None,
) -> ImportEntry:
    given = server.env if variables is None else variables
    plain = set(keys.in_values(given))
    env, declared, secrets = [], [], {}
    names: set[str] = set()
    for variable, value in given.items():
        if not _VARIABLE.fullmatch(variable):
            raise GatewayError(f"{variable!r} is no name of a variable")
        if is_reference(value) and variable not in plain:
            raise GatewayError(f"its variable {variable} refers to something that only the client can look up")
        if variable in plain:
            secret = _free(f"{name}.{_plain(variable)}", names)
            declared.append({"name": secret, "env": variable})
            secrets[secret] = value
        else:
            env.append({"name": variable, "value": value})
    parts = {"title": server.name, "type": "server", **runs, "volumes": volumes, "secrets": declared, "env": env}
    return ImportEntry(entry={key: part for key, part in parts.items() if part}, secrets=secrets)


def _without_shell(server: ConfiguredServer) -> tuple[str, tuple[str, ...]]:
    """On Windows npx is started by way of ``cmd /c``."""
    program = PurePosixPath(server.command.replace("\\", "/")).name.lower().removesuffix(".exe")
    if program == "cmd" and len(server.args) > 1 and server.args[0].lower() == "/c":
        return server.args[1], server.args[2:]
    return server.command, server.args


def _npx(args: tuple[str, ...]) -> list[str]:
    if args[:1] in (("-y",), ("--yes",)):
        return ["--yes", *args[1:]]
    return ["--yes", *args]


def _folders(args: tuple[str, ...]) -> Iterator[str]:
    """What of this computer the program is told to look at, so that it is there in its container as well."""
    for argument in args:
        if Path(argument).is_absolute() and is_there(Path(argument)):
            yield f"{argument}:{argument}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
