"""Hidden variables: what the shell in front of a server reads is taken from its input exactly, and nothing of the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from desktop.engine.container import container_configuration
from desktop.engine.hidden_environment import ImageCommand, header, image_command, wrapped
from desktop.engine.ports import ContainerSpec

IMAGE = ImageCommand(
    image_id="sha256:1", entrypoint=("/entry", "point"), command=("usual",), variables=("PATH", "HOME")
)
SHELLS = [
    pytest.param(command, id=command[0], marks=pytest.mark.skipif(shutil.which(command[0]) is None, reason="not here"))
    for command in (["sh"], ["dash"], ["bash", "--posix"], ["busybox", "sh"])
]
AWKWARD = {
    "EMPTY_LINES": "\n\na\n\n",
    "QUOTES": "'\"`$HOME`$(id)\\n\\",
    "SIGNS": ".a\n+b\n-c\n= #*?[x]",
    "SPACES": "  two  \t",
    "LETTERS": "žluťoučký 鍵 🔑",
    "LONG": "x" * 20_000,
    "KEY": "-----BEGIN KEY-----\r\nabc\r\n-----END KEY-----\n",
}
SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:], sys.stdin.read()]))"


def spec(**more: Any) -> ContainerSpec:
    settings: dict[str, Any] = {"image": "any", "env": {"PLAIN": "1"}, "labels": {}}
    return ContainerSpec(**(settings | more))


def request(spec: ContainerSpec, image: ImageCommand = IMAGE, *, stdin: bool = True) -> dict[str, Any] | None:
    return wrapped(container_configuration(spec, instance="i", stdin=stdin), spec, image)


def run(shell: list[str], body: dict[str, Any], given: bytes) -> tuple[dict[str, str], list[str], str]:
    """What the program behind the shell has got: variables, arguments, standard input."""
    _, *reader = body["Entrypoint"]
    environment = dict(text.split("=", 1) for text in body["Env"]) | {"PATH": "/usr/bin:/bin"}
    command = [*shell, *reader, *body["Cmd"]]
    done = subprocess.run(command, input=given, env=environment, capture_output=True, timeout=30, check=True)
    assert done.stderr == b""
    variables, arguments, stdin = json.loads(done.stdout)
    return variables, arguments, stdin


@pytest.mark.parametrize("shell", SHELLS)
def test_every_value_arrives_as_it_is_and_the_rest_of_the_input_is_left(shell: list[str]) -> None:
    image = ImageCommand(image_id="i", entrypoint=(sys.executable, "-c", SHOW))
    wanted = spec(command=("one", "-two", "+three four"), hidden_env=AWKWARD)
    body = request(wanted, image)
    assert body is not None
    variables, arguments, stdin = run(shell, body, header(wanted, image) + b'.first\n+second\n\n{"x": 1}\n')
    assert {name: variables[name] for name in AWKWARD} == AWKWARD
    assert variables["PLAIN"] == "1"
    assert not [name for name in variables if name.startswith("mgd")]
    assert arguments == ["one", "-two", "+three four"]
    assert stdin == '.first\n+second\n\n{"x": 1}\n'


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_with_a_secret_comes_over_the_input_too(shell: list[str]) -> None:
    image = ImageCommand(image_id="i", entrypoint=(sys.executable, "-c", SHOW))
    wanted = spec(command=("--url", "postgres://u:hush\n@x", "", "-"), hidden_env={"A": "hush"}, hides_command=True)
    body = request(wanted, image)
    assert body is not None
    assert "hush" not in json.dumps(body)
    variables, arguments, stdin = run(shell, body, header(wanted, image) + b"rest")
    assert (variables["A"], arguments, stdin) == ("hush", ["--url", "postgres://u:hush\n@x", "", "-"], "rest")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_container_without_input_of_its_own_gets_none(shell: list[str]) -> None:
    image = ImageCommand(image_id="i", entrypoint=(sys.executable, "-c", SHOW))
    wanted = spec(hidden_env={"A": "hush"})
    body = request(wanted, image, stdin=False)
    assert body is not None
    assert body["OpenStdin"]
    variables, _, stdin = run(shell, body, header(wanted, image) + b"not for it")
    assert (variables["A"], stdin) == ("hush", "")


def test_the_request_holds_no_hidden_value_and_keeps_everything_else() -> None:
    wanted = spec(hidden_env={"A": "hush"}, user="1000", binds=("/a:/b",))
    plain, hidden = container_configuration(wanted, instance="i", stdin=True), request(wanted)
    assert hidden is not None
    assert "hush" in json.dumps(plain)
    assert "hush" not in json.dumps(hidden)
    assert hidden["Cmd"] == ["/entry", "point", "usual"]
    changed = {"Env", "Entrypoint", "Cmd"}
    assert {key: value for key, value in hidden.items() if key not in changed} == {
        key: value for key, value in plain.items() if key not in changed
    }


@pytest.mark.parametrize(
    ("wanted", "image"),
    [
        (spec(hidden_env={"A.B": "1"}), IMAGE),
        (spec(hidden_env={"A": "1"}, env={"a-b": "1"}), IMAGE),
        (spec(hidden_env={"A": "1"}), ImageCommand(image_id="i", command=("x",), variables=("odd.name",))),
        (spec(hidden_env={"A": "1\0"}), IMAGE),
        (spec(hidden_env={"A": "1"}), ImageCommand(image_id="i")),
        (spec(hidden_env={"A": "1"}), ImageCommand(image_id="i", command=("x",), is_linux=False)),
    ],
)
def test_where_a_shell_would_lose_something_nothing_is_hidden(wanted: ContainerSpec, image: ImageCommand) -> None:
    assert request(wanted, image) is None


def test_what_an_image_runs_is_read_from_the_engines_answer() -> None:
    answer = {
        "Id": "sha256:1",
        "Os": "linux",
        "Config": {"Entrypoint": None, "Cmd": ["sh"], "Env": ["PATH=/bin", "A="]},
    }
    assert image_command(answer) == ImageCommand(image_id="sha256:1", command=("sh",), variables=("PATH", "A"))
    assert image_command({"Id": "x", "Os": "windows"}) == ImageCommand(image_id="x", is_linux=False)


def test_hidden_values_do_not_show_in_the_specs_own_text() -> None:
    assert "hush" not in repr(spec(hidden_env={"A": "hush"}))
