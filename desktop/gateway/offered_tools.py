"""A server's tools as a face shows them: what the server calls each, and the name clients see."""

from __future__ import annotations

from desktop import jsonrpc
from desktop.gateway.naming import Route
from desktop.gateway.offer import Offer
from desktop.servers.listing import Listing
from desktop.servers.status import OfferedTool

__all__ = ["offered_tools"]


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
        annotations = tool.get("annotations")
        title = tool.get("title") or (annotations.get("title") if isinstance(annotations, dict) else "")
        found.append(
            OfferedTool(
                name=str(tool["name"]),
                exposed=exposed.get(Route(server, str(tool["name"])), ""),
                title=str(title or ""),
                description=str(tool.get("description") or ""),
            )
        )
    return tuple(found)
