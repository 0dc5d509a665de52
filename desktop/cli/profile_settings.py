"""``docker-mcp profile config`` and ``tools``: the settings of a profile's servers, and which of their tools may be used."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from desktop.catalog.profile import Profile, ProfileServer, read_profile
from desktop.catalog.profile_editing import chosen_tools, removed_value, set_value, split_key
from desktop.cli import output
from desktop.cli.parser import Parser
from desktop.cli.profile_lookup import id_argument, stored_profile, understood
from desktop.errors import ProfileError, UsageError
from desktop.state import yaml_text
from desktop.state.paths import Paths
from desktop.state.profiles import profiles_of
from desktop.state.yaml_edit import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["config", "config_arguments", "tools", "tools_arguments"]


def _many(parser: Parser, flag: str, metavar: str, help: str) -> None:
    name = flag.removeprefix("--").replace("-", "_")
    parser.option(flag, dest=name, action="append", default=[], metavar=metavar, help=f"{help} (repeatable)")


def config_arguments(parser: Parser) -> None:
    """What is read and what is changed."""
    id_argument(parser)
    _many(parser, "--set", "SERVER.KEY=VALUE", "set a setting; the value is JSON, other text is taken as it is")
    _many(parser, "--get", "SERVER.KEY", "print a setting")
    parser.switch("get-all", "print all settings")
    _many(parser, "--del", "SERVER.KEY", "take a setting away")
    parser.option("--format", choices=("human", "json", "yaml"), default="human", help="human (default), json or yaml")


def config(arguments: argparse.Namespace) -> int:
    """Change, then read."""
    wanted = (arguments.set, arguments.get, arguments.get_all, getattr(arguments, "del"))
    if not any(wanted):
        raise UsageError("nothing is to be done", "Use --set, --get, --get-all or --del")
    paths = Paths.of_user()
    id = stored_profile(arguments.id, paths).id
    settings = [_setting(text) for text in arguments.set]
    unwanted = getattr(arguments, "del")

    def decide(document: dict[str, Any]) -> list[Change]:
        profile = read_profile(document, id)
        changes = [change for key, value in settings for change in set_value(profile, key, value)]
        return changes + [change for key in unwanted for change in removed_value(profile, key)]

    if settings or unwanted:
        profiles_of(paths).change(id, decide)
    if arguments.get or arguments.get_all:
        profile = understood(stored_profile(id, paths))
        _print_settings(_read(profile, arguments.get, everything=arguments.get_all), arguments.format)
    return 0


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set: {text!r} sets nothing", "Write it as SERVER.KEY=VALUE")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def _read(profile: Profile, keys: Sequence[str], *, everything: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if everything:
        for server in profile.servers.values():
            found |= {f"{server.name}.{key}": value for key, value in server.values.items()}
    for key in keys:
        server, path = split_key(profile, key)
        here: Any = server.values
        for name in path:
            if not isinstance(here, dict) or name not in here:
                raise ProfileError(f"{key} is not set in the profile {profile.id}", "See all with --get-all")
            here = here[name]
        found[key] = here
    return found


def _print_settings(settings: dict[str, Any], format: str) -> None:
    if format == "json":
        output.print_json(settings)
    elif format == "yaml":
        sys.stdout.write(yaml_text.dump(settings))
    else:
        for key, value in settings.items():
            print(output.printable(f"{key}={json.dumps(value, ensure_ascii=False, default=str)}"))


def tools_arguments(parser: Parser) -> None:
    """What is allowed and what is forbidden."""
    id_argument(parser)
    _many(parser, "--enable", "SERVER.TOOL", "allow a tool")
    _many(parser, "--disable", "SERVER.TOOL", "forbid a tool")
    _many(parser, "--enable-all", "SERVER", "allow all tools of a server, those it gains later too")
    _many(parser, "--disable-all", "SERVER", "forbid all tools of a server")


def tools(arguments: argparse.Namespace) -> int:
    """Whole servers first, then single tools; without any, print what is chosen."""
    paths = Paths.of_user()
    stored = stored_profile(arguments.id, paths)
    wishes = (arguments.enable, arguments.disable, arguments.enable_all, arguments.disable_all)
    if not any(wishes):
        for server in understood(stored).servers.values():
            chosen = "all" if server.tools is None else ", ".join(server.tools) or "none"
            print(output.printable(f"{server.name}: {chosen}"))
        return 0
    both = set(arguments.enable_all) & set(arguments.disable_all) | set(arguments.enable) & set(arguments.disable)
    if both:
        raise UsageError(f"{min(both)} can't be allowed and forbidden at once", "Decide for one of them")

    def decide(document: dict[str, Any]) -> list[Change]:
        profile = read_profile(document, stored.id)
        names = {*arguments.enable_all, *arguments.disable_all}
        single: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in names}
        for side, texts in enumerate((arguments.enable, arguments.disable)):
            for text in texts:
                server, path = split_key(profile, text)
                if not path:
                    raise UsageError(f"{text!r} names no tool", "Write it as SERVER.TOOL")
                single.setdefault(server.name, ([], []))[side].append(".".join(path))
        return [change for name, wish in single.items() for change in _choose(profile.server(name), *wish, arguments)]

    profiles_of(paths).change(stored.id, decide)
    return 0


def _choose(
    server: ProfileServer, enable: list[str], disable: list[str], arguments: argparse.Namespace
) -> list[Change]:
    known = _known_tools(server)
    unknown = [tool for tool in (*enable, *disable) if known and tool not in known]
    if unknown:
        from desktop.cli.parser import closest

        meant = closest(unknown[0], known)
        hint = f"Did you mean {server.name}.{meant}?" if meant else f"It has {', '.join(known[:10])}"
        raise ProfileError(f"{server.name} has no tool {unknown[0]}", hint)
    return chosen_tools(
        server,
        enable=enable,
        disable=disable,
        start=None
        if server.name in arguments.enable_all
        else ()
        if server.name in arguments.disable_all
        else server.tools,
        known=known,
    )


def _known_tools(server: ProfileServer) -> list[str]:
    """The tools the server itself listed the last time it ran so; else those its entry names."""
    from desktop.servers.listing import ListingCache, configuration_hash  # here: only a choice of tools needs it

    wanted = configuration_hash(server.server, server.values)
    listing = ListingCache(Paths.of_user().listings).load(server.name, wanted)
    if listing is None:
        return [tool.name for tool in server.server.tools]
    return [str(json.loads(bytes(tool))["name"]) for tool in listing.tools]
