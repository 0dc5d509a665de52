"""From a catalog entry, the person's values and secrets to what is run: container, child process or HTTP request headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer, SecretReference, ToolContainer
from desktop.engine.labels import container_labels
from desktop.engine.ports import ContainerSpec
from desktop.errors import MissingSettingError, ServerStartError, UsageError
from desktop.policy.mounts import check_bind
from desktop.secrets.lookup import is_reference
from desktop.servers.status import ServerKind
from desktop.servers.templates import evaluate, evaluate_list, expand_variables, to_text

__all__ = [
    "ContainerLimits",
    "binds",
    "binds_of_entry",
    "container_spec",
    "environment",
    "missing_settings",
    "parse_memory",
    "poci_binds",
    "poci_spec",
    "process_command",
    "remote_headers",
    "server_kind",
    "source_of",
]

_KINDS = {
    "container": ServerKind.CONTAINER,
    "package": ServerKind.PACKAGE,
    "remote": ServerKind.REMOTE,
    "poci": ServerKind.TOOLS,
}
_SETTING = re.compile(r"\s*\{\{[^{}]*\}\}\s*(?::|$)")
_MEMORY = re.compile(r"(?i)^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """Limits of one container: CPUs (0: none), memory in bytes (0: none), number of processes."""

    cpus: float = 1.0
    memory: int = 2 * 1024**3
    pids: int = 512


def parse_memory(text: str) -> int:
    """Bytes of a size such as ``2Gb``, ``512m`` or ``1073741824``; empty means no limit. Raises `UsageError`."""
    if not text.strip():
        return 0
    match = _MEMORY.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not an amount of memory", "Write it like 512m or 2Gb")
    return int(float(match.group(1)) * 1024 ** " kmgt".index(match.group(2).lower() or " "))


def server_kind(server: CatalogServer) -> ServerKind:
    """How the server is reached."""
    return _KINDS[kind_of(server)]


def source_of(server: CatalogServer) -> str:
    """Image, package or URL, for people; a digest is left out."""
    kind = server_kind(server)
    if kind is ServerKind.REMOTE:
        return server.remote.url if server.remote is not None and server.remote.url else server.sseEndpoint
    if kind is ServerKind.PACKAGE:
        words = (to_text(item) for item in server.command)
        return " ".join(word for word in words if not word.startswith("-") and "{{" not in word)
    if kind is ServerKind.TOOLS:
        images = sorted({tool.container.image for tool in server.tools if tool.container is not None})
        return ", ".join(image.partition("@")[0] for image in images)
    return server.image.partition("@")[0]


def missing_settings(
    server: CatalogServer, values: Mapping[str, Any], secrets: Mapping[str, str]
) -> tuple[list[SecretReference], list[str]]:
    """What the person has to set before the server can start.

    A secret is missing when it isn't found, isn't marked optional, and nothing stands in for it; a value when the entry's
    schema requires it and gives no default.

    Returns:
        The missing secrets, and the names of missing values.
    """
    unset = [item for item in server.secrets if item.required is not False and not secrets.get(item.name)]
    # An entry with several ways to sign in lists the secrets of all of them: one is enough unless some are marked required.
    marked = any(item.required for item in server.secrets)
    if not marked and len(unset) < len(server.secrets):
        unset = []
    required = [
        str(name)
        for schema in server.config
        for name in schema.get("required") or []
        if name not in values and "default" not in ((schema.get("properties") or {}).get(name) or {})
    ]
    return unset, required


def environment(server: CatalogServer, values: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    """The server's variables: its secrets first, then its plain ones in order; empty ones are left out (spec 3.2)."""
    variables = {item.env: secrets[item.name] for item in server.secrets if item.env and secrets.get(item.name)}
    root = {server.canonical_name: values}
    for item in server.env:
        text = to_text(item.value)
        value = to_text(evaluate(text, root)) if "{{" in text and "}}" in text else expand_variables(text, variables)
        if value:
            variables[item.name] = value
    return variables


def _without_secrets(
    server: CatalogServer, values: Mapping[str, Any], secrets: Mapping[str, str], env: Mapping[str, str]
) -> dict[str, str]:
    """Those of the variables whose value holds nothing of a secret; a reference to one is what the engine has to see."""
    plain = environment(server, values, {name: value for name, value in secrets.items() if is_reference(value)})
    return {name: value for name, value in env.items() if plain.get(name) == value}


def container_spec(
    server: CatalogServer,
    values: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    instance: str,
    limits: ContainerLimits,
    networks: tuple[str, ...] = (),
) -> ContainerSpec:
    """The container of a server (spec 3.2); raises `MissingSettingError` or `ServerStartError` for a mount that may not be."""
    root = {server.canonical_name: values}
    env = environment(server, values, secrets)
    plain = _without_secrets(server, values, secrets, env)
    items = evaluate_list(server.command, root)
    command = tuple(expand_variables(item, env) for item in items)
    return ContainerSpec(
        image=server.image,
        command=command,
        env=plain,
        hidden_env={name: value for name, value in env.items() if name not in plain},
        hides_command=command != tuple(expand_variables(item, plain) for item in items),
        labels=container_labels(instance=instance, server=server.name),
        binds=binds(server, values),
        user=_plain(to_text(evaluate(server.user, root))),
        network=_network(server, networks),
        extra_hosts=tuple(host for host in server.extraHosts if _plain(host)),
        cpus=limits.cpus,
        memory=limits.memory,
        pids=limits.pids,
    )


def binds(server: CatalogServer, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The server's mounts, checked and with absolute paths; raises `ServerStartError` for one that may not be."""
    specs = evaluate_list(server.volumes, {server.canonical_name: values}, drop_empty=True)
    return _binds(specs, engine_socket=True)


def binds_of_entry(server: CatalogServer, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the server's mounts that its entry names; of the others a person's setting is the whole place."""
    named = [item for item in server.volumes if _SETTING.match(to_text(item)) is None]
    return _binds(evaluate_list(named, {server.canonical_name: values}, drop_empty=True), engine_socket=True)


class PociBinds(NamedTuple):
    """Mounts of a tool's container: those its entry names, and those the arguments of a call have chosen."""

    fixed: tuple[str, ...]
    chosen: tuple[str, ...]


def poci_binds(container: ToolContainer, arguments: Mapping[str, Any]) -> PociBinds:
    """The mounts of one call, checked and with absolute paths; raises `ServerStartError` for one that may not be."""
    chosen = [item for item in container.volumes if "{{" in to_text(item)]
    fixed = [item for item in container.volumes if item not in chosen]
    return PociBinds(
        _binds(evaluate_list(fixed, {}, drop_empty=True), engine_socket=True),
        _binds(evaluate_list(chosen, arguments, drop_empty=True)),
    )


def poci_spec(
    server: CatalogServer,
    container: ToolContainer,
    arguments: Mapping[str, Any],
    values: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    instance: str,
    limits: ContainerLimits,
    networks: tuple[str, ...] = (),
) -> ContainerSpec:
    """The container of one call to a tool of a `poci` server (spec 1.7.2).

    Templates of the tool see the call's arguments, those of the environment the person's values. ``$NAME`` in the command
    stays as it is: the caller writes the command, and may not read secrets with it.
    """
    env = environment(server, values, secrets)
    plain = _without_secrets(server, values, secrets, env)
    return ContainerSpec(
        image=container.image,
        command=tuple(evaluate_list(container.command, arguments)),
        env=plain,
        hidden_env={name: value for name, value in env.items() if name not in plain},
        labels=container_labels(instance=instance, server=server.name),
        binds=tuple(bind for binds in poci_binds(container, arguments) for bind in binds),
        user=_plain(to_text(evaluate(container.user, arguments))),
        network=_network(server, networks),
        extra_hosts=tuple(host for host in server.extraHosts if _plain(host)),
        cpus=limits.cpus,
        memory=limits.memory,
        pids=limits.pids,
    )


def process_command(server: CatalogServer, values: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a package server when it runs without a container."""
    if server.volumes and any("{{" in to_text(item) for item in server.volumes):
        raise MissingSettingError(
            f"{server.name} works on mounted folders and needs a container", "Start Docker to use it"
        )
    env = environment(server, values, secrets)
    plain = _without_secrets(server, values, secrets, env)
    items = evaluate_list(server.command, {server.canonical_name: values})
    command = tuple(expand_variables(item, env) for item in items)
    if command != tuple(expand_variables(item, plain) for item in items):
        raise ServerStartError(
            f"{server.name} takes a secret in its command line, which every program on this computer could read",
            "Start Docker to use it",
        )
    return command


def remote_headers(server: CatalogServer, secrets: Mapping[str, str]) -> dict[str, str]:
    """Headers of a remote server, with the secrets it declares filled in (spec 1.7.4)."""
    variables = {item.env: secrets.get(item.name, "") for item in server.secrets if item.env}
    headers = server.remote.headers if server.remote is not None else {}
    return {name: expand_variables(text, variables) for name, text in headers.items()}


def _network(server: CatalogServer, networks: tuple[str, ...]) -> str:
    return "none" if server.disableNetwork else (networks[0] if networks else "")


def _binds(specs: list[str], *, engine_socket: bool = False) -> tuple[str, ...]:
    home, cwd = Path.home(), Path.cwd()
    return tuple(check_bind(spec, home=home, cwd=cwd, engine_socket=engine_socket) for spec in specs if _plain(spec))


def _plain(text: str) -> str:
    """Text that can't be taken for an option; anything that begins with a dash is dropped (spec 3.2)."""
    return "" if text.startswith("-") else text
