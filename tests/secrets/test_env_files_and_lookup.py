"""Secrets are looked up name by name, in the keychain first and in `.env` files after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop.errors import KeychainLockedError, StateFileError, UsageError
from desktop.secrets.env_file import parse_env, read_env_file
from desktop.secrets.lookup import (
    EnvFileSource,
    FoundSecret,
    SecretLookup,
    SecretReference,
    SourceChoice,
    parse_secrets_option,
)


@dataclass(frozen=True)
class Reference:
    """A secret that a server declares."""

    name: str
    env: str = ""


@dataclass
class Source:
    """A source with these secrets, or one that fails."""

    label: str
    values: dict[str, str] = field(default_factory=dict)
    error: KeychainLockedError | None = None
    asked: list[str] = field(default_factory=list)

    async def read(self, references: Sequence[SecretReference]) -> dict[str, str]:
        self.asked += [reference.name for reference in references]
        if self.error:
            raise self.error
        return dict(self.values)


def test_an_env_file_is_read_line_by_line() -> None:
    text = (
        "# comment\n\n  github.token = abc=def== \r\nexport A=1\nQUOTED=\"a 'b' c\"\nSINGLE='x'\nHALF=\"x\nEMPTY=\n"
        'LAST=1\nLAST=2\n  # indented\nONE="\n'
    )
    assert parse_env(text, where=".env") == {
        "github.token": "abc=def==",
        "A": "1",
        "QUOTED": "a 'b' c",
        "SINGLE": "x",
        "HALF": '"x',
        "EMPTY": "",
        "LAST": "2",
        "ONE": '"',
    }


@pytest.mark.parametrize("line", ["hush-no-equals", "=hush", "export =hush"])
def test_a_line_that_is_not_name_and_value_is_told_by_its_number_and_never_shown(line: str) -> None:
    with pytest.raises(StateFileError, match=r"\.env, line 2") as caught:
        parse_env(f"a=1\n{line}\n", where=".env")
    assert "hush" not in str(caught.value)


def test_a_missing_env_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match=r"none\.env: there is no such file"):
        read_env_file(tmp_path / "none.env")


async def test_an_env_file_serves_by_secret_name_and_by_variable(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("\ufeffgithub.token=one\nSLACK_TOKEN=two\n", encoding="utf-8")
    source = EnvFileSource(path)
    wanted = [Reference("github.token", "GITHUB"), Reference("slack.bot", "SLACK_TOKEN"), Reference("x", "")]
    assert await source.read(wanted) == {"github.token": "one", "slack.bot": "two"}
    path.write_text("slack.bot=three", encoding="utf-8")
    assert await source.read(wanted) == {"slack.bot": "three"}


async def test_each_name_is_supplied_by_the_first_source_that_has_it() -> None:
    first, second = Source("keychain", {"a": "1", "unasked": "9"}), Source(".env", {"a": "x", "b": "2"})
    found = await SecretLookup([first, second]).find([Reference("a"), Reference("b"), Reference("c")])
    assert found == {"a": FoundSecret("1", "keychain"), "b": FoundSecret("2", ".env")}
    assert second.asked == ["b", "c"]


async def test_a_source_that_fails_is_passed_over_and_its_reason_kept_until_it_works_again() -> None:
    first = Source("keychain", {"a": "1"}, KeychainLockedError("The keychain is locked"))
    lookup = SecretLookup([first, Source(".env", {"a": "2"})])
    assert (await lookup.find([Reference("a")]))["a"].source == ".env"
    assert lookup.failures["keychain"].message == "The keychain is locked"
    first.error = None
    assert (await lookup.find([Reference("a")]))["a"].source == "keychain"
    assert lookup.failures == {}


async def test_no_source_is_asked_when_nothing_is_wanted() -> None:
    source = Source("keychain", error=KeychainLockedError("locked"))
    assert await SecretLookup([source]).find([]) == {}
    assert source.asked == []


def test_a_found_secret_never_shows_its_value() -> None:
    assert "hush" not in repr(FoundSecret("hush", "keychain"))


def test_the_secrets_option_names_sources_in_order(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    assert parse_secrets_option("docker-desktop:./.env", cwd=tmp_path) == (
        SourceChoice(),
        SourceChoice(tmp_path / ".env"),
    )


@pytest.mark.parametrize(
    ("text", "platform", "files"),
    [
        ("docker-desktop:C:\\x\\.env:b", "win32", [None, "C:\\x\\.env", "b"]),
        ("C:/x/.env:D:/y", "win32", ["C:/x/.env", "D:/y"]),
        ("c:/x", "linux", ["c", "/x"]),
        ("/run/s:/.env", "linux", ["/run/s", "/.env"]),
    ],
)
def test_a_drive_letter_belongs_to_its_path(text: str, platform: str, files: list[str | None]) -> None:
    choices = parse_secrets_option(text, cwd=Path(), platform=platform, must_exist=False)
    assert choices == tuple(SourceChoice(None if file is None else Path(file)) for file in files)


def test_an_env_file_that_is_not_there_or_an_empty_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match=r"\./none\.env: there is no such file"):
        parse_secrets_option("docker-desktop:./none.env", cwd=tmp_path)
    for text in ("", "docker-desktop:", ":x"):
        with pytest.raises(UsageError):
            parse_secrets_option(text, cwd=tmp_path, must_exist=False)
