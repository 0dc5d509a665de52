"""Files of several megabytes, as clients that keep their history in them have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.clients.connection import Disconnected
from desktop.clients.document import Format
from tests.clients.conftest import Connect

LARGE = 5_000_000


def _json() -> bytes:
    history = {f"/home/p{n}": {"history": [{"text": "x" * 80, "n": n}] * 6, "cost": 1.50} for n in range(7000)}
    return json.dumps({"projects": history, "mcpServers": {"a": {"url": "u"}}}, indent=2).encode()


def _toml() -> bytes:
    return "".join(f'[projects."/p{n}"]\nlevel = "trusted"\nnote = "{"y" * 80}"\n' for n in range(42000)).encode()


def _yaml() -> bytes:
    below = "".join(f'  p{n}:\n    level: "trusted"\n    note: {"y" * 80}\n' for n in range(43000))
    return f"projects:\n{below}mcpServers:\n  a: {{url: u}}\n".encode()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("make", "format"),
    [
        (_json, Format.JSONC),
        pytest.param(_toml, Format.TOML, marks=pytest.mark.slow),
        pytest.param(_yaml, Format.YAML, marks=pytest.mark.slow),
    ],
)
def test_a_file_of_five_megabytes_gets_our_entry_and_its_bytes_back(
    make: object, format: Format, tmp_path: Path, connection_to: Connect
) -> None:
    assert callable(make)
    file = tmp_path / "large"
    file.write_bytes(make())
    before = file.read_bytes()
    assert len(before) > LARGE
    connection = connection_to(file, format)

    change = connection.connect({"url": "v"})

    assert connection.entry() == {"url": "v"}
    assert len(file.read_bytes()) < len(before) + 100
    assert len(change.diff("large").splitlines()) < 25
    file.write_bytes(file.read_bytes() + b"\n")
    assert connection.disconnect() is Disconnected.REMOVED
    assert file.read_bytes() in (before + b"\n", before)
