"""Writers that are killed in the middle, and several at a time: the file is always the old or the new one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.clients.killed_writer import SCENARIOS

ROOT = Path(__file__).parents[2]


def _python(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


QUICK = "restore"


@pytest.mark.parametrize(
    "scenario", [name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SCENARIOS]
)
def test_a_writer_killed_before_any_of_its_system_calls_leaves_the_old_file_or_the_new_one(
    scenario: str, tmp_path: Path
) -> None:
    process = _python("tests.clients.killed_writer", tmp_path / "stage", scenario)

    output, errors = process.communicate(timeout=100)

    assert process.returncode == 0, errors
    assert int(output) > 25


def test_writers_of_ours_lose_nothing_of_one_another(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text('{\n  "mcpServers": {\n    "mine": {}\n  }\n}\n', encoding="utf-8")
    names = ["one", "two", "three"]
    writers = [_python("tests.clients.busy_writer", tmp_path, name, "20") for name in names]

    reads = _read_until_ended(file, writers)

    assert reads > 20
    assert json.loads(file.read_bytes())["mcpServers"] == {"mine": {}, **{name: {"number": 19} for name in names}}
    assert not list(tmp_path.glob(".*.mgd-tmp"))


def test_a_client_that_writes_at_the_same_time_never_meets_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"counter": 0, "filling": ["x" * 50] * 5000}), encoding="utf-8")
    writers = [_python("tests.clients.busy_writer", tmp_path, name, "40") for name in ("foreign", "one", "two")]

    reads = _read_until_ended(file, writers)

    assert reads > 20
    data = json.loads(file.read_bytes())
    assert data["filling"] == ["x" * 50] * 5000
    assert not list(tmp_path.glob(".*.mgd-tmp"))


def _read_until_ended(file: Path, writers: list[subprocess.Popen[str]]) -> int:
    """Read the file all the time, which fails on half a one; returns how many times that was."""
    reads = 0
    deadline = time.monotonic() + 100
    while any(writer.poll() is None for writer in writers):
        assert time.monotonic() < deadline
        json.loads(file.read_bytes())
        reads += 1
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    return reads
