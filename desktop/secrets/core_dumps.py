"""Keeps the memory of this process, which holds secrets, out of the file the system writes when a process crashes."""

from __future__ import annotations

import contextlib

__all__ = ["forbid_core_dumps"]


def forbid_core_dumps() -> None:
    """From now on neither this process nor what it starts leaves a core dump. Nothing to do on Windows."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
