"""The built program and its packages; both are made here, once for all tests that want them."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from desktop import __version__

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "0.0.9"
"""A version that people are to upgrade from."""


def _run(*command: str, **variables: str) -> None:
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=1800, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the built program; BUNDLE names one that is there already."""
    if ready := os.environ.get("BUNDLE"):
        return Path(ready)
    _run("nice", "sh", "tests/run", "build")
    return ROOT / "dist" / "mcp-gateway-desktop"


def _package(kind: str, version: str) -> Path:
    _run("sh", "installers/linux/package", kind, VERSION=version, COMPRESSION="zstd")
    machine = platform.machine()
    names = {
        "deb": f"mcp-gateway-desktop_{version}-1_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}[machine] }.deb",
        "rpm": f"mcp-gateway-desktop-{version}-1.{machine}.rpm",
    }
    return ROOT / "dist" / names[kind]


@pytest.fixture(scope="session")
def debs(bundle: Path) -> tuple[Path, Path]:
    """The Debian package as a former version, and as this one."""
    return _package("deb", BEFORE), _package("deb", __version__)


@pytest.fixture(scope="session")
def rpms(bundle: Path) -> tuple[Path, Path]:
    """The rpm as a former version, and as this one."""
    return _package("rpm", BEFORE), _package("rpm", __version__)
