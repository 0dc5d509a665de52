"""What the tab key offers, as the protocol tells it; that shells use it rightly is tested in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.cli import candidates, subjects
from desktop.cli import main as command_line
from desktop.cli.main import main
from tests.cli.conftest import Run


def offered(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[list[str], int]:
    """The candidates in place of the last word, and the directive."""
    assert candidates.run(words) == 0
    *lines, directive = capsys.readouterr().out.splitlines()
    assert directive.startswith(":")
    return [line.partition("\t")[0] for line in lines], int(directive[1:])


@pytest.mark.parametrize(
    ("words", "some", "none"),
    [
        ([""], {"catalog", "gateway", "server", "completion", "version", "help"}, {"docker-cli-plugin-metadata"}),
        (["ser"], {"server"}, {"catalog"}),
        (["servers", "dis"], {"disable"}, {"enable"}),
        (["help", "server", "ena"], {"enable"}, {"disable"}),
        (["catalog", "ls", "--"], {"--format", "--json", "--help"}, {"--limit"}),
        (["catalog", "ls", "--json", "--"], {"--format"}, {"--json"}),
        (["catalog", "ls", "--format", ""], {"json"}, set()),
        (["catalog", "show", "--format=y"], {"--format=yaml"}, {"--format=json"}),
        (["tools", "--format", "json", "in"], {"inspect"}, {"ls"}),
        (["gateway", "run", "--tran"], {"--transport"}, {"--static"}),
        (["gateway", "run", "--transport", "s"], {"stdio", "sse", "streaming"}, set()),
        (["gateway", "run", "--block-secrets", ""], {"block", "redact"}, set()),
        (["completion", ""], {"bash", "zsh", "fish", "powershell"}, set()),
        (["completion", "bash", ""], set(), {"bash"}),
        (["nonsense", ""], set(), {"catalog"}),
        (["server", "nonsense", ""], set(), {"list"}),
    ],
)
def test_commands_options_and_values_are_offered(
    capsys: pytest.CaptureFixture[str], words: list[str], some: set[str], none: set[str]
) -> None:
    found, directive = offered(capsys, *words)
    assert some <= set(found)
    assert not none & set(found)
    assert directive == 4


def test_a_file_is_left_to_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert offered(capsys, "gateway", "run", "--registry", "") == ([], 0)
    assert offered(capsys, "catalog", "export", "mine", "") == ([], 0)
    assert offered(capsys, "catalog", "import", "x") == ([], 0)


def test_what_a_candidate_means_stands_behind_a_tab(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["__complete", "mcp", "server", "enab"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "enable\tEnable servers.\n:4\n"
    assert shown.err == "Completion ended with directive: ShellCompDirectiveNoFileComp\n"
    assert main(["__completeNoDesc", "server", "enab"]) == 0
    assert capsys.readouterr().out == "enable\n:4\n"


@pytest.mark.usefixtures("docker_mcp")
def test_names_come_from_the_files_there_are(run: Run) -> None:
    def names(*words: str) -> set[str]:
        lines = run("__complete", *words).stdout.splitlines()
        assert lines.pop() == ":4"
        return {line.partition("\t")[0] for line in lines}

    run("server", "enable", "tiny")
    assert "boxed" in names("server", "enable", "")
    assert "tiny" not in names("server", "enable", "")
    assert names("server", "disable", "") == {"tiny"}
    assert names("server", "disable", "tiny", "") == set()
    assert {"tiny", "boxed"} <= names("server", "inspect", "")
    assert names("server", "inspect", "tiny", "") == set()
    assert names("gateway", "run", "--servers", "boxed,tin") == {"boxed,tiny"}
    assert names("catalog", "show", "dock") == {"docker-mcp"}
    assert "docker-mcp/tiny" in names("catalog", "add", "mine", "docker-mcp/")
    assert names("profile", "create", "--server", "tin") == {"tiny"}
    assert names("secret", "rm", "") == set()
    assert run("profile", "create", "--name", "Work", "--server", "boxed").returncode == 0
    assert names("profile", "show", "") == {"work"}
    assert names("profile", "server", "rm", "work", "") == {"boxed"}
    assert names("profile", "tools", "work", "--disable-all", "") == {"boxed"}


@pytest.mark.usefixtures("docker_mcp")
def test_tools_and_their_arguments_are_known_from_their_last_listing(run: Run) -> None:
    assert run("server", "enable", "tiny", "--without-container").returncode == 0
    assert run("tools", "count").returncode == 0
    tools = run("__completeNoDesc", "tools", "call", "").stdout.splitlines()
    assert tools == ["add", "fail", ":4"]
    # No space follows, since a value does.
    assert run("__completeNoDesc", "tools", "call", "add", "").stdout.splitlines() == ["a=", "b=", ":6"]
    assert run("__complete", "tools", "call", "add", "a").stdout.splitlines() == ["a=\tthe first", ":6"]


def test_every_argument_is_completed_or_cannot_be() -> None:
    typed_freely = {"WORD", "NEW-NAME", "YAML", "RULES", "NUMBER", "TEXT"}
    missing = set()
    for name in [*command_line.GROUPS, *command_line._HIDDEN]:
        found = command_line.group(name)
        assert found is not None
        for path, command in found.walk():
            words = f"{path} {command.names[0]}".removeprefix("docker-mcp ")
            arguments = [action for action in command.parser(path)._actions if not action.option_strings]
            for position, action in enumerate(arguments):
                is_known = action.choices or candidates.is_file(action) or subjects.of_argument(words, position)
                if not is_known and action.metavar not in typed_freely:
                    missing.add(f"{words} {action.metavar}")
    assert missing == {"catalog create NAME", "client import NAME"}


def test_a_broken_file_offers_nothing_and_says_nothing(run: Run, docker_mcp: Path) -> None:
    (docker_mcp / "registry.yaml").write_text("a: [", encoding="utf-8")
    result = run("__complete", "server", "disable", "")
    assert (result.returncode, result.stdout) == (0, ":4\n")
    assert "docker-mcp" not in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_script_is_all_that_is_printed(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert "docker-mcp" in result.stdout
    assert "__complete" in result.stdout


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fsh"]) == 2
    assert "Did you mean fish?" in capsys.readouterr().err
