"""``docker-mcp config``: the settings of servers as one text and one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, command, refusal
from tests.helpers import reference_reader as reference

CATALOG = """\
name: docker-mcp
registry:
  files:
    image: example/files
    config:
      - name: files
        type: object
        properties:
          paths: {type: array, items: {type: string}, default: [/nowhere]}
          depth: {type: integer}
          mode: {type: string, enum: [fast, slow]}
          strict: {type: boolean}
          free: {type: object}
          nested: {type: object, properties: {url: {type: string}, port: {type: integer}}, required: [url, port]}
        required: [paths]
  my.server: {image: example/dotted, config: [{name: my.server, type: object, properties: {key: {type: string}}}]}
  bare: {image: example/bare}
"""
WRITTEN = """\
# mine
files:
  paths: [/a]   # one
  when: 2024-01-01   # a date to some, text to others
  octal: 0o17
unknown-to-all:
  x-own: {deep: [1, two, null]}  # kept
"""


@pytest.fixture
def config(docker_mcp: Path) -> Path:
    """config.yaml with what others wrote."""
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(CATALOG, "utf-8")
    file = docker_mcp / "config.yaml"
    file.write_text(WRITTEN, "utf-8")
    return file


def test_what_is_written_is_read_as_it_was_typed(typed: Run, docker_mcp: Path) -> None:
    text = "# mine\r\nfiles: {paths: ['/a']}  # one line, no end"
    written = typed("config", "write", text)
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert (docker_mcp / "config.yaml").read_bytes() == text.encode()
    assert typed("config", "read").stdout == text
    assert typed("config", "write", "-", given="b: {é: 1}\n").returncode == 0
    assert typed("config", "read").stdout == "b: {é: 1}\n"
    assert (docker_mcp / "config.yaml.bak").read_bytes() == text.encode()
    assert typed("config", "reset").returncode == 0
    assert (typed("config", "read").stdout, (docker_mcp / "config.yaml.bak").read_text("utf-8")) == ("", "b: {é: 1}\n")


def test_reading_passes_on_whatever_is_there(typed: Run, docker_mcp: Path, environment: dict[str, str]) -> None:
    assert typed("config", "read").stdout == ""
    (docker_mcp / "config.yaml").write_bytes(b"\xff\x00 not text")
    assert (
        subprocess.run(command("config", "read"), env=environment, capture_output=True, timeout=60, check=True).stdout
        == b"\xff\x00 not text"
    )


BIG = "files:\n" + "".join(f"  key{number}: {'x' * 100}\n" for number in range(47_000))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b"[1, 2]", "the new text, line 1, column 1: a map of names is expected here"),
        (b"- a\n- b\n", "the new text, line 1, column 1: a map of names is expected here"),
        (b"just words", "the new text, line 1, column 1: a map of names is expected here"),
        (b"5", "the new text, line 1, column 1: a map of names is expected here"),
        (b"a: {}\nb: 1\n", "the new text, line 2, column 4: the values of 'b' should be a map"),
        (b"a:\n  - x\n", "the new text, line 2, column 3: the values of 'a' should be a map"),
        (b"a:\n\tb: 1\n", "the new text, line 2, column 1: this is not valid YAML (found character that cannot start any"),
        (b"a: {b: [}\n", "the new text, line 1, column 9: this is not valid YAML"),
        (b"a: {}\n---\nb: {}\n", "the new text, line 2, column 1: this is not valid YAML"),
        (b"a: {x: 1}\nb: {}\na: {}\n", "the new text, line 3, column 1: the key 'a' comes twice"),
        (b"a: {x: 1, y: [{z: 1, z: 2}]}\n", "the new text, line 1, column 22: the key 'z' comes twice"),
        (BIG.encode(), f"the new text: it has {len(BIG):,} bytes, and at most 1,048,576 are taken"),
        (b"a: {}\n\xff\xfe", "the new text, line 2: this is not UTF-8 text"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "the new text"),
        (b"[" * 100_000, "the new text"),
    ],
    ids=["list", "block list", "words", "number", "scalar", "list in a map", "tab", "broken", "two documents", "twice",
         "twice within", "5 MB", "not UTF-8", "binary", "deep"],
)  # fmt: skip
def test_what_cannot_be_a_config_is_refused_and_the_old_one_stays(
    typed: Run, config: Path, given: bytes, sentence: str
) -> None:
    result = typed("config", "write", "-", given=given)
    assert result.returncode == 1
    assert refusal(result).startswith(sentence)
    assert config.read_text("utf-8") == WRITTEN
    assert [path.name for path in config.parent.iterdir() if path.name.startswith("config")] == ["config.yaml"]


def test_tabs_are_named(typed: Run, config: Path) -> None:
    assert refusal(typed("config", "write", "a:\n\tb: 1")).endswith("Indent with spaces instead of tabs.")


def test_an_argument_that_is_no_text_is_refused(config: Path, environment: dict[str, str]) -> None:
    process = subprocess.run(
        [*command("config", "write"), b"a: {b: \xff}"], env=environment, capture_output=True, timeout=60
    )
    assert (process.returncode, process.stderr) == (1, b"docker-mcp: the new text: this is not UTF-8 text\n")
    assert config.read_text("utf-8") == WRITTEN


def test_a_broken_file_can_be_replaced_and_is_kept(typed: Run, config: Path) -> None:
    config.write_bytes(b"\xff broken")
    assert typed("config", "write", "a: {b: 1}").returncode == 0
    assert config.with_name("config.yaml.bak").read_bytes() == b"\xff broken"


def test_setting_one_value_leaves_everything_else(typed: Run, config: Path) -> None:
    set_one = typed("config", "set", "files.depth=3", "files.nested.url=https://x?a=b")
    assert (set_one.returncode, set_one.stdout, set_one.stderr) == (0, "", "")
    text = config.read_text("utf-8")
    for line in WRITTEN.splitlines():
        assert line in text.splitlines()
    seen = reference.config(text)
    assert seen["files"] | {"depth": 3, "nested": {"url": "https://x?a=b"}} == seen["files"]
    assert typed("config", "unset", "files.depth", "files.nested.url").returncode == 0
    assert config.read_text("utf-8") == WRITTEN
    assert typed("config", "unset", "files", "bare").returncode == 0
    assert config.read_text("utf-8") == WRITTEN[: WRITTEN.index("files")] + WRITTEN[WRITTEN.index("unknown") :]


def test_values_become_what_the_schema_asks_for(typed: Run, config: Path) -> None:
    arguments = ["files.depth=3", "files.strict=false", "files.mode=slow", "files.free={\"a\": [1]}", "files.free.b=x",
                 "files.paths=/a", "files.paths=/b", "bare.anything.at.all=5", "my.server.key=0017"]  # fmt: skip
    assert typed("config", "set", *arguments).returncode == 0
    seen = reference.config(config.read_text("utf-8"))
    assert seen["files"] | {"depth": 3, "strict": False, "mode": "slow", "paths": ["/a", "/b"]} == seen["files"]
    assert seen["files"]["free"] == {"a": [1], "b": "x"}
    assert seen["bare"] == {"anything": {"at": {"all": "5"}}}
    assert seen["my_server"] == {"key": "0017"}  # today's reference looks a dotted name up with underscores


def test_an_entry_under_the_exact_name_is_the_one_that_is_changed(typed: Run, config: Path) -> None:
    config.write_text("my.server: {other: kept}\n", "utf-8")
    assert typed("config", "set", "my.server.key=v").returncode == 0
    assert reference.config(config.read_text("utf-8")) == {"my.server": {"other": "kept", "key": "v"}}
    assert typed("config", "get", "my.server.key").stdout == "v\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["set", "files.depth=deep"], 2, "the setting files.depth must be an integer, not 'deep'"),
        (["set", "files.depth=1", "files.mode=quick"], 2, 'the setting files.mode should be one of "fast", "slow"'),
        (["set", "files.pahts=/a"], 2, "server files has no setting pahts. Did you mean paths?"),
        (["set", "files.nested.ulr=x"], 2, "server files has no setting nested.ulr. Did you mean nested.url?"),
        (["set", "files.zzz=x"], 2, "server files has no setting zzz. It has depth, free, mode, nested, nested.port, "),
        (["set", "fiels.paths=/a"], 1, "server fiels not found in catalog. Did you mean files?"),
        (["set", "files.depth"], 2, "'files.depth' is not of the form SERVER.KEY=VALUE"),
        (["set", "files=x"], 2, "files names no setting."),
        (["set", "bare..x=1"], 2, "bare..x has an empty part."),
        (["set"], 2, "the following arguments are required: SERVER.KEY=VALUE."),
        (["get", "files.mode"], 2, "files.mode is not set."),
        (["get", "files.mood"], 2, "server files has no setting mood. Did you mean mode?"),
        (["get", "nobody"], 1, "server nobody not found in catalog."),
        (["wirte", "x"], 2, 'unknown command "config wirte". Did you mean write?'),
        (["write"], 2, "the following arguments are required: YAML."),
        (["write", "a: {}", "b: {}"], 2, "unexpected argument"),
    ],
)
def test_mistakes_are_one_sentence_and_change_nothing(
    typed: Run, config: Path, arguments: list[str], code: int, sentence: str
) -> None:
    result = typed("config", *arguments)
    assert result.returncode == code
    assert refusal(result).startswith(sentence)
    assert config.read_text("utf-8") == WRITTEN


def test_values_are_printed_plainly_and_defaults_stand_in(typed: Run, config: Path) -> None:
    assert typed("config", "get", "files.when").stdout == "2024-01-01\n"
    assert json.loads(typed("config", "get", "files.paths").stdout) == ["/a"]
    assert json.loads(typed("config", "get", "unknown-to-all").stdout) == {"x-own": {"deep": [1, "two", None]}}
    assert json.loads(typed("config", "get", "bare").stdout) == {}
    assert set(json.loads(typed("config", "get").stdout)) == {"files", "unknown-to-all"}
    config.write_text("", "utf-8")
    assert json.loads(typed("config", "get", "files.paths").stdout) == ["/nowhere"]


def test_a_broken_config_is_named_and_left_alone(typed: Run, config: Path) -> None:
    config.write_text("files: [\n", "utf-8")
    for arguments in (["get"], ["set", "files.depth=1"], ["unset", "files.depth"]):
        result = typed("config", *arguments)
        assert result.returncode == 1
        assert refusal(result).startswith(f"{config}, line 2, column 1: this is not valid YAML")
    assert config.read_text("utf-8") == "files: [\n"


SETTER = """
import sys
from desktop.cli.main import main
for number in range(15):
    assert main(["config", "set", f"bare.{sys.argv[1]}.k{number}={number}"]) == 0
"""


def test_two_processes_that_set_values_at_once_lose_none(config: Path, environment: dict[str, str]) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", SETTER, own], env=environment) for own in ("left", "right")]
    assert [process.wait(60) for process in processes] == [0, 0]
    text = config.read_text("utf-8")
    wanted = {f"k{number}": str(number) for number in range(15)}
    assert reference.config(text)["bare"] == {"left": wanted, "right": wanted}
    assert text.startswith(WRITTEN)
