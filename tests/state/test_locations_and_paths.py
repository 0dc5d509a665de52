"""Where our folders are on each system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.state import locations
from desktop.state.paths import Paths


@pytest.mark.parametrize(
    ("platform", "environ", "own", "cache"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/state/mcp-gateway-desktop", "/h/.cache/mcp-gateway-desktop"),
        (
            "linux",
            {"HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "not/absolute"},
            "/s/mcp-gateway-desktop",
            "/h/.cache/mcp-gateway-desktop",
        ),
        (
            "darwin",
            {"HOME": "/h"},
            "/h/Library/Application Support/MCP Gateway Desktop",
            "/h/Library/Caches/MCP Gateway Desktop",
        ),
        ("win32", {"LOCALAPPDATA": "/L"}, "/L/MCP Gateway Desktop", "/L/MCP Gateway Desktop/Cache"),
        (
            "win32",
            {"USERPROFILE": "/h", "HOME": "/other"},
            "/h/AppData/Local/MCP Gateway Desktop",
            "/h/AppData/Local/MCP Gateway Desktop/Cache",
        ),
    ],
)
def test_each_system_has_its_own_folders(platform: str, environ: dict[str, str], own: str, cache: str) -> None:
    paths = Paths.of_user(environ, platform)
    assert (paths.own, paths.cache) == (Path(own), Path(cache))
    assert str(paths.endpoint_file) == locations.endpoint_file(environ, platform)


def test_the_shared_folder_is_the_reference_s() -> None:
    paths = Paths.of_user({"HOME": "/h"}, "linux")
    assert paths.registry == Path("/h/.docker/mcp/registry.yaml")
    assert paths.catalogs == Path("/h/.docker/mcp/catalogs")
    assert locations.docker_mcp_dir({"USERPROFILE": "/u"}, "win32") == str(Path("/u/.docker/mcp"))


def test_the_home_folder_is_known_without_any_variable() -> None:
    assert Path(locations.home_dir({}, sys.platform)).is_absolute()


def test_the_locations_are_found_without_importing_anything_heavy() -> None:
    code = (
        "import os, sys; before = set(sys.modules); import desktop.state.locations; "
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('desktop')))"
    )
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() in ("[]", "['__future__']")
