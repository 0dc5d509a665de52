"""Starting at login, as each system wants it; what is said here is always what the system really does.

Linux: a desktop entry in the person's autostart folder (the XDG autostart specification). macOS: a launch agent. Windows: a
value under the Run key; a second one, under StartupApproved, says whether the person has turned it off in the Task Manager.
"""

from __future__ import annotations

import os
import plistlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from desktop.state.atomic_file import write_text
from desktop.state.locations import appimage

__all__ = ["Autostart", "DesktopEntry", "LaunchAgent", "RunKey", "autostart", "start_command"]

NAME: Final = "mcp-gateway-desktop"
_RUN: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
_APPROVED: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
_TURNED_OFF: Final = 1


class Autostart(Protocol):
    """Whether the program starts at login. Both methods touch the disk or the registry for a moment."""

    def is_on(self) -> bool:
        """Whether it does now."""

    def set_on(self, on: bool) -> None:
        """Make it, or not; raises OSError (or `StateFileError`) when the system doesn't let us."""


class DesktopEntry:
    """A desktop entry in the autostart folder.

    Args:
        command: What to start.
        folder: ``$XDG_CONFIG_HOME/autostart``.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._path = folder / f"{NAME}.desktop"

    def is_on(self) -> bool:
        """Whether the entry is there and neither hidden nor turned off by the desktop's own settings."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError:
            return False
        keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        off = keys.get("Hidden", "").strip() == "true" or keys.get("X-GNOME-Autostart-enabled", "").strip() == "false"
        return not off

    def set_on(self, on: bool) -> None:
        """Write the entry, or remove it."""
        if not on:
            self._path.unlink(missing_ok=True)
            return
        text = (
            "[Desktop Entry]\n"
            "Type=Application\n"
            "Name=MCP Gateway\n"
            "Comment=Many MCP servers behind one endpoint\n"
            f"Icon={NAME}\n"
            f"Exec={' '.join(map(_quoted, self._command))}\n"
            "Terminal=false\n"
            "X-GNOME-Autostart-enabled=true\n"
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self._path, text)


class LaunchAgent:
    """A property list in ``~/Library/LaunchAgents``, which macOS reads at the next login.

    Args:
        command: What to start.
        folder: That folder.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._path = folder / f"io.{NAME}.plist"

    def is_on(self) -> bool:
        """Whether the agent is there and not disabled."""
        try:
            with self._path.open("rb") as file:
                agent = plistlib.load(file)
        except (OSError, plistlib.InvalidFileException, ValueError):
            return False
        return bool(agent.get("RunAtLoad")) and not agent.get("Disabled")

    def set_on(self, on: bool) -> None:
        """Write the agent, or remove it."""
        if not on:
            self._path.unlink(missing_ok=True)
            return
        agent = {
            "Label": f"io.{NAME}",
            "ProgramArguments": list(self._command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self._path, plistlib.dumps(agent).decode("utf-8"))


class RunKey:
    """A value under the person's Run key.

    Args:
        command: What to start.
        registry: The module ``winreg``.
    """

    def __init__(self, command: Sequence[str], registry: Any) -> None:
        self._command = command
        self._registry = registry

    def is_on(self) -> bool:
        """Whether the value is there, and the person has not turned it off in the Task Manager."""
        if self._value(_RUN) is None:
            return False
        approved = self._value(_APPROVED)
        return not (isinstance(approved, bytes) and approved and approved[0] & _TURNED_OFF)

    def set_on(self, on: bool) -> None:
        """Write the value, or remove it; what the Task Manager has noted goes along."""
        registry = self._registry
        for path in (_RUN, _APPROVED):
            try:
                with registry.OpenKey(registry.HKEY_CURRENT_USER, path, 0, registry.KEY_SET_VALUE) as key:
                    registry.DeleteValue(key, NAME)
            except FileNotFoundError:
                pass  # nothing to remove
        if on:
            line = " ".join(f'"{part}"' if " " in part else part for part in self._command)
            with registry.CreateKey(registry.HKEY_CURRENT_USER, _RUN) as key:
                registry.SetValueEx(key, NAME, 0, registry.REG_SZ, line)

    def _value(self, path: str) -> Any:
        registry = self._registry
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, path) as key:
                return registry.QueryValueEx(key, NAME)[0]
        except FileNotFoundError:
            return None


def start_command(
    executable: str = sys.executable,
    *,
    frozen: bool = getattr(sys, "frozen", False),
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """What starts the tray without its window."""
    if image := appimage(environ, executable):
        return (image, "--hidden")
    return (executable, "--hidden") if frozen else (executable, "-m", "desktop", "--hidden")


def autostart(
    environ: Mapping[str, str] = os.environ, platform: str = sys.platform, command: Sequence[str] | None = None
) -> Autostart:
    """The way of this system."""
    wanted = tuple(command) if command is not None else start_command()
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if platform == "win32":
        import winreg

        return RunKey(wanted, winreg)
    if platform == "darwin":
        return LaunchAgent(wanted, home / "Library" / "LaunchAgents")
    return DesktopEntry(wanted, Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "autostart")


def _quoted(text: str) -> str:
    """An argument as the Exec key of a desktop entry takes it."""
    if shlex.quote(text) == text and "%" not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`").replace("$", "\\$").replace("%", "%%")
    return f'"{escaped}"'
