"""``docker-mcp secret``: values go in by argument, standard input or a `.env` file, and come out by export alone."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.secrets.env_file import env_line, parse_env
from tests.cli.conftest import Run, command, refusal

CATALOG = """\
name: docker-mcp
displayName: Test
registry:
  one:
    image: example/one
    secrets: [{name: one.b, env: ONE_B}, {name: one.a, env: ONE_A}]
  two:
    image: example/two
    secrets: [{name: shared.key, env: KEY}]
  three:
    image: example/three
    secrets: [{name: three.key, env: KEY}]
  bare: {image: example/bare}
"""


@pytest.fixture(autouse=True)
def protected(environment: dict[str, str], docker_mcp: Path) -> None:
    """A machine without a keychain, whose person gave a passphrase."""
    environment["MCP_GATEWAY_PASSPHRASE"] = "correct horse"
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(CATALOG, "utf-8")


def set_secrets(run: Run, **values: str) -> None:
    for name, value in values.items():
        result = run("secret", "set", f"{name.replace('_', '.')}={value}")
        assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), result


def test_nothing_is_listed_at_first(run: Run) -> None:
    assert run("secret", "ls").stdout == ""
    assert run("secret", "ls", "--json").stdout == "[]\n"


def test_a_value_may_hold_equals_signs_and_comes_out_as_it_went_in(run: Run) -> None:
    set_secrets(run, one_a="pass=wörd==", one_b=" padded 'x' ")
    assert run("secret", "export", "one").stdout == "one.a=pass=wörd==\none.b=\" padded 'x' \"\n"


@pytest.mark.parametrize(
    ("given", "kept"), [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("two\nlines", "two\nlines"), ("x=y ", "x=y ")]
)
def test_standard_input_is_taken_whole_but_for_one_line_end(run: Run, given: str, kept: str) -> None:
    assert run("secret", "set", "one.a", given=given).returncode == 0
    result = run("secret", "export", "one")
    line = env_line("one.a", kept)
    if line is None:
        assert (result.returncode, result.stdout) == (1, "")
        assert "one.a can't stand in a .env file" in result.stderr
    else:
        assert result.stdout == line + "\n"


def test_the_list_shows_names_and_providers_and_never_a_value(run: Run) -> None:
    set_secrets(run, Beta_key="hush", alpha="hush")
    assert run("secret", "set", "gamma=hush", "--provider", "credstore").returncode == 0
    assert run("secret", "set", "delta", "--provider=oauth/github").returncode == 0
    assert run("secret", "ls").stdout == ("alpha    |\nBeta.key |\ndelta    | oauth/github\ngamma    | credstore\n")
    assert json.loads(run("secret", "ls", "--json").stdout) == [
        {"name": "Beta.key"},
        {"name": "alpha"},
        {"name": "delta", "provider": "oauth/github"},
        {"name": "gamma", "provider": "credstore"},
    ]


def test_long_names_are_cut_in_the_list(run: Run) -> None:
    set_secrets(run, **{"x" * 60: "hush"})
    assert run("secret", "ls").stdout == "x" * 39 + "… |\n"


def test_secrets_of_sign_ins_are_kept_out_of_the_list_and_of_rm_all(run: Run) -> None:
    set_secrets(run, **{"oauth/github": "token", "mine": "hush"})
    assert [item["name"] for item in json.loads(run("secret", "ls", "--json").stdout)] == ["mine"]
    shown = json.loads(run("secret", "ls", "--json", "--all").stdout)
    assert [item["name"] for item in shown] == ["mine", "oauth/github"]
    assert run("secret", "rm", "--all").stdout == "removed secret mine\n"
    assert [item["name"] for item in json.loads(run("secret", "ls", "--json", "--all").stdout)] == ["oauth/github"]


def test_what_is_not_there_can_not_be_removed_and_the_rest_still_is(run: Run) -> None:
    set_secrets(run, a="hush", b="hush")
    result = run("secret", "rm", "a", "none", "b")
    assert result.returncode == 1
    assert result.stdout == "removed secret a\nfailed removing secret none\nremoved secret b\n"
    assert result.stderr == "docker-mcp: secret none not found\n"
    assert run("secret", "ls").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rm"], "either provide a secret name or use --all to remove all secrets"),
        (["rm", "--all", "a"], "give either names or --all"),
        (["set", "a", "hush"], "set takes one secret"),
        (["set", "hush hush"], "a secret's name consists of letters"),
        (["set", "=hush"], "a secret's name consists of letters"),
        (["set", "a="], "the value of a is empty"),
        (["set", "a=hush", "--provider", "vault"], "invalid provider: vault"),
        (["set", "a=hush", "--provider", "oauth/x"], "provider cannot be used with key=value pairs"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_sentence_that_shows_no_value(
    run: Run, arguments: list[str], words: str
) -> None:
    result = run("secret", *arguments)
    assert result.returncode == 2
    assert refusal(result).startswith(words)
    assert "hush" not in result.stderr


def test_an_unknown_server_is_named_and_one_without_secrets_exports_nothing(run: Run) -> None:
    assert refusal(run("secret", "export", "bare", "four")).startswith("server four not found in catalog")
    result = run("secret", "export", "bare")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_what_is_not_set_is_remarked_and_left_out(run: Run) -> None:
    set_secrets(run, one_a="1")
    result = run("secret", "export", "one", "two")
    assert (result.returncode, result.stdout) == (0, "one.a=1\n")
    assert result.stderr == "docker-mcp: one.b is not set.\ndocker-mcp: shared.key is not set.\n"


def test_a_file_is_imported_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "my.env"
    file.write_text("# mine\nONE_A='1'\nexport one.b=2=3\nother.key=4\nempty=\n", "utf-8")
    result = run("secret", "import", "my.env")
    assert result.stdout == "imported secret one.a\nimported secret one.b\nimported secret other.key\n"
    assert run("secret", "export", "one").stdout == "one.a=1\none.b=2=3\n"
    file.write_text("fine=1\nnot a name=hush\n", "utf-8")
    assert "hush" not in refusal(run("secret", "import", "my.env"))
    file.write_text("fine=1\nhush\n", "utf-8")
    assert refusal(run("secret", "import", "my.env")).endswith("my.env, line 2: a line 'name=value' is expected")
    assert "fine" not in run("secret", "ls").stdout


def test_a_variable_several_secrets_are_carried_by_keeps_its_name_and_is_remarked(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=1\n", "utf-8")
    result = run("secret", "import", ".env")
    assert result.stdout == "imported secret KEY\n"
    assert (
        result.stderr
        == "docker-mcp: KEY may stand for shared.key, three.key; it is kept as KEY, which no server asks for.\n"
    )


@pytest.mark.parametrize("value", ["a", "a b", "'a'", '"', '"a" b', "=", "# a", " a", "a\t", "ä"])
def test_every_line_that_export_writes_reads_back_as_the_same_value(value: str) -> None:
    line = env_line("x.y", value)
    assert line is not None
    assert parse_env(line, where="") == {"x.y": value}


@pytest.mark.parametrize("value", ["a\nb", "a\n", "\r", "a\x85b"])
def test_what_no_line_can_hold_has_none(value: str) -> None:
    assert env_line("x.y", value) is None


def test_server_list_knows_what_is_set_without_opening_anything(run: Run, environment: dict[str, str]) -> None:
    set_secrets(run, one_a="1", shared_key="2")
    run("server", "enable", "one", "two")
    del environment["MCP_GATEWAY_PASSPHRASE"]
    words = {item["name"]: item["secrets"] for item in json.loads(run("server", "ls", "--json").stdout)}
    assert words == {"one": "partial", "two": "done"}


def test_without_keychain_and_passphrase_nothing_is_stored_and_that_is_said(
    run: Run, environment: dict[str, str]
) -> None:
    del environment["MCP_GATEWAY_PASSPHRASE"]
    assert refusal(run("secret", "set", "a=hush")).startswith("There is no keychain in this session, and nobody gave")
    assert run("secret", "ls").stdout == ""


def test_a_wrong_passphrase_opens_nothing(run: Run) -> None:
    set_secrets(run, one_a="hush")
    result = run("secret", "export", "one", more={"MCP_GATEWAY_PASSPHRASE": "battery staple"})
    assert refusal(result) == "This is not the passphrase of the stored secrets. Try again."


def test_rotating_keeps_every_value(run: Run, environment: dict[str, str]) -> None:
    set_secrets(run, one_a="1", one_b="2")
    assert run("secret", "rotate").returncode == 0
    assert run("secret", "export", "one").stdout == "one.a=1\none.b=2\n"


def test_secrets_that_can_not_be_opened_any_more_are_kept_and_named(run: Run, tmp_path: Path) -> None:
    set_secrets(run, one_a="1")
    (file,) = tmp_path.rglob("secrets.json")
    file.write_text("rubbish", "utf-8")
    assert "secrets.json was damaged" in refusal(run("secret", "ls"))
    result = run("secret", "set", "one.b=2")
    assert result.returncode == 0
    (kept,) = tmp_path.rglob("secrets-unreadable-*.json")
    assert f"the former secrets can't be opened any more and are kept in {kept}" in result.stderr
    assert kept.read_text("utf-8") == "rubbish"


def on_terminal(environment: Mapping[str, str], *arguments: str, typed: list[tuple[str, str]]) -> str:
    """What a command shows on a terminal that is its own, when ``typed`` is answered to what it asks."""
    pty = pytest.importorskip("pty", reason="only Unix has pseudo-terminals")
    import fcntl
    import termios

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    master, slave = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), env=dict(environment), stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal
    )
    os.close(slave)
    shown = ""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(master, 65536).decode():
            shown += piece
            if typed and typed[0][0] in shown:
                os.write(master, typed.pop(0)[1].encode() + b"\n")
    os.close(master)
    assert process.wait(timeout=30) == 0, shown
    return shown


def test_on_a_terminal_the_value_is_asked_for_and_not_shown(run: Run, environment: dict[str, str]) -> None:
    shown = on_terminal(environment, "secret", "set", "one.a", typed=[("Value of one.a: ", "hush")])
    assert "hush" not in shown
    assert "one.a=hush" in run("secret", "export", "one").stdout


def test_on_a_terminal_a_value_in_the_command_line_is_remarked(environment: dict[str, str]) -> None:
    shown = on_terminal(environment, "secret", "set", "one.a=hush", typed=[])
    assert "may now be in your shell's history" in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ONE_A", "No server asks for a secret ONE_A; did you mean one.a?"),
        ("KEY", "No server asks for a secret KEY; did you mean shared.key or three.key?"),
        ("one.aa", "No server asks for a secret one.aa; did you mean one.a?"),
        ("unlike-any", "No server asks for a secret unlike-any."),
    ],
)
def test_on_a_terminal_a_name_that_no_server_asks_for_is_remarked(
    environment: dict[str, str], name: str, said: str
) -> None:
    assert said in on_terminal(environment, "secret", "set", name, typed=[(f"Value of {name}: ", "hush")])


def test_a_gateway_in_the_foreground_asks_for_the_passphrase_once(run: Run, environment: dict[str, str]) -> None:
    set_secrets(run, one_a="hush", one_b="hush")
    del environment["MCP_GATEWAY_PASSPHRASE"]
    arguments = ["gateway", "run", "--dry-run", "--servers=one", "--transport=streaming", "--port=0", "--verbose"]
    typed = [("Passphrase of your secrets: ", "correct horse")]
    shown = on_terminal(environment, *arguments, typed=typed)
    assert "one: secret one.a comes from the secret store" in shown
    assert "hush" not in shown
    assert "Passphrase" not in run(*arguments).stderr  # nobody is there


def test_on_a_terminal_a_passphrase_is_chosen_once_and_asked_for_later(environment: dict[str, str]) -> None:
    del environment["MCP_GATEWAY_PASSPHRASE"]
    answers = [("New passphrase: ", "battery"), ("Once more: ", "battery")]
    shown = on_terminal(environment, "secret", "set", "one.a=hush", typed=answers)
    assert "There is no keychain here" in shown
    answers = [("Passphrase of your secrets: ", "battery")]
    assert "one.a=hush" in on_terminal(environment, "secret", "export", "one", typed=answers)
