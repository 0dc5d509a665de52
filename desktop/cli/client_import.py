"""``docker-mcp client import``: what clients have, moved into our configuration, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from desktop.cli import output
from desktop.cli.folder_consent import agree_to_folders
from desktop.cli.parser import Parser, closest
from desktop.clients.survey import FoundServer, survey
from desktop.errors import UsageError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    import argparse

    from desktop.clients.moving import Mover
    from desktop.clients.roster import Roster

__all__ = ["import_arguments", "import_servers"]

_COLUMNS: Final = ("NAME", "CLIENTS", "KEYS", "SERVER")


def import_arguments(parser: Parser) -> None:
    """Which servers."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="servers to move; without any, shows what there is")
    parser.switch("all", "move all that can be moved")
    parser.switch("undo", "take the last import back: clients' entries, servers and keys")
    parser.switch("dry-run", "print what would be moved and how files would change, and change nothing")
    parser.switch("json", "print JSON")


def import_servers(arguments: argparse.Namespace, roster: Roster) -> int:
    """Show, move or bring back."""
    if arguments.undo:
        if arguments.names or arguments.all:
            raise UsageError("--undo takes back the last import as a whole", "Name no servers with it")
        return _undo(roster, as_json=arguments.json)
    found = survey(roster.statuses(), _taken())
    if not arguments.names and not arguments.all:
        _show(found, as_json=arguments.json)
        return 0
    chosen = _chosen(found, arguments.names, is_all=arguments.all)
    if arguments.dry_run:
        _plan(roster, chosen, as_json=arguments.json)
        return 0
    return _move(roster, chosen, as_json=arguments.json)


def _chosen(found: Sequence[FoundServer], names: Sequence[str], *, is_all: bool) -> list[FoundServer]:
    known = {server.name: server for server in found}
    by_entry = {server.server.name: server for server in found if not server.differs}
    known = by_entry | known
    for name in names:
        if name not in known:
            meant = closest(name, known)
            raise UsageError(
                f"no client has a server {name}", f"Did you mean {meant}?" if meant else "See docker-mcp client import"
            )
        if known[name].converted is None:
            raise UsageError(f"{name} can't be moved: {known[name].reason}")
    if is_all:
        return [server for server in found if server.converted is not None]
    return list({known[name].name: known[name] for name in names}.values())


def _show(found: Sequence[FoundServer], *, as_json: bool) -> None:
    if as_json:
        output.print_json([_as_json(server) for server in found])
        return
    if not found:
        print("No client has a server of its own")
        return
    rows = []
    for server in found:
        clients = ", ".join(place.client.id for place in server.places)
        keys = ", ".join(server.keys)
        rows.append((server.name, clients, keys, _about(server)))
    output.print_table(_COLUMNS, rows)
    for server in found:
        if server.reason:
            output.remark(f"- {server.name} can't be moved: {server.reason}.")
    shared = sum(1 for server in found if len(server.places) > 1)
    keys_of = sum(1 for server in found if server.keys)
    if shared:
        output.remark(f"- {shared} of them run once for each client that has them; through the gateway they run once.")
    if keys_of:
        output.remark(f"- {keys_of} of them have keys in plain text, which would move into the secret store.")
    output.tip("Move some with: docker-mcp client import NAME…")


def _about(server: FoundServer) -> str:
    configured = server.server
    return configured.url or " ".join((configured.command, *configured.args))


def _as_json(server: FoundServer) -> dict[str, Any]:
    return {
        "name": server.name,
        "clients": [{"client": place.client.id, "entry": place.entry} for place in server.places],
        "transport": server.server.transport.value,
        "server": _about(server),
        "keys": list(server.keys),
        "differs": server.differs,
        "canMove": server.converted is not None,
        "reason": server.reason,
    }


def _plan(roster: Roster, chosen: Sequence[FoundServer], *, as_json: bool) -> None:
    from desktop.clients.roster import Wish

    by_client: dict[str, list[str]] = {}
    clients = {place.client.id: place.client for server in chosen for place in server.places}
    for server in chosen:
        for place in server.places:
            by_client.setdefault(place.client.id, []).append(place.entry)
    diffs = {
        id: roster.plan_connect(clients[id], wish=Wish(instead_of=tuple(names))).diff for id, names in by_client.items()
    }
    if as_json:
        entries = {server.name: server.converted.entry for server in chosen if server.converted is not None}
        output.print_json({"servers": entries, "diffs": diffs})
        return
    for server in chosen:
        kept = f"; into the secret store: {', '.join(secrets)}" if (secrets := _secrets(server)) else ""
        output.remark(f"- {server.name} would be moved{kept}.")
    for diff in diffs.values():
        print(diff)


def _secrets(server: FoundServer) -> tuple[str, ...]:
    return tuple(server.converted.secrets) if server.converted is not None else ()


def _move(roster: Roster, chosen: Sequence[FoundServer], *, as_json: bool) -> int:
    needs_store = any(map(_secrets, chosen))

    async def work(mover: Mover) -> Any:
        return await mover.move(chosen)

    move = _with_mover(roster, work, must_last=needs_store)
    agree_to_folders(Paths.of_user(), move.servers)  # the client has given them to it so far
    if as_json:
        output.print_json(
            {"servers": move.servers, "secrets": move.secrets, "clients": move.clients, "catalog": "imported"}
        )
        return 0
    for name in move.servers:
        print(f"imported {name}")
    for name in move.secrets:
        print(f"stored secret {name}")
    for id in move.clients:
        output.remark(f"- {id} has mcp-gateway in their place; restart it if it does not notice.")
    output.tip("Take all of it back with: docker-mcp client import --undo")
    return 0


def _undo(roster: Roster, *, as_json: bool) -> int:
    async def work(mover: Mover) -> Any:
        return await mover.undo()

    move = _with_mover(roster, work, must_last=False)
    if as_json:
        output.print_json({"servers": move.servers, "secrets": move.secrets, "clients": move.clients})
    else:
        for name in move.servers:
            print(f"took back {name}")
    return 0


def _with_mover(roster: Roster, work: Any, *, must_last: bool) -> Any:
    from desktop.cli.terminal_passphrase import TerminalPassphrase
    from desktop.clients.moving import Mover
    from desktop.errors import KeychainUnavailableError
    from desktop.secrets.opening import opened
    from desktop.secrets.store import Protection

    paths = Paths.of_user()

    async def run() -> Any:
        with opened(paths, TerminalPassphrase()) as store:
            if must_last and await store.protection() is Protection.SESSION:
                raise KeychainUnavailableError(
                    "There is no keychain in this session for the keys, and nobody gave a passphrase, so nothing was moved",
                    "Run it on a terminal, or give a passphrase in MCP_GATEWAY_PASSPHRASE or MCP_GATEWAY_PASSPHRASE_FD",
                )
            return await work(Mover(paths, roster, store))

    return asyncio.run(run())


def _taken() -> frozenset[str]:
    """Names that catalogs use already."""
    from desktop.catalog.source import ConfigurationSource

    return frozenset(ConfigurationSource(Paths.of_user()).load().servers)
