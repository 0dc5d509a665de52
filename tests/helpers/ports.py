"""Free TCP ports."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

# Below the ports that systems hand out by themselves (from 32,768 on Linux, from 49,152 elsewhere): one of those may
# become the near end of anybody's connection before the server that it was looked up for listens on it.
_PORTS = range(20_000, 32_000)
_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on just now, and that was not given before."""
    while True:
        port = random.choice(_PORTS)  # by chance, since tests run in several processes
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        _given.add(port)
        return port
