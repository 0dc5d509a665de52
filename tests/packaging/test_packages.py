"""What the packages hold, as those who check packages see it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from desktop import __version__
from tests.helpers.processes import need

pytestmark = pytest.mark.package

ROOT = Path(__file__).resolve().parents[2]


def _says(*command: str | Path, check: bool = True, **variables: str) -> str:
    done = subprocess.run(
        [need(str(command[0])), *command[1:]],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def app_dir(bundle: Path) -> Path:
    """The contents of the AppImage."""
    _says("sh", "installers/linux/package", "appimage", APPIMAGE_RUNTIME="")
    return ROOT / "build" / "package" / "AppDir"


def test_lintian_finds_no_error(debs: tuple[Path, Path]) -> None:
    found = _says("lintian", "--tag-display-limit", "0", debs[1], check=False).splitlines()
    # Debian 12's lintian does not know zstd, which dpkg of Debian 12 unpacks; packages of a release are made with xz.
    said = [line for line in found if line.startswith(("E:", "W:")) and "malformed-deb-archive" not in line]
    assert said == []


def test_rpmlint_finds_no_library_path_and_no_wrong_right(rpms: tuple[Path, Path]) -> None:
    found = _says("rpmlint", rpms[1], check=False)
    assert __version__ in _says("rpm", "-qp", rpms[1])
    for tag in ("rpath", "non-standard", "setuid-binary", "zero-perms", "world-writable", "dangling"):
        assert not [line for line in found.splitlines() if " E: " in line and tag in line]


def test_a_package_made_twice_is_the_same(debs: tuple[Path, Path]) -> None:
    before = debs[1].read_bytes()
    _says("sh", "installers/linux/package", "deb", VERSION=__version__, COMPRESSION="zstd")
    assert debs[1].read_bytes() == before


def test_desktop_entry_and_metainfo_are_valid(app_dir: Path) -> None:
    _says("desktop-file-validate", app_dir / "mcp-gateway-desktop.desktop")
    (metainfo,) = app_dir.glob("usr/share/metainfo/*.xml")
    assert "✔" in _says("appstreamcli", "validate", "--no-net", metainfo)


def test_the_contents_of_the_appimage_run(app_dir: Path) -> None:
    assert _says(app_dir / "AppRun", "version") == f"{__version__}\n"
    called = {"ARGV0": "/home/person/.docker/cli-plugins/docker-mcp", "APPDIR": str(app_dir)}
    assert _says(app_dir / "AppRun", **called).startswith("usage: docker-mcp")


def test_the_runtime_of_an_appimage_is_put_in_front(bundle: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.write_bytes(b"the runtime")
    _says("sh", "installers/linux/package", "appimage", APPIMAGE_RUNTIME=str(runtime))
    (image,) = ROOT.glob(f"dist/mcp-gateway-desktop-{__version__}-*.AppImage")
    with image.open("rb") as file:
        assert file.read(15) == b"the runtimehsqs"
    image.unlink()
