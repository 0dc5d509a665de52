"""``docker-mcp server add-from``: what a server's page shows, made a server of the person's own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from desktop.cli import output
from desktop.cli.folder_consent import agree_to_folders
from desktop.cli.parser import Parser
from desktop.cli.server_lookup import configuration
from desktop.clients.adding import Adder, HandmadeServers, draft_from_registry
from desktop.clients.draft import Draft, entry_of
from desktop.clients.pasted import understand
from desktop.clients.secret_signs import PlainKeys
from desktop.errors import GatewayError, KeychainUnavailableError, UsageError
from desktop.state.paths import Paths

__all__ = ["add_from", "add_from_arguments", "forget"]


def add_from_arguments(parser: Parser) -> None:
    """What ``add-from`` understands."""
    parser.add_argument("text", metavar="TEXT", help="the text, a file that has it, or - for standard input")
    parser.option("--name", metavar="NAME", help="what the server is to be called")
    parser.switch("dry-run", "say what would be added, and change nothing")


def add_from(arguments: argparse.Namespace) -> int:
    """Add what the text says, and say which secrets are still wanted."""
    paths, keys = Paths.of_user(), PlainKeys()
    known = configuration(paths)
    taken = {*known.servers, *known.enabled}
    drafts = _drafts(_text(arguments.text), taken, keys)
    if arguments.name:
        if len(drafts) != 1:
            raise UsageError(f"--name is for one server, and there are {len(drafts)}")
        drafts = [replace(drafts[0], name=arguments.name)]
    for draft in drafts:
        if draft.problem:
            raise GatewayError(f"{draft.title or draft.name} can't be added: {draft.problem}")
    stored = () if arguments.dry_run else asyncio.run(_add(paths, drafts, taken, keys))
    if not arguments.dry_run:
        # What the person has typed they agree to; what a registry says of a server they have not seen.
        agree_to_folders(paths, [draft.name for draft in drafts if draft.document is None])
    for draft in drafts:
        print(f"{'would add' if arguments.dry_run else 'added'} {draft.name} ({draft.kind}, {draft.source})")
    for name in stored:
        print(f"stored secret {name}")
    _say_what_is_wanted(drafts, stored, keys, is_dry=arguments.dry_run)
    return 0


def forget(paths: Paths, name: str) -> bool:
    """Take a server out again that was added by hand; False when it is another one."""
    servers = HandmadeServers(paths)
    if name not in servers.added():
        return False
    servers.forget(name)
    return True


def _text(said: str) -> str:
    if said == "-":
        return sys.stdin.read()
    try:
        file = Path(said).expanduser()
        return file.read_text(encoding="utf-8") if file.is_file() else said
    except (OSError, ValueError, RuntimeError):
        return said


def _drafts(text: str, taken: set[str], keys: PlainKeys) -> Sequence[Draft]:
    found = understand(text, taken, keys)
    if found.wanted:
        raise UsageError(f'"{found.wanted}" is the name of a server', f"docker-mcp server enable {found.wanted}")
    if found.registry:
        return [asyncio.run(draft_from_registry(found.registry, taken, keys))]
    if not found.drafts:
        raise UsageError(found.problem or "there is nothing in the text", "See docker-mcp server add-from --help")
    if found.problem:
        output.remark(f"docker-mcp: {found.problem}.")
    return found.drafts


async def _add(paths: Paths, drafts: Sequence[Draft], taken: set[str], keys: PlainKeys) -> tuple[str, ...]:
    from desktop.cli.terminal_passphrase import TerminalPassphrase
    from desktop.secrets.opening import opened
    from desktop.secrets.store import Protection

    with opened(paths, TerminalPassphrase()) as store:
        has_keys = any(value.is_secret and value.value.strip() for draft in drafts for value in draft.values)
        if has_keys and await store.protection() is Protection.SESSION:
            raise KeychainUnavailableError(
                "There is no keychain in this session for the keys, and nobody gave a passphrase, so nothing was added",
                "Run it on a terminal, or give a passphrase in MCP_GATEWAY_PASSPHRASE or MCP_GATEWAY_PASSPHRASE_FD",
            )
        return await Adder(paths, store, keys).add(drafts, taken)


def _say_what_is_wanted(drafts: Sequence[Draft], stored: Sequence[str], keys: PlainKeys, *, is_dry: bool) -> None:
    for draft in drafts:
        made = entry_of(draft, keys)
        if is_dry and made.secrets:
            output.remark(f"- Into the secret store: {', '.join(made.secrets)}.")
        for secret in made.entry.get("secrets") or ():
            if secret["name"] not in {*stored, *made.secrets}:
                output.tip(f"Set its secret with: docker-mcp secret set {secret['name']}")
