"""The command that starts our stdio shim from a client that has no search path, no shell and hardly an environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from desktop.errors import GatewayError
from desktop.state.locations import appimage

__all__ = ["shim_command", "shim_environment"]

_ARGUMENTS: Final = ("gateway", "run")
_PROGRAM: Final = "docker-mcp"
# Clients on Windows start programs without these, and then neither our state nor Docker is found (spec 6.1).
_WINDOWS_VARIABLES: Final = ("LOCALAPPDATA", "ProgramFiles", "ProgramData")
_STATE_VARIABLES: Final = ("XDG_STATE_HOME",)


def shim_command(
    profile: str = "",
    *,
    environ: Mapping[str, str] = os.environ,
    executable: str = sys.executable,
    platform: str = sys.platform,
    frozen: bool | None = None,
) -> tuple[str, ...]:
    """The program by its absolute path, and its arguments.

    Args:
        profile: The profile the gateway is to serve, or empty.
        environ: Our environment; an AppImage says there where it lies.
        executable: Our own program, or the Python it runs on.
        platform: The system, as in `sys.platform`.
        frozen: Whether it is our own program; found out by itself when None.

    Raises:
        GatewayError: We run from a place that will be gone.
    """
    arguments = (*_ARGUMENTS, "--profile", profile) if profile else _ARGUMENTS
    if image := appimage(environ, executable):
        return (image, *arguments)
    if "/AppTranslocation/" in executable:
        raise GatewayError(
            "This program runs from a temporary copy that macOS made, which clients could not start later",
            "Move it to the folder Applications, start it from there and try again.",
        )
    name = f"{_PROGRAM}.exe" if platform == "win32" else _PROGRAM
    beside = Path(executable).parent / name
    if beside.is_file():
        return (str(beside), *arguments)
    if getattr(sys, "frozen", False) if frozen is None else frozen:
        return (executable, *arguments)
    return (executable, "-P", "-m", "desktop", *arguments)


def shim_environment(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> dict[str, str]:
    """The variables without which the shim would not find the running gateway, as far as they are set here."""
    names = _WINDOWS_VARIABLES if platform == "win32" else _STATE_VARIABLES
    return {name: environ[name] for name in names if environ.get(name)}
