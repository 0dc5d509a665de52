"""The bearer token of our own endpoint: the same at every start, so clients can keep it (docs/decisions/0005)."""

from __future__ import annotations

import os
import secrets
import stat
import string
from collections.abc import Mapping
from typing import Final

from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.paths import Paths

__all__ = ["gateway_token"]

VARIABLE: Final = "MCP_GATEWAY_AUTH_TOKEN"
LENGTH: Final = 50
_ALPHABET: Final = string.ascii_lowercase + string.digits


def gateway_token(paths: Paths, environ: Mapping[str, str] = os.environ) -> str:
    """The token in force: the environment's, else that of a file only this person can read, made the first time.

    Reads and writes the disk, so it belongs on a worker thread.

    Raises:
        StateFileError: The file can't be read or made.
    """
    if given := environ.get(VARIABLE, "").strip():
        return given
    path = paths.token
    with file_lock(paths.lock_for(path)):
        kept = read_bytes(path).decode("utf-8", "replace").strip()
        if not kept:
            kept = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
            write_text(path, kept + "\n", mode=0o600)
        elif os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return kept
