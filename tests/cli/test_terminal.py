"""What is different on a terminal."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, command
from tests.helpers import terminal

pytest.importorskip("pty", reason="only Unix has pseudo-terminals")


def on_a_terminal(environment: dict[str, str], *arguments: str, columns: int = 0, with_remarks: bool = False) -> str:
    """What one of our commands shows on a terminal of its own."""
    return terminal.on_a_terminal(command(*arguments), environment, columns=columns, with_remarks=with_remarks)


def test_colour_is_for_terminals_and_no_color_is_honoured(
    environment: dict[str, str], docker_mcp: Path, run: Run
) -> None:
    run("server", "enable", "boxed")
    piped = run("server", "list").stdout
    shown = on_a_terminal({**environment, "TERM": "xterm"}, "server", "list")
    plain = on_a_terminal({**environment, "TERM": "xterm", "NO_COLOR": "1"}, "server", "list")
    assert "\x1b[" not in piped
    assert "\x1b[1mNAME" in shown
    assert "\x1b[" not in plain
    assert piped.splitlines()[2].split() == plain.splitlines()[2].split()


def test_what_a_catalog_says_can_not_steer_the_terminal(environment: dict[str, str], docker_mcp: Path) -> None:
    evil = 'name: docker-mcp\nregistry:\n  evil: {description: "\\e]0;owned\\a\\e[2Jhello", image: x, type: server}\n'
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(evil, "utf-8")
    shown = on_a_terminal({**environment, "NO_COLOR": "1"}, "catalog", "show")
    assert "hello" in shown
    assert "\x1b" not in shown


def test_a_person_is_told_what_to_do_next_and_a_program_is_not(
    environment: dict[str, str], docker_mcp: Path, run: Run
) -> None:
    plain = {**environment, "NO_COLOR": "1"}
    shown = on_a_terminal(plain, "server", "enable", "boxed", "hosted", with_remarks=True)
    assert [line.strip() for line in shown.splitlines() if line.strip()] == [
        "Next steps:",
        "Set its secret (boxed): docker-mcp secret set boxed.key",
        "Set what it needs (boxed): docker-mcp config set boxed.url=VALUE",
        "Sign in (hosted): docker-mcp oauth authorize hosted",
        "See its tools with docker-mcp server inspect boxed",
    ]
    assert "Next steps:" in on_a_terminal(plain, "server", "ls", with_remarks=True)
    for arguments in (
        ["server", "enable", "boxed"],
        ["server", "ls"],
        ["server", "disable", "bxed"],
        ["catalog", "show"],
    ):
        assert run(*arguments).stderr == ""
    told = on_a_terminal(plain, "server", "disable", "bxed", with_remarks=True)
    assert told.strip() == "bxed was not enabled; did you mean boxed?"


def test_colour_can_be_asked_for_where_there_is_no_terminal(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "boxed")
    assert "\x1b[1mNAME" in run("server", "list", more={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[1mNAME" in run("server", "list", more={"CLICOLOR_FORCE": "1"}).stdout
    assert "\x1b" not in run("server", "list", more={"CLICOLOR_FORCE": "0"}).stdout
    assert "\x1b" not in run("server", "list", more={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_tables_fit_the_terminal_and_are_whole_in_a_pipe(
    environment: dict[str, str], docker_mcp: Path, run: Run
) -> None:
    about = "A description that is far too long for one line of any terminal that people have on their desks. " * 3
    text = f'name: docker-mcp\nregistry:\n  boxed: {{description: "{about}", image: x, type: server}}\n'
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(text, "utf-8")
    run("server", "enable", "boxed")
    assert about.strip() in run("server", "list").stdout
    for columns in (40, 60, 80, 200):
        shown = on_a_terminal({**environment, "NO_COLOR": "1"}, "server", "list", columns=columns)
        assert "A description that is" in shown
        assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize("columns", [40, 60])
def test_help_fits_a_narrow_terminal(environment: dict[str, str], columns: int) -> None:
    for arguments in (["--help"], ["gateway", "run", "--help"], ["tools", "call", "--help"]):
        shown = on_a_terminal(environment, *arguments, columns=columns)
        assert shown.startswith("usage: docker-mcp")
        assert max(map(len, shown.splitlines())) <= columns


@pytest.fixture
def catalog_url() -> Iterator[str]:
    """Where a catalog can be fetched; its size is told, as it is on the web."""
    body = b"name: fetched\ndisplayName: Fetched\nregistry: {}\n" + b"# more\n" * 100_000

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/catalog.yaml"
        server.shutdown()
        thread.join()


def test_a_download_shows_how_far_it_is_on_a_terminal_alone(
    environment: dict[str, str], docker_mcp: Path, run: Run, catalog_url: str
) -> None:
    shown = on_a_terminal(
        {**environment, "TERM": "xterm"}, "catalog", "import", catalog_url, columns=100, with_remarks=True
    )
    assert f"Fetching {catalog_url}" in shown
    assert "of 0.7 MB" in shown
    assert shown.rindex("\x1b[K") > shown.rindex("of 0.7 MB")
    piped = run("catalog", "import", catalog_url)
    assert piped.returncode == 0
    assert "Fetching" not in piped.stderr
    assert "Fetching" not in piped.stdout


def test_without_a_command_a_terminal_gets_help(environment: dict[str, str]) -> None:
    assert on_a_terminal(environment, "mcp").startswith("usage: docker mcp [-v] COMMAND")
