"""What one can sign in to, by the catalogs: remote servers, and the providers whose tokens servers get as secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer, SecretReference
from desktop.oauth.apps import PROVIDERS, App

__all__ = ["apps_of", "with_sign_in_secrets"]


def apps_of(servers: Mapping[str, CatalogServer]) -> dict[str, App]:
    """The apps by name: a remote server's own name, else the provider's in the entry (spec 1.7.5)."""
    apps: dict[str, App] = {}
    for server in servers.values():
        if kind_of(server) == "remote":
            apps[server.name] = _of_remote(server)
    for server in servers.values():
        if kind_of(server) != "remote" and server.oauth is not None:
            for provider in server.oauth.providers:
                if provider.provider and provider.secret:
                    known = apps.get(provider.provider)
                    if known is None or not known.url:
                        apps[provider.provider] = _joined(known, provider.provider, server)
    return apps


def with_sign_in_secrets(server: CatalogServer) -> CatalogServer:
    """The entry with the secrets declared that a sign-in supplies, where it names them under ``oauth`` alone."""
    if server.oauth is None or kind_of(server) == "remote":
        return server
    declared = {secret.name for secret in server.secrets}
    more = [
        SecretReference(name=provider.secret, env=provider.env)
        for provider in server.oauth.providers
        if provider.secret and provider.env and provider.secret not in declared
    ]
    return msgspec.structs.replace(server, secrets=[*server.secrets, *more]) if more else server


def _of_remote(server: CatalogServer) -> App:
    oauth = server.oauth
    return App(
        name=server.name,
        title=server.title or server.name,
        url=server.remote.url if server.remote is not None and server.remote.url else server.sseEndpoint,
        provider=oauth.providers[0].provider if oauth is not None and oauth.providers else "",
        scopes=tuple(oauth.scopes) if oauth is not None else (),
        servers=(server.name,),
        declared=oauth is not None and bool(oauth.providers),
        tools=tuple(tool.name for tool in server.tools),
    )


def _joined(known: App | None, provider: str, server: CatalogServer) -> App:
    title = PROVIDERS[provider].title if provider in PROVIDERS else provider
    app = known or App(name=provider, title=title, provider=provider, declared=True)
    scopes = [*app.scopes, *(server.oauth.scopes if server.oauth is not None else ())]
    return replace(
        app,
        scopes=tuple(dict.fromkeys(scopes)),
        servers=(*app.servers, server.name),
        tools=(*app.tools, *(tool.name for tool in server.tools)),
    )
