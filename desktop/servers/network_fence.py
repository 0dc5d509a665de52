"""Servers behind a fence: each on an internal network of its own, with a proxy as the only way out (``--block-network``)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from desktop.catalog.model import CatalogServer
from desktop.engine.ports import ContainerEngine, ContainerSpec
from desktop.errors import EngineError, ServerStartError
from desktop.servers.egress import AllowedHost, EgressProxy, TcpRelay, parse_allowed_hosts

__all__ = ["FenceMode", "NetworkFence"]

FenceMode = Literal["", "listed", "all"]
_NO_NETWORK: Final = "none"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a server's containers are put."""

    network: str
    env: Mapping[str, str] = field(default_factory=dict)
    extra_hosts: tuple[str, ...] = ()
    listeners: tuple[EgressProxy | TcpRelay, ...] = ()


class NetworkFence:
    """Makes the places, one a server, when its first container starts; they last as long as the gateway.

    Args:
        mode: ``listed`` fences the servers whose entries have ``allowHosts``; ``all`` also leaves every other container
            without a network; empty fences none.
        instance: Id of this run, for the names of networks.
        seen: Told server, host, port and whether it was let through.
    """

    def __init__(
        self, mode: FenceMode, instance: str, seen: Callable[[str, str, int, bool], None] | None = None
    ) -> None:
        self._mode = mode
        self._instance = instance
        self._seen = seen
        self._places: dict[str, asyncio.Task[_Place]] = {}
        self._engine: ContainerEngine | None = None

    async def placed(self, engine: ContainerEngine, server: CatalogServer, spec: ContainerSpec) -> ContainerSpec:
        """The container as it may run.

        Raises:
            ServerStartError: Its ``allowHosts`` can't be understood, or this engine's networks don't reach this machine.
            EngineError: The engine refused.
        """
        if not self._mode or server.disableNetwork:
            return spec
        if not server.allowHosts:
            return replace(spec, network=_NO_NETWORK) if self._mode == "all" else spec
        self._engine = engine
        allowed = parse_allowed_hosts(server.name, server.allowHosts)
        task = self._places.get(server.name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.get_running_loop().create_task(self._make(engine, server.name, allowed))
            self._places[server.name] = task
        place = await asyncio.shield(task)
        return replace(
            spec,
            network=place.network,
            env={**place.env, **spec.env},
            extra_hosts=(*spec.extra_hosts, *place.extra_hosts),
        )

    async def close(self) -> None:
        """Take the proxies and the networks away; containers must have ended before."""
        for task in self._places.values():
            task.cancel()
        ended = await asyncio.gather(*self._places.values(), return_exceptions=True)
        self._places.clear()
        for place in ended:
            if isinstance(place, _Place):
                await self._unmake(place.network, place.listeners)

    async def _unmake(self, network: str, listeners: tuple[EgressProxy | TcpRelay, ...]) -> None:
        for listener in listeners:
            await listener.close()
        if self._engine is not None:
            try:
                await self._engine.networks.remove(network)
            except EngineError as error:
                log.info("the network %s is left to the next sweep: %s", network, error)

    async def _make(self, engine: ContainerEngine, server: str, allowed: tuple[AllowedHost, ...]) -> _Place:
        name = f"mcp-{self._instance}-{secrets.token_hex(3)}"
        network = await engine.networks.make(name, server=server)
        listeners: list[EgressProxy | TcpRelay] = []
        hosts: dict[str, str] = {}
        try:
            proxy = EgressProxy(allowed, self._watcher(server))
            listeners.append(proxy)
            port = await _listening(proxy, network.gateway, 0, server)
            taken: dict[int, str] = {}
            for entry in allowed:
                if not entry.tcp:
                    continue
                hosts[entry.host] = network.gateway
                (number,) = entry.ports
                if taken.setdefault(number, entry.host) != entry.host:
                    raise ServerStartError(
                        f"{server}: two hosts with port {number}/tcp ({taken[number]} and {entry.host}) can't be told apart",
                        "Allow one of them in a copy of the server",
                    )
                relay = TcpRelay(entry.host, number, self._watcher(server))
                listeners.append(relay)
                await _listening(relay, network.gateway, number, server)
        except BaseException:
            await self._unmake(name, tuple(listeners))
            raise
        return _Place(
            network=name,
            env=_proxy_environment(network.gateway, port),
            extra_hosts=tuple(f"{host}:{address}" for host, address in hosts.items()),
            listeners=tuple(listeners),
        )

    def _watcher(self, server: str) -> Callable[[str, int, bool], None]:
        def seen(host: str, port: int, allowed: bool) -> None:
            if not allowed:
                log.warning("%s was kept from reaching %s:%d", server, host, port)
            if self._seen is not None:
                self._seen(server, host, port, allowed)

        return seen


async def _listening(listener: EgressProxy | TcpRelay, address: str, port: int, server: str) -> int:
    try:
        return await listener.listen(address, port)
    except PermissionError as error:
        raise ServerStartError(
            f"{server}: port {port} can't be opened for a host of its allowHosts ({error.strerror})",
            "Ports below 1024 need a privileged gateway; run it without --block-network, or leave the host out",
        ) from error
    except OSError as error:
        raise ServerStartError(
            f"{server} can't be fenced in: the engine's network does not reach this machine ({error.strerror})",
            "With an engine in a virtual machine, use --block-network=all or disableNetwork instead",
        ) from error


def _proxy_environment(address: str, port: int) -> dict[str, str]:
    url = f"http://{address}:{port}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    # Node's own fetch takes no notice of the variables unless it is told to.
    return dict.fromkeys(names, url) | {"no_proxy": "localhost,127.0.0.1", "NODE_USE_ENV_PROXY": "1"}
