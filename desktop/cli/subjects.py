"""What a word on the command line stands for, and which such things there are now: servers, tools, catalogs, …"""

from __future__ import annotations

from typing import Final, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop.catalog.configuration import Configuration

__all__ = ["Kind", "of_argument", "of_option"]

Words = dict[str, str]


class Kind(NamedTuple):
    """Things with names.

    Attributes:
        words: The names there are, and what each is; gets the names that were typed before.
        once: Naming one twice makes no sense.
        in_lists: Several may be typed with commas between them.
    """

    words: Callable[[Sequence[str]], Words]
    once: bool = True
    in_lists: bool = False


def of_argument(path: str, position: int) -> Kind | None:
    """What the name at this position (from 0) of a command (``server enable``) stands for."""
    kinds = _ARGUMENTS.get(path, ())
    return kinds[min(position, len(kinds) - 1)] if kinds else None


def of_option(names: Sequence[str], path: str) -> Kind | None:
    """What the value of an option stands for."""
    found = (_OPTIONS.get(f"{path} {name}") or _OPTIONS.get(name) for name in names)
    return next((kind for kind in found if kind is not None), None)


def _configuration() -> Configuration:
    from desktop.catalog.source import ConfigurationSource
    from desktop.state.paths import Paths

    return ConfigurationSource(Paths.of_user()).load()


def _servers(given: Sequence[str]) -> Words:
    servers = _configuration().servers.values()
    return {server.name: server.title or server.description for server in servers}


def _disabled_servers(given: Sequence[str]) -> Words:
    enabled = _enabled_servers(given)
    return {name: title for name, title in _servers(given).items() if name not in enabled}


def _enabled_servers(given: Sequence[str]) -> Words:
    from desktop.state.paths import Paths
    from desktop.state.registry_file import RegistryFile

    paths = Paths.of_user()
    return dict.fromkeys(RegistryFile(paths.registry, paths.lock_for(paths.registry)).names(), "")


def _catalogs(given: Sequence[str]) -> Words:
    from desktop.state.catalog_index import CatalogIndex
    from desktop.state.paths import Paths

    paths = Paths.of_user()
    records = CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index)).records()
    return {"docker-mcp": "", **{name: record.display_name for name, record in records.items()}}


def _tools(given: Sequence[str]) -> Words:
    """The tools of the running gateway; without one, what the enabled servers have listed before."""
    from desktop.gateway.local_client import LocalClient
    from desktop.state.paths import Paths

    client = LocalClient.connect(Paths.of_user())
    if client is None:
        return _listed_tools()
    try:
        tools = client.request("tools/list", {})["tools"]
    finally:
        client.close()
    return {str(tool["name"]): _about(tool) for tool in tools}


def _listed_tools(given: Sequence[str] = ()) -> Words:
    """The tools the enabled servers have listed, by their own names."""
    import json

    from desktop.servers.listing import ListingCache, configuration_hash
    from desktop.state.paths import Paths

    configuration, cache = _configuration(), ListingCache(Paths.of_user().listings)
    found: Words = {}
    for name in configuration.enabled:
        server = configuration.servers[name]
        listing = cache.load(name, configuration_hash(server, configuration.values_of(server)))
        if listing is not None:
            tools = [json.loads(bytes(tool)) for tool in listing.tools]
            found |= {str(tool["name"]): _about(tool) for tool in tools}
        else:
            found |= {tool.name: tool.description for tool in server.tools}
    return found


def _about(tool: dict[str, str]) -> str:
    from desktop.cli.output import clipped, one_line

    return clipped(one_line(str(tool.get("title") or tool.get("description") or "")), 80)


def _tool_arguments(given: Sequence[str]) -> Words:
    """The arguments of the tool that was typed before, by its input schema; only a running gateway knows them."""
    from desktop.gateway.local_client import LocalClient
    from desktop.state.paths import Paths

    client = LocalClient.connect(Paths.of_user())
    if client is None:
        return {}
    try:
        tools = client.request("tools/list", {})["tools"]
    finally:
        client.close()
    schema = next((tool.get("inputSchema") for tool in tools if tool["name"] == given[0]), None) or {}
    return {
        f"{name}=": str(wanted.get("description") or "") if isinstance(wanted, dict) else ""
        for name, wanted in (schema.get("properties") or {}).items()
    }


def _secret_names(given: Sequence[str]) -> Words:
    """The secrets that enabled servers use."""
    configuration = _configuration()
    return {
        secret.name: f"for {name}" for name in configuration.enabled for secret in configuration.servers[name].secrets
    }


def _features(given: Sequence[str]) -> Words:
    from desktop.state.features import KNOWN

    return {name: feature.summary for name, feature in KNOWN.items()}


def _settings(given: Sequence[str]) -> Words:
    """The settings of enabled servers."""
    from desktop.catalog.settings import settings_of

    configuration = _configuration()
    enabled = [configuration.servers[name] for name in configuration.enabled if name in configuration.servers]
    return {
        f"{server.name}.{setting.name}": str(setting.schema.get("description") or "")
        for server in enabled
        for setting in settings_of(server)
    }


def _settings_to_set(given: Sequence[str]) -> Words:
    return {f"{name}=": text for name, text in _settings(given).items()}


def _clients(given: Sequence[str]) -> Words:
    from desktop.clients.known import CLIENTS

    return {client.id: client.name for client in CLIENTS}


def _profiles(given: Sequence[str]) -> Words:
    from desktop.state.paths import Paths
    from desktop.state.profiles import profiles_of

    found = profiles_of(Paths.of_user()).all([])
    return {id: str(stored.document.get("name") or "") for id, stored in found.items()}


def _templates(given: Sequence[str]) -> Words:
    from desktop.catalog.profile_templates import TEMPLATES

    return {template.id: template.description for template in TEMPLATES}


_SERVER: Final = Kind(_servers, in_lists=True)
_ENABLED: Final = Kind(_enabled_servers)
_CATALOG: Final = Kind(_catalogs)
_TOOL: Final = Kind(_tools)
_LISTED_TOOL: Final = Kind(_listed_tools, in_lists=True)
_SECRET: Final = Kind(_secret_names)
_PROFILE: Final = Kind(_profiles)
_TEMPLATE: Final = Kind(_templates)

_ARGUMENTS: Final[dict[str, tuple[Kind, ...]]] = {
    "catalog add": (_CATALOG,),
    "catalog export": (_CATALOG,),
    "catalog fork": (_CATALOG,),
    "catalog rm": (_CATALOG,),
    "catalog show": (_CATALOG,),
    "catalog update": (_CATALOG,),
    "config get": (Kind(_settings),),
    "config set": (Kind(_settings_to_set, once=False),),
    "config unset": (Kind(_settings),),
    "feature disable": (Kind(_features),),
    "feature enable": (Kind(_features),),
    "client connect": (Kind(_clients),),
    "client disconnect": (Kind(_clients),),
    "client manual-instructions": (Kind(_clients),),
    "profile config": (_PROFILE,),
    "profile export": (_PROFILE,),
    "profile manual-instructions": (_PROFILE,),
    "profile rm": (_PROFILE,),
    "profile server add": (_PROFILE,),
    "profile server ls": (_PROFILE,),
    "profile server rm": (_PROFILE,),
    "profile show": (_PROFILE,),
    "profile tools": (_PROFILE,),
    "secret export": (_SERVER,),
    "secret rm": (_SECRET,),
    "secret set": (_SECRET,),
    "server disable": (_ENABLED,),
    "server enable": (Kind(_disabled_servers),),
    "server inspect": (_SERVER,),
    "template use": (_TEMPLATE,),
    "tools call": (_TOOL, Kind(_tool_arguments, once=False)),
    "tools disable": (_LISTED_TOOL,),
    "tools enable": (_LISTED_TOOL,),
    "tools inspect": (_TOOL,),
}
_OPTIONS: Final[dict[str, Kind]] = {
    "--catalog": _CATALOG,
    "--from-template": _TEMPLATE,
    "--profile": _PROFILE,
    "--servers": _SERVER,
    "--tools": _LISTED_TOOL,
    "--transport": Kind(lambda given: {"stdio": "", "sse": "", "streaming": ""}),
    "profile create --connect": Kind(_clients),
    "profile create --server": _SERVER,
    "profile server add --server": _SERVER,
    "tools disable --server": _ENABLED,
    "tools enable --server": _ENABLED,
}
