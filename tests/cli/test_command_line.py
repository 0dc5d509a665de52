"""What every command has in common: finding the command, help, exit codes, quick answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from desktop import __version__
from desktop.cli import main as command_line
from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.main import group, main
from desktop.cli.parser import Parser
from desktop.cli.program import plugin_arguments
from desktop.errors import GatewayError, UsageError
from tests.cli.conftest import Run, command, refusal

HEAVY = {"aiohttp", "docker", "httpx", "keyring", "mcp", "PySide6", "qasync", "uvicorn", "watchfiles"}


@pytest.mark.parametrize("arguments", [["version"], ["--version"], ["-v"], ["mcp", "version"]])
def test_the_version_is_all_that_is_printed(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{__version__}\n", "")


def test_docker_recognises_it_as_its_plugin(run: Run) -> None:
    metadata = json.loads(run("docker-cli-plugin-metadata").stdout)
    assert metadata == {
        "SchemaVersion": "0.1.0",
        "Vendor": "MCP Gateway Desktop",
        "Version": __version__,
        "ShortDescription": "Docker MCP Plugin",
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["servr", "ls"], 'unknown command "servr". Did you mean server?'),
        (["inspect", "x"], 'unknown command "inspect". Did you mean server inspect or tools inspect?'),
        (["xyzzy"], 'unknown command "xyzzy". See docker-mcp --help.'),
        (["--nonsense"], "unknown option --nonsense. See docker-mcp --help."),
        (["server", "enabel", "x"], 'unknown command "server enabel". Did you mean enable?'),
        (["gateway", "xyzzy"], 'unknown command "gateway xyzzy". See docker-mcp gateway --help.'),
        (["catalog", "push", "x"], '"catalog push" is not available: catalogs are files here'),
        (["server", "enable"], "the following arguments are required: NAME. See docker-mcp server enable --help."),
        (["catalog", "ls", "--format", "xml"], "--format: 'xml' is not one of json. See docker-mcp catalog ls"),
        (["server", "--nonsense"], "unknown option --nonsense. See docker-mcp server --help."),
        (["gateway", "run", "--wach=false"], "unknown option --wach. Did you mean --watch?"),
        (["tools", "ls", "--format", "jsn"], "--format: 'jsn' is not one of list, json. Did you mean json?"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_code_2(run: Run, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert refusal(result).startswith(sentence)


def _commands() -> dict[str, Command]:
    """Every command there is, by the words that are typed before its options."""
    groups = [group(name) for name in command_line.commands()]
    return {f"{path} {command.names[0]}": command for found in groups if found for path, command in found.walk()}


COMMANDS = _commands()
PLACES = [*command_line.commands(), *(name.removeprefix("docker-mcp ") for name in COMMANDS)]


@pytest.mark.parametrize("place", ["", *PLACES])
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_says_what_a_command_does_and_shows_an_example(
    capsys: pytest.CaptureFixture[str], place: str, asked: str
) -> None:
    assert main([*place.split(), asked]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith("usage: docker-mcp")
    assert re.search(r"^examples?:\n  (docker-mcp|source)", shown.out, re.MULTILINE), shown.out


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_option_is_code_2(capsys: pytest.CaptureFixture[str], place: str) -> None:
    assert main([*place.split(), "--no-such-option"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("docker-mcp: unknown option --no-such-option. ")
    assert len(shown.err.splitlines()) == 1


@pytest.mark.parametrize("name", command_line.GROUPS)
def test_an_unknown_command_is_code_2_and_a_likely_one_is_suggested(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    found = group(name)
    assert found is not None
    meant = max(found.commands, key=lambda command: len(command.names[0])).names[0]
    assert main([name, f"{meant[:-1]}x"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Did you mean " in shown.err


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_says_what_it_does_in_one_sentence(command: Command) -> None:
    assert command.summary.endswith(".")
    assert command.summary[0].isupper()
    assert "\n" not in command.summary


@pytest.mark.parametrize("columns", ["40", "60"])
@pytest.mark.parametrize("place", ["", *PLACES])
def test_help_fits_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main([*place.split(), "--help"]) == 0
    # Words that belong together on a command line may be longer: they are to be copied.
    long = [line for line in capsys.readouterr().out.splitlines() if len(line) > int(columns) and " " in line.strip()]
    assert [line for line in long if not line.strip().startswith(("docker-mcp", "source", "'"))] == []


def test_hidden_commands_are_shown_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = Command(("secretive",), "Do it.", "", lambda _: 0, is_hidden=True)
    found = Group("x", "Things.", (Command(("usual",), "Do it.", "", lambda _: 0), hidden))
    assert "secretive" not in found.help()
    monkeypatch.setenv("DOCKER_MCP_SHOW_HIDDEN", "1")
    assert "secretive" in found.help()
    assert main(["--help"]) == 0
    assert "docker-cli-plugin-metadata" in capsys.readouterr().out


def test_groups_may_hold_groups(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[list[str]] = []
    inner = Group(
        "server",
        "Servers in it.",
        (
            Command(
                ("add",),
                "Add one.",
                "a b",
                lambda arguments: told.append(arguments.names) or 0,
                lambda parser: parser.add_argument("names", nargs="+") and None,
            ),
        ),
        aliases=("servers",),
    )
    outer = Group("box", "Boxes.", (inner,))
    assert outer.run(["servers", "add", "x"]) == 0
    assert told == [["x"]]
    assert outer.run([]) == 0
    assert "docker-mcp box server add a b" in capsys.readouterr().out
    assert outer.run(["server", "ad"]) == 2
    assert capsys.readouterr().err == 'docker-mcp: unknown command "box server ad". Did you mean add?\n'


@pytest.mark.parametrize(
    ("typed", "variables", "rest"),
    [
        (["mcp", "server", "ls"], {}, ["server", "ls"]),
        (["--context", "work", "-D", "mcp", "ls"], {"DOCKER_CONTEXT": "work"}, ["ls"]),
        (["-H=tcp://x", "--config", "/c", "mcp"], {"DOCKER_HOST": "tcp://x", "DOCKER_CONFIG": "/c"}, []),
        (["help", "mcp", "tools"], {}, ["help", "tools"]),
        (["__complete", "mcp", "to"], {}, ["__complete", "to"]),
    ],
)
def test_docker_hands_over_its_own_options(typed: list[str], variables: dict[str, str], rest: list[str]) -> None:
    assert plugin_arguments(typed) == (variables, rest)


def test_remarks_name_commands_as_they_are_typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["docker-mcp", "mcp", "catalog", "ls"])
    output.remark("docker-mcp: nothing is here; docker-mcp catalog init fetches it.")
    assert capsys.readouterr().err == "docker-mcp: nothing is here; docker mcp catalog init fetches it.\n"


@pytest.mark.parametrize("typed", [[], ["server", "mcp"], ["--nonsense", "mcp"], ["--context"]])
def test_other_calls_are_not_dockers(typed: list[str]) -> None:
    assert plugin_arguments(typed) is None


def test_help_is_found_in_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "server", "enable"]) == 0
    one = capsys.readouterr().out
    assert main(["servers", "add", "-h"]) == 0
    assert capsys.readouterr().out == one


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (GatewayError("the sky fell", "Hold it up"), 1, "docker-mcp: the sky fell. Hold it up.\n"),
        (UsageError("not like that"), 2, "docker-mcp: not like that\n"),
        (KeyboardInterrupt(), 130, ""),
        (OSError(28, "No space left on device", "/x"), 1, "docker-mcp: No space left on device: /x\n"),
    ],
)
def test_errors_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(command_line, "_dispatch", fail)
    assert main(["anything"]) == code
    assert capsys.readouterr().err == said


def test_an_unforeseen_error_shows_neither_a_traceback_nor_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ValueError("token=secret")

    monkeypatch.setattr(command_line, "_dispatch", fail)
    assert main(["anything"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("docker-mcp: this is a fault of the program (ValueError in ")
    assert "secret" not in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("docker_mcp")
def test_a_reader_that_stops_reading_causes_no_complaint(environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        command("catalog", "show", "starter", "--format", "yaml"),
        env=environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (141, b"")


@pytest.mark.parametrize(
    "arguments",
    [["version"], ["docker-cli-plugin-metadata"], ["catalog", "ls"], ["catalog", "show"], ["server", "list"],
     ["server", "enable", "tiny"], ["server", "disable", "tiny"], ["gateway", "status"], ["config", "read"],
     ["secret", "ls"], ["policy", "dump"], ["feature", "ls"], ["profile", "ls"], ["client", "ls", "-g"],
     ["plugin", "status"], ["server", "--help"], ["__complete", "server", "enable", ""]],
)  # fmt: skip
@pytest.mark.usefixtures("docker_mcp")
def test_what_needs_no_gateway_imports_nothing_heavy(environment: dict[str, str], arguments: list[str]) -> None:
    program = (
        "import sys\nfrom desktop.cli.main import main\n"
        "code = main(sys.argv[1:])\nsys.stderr.write(' '.join(sys.modules))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, encoding="utf-8", timeout=30
    )
    imported = set(process.stderr.splitlines()[-1].split())
    assert "desktop.cli.main" in imported
    assert imported & HEAVY == set()
    assert "asyncio.events" not in imported
    assert "desktop.app" not in imported
    if arguments[0] == "version":
        assert imported & {"asyncio", "json", "dataclasses", "desktop.errors"} == set()


def test_flags_are_understood_as_go_writes_them() -> None:
    parser = Parser("x", "", "")
    parser.switch("watch", "", default=True)
    parser.switch("verbose", "")
    parser.option("--name", action="append")
    parser.add_argument("words", nargs="*")
    read = parser.read(["a", "--watch=false", "--name", "--dashed", "--verbose", "b", "--name=c=d", "--", "--e"])
    assert (read.watch, read.verbose, read.name, read.words) == (False, True, ["--dashed", "c=d"], ["a", "b", "--e"])
    assert parser.read(["--no-watch"]).watch is False
    assert parser.read(["--watch=T", "--verbose=0"]).watch is True


def _tells_json(command: Command) -> bool:
    options = {name: action for action in command.parser("x")._actions for name in action.option_strings}
    return ("--json" in options and options["--json"].nargs == 0) or "json" in (
        options["--format"].choices or () if "--format" in options else ()
    )


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if _tells_json(command)])
def test_json_is_asked_for_in_either_form(name: str) -> None:
    command = COMMANDS[name]
    needed = ["x"] * sum(
        1 for action in command.parser("x")._actions if not action.option_strings and action.nargs not in ("?", "*")
    )
    one = command.parser("x").read(["--json", *needed]) if name != "docker-mcp tools call" else None
    other = command.parser("x").read(["--format", "json", *needed])
    told = [vars(other)] if one is None else [vars(one), vars(other)]
    for values in told:
        assert values.get("format") == "json" or values.get("json")
