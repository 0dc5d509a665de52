"""``docker-mcp server init``: files of a server that works as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Run, refusal
from tests.helpers import reference_reader as reference

FIRST = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def answers(program: Path, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What the server answers to requests, in order."""
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        found = []
        for number, (method, params) in enumerate((("initialize", FIRST), *calls)):
            message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            found.append(json.loads(process.stdout.readline())["result"])
            if number == 0:
                process.stdin.write('{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        process.stdin.close()
        assert process.wait(30) == 0
    return found


def test_the_new_server_answers_and_its_catalog_can_be_imported(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    result = typed("server", "init", "work/My Server!")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("created work/My Server! with server.py, ")
    folder = tmp_path / "work" / "My Server!"
    assert not [file for file in folder.iterdir() if "NAME" in file.read_text("utf-8")]
    first, tools, called = answers(
        folder / "server.py", ("tools/list", {}), ("tools/call", {"name": "greet", "arguments": {"name": "Ada"}})
    )
    assert first["serverInfo"]["name"] == "my-server"
    assert typed("catalog", "import", str(folder / "catalog.yaml")).returncode == 0
    assert typed("server", "enable", "my-server").returncode == 0
    entry = reference.catalog((folder / "catalog.yaml").read_text("utf-8"))["my-server"]
    assert [tool["name"] for tool in tools["tools"]] == [tool["name"] for tool in entry["tools"]]
    assert called["content"] == [{"type": "text", "text": "Hello, Ada!"}]
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    assert compose["services"]["my-server"]["image"] == entry["image"] == "my-server:latest"


def test_the_name_of_the_current_folder_serves_too(typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greeter").mkdir()
    monkeypatch.chdir(tmp_path / "greeter")
    assert typed("server", "init", ".", "--template=basic", "--language", "python").returncode == 0
    assert set(reference.catalog((tmp_path / "greeter" / "catalog.yaml").read_text("utf-8"))) == {"greeter"}


def test_what_is_there_stays(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine", "utf-8")
    (tmp_path / "file").write_text("mine", "utf-8")
    for name in ("full", "file"):
        result = typed("server", "init", name)
        assert (result.returncode, refusal(result)) == (
            2, f"{name} is there already and not an empty folder. Name another one.",
        )  # fmt: skip
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
    assert refusal(typed("server", "init", "x", "--language", "go")).startswith("--language: 'go' is not one of python")
    assert not (tmp_path / "x").exists()
