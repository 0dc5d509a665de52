"""``docker-mcp oauth``: sign in to servers and services, see where one is signed in, sign out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, complain
from desktop.errors import GatewayError, KeychainUnavailableError, UsageError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    import argparse

    from desktop.oauth.apps import App
    from desktop.oauth.settings import OAuthSettingsFile
    from desktop.oauth.sign_ins import SignIns
    from desktop.oauth.status import SignInStatus
    from desktop.secrets.encrypted_store import EncryptedStore

__all__ = ["GROUP"]

_WIDTHS: Final = (80, 120)
_LOOK_LIMIT: Final = 2.0


def _list_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON array")


def _list(arguments: argparse.Namespace) -> int:
    from desktop.oauth.records import client_name, token_name
    from desktop.secrets.sealed_file import entries_in

    paths = Paths.of_user()
    stored = {entry.name for entry in entries_in(paths.secrets)}
    listed = [app for app in _apps().values() if app.declared or client_name(app.name) in stored]
    signed_in = [app.name for app in listed if token_name(app.name) in stored]
    if not arguments.json:
        words = ("not authorized", "authorized")
        output.print_rows([(app.name, words[app.name in signed_in]) for app in listed], _WIDTHS)
        return 0
    granted = asyncio.run(_granted(paths, signed_in))
    output.print_json(
        [
            {
                "app": app.name,
                "authorized": app.name in signed_in,
                "provider": app.provider or app.name,
                "scopes": [
                    {"name": scope, "description": "", "metadata": []} for scope in granted.get(app.name, app.scopes)
                ],
                "tools": list(app.tools),
            }
            for app in sorted(listed, key=lambda app: app.name.casefold())
        ]
    )
    return 0


async def _granted(paths: Paths, apps: list[str]) -> dict[str, tuple[str, ...]]:
    """What was granted, as far as it can be read without asking the person for anything."""
    from desktop.oauth.records import Records
    from desktop.secrets.opening import opened

    found: dict[str, tuple[str, ...]] = {}
    with opened(paths, time_limit=_LOOK_LIMIT) as store, contextlib.suppress(GatewayError):
        for app in apps:
            token = await Records(store).token(app)
            if token is not None and token.scope:
                found[app] = tuple(token.scope.split())
    return found


def _authorize_arguments(parser: Parser) -> None:
    _app_argument(parser)
    parser.option("--scopes", default="", metavar='"A B"', help="what to ask for; left out: what the server wants")
    parser.switch(
        "browser", "print the address only, for a browser elsewhere, and take back where it ended", default=True
    )
    parser.switch("open-browser", None, default=True)
    parser.switch("device", "sign in with a code on another device, where the provider can do that")


def _authorize(arguments: argparse.Namespace) -> int:
    opens = arguments.open_browser and arguments.browser

    async def work() -> None:
        async with _sign_ins() as (sign_ins, store):
            app = sign_ins.find(arguments.app)
            await _must_last(store)
            told = _Told(sign_ins, app, opens=opens)
            sign_ins.changed.subscribe(told.look)
            try:
                scopes = arguments.scopes.replace(",", " ").split()
                token = await sign_ins.sign_in(app.name, scopes, device=True if arguments.device else None)
            finally:
                await sign_ins.close()
            allowed = f" It may: {', '.join(token.scope.split())}." if token.scope else ""
            print(output.printable(f"You are signed in to {app.title or app.name}.{allowed}"))

    asyncio.run(work())
    return 0


class _Told:
    """Tells the person what to do, and takes the address they may have copied elsewhere."""

    def __init__(self, sign_ins: SignIns, app: App, *, opens: bool) -> None:
        self._sign_ins = sign_ins
        self._app = app
        self._opens = opens
        self._told = False
        self._loop = asyncio.get_running_loop()

    def look(self, name: str) -> None:
        """The status of a sign-in is new."""
        status = self._sign_ins.status(name)
        if status is not None and status.link and not self._told:
            self._told = True
            self._tell(status)

    def _tell(self, status: SignInStatus) -> None:
        title = self._app.title or self._app.name
        if status.user_code:
            print(f"Open {status.link} on any device and type the code {status.user_code}", flush=True)
            return
        if self._opens:
            print(
                f"Opening your browser to sign in to {title}. If it does not open, visit:\n\n{status.link}\n",
                flush=True,
            )
            self._loop.create_task(self._open(status.link))
        else:
            print(f"Open this address in a browser to sign in to {title}:\n\n{status.link}\n", flush=True)
        if not self._opens or sys.stdin.isatty():
            print(
                "If that browser is on another machine, its last page will not load: copy the address from its address bar,\n"
                "paste it here and press Enter.",
                flush=True,
            )
            threading.Thread(target=self._read, name="pasted address", daemon=True).start()

    async def _open(self, link: str) -> None:
        from desktop.oauth.browser import SystemBrowser

        if not await SystemBrowser().open(link):
            output.remark("docker-mcp: There is no browser here that could be opened; use the address above.")

    def _read(self) -> None:
        """Lines of standard input; without Python's buffer, whose lock would get in the way when the program ends."""
        rest = b""
        with contextlib.suppress(OSError, RuntimeError):
            while piece := os.read(sys.stdin.fileno(), 65536):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._loop.call_soon_threadsafe(self._take, line.decode("utf-8", "replace"))
            if rest:
                self._loop.call_soon_threadsafe(self._take, rest.decode("utf-8", "replace"))

    def _take(self, line: str) -> None:
        if line.strip():
            try:
                self._sign_ins.take_address(self._app.name, line)
            except UsageError as error:
                complain(error.message, error.hint)


def _revoke(arguments: argparse.Namespace) -> int:
    async def work() -> None:
        async with _sign_ins() as (sign_ins, _):
            app = sign_ins.find(arguments.app)
            trouble = await sign_ins.sign_out(app.name)
            print(output.printable(f"You are signed out of {app.title or app.name}."))
            if trouble:
                output.remark(f"docker-mcp: {trouble}.")

    asyncio.run(work())
    return 0


def _client_arguments(parser: Parser) -> None:
    _app_argument(parser)
    parser.option("--client-id", default=None, metavar="ID", help="the client's id; empty takes the client away")
    parser.switch("client-secret", "it has a secret, which is asked for or read from standard input")
    parser.option("--scopes", default=None, metavar='"A B"', help="what to ask for at each sign-in")
    parser.option("--port", default=None, metavar="PORT", help="the port of its redirect address on 127.0.0.1")
    parser.option("--issuer", default=None, metavar="URL", help="the provider, where it is not known")


def _client(arguments: argparse.Namespace) -> int:
    from desktop.oauth.records import Records

    port = arguments.port
    if port and not (port.isdecimal() and 1025 <= int(port) <= 65535):
        raise UsageError(f"{port} is not a port between 1025 and 65535")
    given = {
        "client_id": arguments.client_id,
        "scopes": None if arguments.scopes is None else arguments.scopes.replace(",", " ").split(),
        "port": port if not port else int(port),
        "issuer": arguments.issuer,
    }
    values = {name: value or None for name, value in given.items() if value is not None}
    if not values and not arguments.client_secret:
        raise UsageError("nothing to set", "Give --client-id, --scopes, --port or --issuer")
    secret = _read_secret() if arguments.client_secret else ""

    async def work() -> None:
        async with _sign_ins() as (sign_ins, store):
            app = sign_ins.find(arguments.app)
            if secret or arguments.client_id == "":
                if secret:
                    await _must_last(store)
                await Records(store).save_client_secret(app.name, secret)
            await asyncio.to_thread(_settings(Paths.of_user()).change, app.name, values)

    asyncio.run(work())
    return 0


def _read_secret() -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("Secret of the client: ").strip()
    secret = sys.stdin.readline().strip()
    if not secret:
        raise UsageError("there is no secret on standard input")
    return secret


@contextlib.asynccontextmanager
async def _sign_ins() -> AsyncIterator[tuple[SignIns, EncryptedStore]]:
    """The sign-ins of this person, for one command."""
    from desktop.cli.terminal_passphrase import TerminalPassphrase
    from desktop.oauth.access_tokens import AccessTokens
    from desktop.oauth.records import Records
    from desktop.oauth.sign_ins import SignIns
    from desktop.secrets.opening import opened

    paths = Paths.of_user()
    apps = await asyncio.to_thread(_apps)
    with opened(paths, TerminalPassphrase()) as store:
        records = Records(store)
        tokens = AccessTokens(records, paths.locks, title=lambda name: apps[name].title, tell=lambda token: None)
        yield SignIns(lambda: apps, records, _settings(paths), tokens, browser=None), store


def _settings(paths: Paths) -> OAuthSettingsFile:
    from desktop.oauth.settings import OAuthSettingsFile

    return OAuthSettingsFile(paths.oauth_settings, paths.lock_for(paths.oauth_settings))


async def _must_last(store: EncryptedStore) -> None:
    """Refuse before the person does anything what would be gone when this command ends."""
    from desktop.secrets.store import Protection

    if await store.protection() is Protection.SESSION:
        raise KeychainUnavailableError(
            "There is no keychain in this session, and nobody gave a passphrase, so a sign-in could not be kept",
            "Run it on a terminal, or give a passphrase in MCP_GATEWAY_PASSPHRASE or MCP_GATEWAY_PASSPHRASE_FD",
        )


def _apps() -> Mapping[str, App]:
    from desktop.catalog.source import ConfigurationSource
    from desktop.servers.sign_in_apps import apps_of

    return apps_of(ConfigurationSource(Paths.of_user()).load().servers)


def _app_argument(parser: Parser) -> None:
    parser.add_argument("app", metavar="APP", help="the server, or the service whose token servers get")


GROUP: Final = Group(
    "oauth",
    "Sign-ins: to servers on the web, and to services whose tokens servers use.",
    (
        Command(
            ("ls", "list"), "List what one can be signed in to, and where you are.", "--json", _list, _list_arguments
        ),
        Command(
            ("authorize", "login"),
            "Sign in in the browser, and wait until that is done.",
            'linear\ngithub --scopes "repo read:org"\nlinear --no-browser',
            _authorize,
            _authorize_arguments,
        ),
        Command(
            ("revoke", "logout"),
            "Sign out: the token is revoked at the provider and forgotten here.",
            "linear",
            _revoke,
            _app_argument,
        ),
        Command(
            ("client",),
            "Set a client that you have registered at a provider by hand.",
            "github --client-id Ov23li… --client-secret < secret.txt",
            _client,
            _client_arguments,
        ),
    ),
)
