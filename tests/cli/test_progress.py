"""Progress on a terminal: one line, out of the way of everything else."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest

from desktop.cli.gateway_log import GatewayLog
from desktop.cli.progress import ProgressLine
from desktop.engine.ports import PullProgress


class Terminal(io.StringIO):
    """Takes what a terminal would show."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def test_the_line_says_how_far_it_is() -> None:
    line = ProgressLine(Terminal())
    line.update("Pulling mcp/time", 15_000_000, 30_000_000)
    assert line.text(100) == "Pulling mcp/time  ━━━━━━━━━━━━────────────   50 %  15.0 of 30.0 MB"
    line.update("Pulling mcp/fetch", 15_000_000, 90_000_000)
    assert line.text(100).startswith("Pulling mcp/time and 1 more  ━━━━━━──────────────────   25 %  30.0 of 120.0 MB")


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("total", [0, 30_000_000])
def test_the_line_fits_its_terminal(columns: int, total: int) -> None:
    line = ProgressLine(Terminal())
    line.update("Pulling a-registry.example.org/with/a/long/name/of/an-image", 10_000_000, total)
    text = line.text(columns)
    assert len(text) <= columns
    assert "10.0" in text or columns < 40


def test_the_line_makes_way_and_is_gone_at_the_end() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.update("Fetching x", 1, 2)
    line.erase()
    assert terminal.getvalue().endswith("\r\x1b[K")
    line.erase()
    line.finish("Fetching x")
    line.finish("something else")
    assert terminal.getvalue().count("\x1b[K") == 2


def test_a_terminal_without_the_characters_gets_others() -> None:
    terminal = Terminal()
    terminal.encoding = "ascii"  # type: ignore[misc]
    line = ProgressLine(terminal)
    line.update("Fetching x", 1, 2)
    assert "####" in line.text(100)
    line.text(100).encode("ascii")


def test_pulls_share_the_line_with_what_the_gateway_says(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    log = GatewayLog()
    pull = PullProgress(image="mcp/time@sha256:00", status="Downloading", done=1_000_000, total=4_000_000)
    log.pull("time", pull)
    log.line("- Listing MCP tools...")
    log.pull("time", dataclasses.replace(pull, status="Status: Downloaded newer image", done=4_000_000))
    shown = re.split(r"\r\x1b\[K", terminal.getvalue())
    assert shown[1].startswith("Pulling mcp/time  ━━━━━━──")
    assert shown[1].endswith(" 25 %  1.0 of 4.0 MB")
    assert shown[2] == "- Listing MCP tools...\n"
    assert "Pulling" not in shown[-1]


def test_pulls_are_plain_lines_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    log = GatewayLog()
    log.pull("time", PullProgress(image="mcp/time@sha256:00", status="Downloading", done=1, total=4))
    log.pull("time", PullProgress(image="mcp/time@sha256:00", status="Downloading", done=2, total=4))
    assert pipe.getvalue() == "  - Pulling mcp/time for time (25 %)\n"


def test_nothing_is_shown_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    line = ProgressLine(pipe)
    line.update("Fetching x", 1, 2)
    line.finish("Fetching x")
    assert pipe.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    assert not ProgressLine(Terminal()).is_watched
