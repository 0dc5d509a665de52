"""A call under way, as the faces show it. Apart from what runs it, so that a window starts without that."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RunningCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCall:
    """One tool call as the faces show it: its number, name and version of the client, server, tool, seconds so far."""

    id: int
    client: str
    server: str
    tool: str
    seconds: float
