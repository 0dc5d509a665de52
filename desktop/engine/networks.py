"""Networks of ours: internal ones, from which a container reaches nothing but this machine's end of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from desktop.engine.calls import EngineCalls
from desktop.engine.labels import INSTANCE, OWNER, OWNER_VALUE, SERVER
from desktop.engine.ports import InternalNetwork, OwnedNetwork
from desktop.errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["EngineNetworks"]

_IN_USE: Final = 403


class EngineNetworks:
    """The networks of one engine.

    Args:
        calls: Makes requests to the engine.
        instance: Id of this run; every network gets it as a label.
    """

    def __init__(self, calls: EngineCalls, instance: str) -> None:
        self._calls = calls
        self._instance = instance

    async def make(self, name: str, *, server: str) -> InternalNetwork:
        """Make an internal network.

        Args:
            name: Its name.
            server: The server it is for, for its label.

        Raises:
            EngineError: The engine refused.
        """
        labels = {OWNER: OWNER_VALUE, INSTANCE: self._instance, SERVER: server}

        def make(client: APIClient) -> dict[str, Any]:
            made = client.create_network(name, driver="bridge", internal=True, labels=labels, check_duplicate=True)
            return dict(client.inspect_network(made["Id"]))

        found = await self._calls.call(f"make a network for {server}", make)
        addresses = [entry.get("Gateway", "") for entry in (found.get("IPAM") or {}).get("Config") or []]
        gateway = next((address.partition("/")[0] for address in addresses if address), "")
        if not gateway:
            await self.remove(name)
            raise EngineError(f"The engine gave the network for {server} no address of this machine")
        return InternalNetwork(name=name, gateway=gateway)

    async def remove(self, name: str) -> None:
        """Remove a network; one that is already gone is fine, one still in use is removed by the next sweep."""

        def remove(client: APIClient) -> None:
            from docker.errors import APIError

            try:
                client.remove_network(name)
            except APIError as error:
                if error.status_code not in (404, 409, _IN_USE):
                    raise

        await self._calls.call("remove a network", remove)

    async def owned(self) -> tuple[OwnedNetwork, ...]:
        """Every network with our owner label, of this and other instances."""
        filters = {"label": f"{OWNER}={OWNER_VALUE}"}
        found: list[dict[str, Any]] = await self._calls.call(
            "list networks",
            lambda client: client.networks(filters=filters),
        )
        return tuple(
            OwnedNetwork(name=entry["Name"], instance=(entry.get("Labels") or {}).get(INSTANCE, "")) for entry in found
        )
