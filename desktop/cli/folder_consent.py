"""The person's consent to the folders that entries name, given on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.cli import output
from desktop.cli.server_lookup import configuration, find
from desktop.errors import ServerStartError
from desktop.policy.consent import ConsentStore
from desktop.state.paths import Paths

__all__ = ["agree_to_folders"]


def agree_to_folders(paths: Paths, names: Iterable[str]) -> None:
    """Remember that servers may have the folders their entries name; a folder nobody may have is remarked on.

    Args:
        paths: Where our files are.
        names: The servers.

    Raises:
        ServerNotFoundError: No catalog has one of them.
        StateFileError: The consent can't be kept.
    """
    wanted = tuple(names)
    if not wanted:
        return
    known = configuration(paths)
    store = ConsentStore(paths.consents)
    for server in (find(name, known.servers) for name in wanted):
        if not server.volumes and all(tool.container is None or not tool.container.volumes for tool in server.tools):
            continue
        from desktop.servers.mount_consent import agree_to_named  # here: it takes long to import, and few have folders

        try:
            agree_to_named(store, server, known.values_of(server))
        except ServerStartError as error:
            output.remark(f"docker-mcp: {error}.")
