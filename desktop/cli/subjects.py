"""What a word on the command line stands for: a server, a tool, a catalog, …"""

from __future__ import annotations

from typing import Final, NamedTuple

from desktop.cli import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Kind", "of_argument", "of_option"]


class Kind(NamedTuple):
    """Things with names.

    Attributes:
        words: The names there are, and what each is; gets the names that were typed before.
        once: Naming one twice makes no sense.
        in_lists: Several may be typed with commas between them.
    """

    words: Callable[[Sequence[str]], dict[str, str]]
    once: bool = True
    in_lists: bool = False


def of_argument(path: str, position: int) -> Kind | None:
    """What the argument at this position (from 0) of a command (``server enable``) stands for."""
    kinds = _ARGUMENTS.get(path, ())
    return kinds[position] if position < len(kinds) else None


def of_option(options: Sequence[str], path: str) -> Kind | None:
    """What the value of an option stands for."""
    found = (_OPTIONS.get(f"{path} {name}") or _OPTIONS.get(name) for name in options)
    return next((kind for kind in found if kind is not None), None)


_SERVER: Final = Kind(names.servers, in_lists=True)
_ENABLED: Final = Kind(names.enabled_servers)
_CATALOG: Final = Kind(names.catalogs)
_OFFICIAL: Final = Kind(lambda given: {"docker-mcp": "the official catalog"})
_TOOL: Final = Kind(names.tools)
_LISTED_TOOL: Final = Kind(names.listed_tools, in_lists=True)
_SECRET: Final = Kind(names.secret_names)
_PROFILE: Final = Kind(names.profiles)
_TEMPLATE: Final = Kind(names.templates)
_IN_PROFILE: Final = Kind(names.profile_servers)
_SETTING: Final = Kind(names.profile_settings)
_TOOL_IN_PROFILE: Final = Kind(names.profile_tools)

_ARGUMENTS: Final[dict[str, tuple[Kind, ...]]] = {
    "catalog add": (_CATALOG, Kind(names.copyable)),
    "catalog import": (_OFFICIAL,),
    "catalog export": (_CATALOG,),
    "catalog fork": (_CATALOG,),
    "catalog rm": (_CATALOG,),
    "catalog show": (_CATALOG,),
    "catalog update": (_CATALOG,),
    "config get": (Kind(names.settings),),
    "config set": (Kind(names.settings_to_set, once=False),),
    "config unset": (Kind(names.settings),),
    "feature disable": (Kind(names.features),),
    "feature enable": (Kind(names.features),),
    "client connect": (Kind(names.clients),),
    "client disconnect": (Kind(names.clients),),
    "client manual-instructions": (Kind(names.clients),),
    "oauth authorize": (Kind(names.sign_ins),),
    "oauth client": (Kind(names.sign_ins),),
    "oauth revoke": (Kind(names.sign_ins),),
    "profile config": (_PROFILE,),
    "profile export": (_PROFILE,),
    "profile manual-instructions": (_PROFILE,),
    "profile rm": (_PROFILE,),
    "profile server add": (_PROFILE,),
    "profile server ls": (_PROFILE,),
    "profile server rm": (_PROFILE, _IN_PROFILE),
    "profile show": (_PROFILE,),
    "profile template use": (_TEMPLATE,),
    "profile tools": (_PROFILE,),
    "secret export": (_SERVER,),
    "secret rm": (Kind(names.stored_secrets),),
    "secret set": (_SECRET,),
    "server disable": (_ENABLED,),
    "server drop": (Kind(names.duplicates),),
    "server duplicate": (_SERVER,),
    "server enable": (Kind(names.disabled_servers),),
    "server inspect": (_SERVER,),
    "template use": (_TEMPLATE,),
    "tools call": (_TOOL, Kind(names.tool_arguments, once=False)),
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
    "profile create --connect": Kind(names.clients),
    "profile create --server": _SERVER,
    "profile config --del": _SETTING,
    "profile config --get": _SETTING,
    "profile config --set": Kind(names.profile_settings_to_set, once=False),
    "profile server add --catalog-server": _SERVER,
    "profile server add --server": _SERVER,
    "profile server ls --filter": Kind(
        lambda given: {"name=": "part of a server's", "profile=": "part of a profile's"}
    ),
    "profile server rm --name": _IN_PROFILE,
    "profile tools --disable": _TOOL_IN_PROFILE,
    "profile tools --disable-all": _IN_PROFILE,
    "profile tools --enable": _TOOL_IN_PROFILE,
    "profile tools --enable-all": _IN_PROFILE,
    "tools disable --server": _ENABLED,
    "tools enable --server": _ENABLED,
}
