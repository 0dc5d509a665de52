"""A server a second time under another name, with secrets of its own: two accounts of one service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer, SecretReference
from desktop.state.server_choices import ServerChoice

__all__ = ["duplicate", "secret_name", "with_duplicates"]


def secret_name(name: str, of: str, secret: str) -> str:
    """The usual name of a duplicate's secret: its own name where the original's, or the service's, stood.

    Args:
        name: The duplicate's name.
        of: The original's name.
        secret: The name of the original's secret.
    """
    rest = secret.removeprefix(f"{of}.")
    if rest == secret:
        _, dot, rest = secret.partition(".")
        rest = rest if dot else secret
    return f"{name}.{rest}"


def duplicate(server: CatalogServer, name: str, secrets: Mapping[str, str]) -> CatalogServer:
    """The entry under another name.

    Its templates read the values of that name, and its secrets are those of that name. A token of a sign-in is one account's: a
    remote server is signed in to under the new name, for any other the secret is typed in.

    Args:
        server: The original.
        name: The new name.
        secrets: Name of a secret of the original -> name of the one to use instead; the others are named by `secret_name`.
    """
    entry = msgspec.structs.replace(server, name=name, title=f"{server.title or server.name} ({name})")
    canonical = entry.canonical_name
    of_original = re.compile(r"\{\{(\s*)" + re.escape(server.canonical_name) + r"(?=\s*[.|}])")

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return of_original.sub(lambda match: "{{" + match[1] + canonical, value)
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return value

    def own(secret: str) -> str:
        return secrets.get(secret) or secret_name(name, server.name, secret)

    secrets_of_own = [msgspec.structs.replace(item, name=own(item.name)) for item in server.secrets]
    oauth = server.oauth
    if oauth is not None and kind_of(server) != "remote":
        declared = {item.name for item in server.secrets}
        secrets_of_own += [
            SecretReference(name=own(item.secret), env=item.env)
            for item in oauth.providers
            if item.secret and item.secret not in declared
        ]
        oauth = None
    return msgspec.structs.replace(
        entry,
        secrets=secrets_of_own,
        env=[msgspec.structs.replace(item, value=renamed(item.value)) for item in server.env],
        command=renamed(server.command),
        volumes=renamed(server.volumes),
        user=renamed(server.user),
        config=[{**schema, "name": name} if schema.get("name") == server.name else schema for schema in server.config],
        oauth=oauth,
    )


def with_duplicates(
    servers: Mapping[str, CatalogServer], choices: Mapping[str, ServerChoice], problems: list[str]
) -> dict[str, CatalogServer]:
    """The servers and, beside them, the duplicates the person has made; what can't be one becomes a sentence."""
    found = dict(servers)
    for name, choice in choices.items():
        if not choice.duplicate_of:
            continue
        if name in servers:
            problems.append(
                f"{name} is a server of a catalog, so no duplicate of {choice.duplicate_of} can be called so"
            )
        elif choice.duplicate_of not in servers:
            problems.append(f"{name} is a duplicate of {choice.duplicate_of}, which no catalog has")
        else:
            found[name] = duplicate(servers[choice.duplicate_of], name, choice.secrets)
    return found
