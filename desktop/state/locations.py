"""Where our folders are, with nothing but `os` and `sys`: a start-up-critical shim imports this module."""

# ruff: noqa: PTH111, PTH117, PTH118

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["appimage", "cache_dir", "docker_mcp_dir", "endpoint_file", "home_dir", "own_dir"]

APPLICATION = "MCP Gateway Desktop"
UNIX_NAME = "mcp-gateway-desktop"


def home_dir(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The person's home folder: HOME (USERPROFILE on Windows), else what the system's user database says."""
    first, second = ("USERPROFILE", "HOME") if platform == "win32" else ("HOME", "USERPROFILE")
    return environ.get(first) or environ.get(second) or os.path.expanduser("~")


def docker_mcp_dir(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The reference's folder, shared with it: ``~/.docker/mcp``."""
    return os.path.join(home_dir(environ, platform), ".docker", "mcp")


def own_dir(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """Our own state on this machine."""
    if platform == "win32":
        return os.path.join(_local_app_data(environ, platform), APPLICATION)
    if platform == "darwin":
        return os.path.join(home_dir(environ, platform), "Library", "Application Support", APPLICATION)
    return os.path.join(_xdg("XDG_STATE_HOME", (".local", "state"), environ, platform), UNIX_NAME)


def cache_dir(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """What can be thrown away at any time."""
    if platform == "win32":
        return os.path.join(_local_app_data(environ, platform), APPLICATION, "Cache")
    if platform == "darwin":
        return os.path.join(home_dir(environ, platform), "Library", "Caches", APPLICATION)
    return os.path.join(_xdg("XDG_CACHE_HOME", (".cache",), environ, platform), UNIX_NAME)


def endpoint_file(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The file in which a running gateway says how it is reached."""
    return os.path.join(own_dir(environ, platform), "run", "endpoint")


def appimage(environ: Mapping[str, str], executable: str) -> str:
    """The AppImage that this program runs from, or empty.

    A terminal inside another program's AppImage has that one's variables, so they count only when we lie in its mount.
    """
    mount = environ.get("APPDIR", "").rstrip("/")
    return environ.get("APPIMAGE", "") if mount and executable.startswith(f"{mount}/") else ""


def _local_app_data(environ: Mapping[str, str], platform: str) -> str:
    return environ.get("LOCALAPPDATA") or os.path.join(home_dir(environ, platform), "AppData", "Local")


def _xdg(variable: str, default: tuple[str, ...], environ: Mapping[str, str], platform: str) -> str:
    # The XDG specification: a relative path in these variables is invalid and has to be ignored.
    value = environ.get(variable, "")
    return value if os.path.isabs(value) else os.path.join(home_dir(environ, platform), *default)
