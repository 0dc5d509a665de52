"""The manual pages say what the program does."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import pytest

from desktop.cli import main as program
from tests.helpers.processes import need

MANUAL = runpy.run_path(str(Path(__file__).parents[2] / "installers" / "manual.py"))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    found: dict[str, str] = MANUAL["pages"]()
    return found


@pytest.mark.parametrize("name", program.GROUPS)
def test_every_command_is_in_the_page_of_its_group(pages: dict[str, str], name: str) -> None:
    group = program.group(name)
    assert group is not None
    page = pages[f"docker-mcp-{name}.1"]
    for path, command in group.walk():
        words = f"{path.removeprefix('docker-mcp ')} {command.names[0]}"
        assert (f".SS {MANUAL['escaped'](words)}\n" in page) != command.is_hidden


def test_the_page_of_the_command_line_names_every_group(pages: dict[str, str]) -> None:
    for name in program.GROUPS:
        assert f".B {name}\n" in pages["docker-mcp.1"]


def test_text_is_never_taken_for_a_request() -> None:
    assert MANUAL["escaped"](".env\n'tis a \\ --flag") == "\\&.env\n\\&'tis a \\e \\-\\-flag"


@pytest.mark.package
def test_groff_finds_nothing_to_say(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        command = [need("groff"), "-man", "-Tutf8", "-ww", "-z", "-K", "utf8"]
        done = subprocess.run(command, input=page, capture_output=True, encoding="utf-8", timeout=30, check=False)
        assert (name, done.returncode, done.stderr) == (name, 0, "")
