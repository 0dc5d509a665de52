"""What a face may see of one server beyond its status, and ask of it: its offer, what it may, what it uses, what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from desktop.servers.status import OfferedTool

__all__ = [
    "GivenConsent",
    "OfferedEntry",
    "PermissionsDesk",
    "ServerImage",
    "ServerLogs",
    "ServerOffer",
    "ServerPermissions",
    "ServerResources",
    "ServerUse",
    "ToolsDesk",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedEntry:
    """A prompt or a resource: its name (a resource's URI where it has none), and what it is for."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOffer:
    """What a server offers and what of it the person wants.

    Attributes:
        tools: Its tools, in its order.
        on: Names (the server's) of the tools the person allows.
        denied: Names of the tools the policy denies, whatever is allowed here.
        prompts, resources: The rest; resource templates are among the resources.
        listed: Whether the server said so itself; otherwise it is what the catalog says, and no definition is known.
    """

    tools: tuple[OfferedTool, ...] = ()
    on: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    prompts: tuple[OfferedEntry, ...] = ()
    resources: tuple[OfferedEntry, ...] = ()
    listed: bool = False


class ToolsDesk(Protocol):
    """Where it is chosen which tools of a server may be used."""

    async def read(self, name: str) -> ServerOffer:
        """What a server offers, also one that is off; raises `ServerNotFoundError`."""

    async def choose(self, name: str, tools: Sequence[str], *, on: bool) -> None:
        """Allow or forbid tools by the server's names for them (written to tools.yaml).

        Raises:
            ServerNotFoundError: No catalog has the server.
            UsageError: The tools were chosen when the program was started.
            StateFileError: tools.yaml is broken or can't be written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConsent:
    """A consent given for a server: its kind and subject as they are kept, what may be done, and since when (RFC 3339)."""

    kind: str
    subject: str
    what: str
    granted_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPermissions:
    """What a server may.

    Attributes:
        may: What being on gives it, a phrase each.
        consents: What the person has agreed to.
        rules: The lines of the policy that concern it, in their order.
        broken: Why there are no rules to go by; then no secret is given away and no tool can be called.
        call_timeout: Seconds one of its calls may take; None means no limit.
    """

    may: tuple[str, ...] = ()
    consents: tuple[GivenConsent, ...] = ()
    rules: tuple[str, ...] = ()
    broken: str = ""
    call_timeout: float | None = None


class PermissionsDesk(Protocol):
    """Where a server's permissions are read and taken back."""

    async def read(self, name: str) -> ServerPermissions:
        """What a server may; raises `ServerNotFoundError`, or `StateFileError` when a file can't be read."""

    async def take_back(self, name: str, kind: str, subject: str) -> None:
        """Take a consent back; a server that runs starts anew, without what it no longer may."""

    async def limit_calls(self, name: str, seconds: float | None) -> None:
        """Choose how long a call may take (written to servers.yaml); None takes the limit away.

        Raises:
            UsageError: It is not more than zero.
            StateFileError: servers.yaml is broken or can't be written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """What a server's containers use: how many run, bytes of memory, processors since the last look (None at the first)."""

    containers: int
    memory: int
    processors: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerImage:
    """An image: its reference without the digest, the digest it is pinned to, and the id of the local copy, or empty."""

    name: str
    digest: str = ""
    id: str = ""


class ServerResources(Protocol):
    """What servers take of this machine."""

    async def use(self, name: str) -> ServerUse | None:
        """What its containers use, asked of the engine now; None when none runs, or there is no engine."""

    async def image(self, name: str) -> ServerImage | None:
        """Its image; None for one that has none."""


class ServerLogs(Protocol):
    """What servers wrote to standard error, redacted."""

    def lines(self, name: str, since: int = 0) -> tuple[tuple[str, ...], int]:
        """The kept lines after a place in the log, oldest first, and the place after the last of them. Instant."""

    async def export(self, name: str, path: Path) -> int:
        """Write the kept lines to a file; returns how many. Raises `StateFileError`."""
