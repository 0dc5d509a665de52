"""Which addresses a sign-in may use: https in the open network, and plain http on this machine alone (spec 3.17).

What a server publishes about its sign-in is a stranger's word. It must not make this program send requests into the person's
own machine or network, unless the server itself is there.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from desktop.errors import SignInError

__all__ = ["AddressRule", "is_local", "is_loopback"]

_SWITCH: Final = "DOCKER_MCP_ALLOW_INSECURE_REMOTE_URLS"
_SHORT: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")
_LOCAL_ENDINGS: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class AddressRule:
    """What addresses are allowed for one app.

    Args:
        home: The address of the server or provider the person has chosen; where it lies, others may lie too.
        environ: The switch that lifts the rule is an environment variable.
    """

    def __init__(self, home: str, environ: Mapping[str, str] = os.environ) -> None:
        self._lifted = environ.get(_SWITCH) == "1"
        self._local = is_local(_host(home))

    def check(self, url: str) -> None:
        """Raise `SignInError` for an address that may not be used."""
        host = _host(url)
        scheme = urlsplit(url).scheme.lower() if host else ""
        if not host or scheme not in ("http", "https"):
            raise SignInError("an address it names is no web address", "Ask who runs the server")
        if self._lifted:
            return
        if is_local(host) and not self._local:
            raise SignInError(f"it names {host}, which lies on this machine or in its network", _hint())
        if scheme == "http" and not is_loopback(host):
            raise SignInError(f"it names {host} without encryption (http)", _hint())


def _hint() -> str:
    return f"Ask who runs the server, or set {_SWITCH}=1 if you trust it"


def _host(url: str) -> str:
    """The host in lower case; empty where it is no address. Short spellings of addresses (127.1, 0x7f.1) are written out."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:  # such as [ without ]
        return ""
    if _SHORT.fullmatch(host):
        with contextlib.suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return host


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local(host: str) -> bool:
    """Whether the host is this machine or lies in its network, as far as its name tells."""
    if host == "localhost" or host.endswith(_LOCAL_ENDINGS):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
