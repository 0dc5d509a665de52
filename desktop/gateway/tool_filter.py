"""Which tools are offered: ``--tools`` patterns if there are any, else tools.yaml, else all (spec 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from desktop.catalog.model import CatalogServer

__all__ = ["ToolFilter", "tool_filter"]

ToolFilter = Callable[[CatalogServer, str], bool]


def tool_filter(patterns: tuple[str, ...], allowed: Mapping[str, frozenset[str]]) -> ToolFilter:
    """A function that says whether a server's tool (by its original name) is offered.

    Args:
        patterns: ``*``, ``tool``, ``server:tool``, ``server:*``, ``image:tool`` or ``image:*``, case-insensitive.
        allowed: tools.yaml; consulted only when there are no patterns.
    """
    if not patterns:

        def by_file(server: CatalogServer, tool: str) -> bool:
            names = allowed.get(server.name)
            return names is None or tool in names

        return by_file

    wanted = {pattern.strip().lower() for pattern in patterns}

    def by_pattern(server: CatalogServer, tool: str) -> bool:
        name, owner, image = tool.lower(), server.name.lower(), server.image.lower()
        forms = {"*", name, f"{owner}:{name}", f"{owner}:*"}
        if image:
            forms |= {f"{image}:{name}", f"{image}:*"}
        return not wanted.isdisjoint(forms)

    return by_pattern
