"""The folder where the tests keep what is slow to make: a root file system, packages from npm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["cache_folder", "content_hash"]


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/mcp-gateway-desktop-tests``, created when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "mcp-gateway-desktop-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def content_hash(*parts: str | bytes | Path | Iterable[str]) -> str:
    """A short hash of texts, bytes, the contents of files, and lists of texts."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            data = part.read_bytes()
        elif isinstance(part, bytes):
            data = part
        elif isinstance(part, str):
            data = part.encode("utf-8")
        else:
            data = "\n".join(part).encode("utf-8")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]
