"""The installer for Windows under Wine: what it puts where, and that it takes all of it away again.

The programs that it carries are small ones of Wine's own: ours are built on Windows alone, where a job of continuous
integration runs them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.processes import need, private_home, wait_until

pytestmark = pytest.mark.package

ROOT = Path(__file__).resolve().parents[2]
WINE = Path("/usr/lib/wine/wine64")
PLACEHOLDER = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/hostname.exe")
RUN = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\mcp-gateway-desktop"
SCHEME = r"HKCU\Software\Classes\mcp-gateway-desktop\shell\open\command"


class Windows:
    """A Windows of Wine's with a person of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {
            **private_home(folder),
            "WINEPREFIX": str(folder / "wine"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "winemenubuilder.exe=d;mscoree=d;mshtml=d",
        }
        self.run("wineboot", "-i")
        (self.person,) = self.drive.glob("users/[!P]*")
        self.place = self.person / "AppData" / "Local" / "Programs" / "MCP Gateway Desktop"

    @property
    def drive(self) -> Path:
        """Where drive C is."""
        return Path(self._environment["WINEPREFIX"], "drive_c")

    def run(self, *command: str | Path, check: bool = True) -> str:
        """Run a program to its end, and give what it printed."""
        done = subprocess.run(
            [WINE, *command],
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=120,
            check=check,
        )
        return done.stdout

    def value(self, key: str, name: str) -> str | None:
        """A value of the registry; None when there is none."""
        asked = ["/ve"] if name == "" else ["/v", name]
        lines = self.run("reg", "query", key, *asked, check=False).splitlines()
        found = [line for line in lines if "    REG_" in line]
        return found[0].split("    ")[-1] if found else None

    def close(self) -> None:
        """End everything that runs here."""
        subprocess.run(["/usr/lib/wine/wineserver64", "-k"], env=self._environment, timeout=30, check=False)

    def files(self) -> set[Path]:
        """What the person has, temporary files left out."""
        found = {path.relative_to(self.person) for path in self.person.rglob("*")}
        return {path for path in found if "Temp" not in path.parts}


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[Windows]:
    assert WINE.exists(), "wine64 is not installed; `make package-test` installs it on Debian and Ubuntu"
    windows = Windows(tmp_path / "person")
    yield windows
    windows.close()


def _installer(folder: Path, version: str, *parts: str) -> Path:
    payload = folder / f"payload-{version}"
    (payload / "_internal").mkdir(parents=True)
    for name in ("mcp-gateway-desktop.exe", "docker-mcp.exe"):
        shutil.copy(PLACEHOLDER, payload / name)
    for part in parts:
        (payload / "_internal" / part).write_text(version, encoding="utf-8")
    icons = folder / "icons"
    if not icons.exists():
        subprocess.run([sys.executable, ROOT / "installers" / "icons.py", icons], check=True, timeout=60)
    target = folder / f"mcp-gateway-desktop-{version}-installer.exe"
    settings = {
        "VERSION": version,
        "SOURCE": payload,
        "ICON": icons / "mcp-gateway-desktop.ico",
        "OUTPUT": target,
    }
    defined = [f"-D{name}={value}" for name, value in settings.items()]
    script_file = ROOT / "installers" / "windows" / "installer.nsi"
    subprocess.run([need("makensis"), "-V2", "-WX", *defined, script_file], check=True, timeout=120)
    return target


def test_install_upgrade_and_uninstall(windows: Windows, tmp_path: Path) -> None:
    windows.run(
        "reg", "add", r"HKCU\Environment", "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", r"%USERPROFILE%\bin;C:\Go", "/f"
    )
    before = windows.files()

    windows.run(_installer(tmp_path, "0.0.9", "shared.dll", "old.dll"), "/S")
    place = windows.place
    assert {path.name for path in place.iterdir()} == {
        "_internal", "docker-mcp.exe", "mcp-gateway-desktop.exe", "uninstall.exe",
    }  # fmt: skip
    inside = rf"C:\users\{windows.person.name}\AppData\Local\Programs\MCP Gateway Desktop"
    assert windows.value(r"HKCU\Environment", "Path") == rf"%USERPROFILE%\bin;C:\Go;{inside}"
    assert windows.value(UNINSTALL, "DisplayVersion") == "0.0.9"
    assert windows.value(SCHEME, "") == rf'"{inside}\mcp-gateway-desktop.exe" "%1"'
    shortcuts = [path for path in windows.files() - before if path.suffix == ".lnk"]
    assert [path.name for path in shortcuts] == ["MCP Gateway.lnk"]

    # The program writes this one when somebody wants it to start at login.
    started = rf'"{inside}\mcp-gateway-desktop.exe" --hidden'
    windows.run("reg", "add", RUN, "/v", "mcp-gateway-desktop", "/d", started, "/f")
    settings = windows.person / "AppData" / "Local" / "MCP Gateway Desktop" / "settings.json"
    settings.parent.mkdir()
    settings.write_text("{}", encoding="utf-8")

    windows.run(_installer(tmp_path, "0.1.0", "shared.dll"), "/S")
    assert windows.value(UNINSTALL, "DisplayVersion") == "0.1.0"
    assert {path.name: path.read_text() for path in (place / "_internal").iterdir()} == {"shared.dll": "0.1.0"}
    assert windows.value(r"HKCU\Environment", "Path") == rf"%USERPROFILE%\bin;C:\Go;{inside}"
    assert windows.value(RUN, "mcp-gateway-desktop") is not None

    windows.run(place / "uninstall.exe", "/S")
    wait_until(lambda: not place.exists(), what="the end of uninstalling", seconds=60)
    assert windows.value(r"HKCU\Environment", "Path") == r"%USERPROFILE%\bin;C:\Go"
    for key, name in ((UNINSTALL, "DisplayVersion"), (SCHEME, ""), (RUN, "mcp-gateway-desktop")):
        assert windows.value(key, name) is None
    # Windows has this folder anyhow, as soon as somebody has a program of their own.
    left = windows.files() - before - {Path("AppData", "Local", "Programs")}
    assert left == {settings.relative_to(windows.person), settings.parent.relative_to(windows.person)}


def test_a_path_too_long_for_the_installer_is_left_alone(windows: Windows, tmp_path: Path) -> None:
    long = ";".join(rf"C:\tools\{number:040}" for number in range(30))
    assert len(long) > 1000
    windows.run("reg", "add", r"HKCU\Environment", "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", long, "/f")
    windows.run(_installer(tmp_path, "0.1.0"), "/S")
    assert windows.value(r"HKCU\Environment", "Path") == long
    windows.run(windows.place / "uninstall.exe", "/S")
    wait_until(lambda: not windows.place.exists(), what="the end of uninstalling", seconds=60)
    assert windows.value(r"HKCU\Environment", "Path") == long
