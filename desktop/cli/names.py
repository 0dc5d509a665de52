"""The names there are now: servers, tools, catalogs, profiles, …; for the tab key, so each asks for no more than it needs.

Every function gets the names that were typed before, and returns the names there are with what each of them is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from desktop.catalog.configuration import Configuration
    from desktop.catalog.profile import ProfileServer

__all__ = [
    "catalogs",
    "clients",
    "copyable",
    "disabled_servers",
    "duplicates",
    "enabled_servers",
    "features",
    "listed_tools",
    "profile_servers",
    "profile_settings",
    "profile_settings_to_set",
    "profile_tools",
    "profiles",
    "secret_names",
    "servers",
    "settings",
    "settings_to_set",
    "sign_ins",
    "stored_secrets",
    "templates",
    "tool_arguments",
    "tools",
]

Words = dict[str, str]


def _configuration() -> Configuration:
    from desktop.catalog.source import ConfigurationSource
    from desktop.state.paths import Paths

    return ConfigurationSource(Paths.of_user()).load()


def servers(given: Sequence[str]) -> Words:
    """Servers of the catalogs."""
    servers = _configuration().servers.values()
    return {server.name: server.title or server.description for server in servers}


def disabled_servers(given: Sequence[str]) -> Words:
    """Servers of the catalogs that are not enabled."""
    enabled = enabled_servers(given)
    return {name: title for name, title in servers(given).items() if name not in enabled}


def enabled_servers(given: Sequence[str]) -> Words:
    """Servers that are enabled."""
    from desktop.state.paths import Paths
    from desktop.state.registry_file import RegistryFile

    paths = Paths.of_user()
    return dict.fromkeys(RegistryFile(paths.registry, paths.lock_for(paths.registry)).names(), "")


def catalogs(given: Sequence[str]) -> Words:
    """Catalogs."""
    from desktop.state.catalog_index import CatalogIndex
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    records = CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index)).records()
    return {"docker-mcp": "", **{name: record.display_name for name, record in records.items()}}


def tools(given: Sequence[str]) -> Words:
    """The tools of the running gateway; without one, what the enabled servers have listed before."""
    offered = _offered_tools()
    return listed_tools(given) if offered is None else {str(tool["name"]): _about(tool) for tool in offered}


def listed_tools(given: Sequence[str]) -> Words:
    """The tools the enabled servers have listed, by their own names."""
    return {str(tool["name"]): _about(tool) for tool in _listings()}


def _offered_tools() -> list[dict[str, Any]] | None:
    """What the running gateway offers; None without one."""
    from desktop.gateway.local_client import LocalClient
    from desktop.state.paths import Paths

    client = LocalClient.connect(Paths.of_user())
    if client is None:
        return None
    try:
        return list(client.request("tools/list", {})["tools"])
    finally:
        client.close()


def _listings() -> list[dict[str, Any]]:
    """The tools of the enabled servers, as they have listed them before, else as their catalog entries do."""
    import json

    from desktop.servers.listing import ListingCache, configuration_hash
    from desktop.state.paths import Paths

    configuration, cache = _configuration(), ListingCache(Paths.of_user().listings)
    found: list[dict[str, Any]] = []
    for name in configuration.enabled:
        if (server := configuration.servers.get(name)) is None:
            continue
        listing = cache.load(name, configuration_hash(server, configuration.values_of(server)))
        if listing is not None:
            found += [json.loads(bytes(tool)) for tool in listing.tools]
        else:
            found += [{"name": tool.name, "description": tool.description} for tool in server.tools]
    return found


def _about(tool: dict[str, Any]) -> str:
    from desktop.cli.output import clipped, one_line

    return clipped(one_line(str(tool.get("title") or tool.get("description") or "")), 80)


def tool_arguments(given: Sequence[str]) -> Words:
    """The arguments of the tool that was typed before, by its input schema."""
    offered = _offered_tools()
    known = _listings() if offered is None else offered
    schema = next((tool.get("inputSchema") for tool in known if tool["name"] == given[0]), None) or {}
    return {
        f"{name}=": str(wanted.get("description") or "") if isinstance(wanted, dict) else ""
        for name, wanted in (schema.get("properties") or {}).items()
    }


def stored_secrets(given: Sequence[str]) -> Words:
    """The secrets that are stored; nothing is opened for it."""
    from desktop.secrets.sealed_file import entries_in
    from desktop.state.paths import Paths

    return dict.fromkeys((entry.name for entry in entries_in(Paths.of_user().secrets)), "")


def duplicates(given: Sequence[str]) -> Words:
    """Servers that are there a second time under a name of their own."""
    return {
        name: f"of {choice.duplicate_of}" for name, choice in _configuration().choices.items() if choice.duplicate_of
    }


def copyable(given: Sequence[str]) -> Words:
    """Servers of other catalogs, the way ``catalog add`` takes them."""
    from desktop.catalog.loading import load_catalog
    from desktop.state.catalog_index import catalog_file_name
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    found: Words = {}
    for catalog in catalogs(given):
        if catalog not in given:
            servers = load_catalog(paths.catalogs / catalog_file_name(catalog), paths.cache).servers
            found |= {f"{catalog}/{name}": server.title for name, server in servers.items()}
    return found


def sign_ins(given: Sequence[str]) -> Words:
    """What the catalogs say one can sign in to."""
    from desktop.servers.sign_in_apps import apps_of

    return {app.name: app.title for app in apps_of(_configuration().servers).values() if app.declared}


def secret_names(given: Sequence[str]) -> Words:
    """The secrets that enabled servers use."""
    configuration = _configuration()
    return {
        secret.name: f"for {name}" for name in configuration.enabled for secret in configuration.servers[name].secrets
    }


def features(given: Sequence[str]) -> Words:
    """Features that can be turned on and off."""
    from desktop.state.features import KNOWN

    return {name: feature.summary for name, feature in KNOWN.items()}


def settings(given: Sequence[str]) -> Words:
    """The settings of enabled servers."""
    from desktop.catalog.settings import settings_of

    configuration = _configuration()
    enabled = [configuration.servers[name] for name in configuration.enabled if name in configuration.servers]
    return {
        f"{server.name}.{setting.name}": str(setting.schema.get("description") or "")
        for server in enabled
        for setting in settings_of(server)
    }


def settings_to_set(given: Sequence[str]) -> Words:
    """The same, with a value to come."""
    return {f"{name}=": text for name, text in settings(given).items()}


def clients(given: Sequence[str]) -> Words:
    """AI clients."""
    from desktop.clients.known import CLIENTS

    return {client.id: client.name for client in CLIENTS}


def profiles(given: Sequence[str]) -> Words:
    """Profiles."""
    from desktop.state.paths import Paths
    from desktop.state.profiles import profiles_of

    found = profiles_of(Paths.of_user()).all([])
    return {id: str(stored.document.get("name") or "") for id, stored in found.items()}


def _profile(given: Sequence[str]) -> Mapping[str, ProfileServer]:
    from desktop.catalog.profile import read_profile
    from desktop.cli.profile_lookup import stored_profile
    from desktop.state.paths import Paths

    stored = stored_profile(given[0], Paths.of_user())
    return read_profile(stored.document, stored.id).servers


def profile_servers(given: Sequence[str]) -> Words:
    """The servers of the profile that was typed before."""
    return {name: item.place for name, item in _profile(given).items()}


def profile_tools(given: Sequence[str]) -> Words:
    """The tools of its servers, as their entries name them."""
    return {
        f"{name}.{tool.name}": tool.description for name, item in _profile(given).items() for tool in item.server.tools
    }


def profile_settings(given: Sequence[str]) -> Words:
    """The settings its servers have."""
    from desktop.catalog.settings import settings_of

    return {
        f"{name}.{setting.name}": str(setting.schema.get("description") or "")
        for name, item in _profile(given).items()
        for setting in settings_of(item.server)
    }


def profile_settings_to_set(given: Sequence[str]) -> Words:
    """The same, with a value to come."""
    return {f"{name}=": text for name, text in profile_settings(given).items()}


def templates(given: Sequence[str]) -> Words:
    """Templates of profiles."""
    from desktop.catalog.profile_templates import TEMPLATES

    return {template.id: template.description for template in TEMPLATES}
