"""How a client stands to us: here or not, connected or not, by which entry, and what is the matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from desktop.clients.config_file import ConfigFile
from desktop.clients.configured import ConfiguredServer, Transport, bearer_token, is_of_reference, profile_of
from desktop.clients.description import Client
from desktop.clients.detection import Presence
from desktop.clients.gateway_entry import NAME, Way
from desktop.clients.machine import is_there

__all__ = ["ClientStatus", "base_of", "is_ours", "program_gone", "way_of"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PROGRAMS: Final = frozenset({"docker-mcp", "mcp-gateway-desktop"})
_RUN: Final = ("gateway", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """A client as it stands now.

    Attributes:
        client: The client.
        file: The file that counts; None where it has none here.
        exists: Whether that file is there.
        presence: Whether the client itself is.
        servers: Every server in its files.
        ours: Our entry, when it is there.
        reference: The entry of the reference, when it is there.
        dropped: Whether our entry is gone although nobody disconnected the client.
        outdated: Why our entry would not work any more, half a sentence; empty when all is well.
        error: Why the file can't be read, one sentence; empty when it can.
        no_permission: Whether that is for want of permission.
    """

    client: Client
    file: ConfigFile | None = None
    exists: bool = False
    presence: Presence = field(default_factory=Presence)
    servers: tuple[ConfiguredServer, ...] = ()
    ours: ConfiguredServer | None = None
    reference: ConfiguredServer | None = None
    dropped: bool = False
    outdated: str = ""
    error: str = ""
    no_permission: bool = False

    @property
    def connected(self) -> bool:
        """Whether the client reaches a gateway, ours or the reference's."""
        return self.ours is not None or self.reference is not None

    @property
    def profile(self) -> str:
        """The profile it asks for, or empty."""
        entry = self.ours or self.reference
        return profile_of(entry) if entry is not None else ""

    @property
    def way(self) -> Way | None:
        """How our entry reaches us; None when there is none."""
        return way_of(self.ours) if self.ours is not None else None


def way_of(server: ConfiguredServer) -> Way:
    """Which way an entry goes."""
    return Way.STDIO if server.transport is Transport.STDIO else Way.HTTP


def is_ours(server: ConfiguredServer, url: str) -> bool:
    """Whether an entry leads to us: it starts our program, or has our name and our address on this computer.

    Args:
        server: The entry.
        url: Where our gateway listens.
    """
    if is_of_reference(server):
        return False
    if server.transport is Transport.STDIO:
        return _starts_us(server)
    if base_of(server) == url:
        return True
    parts = urlsplit(base_of(server))
    local = parts.hostname in _LOOPBACK and parts.path == urlsplit(url).path
    named = server.name == NAME or server.name.startswith(f"{NAME}-")
    return local and named and bool(bearer_token(server))


def base_of(server: ConfiguredServer) -> str:
    """The address an entry leads to, without the profile at its end."""
    profile = profile_of(server)
    return server.url.rpartition("/")[0] if profile else server.url


def program_gone(server: ConfiguredServer) -> bool:
    """Whether an entry starts a program that isn't there."""
    path = Path(server.command)
    return server.transport is Transport.STDIO and path.is_absolute() and not is_there(path)


def _starts_us(server: ConfiguredServer) -> bool:
    program = PurePosixPath(server.command.replace("\\", "/")).name.lower().removesuffix(".exe")
    args = server.args
    if "-m" in args:
        at = args.index("-m")
        return args[at + 1 : at + 4] == ("desktop", *_RUN)
    runs = args[:2] == _RUN or args[:3] == ("mcp", *_RUN)
    return runs and (program in _PROGRAMS or program.endswith(".appimage"))
