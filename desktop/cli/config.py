"""``docker-mcp config``: the values of servers, as one text or one by one; and everything a person has set, as a dump."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group, no_arguments
from desktop.cli.parser import Parser, closest
from desktop.errors import ServerNotFoundError, StateFileError, UsageError
from desktop.state.atomic_file import read_bytes
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.catalog.model import CatalogServer
    from desktop.dump import Dump, Restored
    from desktop.secrets.encrypted_store import EncryptedStore

__all__ = ["GROUP"]

_LARGEST: Final = 1024 * 1024
_NEW: Final = "the new text"


def _read(arguments: argparse.Namespace) -> int:
    sys.stdout.flush()
    sys.stdout.buffer.write(read_bytes(Paths.of_user().config))
    return 0


def _write_arguments(parser: Parser) -> None:
    parser.add_argument("text", metavar="YAML", help="the whole new content, or - to read it from standard input")


def _write(arguments: argparse.Namespace) -> int:
    text = _standard_input(_NEW) if arguments.text == "-" else _encodable(arguments.text)
    size = len(text.encode("utf-8"))
    if size > _LARGEST:
        raise StateFileError(_NEW, f"it has {size:,} bytes, and at most {_LARGEST:,} are taken")
    _file(Paths.of_user()).replace_text(text, where=_NEW)
    return 0


def _encodable(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise StateFileError(_NEW, "this is not UTF-8 text") from error
    return text


def _standard_input(where: str) -> str:
    if sys.stdin is None:
        return ""
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StateFileError(where, "this is not UTF-8 text", line=line) from error


def _reset(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    file = _file(paths)
    if read_bytes(paths.config):
        file.replace_text("")
        output.tip(f"What it was is in {paths.config}.bak.")
    return 0


def _get_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="SERVER[.KEY]", nargs="?", help="a server, or one of its settings")


def _get(arguments: argparse.Namespace) -> int:
    paths = Paths.of_user()
    values: Any = _file(paths).values()
    if arguments.name is None:
        output.print_json(values)
        return 0
    server, key = _server_and_key(arguments.name, paths)
    values = next((values[name] for name in _names_of(server) if values.get(name)), {})
    path = key.split(".") if key else []
    while path:
        found = next(
            (n for n in range(len(path), 0, -1) if isinstance(values, dict) and ".".join(path[:n]) in values), 0
        )
        if not found:
            from desktop.catalog.settings import setting_of

            setting = setting_of(server, key)  # says so when there can't be one
            if "default" not in setting.schema:
                raise UsageError(f"{server.name}.{key} is not set", f"docker-mcp config set {server.name}.{key}=VALUE")
            values, path = setting.schema["default"], []
        else:
            values, path = values[".".join(path[:found])], path[found:]
    if isinstance(values, str):
        print(values)
    else:
        output.print_json(values)
    return 0


def _set_arguments(parser: Parser) -> None:
    parser.add_argument(
        "words", metavar="SERVER.KEY=VALUE", nargs="+", help="one setting or more; repeat one to make a list of values"
    )


def _set(arguments: argparse.Namespace) -> int:
    from desktop.catalog.settings import setting_of
    from desktop.cli.tool_arguments import tool_arguments

    paths = Paths.of_user()
    typed: dict[str, list[str]] = {}
    for word in arguments.words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{word!r} is not of the form SERVER.KEY=VALUE")
        typed.setdefault(name, []).append(value)
    changes = []
    for name, values in typed.items():
        server, key = _server_and_key(name, paths)
        if not key:
            raise UsageError(f"{name} names no setting", f"See docker-mcp config get {name}")
        setting = setting_of(server, key)
        schema = {"properties": {name: setting.schema}}
        value = tool_arguments([f"{name}={_encodable(value)}" for value in values], schema, called="setting")[name]
        # Its type is right already; checking more than that takes long to import.
        if not setting.is_plain and (faults := setting.faults(value)):
            raise UsageError(f"the setting {server.name}.{'; '.join(faults)}")
        changes.append((server, setting.path, value))
    for server, path, value in changes:
        _file(paths).set_value(_names_of(server), path, value)
    return 0


def _unset_arguments(parser: Parser) -> None:
    parser.add_argument("names", metavar="SERVER[.KEY]", nargs="+", help="a setting, or all of a server")


def _unset(arguments: argparse.Namespace) -> int:
    from desktop.state.yaml_edit import REMOVED

    paths = Paths.of_user()
    targets = [_server_and_key(name, paths) for name in arguments.names]
    for server, key in targets:
        if key:
            _file(paths).set_value(_names_of(server), key.split("."), REMOVED)
        else:
            for name in _names_of(server):
                _file(paths).set_values(name, {})
    return 0


def _dump_arguments(parser: Parser) -> None:
    parser.switch("secrets", "also the secrets, with their values")


def _dump(arguments: argparse.Namespace) -> int:
    from desktop.dump import dumped, encoded, with_secrets

    paths = Paths.of_user()
    dump = dumped(paths)
    if arguments.secrets:
        from desktop.cli.terminal_passphrase import TerminalPassphrase
        from desktop.secrets.opening import opened

        with opened(paths, TerminalPassphrase()) as store:
            dump = asyncio.run(with_secrets(dump, store))
        output.tip("These are the values of your secrets; take care where they go.")
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(dump) + b"\n")
    return 0


def _restore_arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="what config dump has printed, or - to read it from standard input"
    )
    parser.switch("secrets", "also the secrets that are in it; those that aren't are removed")


def _restore(arguments: argparse.Namespace) -> int:
    from desktop.dump import decoded, restored

    paths = Paths.of_user()
    where = "standard input" if arguments.file == "-" else arguments.file
    if arguments.file == "-":
        data = _standard_input(where).encode("utf-8")
    elif not (file := Path(arguments.file).expanduser()).is_file():
        raise StateFileError(where, "there is no such file")
    else:
        data = read_bytes(file)
    dump = decoded(data, where)
    if arguments.secrets and dump.secrets is None:
        raise UsageError(f"{where} has no secrets in it", "Dump with --secrets, or restore without")
    if arguments.secrets:
        from desktop.cli.terminal_passphrase import TerminalPassphrase
        from desktop.secrets.opening import opened

        with opened(paths, TerminalPassphrase()) as store:
            done = asyncio.run(_restore_all(dump, paths, where, store))
    else:
        done = restored(dump, paths, where)
    _tell(done, len(dump.secrets or ()) if not arguments.secrets else 0)
    if arguments.secrets:
        output.tip("The secrets that were there before are not in it.")
    return 0


async def _restore_all(dump: Dump, paths: Paths, where: str, store: EncryptedStore) -> Restored:
    from desktop.dump import restored, restored_secrets
    from desktop.errors import KeychainUnavailableError
    from desktop.secrets.store import Protection

    if await store.protection() is Protection.SESSION:
        raise KeychainUnavailableError(
            "There is no keychain in this session that could keep the secrets, so nothing was restored",
            "Give a passphrase in MCP_GATEWAY_PASSPHRASE",
        )
    done = await asyncio.to_thread(restored, dump, paths, where)
    await restored_secrets(dump, store)
    return done


def _tell(done: Restored, left_out: int) -> None:
    if left_out:
        output.remark(f"The {left_out} secrets in it were left out; --secrets restores them, too.")
    output.tip(f"What was there before is in {done.former}; docker-mcp config restore {done.former} brings it back.")


def _file(paths: Paths) -> ConfigFile:
    return ConfigFile(paths.config, paths.lock_for(paths.config))


def _names_of(server: CatalogServer) -> tuple[str, ...]:
    """The keys under which its values may be; the last is what the reference of today looks for."""
    return tuple(dict.fromkeys((server.name, server.canonical_name)))


def _server_and_key(name: str, paths: Paths) -> tuple[CatalogServer, str]:
    """A server and what follows its name. Both may have dots, so the longest name of a server wins."""
    from desktop.catalog.model import CatalogServer
    from desktop.catalog.source import ConfigurationSource

    configuration = ConfigurationSource(paths).load()
    known: Mapping[str, CatalogServer] = {
        **{entry: CatalogServer(name=entry) for entry in configuration.values},
        **{server.canonical_name: server for server in configuration.servers.values()},
        **configuration.servers,
    }
    fits = [server for server in known if name == server or name.startswith(f"{server}.")]
    if not fits:
        meant = closest(name.partition(".")[0], known)
        hint = f"Did you mean {meant}?" if meant else "See docker-mcp catalog show"
        raise ServerNotFoundError(f"server {name.partition('.')[0]} not found in catalog", hint)
    longest = max(fits, key=len)
    return known[longest], name[len(longest) + 1 :]


GROUP: Final = Group(
    "config",
    "Config: the settings of servers; all files of the person as one document.",
    (
        Command(("read",), "Print config.yaml as it is.", "", _read, no_arguments),
        Command(
            ("write",),
            "Replace config.yaml by a text, which stays as it is typed; what it was is kept in config.yaml.bak.",
            "'filesystem: {paths: [/srv]}'\n- < config.yaml",
            _write,
            _write_arguments,
        ),
        Command(("reset",), "Empty config.yaml; what it was is kept in config.yaml.bak.", "", _reset, no_arguments),
        Command(("get",), "Print settings of a server.", "filesystem\nfilesystem.paths", _get, _get_arguments),
        Command(
            ("set",),
            "Change settings of servers; values are checked against what the servers' entries ask for.",
            "filesystem.paths=/home/me/notes\natlassian.jira.url=https://example.atlassian.net",
            _set,
            _set_arguments,
        ),
        Command(("unset",), "Take settings of servers away.", "filesystem.paths", _unset, _unset_arguments),
        Command(
            ("dump",),
            "Print settings, enabled servers, catalogs, chosen tools and the policy as one JSON document.",
            "> mcp.json",
            _dump,
            _dump_arguments,
        ),
        Command(
            ("restore",),
            "Make all of that as it is in a dump. Catalogs that aren't in it are removed.",
            "mcp.json\n- < mcp.json",
            _restore,
            _restore_arguments,
        ),
    ),
)
