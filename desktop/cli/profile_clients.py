"""Which AI clients have which profile."""

from __future__ import annotations

from desktop.errors import GatewayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_clients", "clients_with", "connect_clients"]


def check_clients(names: Sequence[str]) -> None:
    """Raises `GatewayError` for a client nobody knows, before anything is done."""
    from desktop.clients.known import find_client, similar_id

    for name in names:
        if find_client(name) is None:
            meant = similar_id(name)
            raise GatewayError(
                f"client {name} not found", f"Did you mean {meant}?" if meant else "See docker-mcp client ls"
            )


def connect_clients(names: Sequence[str], id: str) -> None:
    """Connect clients, for all the person does, with a profile of their own."""
    from desktop.cli.client import GROUP

    for name in names:
        GROUP.run(["connect", name, "--global", "--quiet", "--profile", id])


def clients_with(id: str) -> list[str]:
    """The clients that ask for a profile."""
    from desktop.clients.roster import Roster
    from desktop.gateway.local_client import gateway_url, usual_url
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    statuses = Roster(paths, gateway_url(paths) or usual_url()).statuses(None)
    return [status.client.id for status in statuses if status.connected and status.profile == id]
