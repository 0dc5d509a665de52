"""Names under which tools and prompts of many servers are offered: the server's own, unless two collide."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

__all__ = ["Route", "exposed_names"]

_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST: Final = 64


class Route(NamedTuple):
    """Where a name leads: the server, and what it is called there."""

    server: str
    name: str


def exposed_names(offered: Iterable[tuple[Route, str]]) -> Mapping[Route, str]:
    """Give every tool (or prompt) the name clients see.

    A name that only one server uses stays as it is. Where several use it, each of them becomes ``<server>__<name>``, with
    characters clients refuse replaced and cut to 64 characters with a hash. The result depends on the set alone, not on its
    order, and two never get the same name.

    Args:
        offered: The routes, each with the prefix its catalog entry asks for (empty for none; spec 3.4).

    Returns:
        The exposed name of each route.
    """
    wanted = {
        route: _legal(f"{prefix}__{route.name}") if prefix else route.name for route, prefix in sorted(set(offered))
    }
    users: dict[str, list[Route]] = defaultdict(list)
    for route, name in wanted.items():
        users[name].append(route)
    names = {group[0]: name for name, group in users.items() if len(group) == 1}
    taken = set(names.values())
    for group in users.values():
        if len(group) > 1:
            for route in group:
                names[route] = _free(_legal(f"{route.server}__{route.name}"), route, taken)
                taken.add(names[route])
    return names


def _legal(name: str) -> str:
    name = _ILLEGAL.sub("_", name)
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _free(name: str, route: Route, taken: set[str]) -> str:
    candidate, salt = name, "\0".join(route)
    while candidate in taken:
        salt = hashlib.sha256(salt.encode()).hexdigest()
        candidate = f"{name[: _LONGEST - 9]}_{salt[:8]}"
    return candidate
