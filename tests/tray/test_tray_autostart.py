"""Starting at login on each system: what is written, and what the system makes of it."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from desktop.tray.autostart import DesktopEntry, LaunchAgent, RunKey, autostart, start_command

COMMAND = ("/opt/My Apps/50% off/$mcp", "--hidden")


def test_linux_gets_a_desktop_entry_that_the_desktop_may_turn_off(tmp_path: Path) -> None:
    found = autostart({"HOME": str(tmp_path)}, "linux", COMMAND)
    assert not found.is_on()
    found.set_on(True)
    assert found.is_on()
    path = tmp_path / ".config" / "autostart" / "mcp-gateway-desktop.desktop"
    text = path.read_text(encoding="utf-8")
    assert 'Exec="/opt/My Apps/50%% off/\\$mcp" --hidden\n' in text
    path.write_text(text.replace("X-GNOME-Autostart-enabled=true", "X-GNOME-Autostart-enabled=false"), "utf-8")
    assert not found.is_on()
    path.write_text(text + "Hidden=true\n", encoding="utf-8")
    assert not found.is_on()
    found.set_on(False)
    found.set_on(False)
    assert not path.exists()


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-validate is not installed")
def test_the_desktop_entry_is_one_by_the_standard(tmp_path: Path) -> None:
    DesktopEntry(COMMAND, tmp_path).set_on(True)
    done = subprocess.run(
        ["desktop-file-validate", str(tmp_path / "mcp-gateway-desktop.desktop")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_folder_of_the_person_is_where_the_environment_says(tmp_path: Path) -> None:
    found = autostart({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)}, "linux", COMMAND)
    found.set_on(True)
    assert (tmp_path / "autostart" / "mcp-gateway-desktop.desktop").exists()


def test_macos_gets_a_launch_agent(tmp_path: Path) -> None:
    found = autostart({"HOME": str(tmp_path)}, "darwin", COMMAND)
    assert isinstance(found, LaunchAgent)
    assert not found.is_on()
    found.set_on(True)
    path = tmp_path / "Library" / "LaunchAgents" / "io.mcp-gateway-desktop.plist"
    agent = plistlib.loads(path.read_bytes())
    assert (agent["ProgramArguments"], agent["RunAtLoad"]) == (list(COMMAND), True)
    assert found.is_on()
    path.write_bytes(plistlib.dumps({**agent, "Disabled": True}))
    assert not found.is_on()
    path.write_bytes(b"nonsense")
    assert not found.is_on()
    found.set_on(False)
    assert not path.exists()


class Registry:
    """As much of ``winreg`` as is used, over a dictionary."""

    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = 1, 2, 1

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {}

    class _Key:
        def __init__(self, values: dict[str, Any]) -> None:
            self.values = values

        def __enter__(self) -> Registry._Key:
            return self

        def __exit__(self, *_: object) -> None:
            """Closed."""

    def OpenKey(self, _root: int, path: str, *_: int) -> Registry._Key:
        if path not in self.keys:
            raise FileNotFoundError(path)
        return self._Key(self.keys[path])

    def CreateKey(self, _root: int, path: str) -> Registry._Key:
        return self._Key(self.keys.setdefault(path, {}))

    def QueryValueEx(self, key: Registry._Key, name: str) -> tuple[Any, int]:
        if name not in key.values:
            raise FileNotFoundError(name)
        return key.values[name], 1

    def SetValueEx(self, key: Registry._Key, name: str, _zero: int, _kind: int, value: Any) -> None:
        key.values[name] = value

    def DeleteValue(self, key: Registry._Key, name: str) -> None:
        if name not in key.values:
            raise FileNotFoundError(name)
        del key.values[name]


def test_windows_gets_a_run_key_that_the_task_manager_may_turn_off() -> None:
    registry = Registry()
    found = RunKey(COMMAND, registry)
    assert not found.is_on()
    found.set_on(True)
    (path,) = registry.keys
    assert registry.keys[path] == {"mcp-gateway-desktop": '"/opt/My Apps/50% off/$mcp" --hidden'}
    assert found.is_on()
    approved = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
    registry.keys[approved] = {"mcp-gateway-desktop": bytes([3, 0, 0, 0])}
    assert not found.is_on()
    registry.keys[approved] = {"mcp-gateway-desktop": bytes([2, 0, 0, 0])}
    assert found.is_on()
    found.set_on(False)
    assert not found.is_on()
    assert registry.keys[approved] == {}


def test_what_is_started_is_the_tray_without_its_window() -> None:
    assert start_command("/opt/app/mcp-gateway-desktop", frozen=True) == ("/opt/app/mcp-gateway-desktop", "--hidden")
    assert start_command("/usr/bin/python3", frozen=False) == ("/usr/bin/python3", "-m", "desktop", "--hidden")
