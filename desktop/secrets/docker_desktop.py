"""Docker Desktop's own secret store, as far as another program may look into it (spec 2.4, 5.3).

It tells the names it has, and never a value: those it hands to containers that it starts itself, in place of the text
``se://docker/mcp/NAME``. So containers are given that text, and nothing else can use what is kept there.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from desktop.errors import SecretStoreError
from desktop.secrets.lookup import REFERENCE, SecretReference

__all__ = ["DockerDesktopSource", "is_docker_desktop", "socket_of"]

_LIMIT: Final = 2.0
_LONGEST: Final = 1024**2


class DockerDesktopSource:
    """Gives references instead of values; see `desktop.secrets.lookup.is_reference`.

    Args:
        path: The store's socket; None where there can be none.
        is_used: Whether containers are started by Docker Desktop, so that it can put the values in.
        time_limit: Seconds one question may take.
    """

    label: Final = "Docker Desktop"

    def __init__(self, path: Path | None, is_used: Callable[[], bool], *, time_limit: float = _LIMIT) -> None:
        self._path = path
        self._is_used = is_used
        self._time_limit = time_limit

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        """References to those it has; none where Docker Desktop isn't installed, doesn't run or isn't used.

        Raises:
            SecretStoreError: It answers, but not what it should.
        """
        if self._path is None or not self._is_used():
            return {}
        names = await asyncio.to_thread(self._names, self._path)
        return {item.name: REFERENCE + item.name for item in references if item.name in names}

    def _names(self, path: Path) -> frozenset[str]:
        connection = _UnixConnection(path, self._time_limit)
        try:
            connection.request("GET", "/secrets")
            answer = connection.getresponse()
            body = answer.read(_LONGEST)
        except OSError:  # there is no such socket, or nobody listens
            return frozenset()
        except http.client.HTTPException as error:
            raise SecretStoreError("The secret store of Docker Desktop answers something that isn't HTTP") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise SecretStoreError(
                f"The secret store of Docker Desktop refused to list its secrets (status {answer.status})"
            )
        try:
            return frozenset(str(entry["name"]) for entry in json.loads(body) or ())
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SecretStoreError("The secret store of Docker Desktop listed something that isn't secrets") from error


def socket_of(home: Path, platform: str = sys.platform) -> Path | None:
    """Where Docker Desktop's store listens (spec 3.20); None on Windows, whose pipes aren't tried."""
    if platform == "darwin":
        return home / "Library" / "Containers" / "com.docker.docker" / "Data" / "jfs.sock"
    if platform.startswith("linux"):
        return home / ".docker" / "desktop" / "jfs.sock"
    return None


def is_docker_desktop(address: str) -> bool:
    """Whether an engine at this address (``unix:///…``, ``npipe:…``) is that of Docker Desktop."""
    path = Path(address.removeprefix("unix://")).resolve() if address.startswith("unix://") else Path(address)
    parts = [part.lower() for part in path.parts]
    is_socket = any(pair in ((".docker", "desktop"), (".docker", "run")) for pair in itertools.pairwise(parts))
    return is_socket or "dockerdesktop" in address.lower()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, time_limit: float) -> None:
        super().__init__("localhost", timeout=time_limit)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            connection.connect(str(self._path))
        except BaseException:
            with contextlib.suppress(OSError):
                connection.close()
            raise
        self.sock = connection
