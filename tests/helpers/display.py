"""A real X display with a window manager, a private session bus and a real tray host, for tests of the tray."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.helpers.processes import need, private_home, session_bus, started, wait_until

__all__ = ["Display", "TrayHost", "display", "virtual_display"]

TrayHost = Literal["trayer", "xfce4-panel"]

_XFCE_PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=10;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="known-legacy-items" type="array"/>
    </property>
  </property>
</channel>
"""


@dataclass(frozen=True)
class Display:
    """A running display. Start programs on it with ``environment``."""

    name: str
    tray_host: TrayHost | None
    environment: dict[str, str]
    folder: Path

    def run(self, *command: str | Path, check: bool = True) -> str:
        """Run a short command on this display and return what it printed."""
        arguments = [need(str(command[0])), *map(str, command[1:])]
        done = subprocess.run(arguments, env=self.environment, text=True, capture_output=True, timeout=30, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def screenshot(self, path: Path) -> Path:
        """Save what the whole screen shows as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.run("import", "-silent", "-window", "root", path)
        return path

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Move the pointer and click."""
        self.run("xdotool", "mousemove", str(x), str(y))
        self.run("xdotool", "click", str(button))

    def keys(self, *names: str) -> None:
        """Press keys by their X names, for example ``Down``, ``Return``."""
        self.run("xdotool", "key", "--delay", "50", *names)

    def owns_bus_name(self, name: str) -> bool:
        """Whether somebody owns a name on the private session bus."""
        target = ["--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", f"string:{name}"]
        return "true" in self.run("dbus-send", "--session", "--print-reply=literal", *target, check=False)


@contextlib.contextmanager
def virtual_display(tray_host: TrayHost | None = "trayer", *, size: str = "1024x768") -> Iterator[Display]:
    """Xvfb on a free display number, openbox, a private session bus, and a tray host; all ended afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="display-", ignore_cleanup_errors=True)))
        environment = private_home(folder)
        environment["DISPLAY"] = name = stack.enter_context(_x_server(environment, folder, size))
        environment["DBUS_SESSION_BUS_ADDRESS"] = stack.enter_context(session_bus(environment, log=folder / "bus.log"))
        result = Display(name, tray_host, environment, folder)
        stack.enter_context(started(["openbox"], environment, log=folder / "openbox.log"))
        manager = ("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
        wait_until(lambda: "window id" in result.run(*manager, check=False), what="the start of openbox")
        if tray_host == "trayer":
            options = ["--edge", "bottom", "--align", "right", "--widthtype", "request", "--height", "28"]
            stack.enter_context(started(["trayer", *options], environment, log=folder / "tray.log"))
            find = ("xdotool", "search", "--class", "trayer")
            wait_until(lambda: bool(result.run(*find, check=False).strip()), what="the start of trayer")
        elif tray_host == "xfce4-panel":
            settings = folder / "config" / "xfce4" / "xfconf" / "xfce-perchannel-xml" / "xfce4-panel.xml"
            settings.parent.mkdir(parents=True)
            settings.write_text(_XFCE_PANEL, encoding="utf-8")
            panel = ["xfce4-panel", "--disable-wm-check"]
            stack.enter_context(started(panel, environment, log=folder / "tray.log"))
            watcher = "org.kde.StatusNotifierWatcher"
            wait_until(lambda: result.owns_bus_name(watcher), what="the start of the panel's tray", seconds=30)
        yield result


@contextlib.contextmanager
def _x_server(environment: dict[str, str], folder: Path, size: str) -> Iterator[str]:
    """Xvfb picks a free number itself and tells it when it is ready."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
    with (
        os.fdopen(reader, "rb") as answer,
        started(command, environment, log=folder / "xvfb.log", pass_fds=[writer]),
    ):
        os.close(writer)
        number = answer.readline().strip().decode("ascii")
        if not number:
            log = (folder / "xvfb.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"Xvfb did not start: {log[-500:]}")
        yield f":{number}"


@pytest.fixture(params=["trayer", "xfce4-panel"])
def display(request: pytest.FixtureRequest) -> Iterator[Display]:
    """A display with each of the tray hosts in turn: trayer (XEmbed) and xfce4-panel (StatusNotifierItem)."""
    with virtual_display(request.param) as running:
        yield running
