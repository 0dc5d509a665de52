"""The secrets of one server: looked up by the names its entry declares, told to the redactor, and named when missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer, SecretReference
from desktop.errors import (
    KeychainLockedError,
    MissingSettingError,
    PassphraseError,
    SecretStoreError,
    SignInRequiredError,
)
from desktop.policy.rules import NO_POLICY, Policy
from desktop.secrets.lookup import SecretLookup, is_reference
from desktop.secrets.redaction import Redactor
from desktop.servers import launch
from desktop.servers.authorization import Authorization
from desktop.servers.sign_in_apps import with_sign_in_secrets
from desktop.servers.status import ServerKind

__all__ = ["ServerSecrets", "about"]

log = logging.getLogger(__name__)


class ServerSecrets:
    """Hands a server the secrets it declares, and no others.

    Args:
        lookup: Finds them.
        redactor: Is told every value before it is used.
        policy: The person's policy in force.
        tokens: Gives the access token of an app; what a sign-in brings goes before what was typed in (spec 4.5).
    """

    def __init__(
        self,
        lookup: SecretLookup,
        redactor: Redactor,
        policy: Callable[[], Policy] = lambda: NO_POLICY,
        tokens: Callable[[str], Authorization] | None = None,
    ) -> None:
        self._lookup = lookup
        self._redactor = redactor
        self._policy = policy
        self._given: dict[str, dict[str, str]] = {}
        self._tokens = tokens

    async def find(self, server: CatalogServer, values: Mapping[str, Any]) -> dict[str, str]:
        """The values by secret name.

        Raises:
            SignInRequiredError: A secret comes from a sign-in, and nobody is signed in or has set it.
            MissingSettingError: A secret, or one of the entry's other settings, has to be set first; or the secrets are
                locked away, or the policy keeps one from the server.
        """
        server = with_sign_in_secrets(server)
        self._check_policy(server)
        signed_in = await self._signed_in(server)
        missing = [item for item in server.secrets if item.name not in signed_in]
        found = await self._lookup.find(missing) if missing else {}
        secrets = signed_in | {name: item.value for name, item in found.items()}
        for name, item in found.items():
            if not is_reference(item.value):
                self._redactor.add(item.value)
            log.info("%s: secret %s comes from %s", server.name, name, item.source)
        if launch.server_kind(server) is ServerKind.REMOTE:
            self._refuse_references(server, secrets)
        unset, required = launch.missing_settings(server, values, secrets)
        if unset:
            for failure in self._lookup.failures.values():
                if isinstance(failure, KeychainLockedError | PassphraseError):
                    raise MissingSettingError(
                        f"{server.name} needs {unset[0].name}, which can't be read: {failure.message}", failure.hint
                    )
        if unset or required:
            names = [*(item.name for item in unset), *required]
            shown = " and ".join(names[:3]) + (" and more" if len(names) > 3 else "")
            verb = "is" if len(names) == 1 else "are"
            app = next((app for app, secret in _suppliers(server) if unset and secret == unset[0].name), "")
            if app:
                to = "" if app == server.name else f" to {app}"
                raise SignInRequiredError(
                    f"{server.title or server.name} wants you to sign in{to}",
                    f"Sign in in the tray, run docker-mcp oauth authorize {app}, or docker-mcp secret set {unset[0].name}",
                )
            hint = _hint(unset[0]) if unset else f"Set it for {server.name} in config.yaml"
            raise MissingSettingError(f"{shown} {verb} not set", hint)
        self._given[server.name] = secrets
        return secrets

    async def are_other(self, server: CatalogServer) -> bool:
        """Whether the server would get other values now than it was given last; not while some can't be looked up."""
        given = self._given.get(server.name)
        if given is None or not server.secrets:
            return False
        signed_in = await self._signed_in(server)
        found = await self._lookup.find([item for item in server.secrets if item.name not in signed_in])
        if any(isinstance(failure, SecretStoreError) for failure in self._lookup.failures.values()):
            return False
        typed_in = {name: value for name, value in given.items() if name not in signed_in}
        return {name: item.value for name, item in found.items()} != typed_in

    async def _signed_in(self, server: CatalogServer) -> dict[str, str]:
        """Secrets that sign-ins supply, by name."""
        found: dict[str, str] = {}
        for app, secret in _suppliers(server) if self._tokens is not None else ():
            assert self._tokens is not None
            try:
                token = await self._tokens(app).bearer()
            except (SecretStoreError, SignInRequiredError) as error:  # it may have been typed in
                log.info("%s: no token of %s: %s", server.name, app, error)
                continue
            if token:
                found[secret] = token
                log.info("%s: secret %s comes from the sign-in to %s", server.name, secret, app)
        return found

    @staticmethod
    def _refuse_references(server: CatalogServer, secrets: Mapping[str, str]) -> None:
        for name, value in secrets.items():
            if is_reference(value):
                raise MissingSettingError(
                    f"{server.name} needs {name}, which Docker Desktop keeps and hands to containers alone",
                    f"Set it here too: docker-mcp secret set {name}",
                )

    def _check_policy(self, server: CatalogServer) -> None:
        policy = self._policy()
        kept = [item.name for item in server.secrets if not policy.may_have(item.name, server.name, server.image)]
        if kept:
            hint = policy.broken or f"To allow it, add '{kept[0]} allows {server.name}' (docker-mcp policy set --help)"
            raise MissingSettingError(f"The policy does not let {server.name} have the secret {kept[0]}", hint)

    async def learn(self, servers: Iterable[CatalogServer]) -> None:
        """Tell the redactor the stored secrets of servers that may not have been started yet."""
        for server in servers:
            if server.secrets:
                for item in (await self._lookup.find(server.secrets)).values():
                    if not is_reference(item.value):
                        self._redactor.add(item.value)


def _suppliers(server: CatalogServer) -> list[tuple[str, str]]:
    """The apps whose tokens stand in for secrets, with the secrets' names (spec 1.7.5)."""
    if server.oauth is None:
        return []
    is_remote = kind_of(server) == "remote"
    found = [(server.name if is_remote else item.provider, item.secret) for item in server.oauth.providers]
    return [(app, secret) for app, secret in found if app and secret]


def _hint(secret: SecretReference) -> str:
    """How to set it, and what the catalog says of where to get it."""
    command = f"Set it with: docker-mcp secret set {secret.name}"
    more = about(secret)
    return f"{command} ({more})" if more else command


def about(secret: SecretReference) -> str:
    """What the catalog says of where to get a secret, or what it looks like; empty when it says nothing."""
    text = " ".join(secret.description.split()).rstrip(".")
    example = secret.example.strip() if isinstance(secret.example, str) else ""
    return text or (f"it looks like {example}" if example else "")
