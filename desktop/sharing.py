"""Who shares a running server with whom; the words are the same in files, on the command line and in the tray."""

from __future__ import annotations

import enum

__all__ = ["Sharing"]


class Sharing(enum.Enum):
    """How many instances of a server run; the value is the word shown to people and written to files."""

    SHARED = "shared"
    PER_CLIENT = "per client"
    PER_CALL = "per call"
