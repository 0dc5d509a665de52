"""Two builds of one commit are the same, byte for byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _contents(folder: Path) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@pytest.mark.package
def test_two_builds_are_the_same(tmp_path: Path) -> None:
    builds = []
    for name in ("first", "second"):
        environment = {**os.environ, "DIST": str(tmp_path / name)}
        command = ["nice", "sh", "tests/run", "build"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=900)
        builds.append(_contents(tmp_path / name))
    first, second = builds
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
