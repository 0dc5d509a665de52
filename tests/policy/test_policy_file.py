"""policy.txt is replaced whole or not at all, and one that can't be understood refuses everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.policy.policy_file import PolicyFile
from desktop.policy.rules import NO_POLICY, Action

TEXT = "# mine\r\nk allows postgres   # only there\n\n"


@pytest.fixture
def file(tmp_path: Path) -> PolicyFile:
    return PolicyFile(tmp_path / "policy.txt", tmp_path / "locks" / "policy.lock")


def test_what_was_set_is_dumped_byte_for_byte_and_the_former_text_is_kept(file: PolicyFile, tmp_path: Path) -> None:
    assert file.text() == ""
    file.replace(TEXT)
    assert file.text() == TEXT
    file.replace("k allows other")
    assert (tmp_path / "policy.txt.bak").read_bytes() == TEXT.encode()
    assert file.text() == "k allows other"


def test_a_text_that_is_no_policy_is_refused_with_its_place_and_changes_nothing(file: PolicyFile) -> None:
    file.replace(TEXT)
    with pytest.raises(StateFileError, match=r"policy\.txt, line 2: a rule is"):
        file.replace("k allows a\nnonsense")
    assert file.text() == TEXT


def test_rules_are_read_again_when_the_file_has_changed_and_only_then(file: PolicyFile, tmp_path: Path) -> None:
    assert file.load() is NO_POLICY
    file.replace(TEXT)
    first = file.load()
    assert first is file.load()
    assert not first.may_have("k", "other", "")
    (tmp_path / "policy.txt").unlink()
    assert file.load() == NO_POLICY


@pytest.mark.parametrize("broken", [b"nonsense\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_understood_refuses_everything_until_it_is_mended(
    file: PolicyFile, tmp_path: Path, broken: bytes
) -> None:
    (tmp_path / "policy.txt").write_bytes(broken)
    policy = file.load()
    assert policy is file.load()
    assert "policy.txt, line 1" in policy.broken
    assert not policy.may_have("k", "postgres", "")
    assert policy.on_tool("s", "t", read_only=True, destructive=False) is Action.DENY
    (tmp_path / "policy.txt").write_text(TEXT, encoding="utf-8")
    assert file.load().may_have("k", "postgres", "")
