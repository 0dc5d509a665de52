"""Changes of a profile's document: servers added and removed, settings, the choice of tools."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from desktop.catalog.config_schema import complaints
from desktop.catalog.profile import Profile, ProfileServer, read_profile
from desktop.errors import ProfileError
from desktop.state.profiles import VERSION
from desktop.state.yaml_edit import REMOVED, Change

__all__ = [
    "added",
    "chosen_tools",
    "new_document",
    "profile_id",
    "removed",
    "removed_value",
    "set_value",
    "split_key",
]

_SERVERS: Final = "servers"
_MISSING: Final = " is missing"
_PLACES: Final = ("image", "endpoint", "source")
_STORES: Final = {"default": {"provider": "docker-desktop-store"}}


def profile_id(name: str) -> str:
    """The id a name makes: ``My Profile!`` is my_profile_."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def new_document(id: str, name: str, servers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A new profile's document; raises `ProfileError` where two servers have one name."""
    _refuse_twice([server["snapshot"]["server"]["name"] for server in servers])
    return {"version": VERSION, "id": id, "name": name, "servers": list(servers), "secrets": _STORES}


def added(document: Mapping[str, Any], id: str, entries: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Changes that add servers. One that is there already is brought up to date; its settings and tools stay."""
    entries = list(entries)
    _refuse_twice([entry["snapshot"]["server"]["name"] for entry in entries])
    known = read_profile(document, id)
    listed = document.get(_SERVERS) or []
    changes: list[Change] = [] if listed else [Change((_SERVERS,), [])]
    position = len(listed)
    for entry in entries:
        name = entry["snapshot"]["server"]["name"]
        before = known.servers.get(name)
        if before is None:
            changes.append(Change((_SERVERS, position), dict(entry)))
            position += 1
        else:
            kept = {key: value for key, value in listed[before.index].items() if key not in _PLACES}
            changes.append(Change((_SERVERS, before.index), {**kept, **_without_choices(entry)}))
    return changes


def _without_choices(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("config", "tools", "secrets")}


def removed(profile: Profile, names: Collection[str]) -> list[Change]:
    """Changes that take servers out; raises `ProfileError` for one the profile does not have."""
    indexes = sorted({profile.server(name).index for name in names}, reverse=True)
    return [Change((_SERVERS, index), REMOVED) for index in indexes]


def split_key(profile: Profile, key: str) -> tuple[ProfileServer, tuple[str, ...]]:
    """The server and the path of ``server.key.inner``; server names may have dots, and the longest that fits is meant.

    Raises:
        ProfileError: No server of the profile fits.
    """
    for name in sorted(profile.servers, key=len, reverse=True):
        if key == name:
            return profile.servers[name], ()
        if key.startswith(f"{name}."):
            return profile.servers[name], tuple(key.removeprefix(f"{name}.").split("."))
    return profile.server(key.partition(".")[0]), ()


def set_value(profile: Profile, key: str, value: Any) -> list[Change]:
    """Changes that set one setting; raises `ProfileError` where it doesn't fit the server's schema."""
    server, path = split_key(profile, key)
    if not path:
        raise ProfileError(f"{key!r} names no setting", f"Write it as {key}.SETTING=VALUE")
    before = dict(server.values)
    after = _put(before, path, value)
    known = set(complaints(server.server, before))
    wrong = [text for text in complaints(server.server, after) if text not in known and not text.endswith(_MISSING)]
    if wrong:
        raise ProfileError(f"{key} can't be set: {wrong[0]}", "See docker-mcp server inspect for what it may be")
    return [Change((_SERVERS, server.index, "config", *path), value)]


def removed_value(profile: Profile, key: str) -> list[Change]:
    """Changes that take a setting away; raises `ProfileError` where it isn't set."""
    server, path = split_key(profile, key)
    here: Any = server.values
    for name in path:
        if not isinstance(here, Mapping) or name not in here:
            raise ProfileError(f"{key} is not set in the profile {profile.id}")
        here = here[name]
    if not path and not server.values:
        raise ProfileError(f"{key} has no settings in the profile {profile.id}")
    return [Change((_SERVERS, server.index, "config", *path), REMOVED)]


def chosen_tools(
    server: ProfileServer,
    *,
    start: Sequence[str] | None,
    enable: Sequence[str] = (),
    disable: Sequence[str] = (),
    known: Sequence[str],
) -> list[Change]:
    """Changes of a server's tools.

    Args:
        server: The server.
        start: The tools to begin with; None means all, those it gains later too.
        enable, disable: Tools to allow besides, and to forbid.
        known: All tools the server is known to have; may be empty.

    Raises:
        ProfileError: Single tools can't be forbidden, since what would be left isn't known.
    """
    path = (_SERVERS, server.index, "tools")
    chosen = None if start is None else list(start)
    if disable:
        if chosen is None and not known:
            raise ProfileError(
                f"The tools of {server.name} aren't known yet, so all but some can't be listed",
                "Run the server once, or choose with --disable-all and --enable",
            )
        chosen = [tool for tool in (known if chosen is None else chosen) if tool not in disable]
    if enable and chosen is not None:
        chosen += [tool for tool in enable if tool not in chosen]
        if known and set(known) <= set(chosen):
            chosen = None
    if chosen is None:
        return [] if server.tools is None else [Change(path, REMOVED)]
    return [] if server.tools is not None and list(server.tools) == chosen else [Change(path, chosen)]


def _put(values: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    inner = values.get(first)
    return {**values, first: _put(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value}


def _refuse_twice(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ProfileError(f"The server {twice} is named twice, and a profile has each server once", "Name it once")
