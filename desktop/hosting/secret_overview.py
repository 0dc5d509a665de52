"""The secrets by name: who uses each, since when it is set, where it is kept; and those a `.env` file would bring."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from desktop.catalog.model import CatalogServer
from desktop.configuration_in_force import ConfigurationInForce
from desktop.errors import GatewayError, UsageError
from desktop.host import EnvLine, HostPart, KeptSecret, SecretPlace, SecretUse
from desktop.secrets.env_file import read_env_file
from desktop.secrets.env_import import EnvSecret, env_secrets
from desktop.secrets.sealed_file import entries_in
from desktop.secrets.store import SecretEntry, check_name, is_internal
from desktop.servers.server_secrets import about
from desktop.servers.sign_in_apps import with_sign_in_secrets
from desktop.servers.status import ServerState
from desktop.services import Services

__all__ = ["SecretOverview"]

_SIGN_IN: Final = "oauth/"


class SecretOverview(HostPart):
    """Implements `desktop.host.SecretDesk`.

    Args:
        services: Has the store and the servers.
        configuration: What is in force.
    """

    def __init__(self, services: Services, configuration: ConfigurationInForce) -> None:
        self._services = services
        self._configuration = configuration

    async def overview(self) -> tuple[KeptSecret, ...]:
        """What is stored, and what enabled servers want; by name."""
        entries = {entry.name: entry for entry in await self._services.secrets.entries()}
        sealed, written = await asyncio.to_thread(self._files)
        return await asyncio.to_thread(self._put_together, entries, sealed, written)

    async def read_env(self, path: Path) -> tuple[EnvLine, ...]:
        """What a `.env` file would set."""
        found = await asyncio.to_thread(self._read, path)
        users = self._users()
        before = set(await self._services.secrets.names())
        return tuple(
            EnvLine(
                variable=item.variable,
                name=item.name,
                servers=tuple(use.title for use in users.get(item.name, ())),
                alternatives=item.alternatives,
                replaces=item.name in before,
                refused=_refusal(item),
            )
            for item in found
        )

    async def import_env(self, path: Path, names: Collection[str]) -> int:
        """Set these secrets of a `.env` file, all or none; returns how many."""
        found = await asyncio.to_thread(self._read, path)
        values: dict[str, str | None] = {item.name: item.value for item in found if item.name in names}
        await self._services.secrets.set_many(values)
        await self._configuration.secrets_changed()
        return len(values)

    def _read(self, path: Path) -> tuple[EnvSecret, ...]:
        declared = [(item.name, item.env) for server in self._servers() for item in server.secrets]
        return env_secrets(read_env_file(path), declared)

    def _files(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names in the sealed file, and those in the person's own `.env` file."""
        paths = self._services.paths
        sealed, written = frozenset[str](), frozenset[str]()
        with contextlib.suppress(GatewayError):
            sealed = frozenset(entry.name for entry in entries_in(paths.secrets))
        if paths.env_file.is_file():
            with contextlib.suppress(GatewayError):
                written = frozenset(read_env_file(paths.env_file))
        return sealed, written

    def _put_together(
        self, entries: Mapping[str, SecretEntry], sealed: Collection[str], written: Collection[str]
    ) -> tuple[KeptSecret, ...]:
        users = self._users()
        names = {name for name in entries if not is_internal(name)}
        names |= {name for name, uses in users.items() if any(use.enabled for use in uses)}
        names |= {
            name for name, uses in users.items() if written and {name, *(use.variable for use in uses)} & {*written}
        }
        supplied = self._supplied()
        return tuple(
            self._secret(name, users.get(name, ()), entries, sealed, written, supplied) for name in sorted(names)
        )

    def _secret(
        self,
        name: str,
        uses: tuple[SecretUse, ...],
        entries: Mapping[str, SecretEntry],
        sealed: Collection[str],
        written: Collection[str],
        supplied: Mapping[str, str],
    ) -> KeptSecret:
        entry = entries.get(name)
        provider = entry.provider if entry is not None else ""
        app = provider.partition("/")[2] if provider.startswith(_SIGN_IN) else supplied.get(name, "")
        if entry is not None and not provider.startswith(_SIGN_IN):
            place, app = SecretPlace.STORE if name in sealed else SecretPlace.SESSION, ""
        elif app:
            place = SecretPlace.SIGN_IN
        elif name in written or any(use.variable in written for use in uses):
            place = SecretPlace.ENV_FILE
        elif self._runs_without(uses):
            place = SecretPlace.ELSEWHERE
        else:
            place = SecretPlace.NOWHERE
        return KeptSecret(name=name, uses=uses, place=place, set_at=_seconds(entry), app=app)

    def _runs_without(self, uses: Iterable[SecretUse]) -> bool:
        """Whether every server that can't do without it is ready, so that another source than ours has it."""
        needing = [use for use in uses if use.enabled and use.is_required]
        statuses = [self._services.fleet.status(use.server) for use in needing]
        return bool(needing) and all(status is not None and status.state is ServerState.READY for status in statuses)

    def _users(self) -> dict[str, tuple[SecretUse, ...]]:
        """The servers that declare each secret, those that are on first."""
        enabled = frozenset(self._configuration.current.enabled)
        users: dict[str, list[SecretUse]] = {}
        for server in map(with_sign_in_secrets, self._servers()):
            for item in server.secrets:
                use = SecretUse(
                    server=server.name,
                    title=server.title or server.name,
                    enabled=server.name in enabled,
                    variable=item.env,
                    about=about(item),
                    is_required=item.required is not False,
                )
                users.setdefault(item.name, []).append(use)
        return {
            name: tuple(sorted(uses, key=lambda use: (not use.enabled, use.title.casefold(), use.server)))
            for name, uses in users.items()
        }

    def _supplied(self) -> dict[str, str]:
        """The secrets that a sign-in supplies, with the title of what one signs in to."""
        supplied: dict[str, str] = {}
        for server in self._servers():
            for item in server.oauth.providers if server.oauth is not None else ():
                for app in (server.name, item.provider):
                    status = self._services.sign_ins.status(app) if item.secret and app else None
                    if status is not None:
                        supplied[item.secret] = status.title or app
        return supplied

    def _servers(self) -> tuple[CatalogServer, ...]:
        return tuple(self._configuration.current.servers.values())


def _seconds(entry: SecretEntry | None) -> float | None:
    try:
        return datetime.fromisoformat(entry.set_at).timestamp() if entry is not None and entry.set_at else None
    except ValueError:
        return None


def _refusal(item: EnvSecret) -> str:
    """Why a line can't be a secret; empty for one that can."""
    try:
        check_name(item.name)
    except UsageError as error:
        return error.message
    return "the value holds a zero byte" if "\0" in item.value else ""
