"""Names under which tools and prompts of many servers are offered: the server's own, unless two collide (spec 3.4)."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

__all__ = ["LONGEST", "Route", "exposed_names"]

# Models take names of 64 characters, and clients put the entry's name in front of ours: "mcp__mcp-gateway__", or with the number
# an entry gets whose name was taken (some count the entry's name and the tool's, 60 together).
LONGEST: Final = 64 - len("mcp__mcp-gateway-2__")
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_HASH: Final = 8


class Route(NamedTuple):
    """Where a name leads: the server, and what it is called there."""

    server: str
    name: str


def exposed_names(offered: Iterable[tuple[Route, str]], reserved: Collection[str] = ()) -> Mapping[Route, str]:
    """Give every tool (or prompt) the name clients see.

    A name that only one server uses stays as it is. Where several use it, each of them becomes ``<server>__<name>``. Characters
    that clients refuse become ``_``, and what is longer than `LONGEST` is cut and ends in a hash of the whole. The result
    depends on the set alone, not on its order, and two never get the same name.

    Args:
        offered: The routes, each with the prefix its catalog entry asks for (empty for none).
        reserved: Names of the gateway's own; whoever uses one gets the server in front too.

    Returns:
        The exposed name of each route.
    """
    wanted = {
        route: _legal(f"{prefix}__{route.name}" if prefix else route.name) for route, prefix in sorted(set(offered))
    }
    users: dict[str, list[Route]] = defaultdict(list)
    for route, name in wanted.items():
        users[name].append(route)
    names = {group[0]: name for name, group in users.items() if len(group) == 1 and name not in reserved}
    taken = {*names.values(), *reserved}
    for name, group in users.items():
        if len(group) > 1 or name in reserved:
            for route in group:
                names[route] = _free(_legal(f"{route.server}__{route.name}"), route, taken)
                taken.add(names[route])
    return names


def _legal(name: str) -> str:
    legal = _ILLEGAL.sub("_", name)
    if not legal.strip("_") and legal != name:  # nothing readable is left
        return f"tool_{_digest(name)}"
    return legal if len(legal) <= LONGEST else _cut(legal, _digest(name))


def _free(name: str, route: Route, taken: Collection[str]) -> str:
    candidate, salt = name, "\0".join(route)
    while candidate in taken:
        salt = hashlib.sha256(salt.encode("utf-8", "surrogatepass")).hexdigest()
        candidate = _cut(name, salt[:_HASH])
    return candidate


def _cut(name: str, digest: str) -> str:
    return f"{name[: LONGEST - _HASH - 1]}_{digest}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]
