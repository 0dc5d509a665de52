"""``docker-mcp secret``: set, list, remove, import and export secrets; no value is ever shown but by export."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, closest, complain
from desktop.errors import GatewayError, KeychainUnavailableError, ServerNotFoundError, UsageError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from desktop.catalog.model import CatalogServer
    from desktop.secrets.encrypted_store import EncryptedStore

__all__ = ["GROUP"]

_WIDTHS: Final = (40, 120)
# A person is there, and the keychain may ask them for its password.
_PROMPT_LIMIT: Final = 60.0
_CREDENTIAL_STORE: Final = "credstore"
_SIGN_IN: Final = "oauth/"


def _set_arguments(parser: Parser) -> None:
    parser.add_argument(
        "secret",
        metavar="NAME[=VALUE]",
        nargs="+",
        help="the secret; without =VALUE the value is read from standard input, or asked for",
    )
    parser.option(
        "--provider",
        default="",
        metavar="credstore|oauth/APP",
        help="who supplies it; with oauth/APP the sign-in does, and there is no value",
    )


def _set(arguments: argparse.Namespace) -> int:
    if len(arguments.secret) != 1:  # what came second may be a value, so it isn't shown
        raise UsageError("set takes one secret, as NAME=VALUE or NAME", "Put quotes around a value with spaces")
    name, equals, value = arguments.secret[0].partition("=")
    provider = arguments.provider
    from desktop.secrets.store import check_name

    check_name(name)
    is_sign_in = provider.startswith(_SIGN_IN) and provider != _SIGN_IN
    if provider and provider != _CREDENTIAL_STORE and not is_sign_in:
        raise UsageError(f"invalid provider: {provider}", "It is credstore or oauth/APP")
    if is_sign_in:
        if equals:
            raise UsageError("provider cannot be used with key=value pairs", f"The sign-in supplies {name}")
        return _with_store(lambda store: store.set(name, "", provider=provider))
    if not equals:
        value = _asked(name) if sys.stdin.isatty() else _standard_input()
    if not value or "\0" in value:
        what = "holds a zero byte" if value else "is empty"
        raise UsageError(f"the value of {name} {what}", f"Take a secret away with: docker-mcp secret rm {name}")

    async def work(store: EncryptedStore) -> None:
        await _must_last(store)
        await store.set(name, value, provider=provider)

    code = _with_store(work)
    if equals:
        output.tip(
            f"The value may now be in your shell's history; next time: docker-mcp secret set {name} (it is asked for)."
        )
    if output.is_watched():
        _tell_if_nobody_asks_for(name)
    return code


def _tell_if_nobody_asks_for(name: str) -> None:
    """A name with a typing error, or that of the variable, is the usual reason why a secret never arrives."""
    declared = [item for server in _servers().values() for item in server.secrets]
    names = sorted({item.name for item in declared})
    if name not in names:
        carried = sorted({item.name for item in declared if item.env == name})
        meant = " or ".join(carried[:3]) or closest(name, names)
        output.tip(f"No server asks for a secret {name}" + (f"; did you mean {meant}?" if meant else "."))


def _list_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON array")
    parser.switch("all", "also those of sign-ins, which the program keeps for itself")


def _list(arguments: argparse.Namespace) -> int:
    from desktop.secrets.sealed_file import entries_in
    from desktop.secrets.store import is_internal

    entries = [entry for entry in entries_in(Paths.of_user().secrets) if arguments.all or not is_internal(entry.name)]
    if arguments.json:
        output.print_json(
            [{"name": entry.name, **({"provider": entry.provider} if entry.provider else {})} for entry in entries]
        )
    else:
        output.print_rows([(entry.name, entry.provider) for entry in entries], _WIDTHS)
    return 0


def _remove_arguments(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="the secrets")
    parser.switch("all", "remove all; those of sign-ins stay, oauth revoke takes them away")


def _remove(arguments: argparse.Namespace) -> int:
    if arguments.all == bool(arguments.names):
        raise UsageError(
            "give either names or --all"
            if arguments.all
            else "either provide a secret name or use --all to remove all secrets"
        )

    async def work(store: EncryptedStore) -> None:
        from desktop.secrets.store import is_internal

        names = arguments.names
        if arguments.all:
            names = [name for name in await store.names() if not is_internal(name)]
        failures = []
        for name in dict.fromkeys(names):
            try:
                if not await store.delete(name):
                    raise GatewayError(f"secret {name} not found")
            except GatewayError as error:
                print(f"failed removing secret {name}")
                failures.append(str(error))
            else:
                print(f"removed secret {name}")
        if failures:
            raise GatewayError("; ".join(dict.fromkeys(failures)))

    return _with_store(work)


def _export_arguments(parser: Parser) -> None:
    parser.add_argument("servers", metavar="SERVER", nargs="+", help="servers whose secrets are wanted")


def _export(arguments: argparse.Namespace) -> int:
    from desktop.secrets.env_file import env_line
    from desktop.secrets.lookup import EnvFileSource, SecretLookup
    from desktop.secrets.sources import StoreSource

    servers = _servers()
    for name in arguments.servers:
        if name not in servers:
            meant = closest(name, servers)
            hint = f"Did you mean {meant}?" if meant else "See docker-mcp catalog show"
            raise ServerNotFoundError(f"server {name} not found in catalog", hint)
    references = {item.name: item for name in arguments.servers for item in servers[name].secrets}
    if not references:
        return 0

    async def work(store: EncryptedStore) -> int:
        lookup = SecretLookup([StoreSource(store), EnvFileSource(Paths.of_user().env_file, may_be_missing=True)])
        found = await lookup.find([references[name] for name in sorted(references)])
        if len(found) < len(references):
            for failure in lookup.failures.values():
                raise failure
        code = 0
        for name in sorted(references):
            if name not in found:
                output.remark(f"docker-mcp: {name} is not set.")
                continue
            line = env_line(name, found[name].value)
            if line is None:
                output.remark(f"docker-mcp: the value of {name} can't stand in a .env file: it has line breaks.")
                code = 1
            else:
                print(line)
        return code

    return _with_store(work)


def _import_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .env file: NAME=VALUE, one a line")


def _import(arguments: argparse.Namespace) -> int:
    """Names of variables become those of the secrets they carry, where just one secret is carried by them."""
    from pathlib import Path

    from desktop.secrets.env_file import read_env_file
    from desktop.secrets.env_import import env_secrets

    declared = [(item.name, item.env) for server in _servers().values() for item in server.secrets]
    found = env_secrets(read_env_file(Path(arguments.file)), declared)
    for item in found:
        if item.alternatives:
            several = ", ".join(item.alternatives)
            output.remark(
                f"docker-mcp: {item.variable} may stand for {several}; it is kept as {item.name}, which no server asks for."
            )
    secrets = {item.name: item.value for item in found}

    async def work(store: EncryptedStore) -> None:
        await _must_last(store)
        await store.set_many(secrets)

    code = _with_store(work)
    for name in sorted(secrets):
        print(f"imported secret {name}")
    return code


def _rotate(arguments: argparse.Namespace) -> int:
    return _with_store(lambda store: store.rotate())


def _with_store(work: Any) -> int:
    """Open the store, do the work, and say where a file that could not be opened is kept."""
    from desktop.cli.terminal_passphrase import TerminalPassphrase
    from desktop.secrets.opening import opened

    with opened(Paths.of_user(), TerminalPassphrase(), time_limit=_PROMPT_LIMIT) as store:
        try:
            return asyncio.run(work(store)) or 0
        finally:
            if store.set_aside is not None:
                complain(f"the former secrets can't be opened any more and are kept in {store.set_aside}")


async def _must_last(store: EncryptedStore) -> None:
    """Refuse what would be gone when this command ends."""
    from desktop.secrets.store import Protection

    if await store.protection() is Protection.SESSION:
        raise KeychainUnavailableError(
            "There is no keychain in this session, and nobody gave a passphrase, so nothing was stored",
            "Run it on a terminal, or give a passphrase in MCP_GATEWAY_PASSPHRASE or MCP_GATEWAY_PASSPHRASE_FD",
        )


def _servers() -> dict[str, CatalogServer]:
    from desktop.catalog.source import ConfigurationSource

    return dict(ConfigurationSource(Paths.of_user()).load().servers)


def _asked(name: str) -> str:
    import getpass

    return getpass.getpass(f"Value of {name}: ")


def _standard_input() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not UTF-8 text") from error
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


GROUP: Final = Group(
    "secret",
    "Secrets: values that only the servers whose entries declare them get.",
    (
        Command(
            ("set", "add"),
            "Store a secret.",
            "github.personal_access_token\ngithub.personal_access_token < token.txt\npostgres.url=postgres://localhost/db",
            _set,
            _set_arguments,
        ),
        Command(
            ("ls", "list"), "List the secrets that are stored, without their values.", "--json", _list, _list_arguments
        ),
        Command(("rm", "remove"), "Remove secrets.", "github.personal_access_token", _remove, _remove_arguments),
        Command(("import",), "Store what a .env file holds.", ".env", _import, _import_arguments),
        Command(
            ("export",),
            "Print the secrets of servers with their values, as a .env file has them.",
            "github-official > .env",
            _export,
            _export_arguments,
        ),
        Command(("rotate",), "Seal all secrets with a new key.", "", _rotate),
    ),
)
