"""``docker-mcp feature``: words in a file that belongs to Docker's command line."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, refusal

# As Docker's command line writes it: tabs, no line end.
DOCKERS = (
    '{\n\t"auths": {\n\t\t"https://index.docker.io/v1/": {"auth": "aHVzaA=="}\n\t},\n\t"credsStore": "pass",\n'
    '\t"plugins": {\n\t\t"x": {\n\t\t\t"big": 12345678901234567890,\n\t\t\t"float": 1.0\n\t\t}\n\t}\n}'
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """config.json of Docker's command line."""
    file = tmp_path / ".docker" / "config.json"
    file.parent.mkdir()
    file.write_bytes(DOCKERS.encode())
    return file


def test_the_list_says_what_holds_and_what_it_does(typed: Run, config: Path) -> None:
    lines = typed("feature", "ls").stdout.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [
        ["dynamic-tools", "enabled"],
        ["mcp-oauth-dcr", "enabled"],
        ["oauth-interceptor", "disabled"],
        ["profiles", "enabled"],
        ["tool-name-prefix", "disabled"],
        ["use-embeddings", "disabled"],
    ]
    assert config.read_bytes() == DOCKERS.encode()


def test_turning_one_on_leaves_the_file_as_docker_wrote_it(typed: Run, config: Path) -> None:
    config.chmod(0o600)
    result = typed("feature", "disable", "dynamic-tools")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    expected = DOCKERS.removesuffix("\n}") + ',\n\t"features": {\n\t\t"dynamic-tools": "disabled"\n\t}\n}'
    assert config.read_bytes() == expected.encode()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    before = config.stat()
    assert typed("feature", "disable", "dynamic-tools").returncode == 0
    assert config.stat().st_ino == before.st_ino  # nothing to write
    assert typed("features", "enable", "dynamic-tools").returncode == 0
    assert config.read_bytes() == expected.replace("disabled", "enabled").encode()
    assert json.loads(typed("feature", "ls", "--json").stdout)["dynamic-tools"] == "enabled"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b'{\n  "features": {\n    "profiles": "disabled"\n  }\n}\n'),
        (b'{"features":{"other-tool":"on"}}', b'{"features":{"other-tool":"on","profiles":"disabled"}}'),
        (b'{"features": null, "x": 1}\n', None),
        (b'\xef\xbb\xbf{\r\n  "x": 1\r\n}\r\n', None),
        (b'{"features": {"profiles": true}}', b'{"features": {"profiles": "disabled"}}'),
    ],
)
def test_whatever_is_there_stays(typed: Run, config: Path, before: bytes, after: bytes | None) -> None:
    config.write_bytes(before)
    assert typed("feature", "disable", "profiles").returncode == 0
    written = config.read_bytes()
    if after is not None:
        assert written == after
    data = json.loads(written.decode("utf-8-sig"))
    assert data.pop("features")["profiles"] == "disabled"
    old = json.loads(before.decode("utf-8-sig") or "{}")
    old.pop("features", None)
    assert data == old
    assert written.count(b"\r\n") in (0, written.count(b"\n"))
    assert written.startswith(b"\xef\xbb\xbf") == before.startswith(b"\xef\xbb\xbf")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_new_file_is_the_persons_alone(typed: Run, tmp_path: Path) -> None:
    assert typed("feature", "enable", "profiles").returncode == 0
    assert stat.S_IMODE((tmp_path / ".docker" / "config.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ['{"a": 1,}', "[]", '{"features": "all"}', '{"features": [1]}', "{", "\x00"])
def test_a_file_that_cannot_be_understood_is_left_alone(typed: Run, config: Path, text: str) -> None:
    config.write_text(text, "utf-8")
    result = typed("feature", "enable", "profiles")
    assert result.returncode == 1
    assert str(config) in refusal(result)
    assert config.read_text("utf-8") == text


def test_mistakes_are_one_sentence(typed: Run, config: Path) -> None:
    wrong = typed("feature", "enable", "dynamic-tool")
    assert (wrong.returncode, refusal(wrong)) == (1, "feature dynamic-tool not found. Did you mean dynamic-tools?")
    assert refusal(typed("feature", "disable", "x")).startswith(
        "feature x not found. There are dynamic-tools, mcp-oauth"
    )
    assert refusal(typed("feature", "enabel", "x")) == 'unknown command "feature enabel". Did you mean enable?'
    assert config.read_bytes() == DOCKERS.encode()


def test_the_folder_docker_uses_is_the_one_that_counts(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "elsewhere"))
    assert typed("feature", "disable", "profiles").returncode == 0
    assert json.loads((tmp_path / "elsewhere" / "config.json").read_text("utf-8")) == {
        "features": {"profiles": "disabled"}
    }


SWITCHER = """
import sys
from desktop.cli.main import main
for number in range(20):
    for word in ("enable", "disable"):
        assert main(["feature", word, sys.argv[1]]) == 0
"""


def test_two_processes_that_turn_features_at_once_lose_nothing(config: Path, environment: dict[str, str]) -> None:
    names = ("profiles", "dynamic-tools")
    processes = [subprocess.Popen([sys.executable, "-c", SWITCHER, name], env=environment) for name in names]
    assert [process.wait(60) for process in processes] == [0, 0]
    data = json.loads(config.read_text("utf-8"))
    assert data["features"] == dict.fromkeys(names, "disabled")
    assert config.read_text("utf-8").startswith(DOCKERS.removesuffix("\n}"))
