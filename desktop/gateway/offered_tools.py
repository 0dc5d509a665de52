"""A server's tools as a face shows them: what the server calls each, and the name clients see."""

from __future__ import annotations

from typing import Final

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.naming import Route
from desktop.gateway.offer import Offer, renamed
from desktop.servers.listing import Listing
from desktop.servers.status import OfferedTool

__all__ = ["offered_tools"]

_LETTERS_PER_TOKEN: Final = 4


def offered_tools(listing: Listing, server: str, offer: Offer) -> tuple[OfferedTool, ...]:
    """The tools of a listing, in its order.

    Args:
        listing: What the server offers.
        server: Its name.
        offer: What clients are offered.
    """
    exposed = {route: name for name, route in offer.tool_routes.items() if route.server == server}
    found = []
    for entry in listing.tools:
        tool = jsonrpc.decode(entry)
        found_annotations = tool.get("annotations")
        annotations = found_annotations if isinstance(found_annotations, dict) else {}
        title = tool.get("title") or annotations.get("title")
        name = str(tool["name"])
        shown = exposed.get(Route(server, name), "")
        found.append(
            OfferedTool(
                name=name,
                exposed=shown,
                title=str(title or ""),
                description=str(tool.get("description") or ""),
                read_only=annotations.get("readOnlyHint") is True,
                destructive=annotations.get("destructiveHint") is True,
                tokens=_tokens(renamed(entry, "name", name, shown or name)),
            )
        )
    return tuple(found)


def _tokens(definition: Raw) -> int:
    """An estimate by length: models count differently, and every client words the definition in its own way."""
    return -(-len(bytes(definition).decode("utf-8", "replace")) // _LETTERS_PER_TOKEN)
