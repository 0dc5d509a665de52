"""The system's browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

__all__ = ["SystemBrowser"]


class SystemBrowser:
    """Opens addresses in the browser the person has chosen (BROWSER, else what the system says)."""

    async def open(self, address: str) -> bool:
        """Open an address; False when there is no browser."""
        if not _has_display():
            return False
        return await asyncio.to_thread(_open, address)


def _has_display() -> bool:
    """Whether a browser could show anything: on Linux it would otherwise be one that takes over the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    wanted = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    return any(os.environ.get(name) for name in wanted)


def _open(address: str) -> bool:
    import webbrowser  # here, because it looks for every browser there is

    with contextlib.suppress(webbrowser.Error, OSError):
        return webbrowser.open(address)
    return False
