"""Our entry in a client's file: by which way the client reaches us, why by that one, and what stands there."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from desktop.clients.description import Client, Shape

__all__ = ["NAME", "Choice", "GatewayEntry", "Way", "choose_way"]

NAME: Final = "mcp-gateway"
"""What our entry is called."""


class Way(enum.Enum):
    """How a client reaches us."""

    HTTP = "http"
    STDIO = "stdio"


@dataclass(frozen=True, slots=True)
class Choice:
    """A way, and why it is this one, half a sentence for people."""

    way: Way
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """What our entry says.

    Attributes:
        name: Its key.
        url, token: For streamable HTTP.
        command: The program of the shim with its arguments, for stdio.
        env: What that has to be told besides.
    """

    name: str
    url: str = ""
    token: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def value(self, shape: Shape) -> dict[str, Any]:
        """The entry in a client's shape."""
        gaps: dict[str, Any] = {
            "{name}": self.name,
            "{url}": self.url,
            "{headers}": {"Authorization": f"Bearer {self.token}"} if self.token else {},
            "{command}": self.command[0] if self.command else "",
            "{args}": list(self.command[1:]),
            "{argv}": list(self.command),
            "{env}": dict(self.env),
        }
        return _filled(shape, gaps)


def _filled(shape: Shape, gaps: Mapping[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for key, part in shape.items():
        if isinstance(part, dict):
            filled[key] = _filled(part, gaps)
        elif not isinstance(part, str):
            filled[key] = part
        elif gaps.get(part) != {}:  # an empty map of variables or headers is left out
            filled[key] = gaps.get(part, part)
    return filled


def choose_way(client: Client, *, in_project: bool, profile: str = "", wished: Way | None = None) -> Choice:
    """Choose how a client is to reach us.

    Args:
        client: The client.
        in_project: Whether the file belongs to a project.
        profile: The profile it is to have, or empty.
        wished: The person's own choice.
    """
    if wished is Way.STDIO:
        return Choice(Way.STDIO, "you chose it")
    if client.http is None:
        return Choice(Way.STDIO, f"{client.name} takes only programs that it starts itself")
    if profile and wished is not Way.HTTP:
        return Choice(Way.STDIO, "its command names the profile, whether the gateway runs already or not")
    if wished is Way.HTTP:
        return Choice(Way.HTTP, "you chose it")
    if in_project:
        return Choice(Way.STDIO, "a project's file is often shared, so it must not hold a token")
    return Choice(Way.HTTP, f"{client.name} takes it, and its token can be revoked by itself")
