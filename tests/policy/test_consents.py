"""What the person has agreed to is kept until it is taken back."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.policy.consent import ConsentStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "consents.json"


def test_nothing_is_granted_at_first(path: Path) -> None:
    assert not ConsentStore(path).granted("mount", "/x")
    assert ConsentStore(path).all() == ()
    assert not path.exists()


def test_a_consent_holds_for_its_kind_and_subject_alone_and_until_it_is_revoked(path: Path) -> None:
    store = ConsentStore(path)
    store.grant("run-without-container", "time")
    store.grant("run-without-container", "time")
    assert ConsentStore(path).granted("run-without-container", "time")
    assert not store.granted("mount", "time")
    assert not store.granted("run-without-container", "fetch")
    assert [(consent.kind, consent.subject) for consent in store.all()] == [("run-without-container", "time")]
    store.revoke("run-without-container", "time")
    store.revoke("run-without-container", "time")
    assert not ConsentStore(path).granted("run-without-container", "time")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_process_s_consent_is_seen_at_once(path: Path) -> None:
    one, other = ConsentStore(path), ConsentStore(path)
    assert not one.granted("mount", "/x")
    other.grant("mount", "/x")
    assert one.granted("mount", "/x")


def test_consents_given_at_the_same_time_are_all_kept(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ConsentStore(path).grant("mount", f"/{number}"), range(24)))
    assert {consent.subject for consent in ConsentStore(path).all()} == {f"/{number}" for number in range(24)}


def test_an_unknown_kind_is_a_mistake_of_ours(path: Path) -> None:
    with pytest.raises(ValueError, match="no consent of the kind 'anything'"):
        ConsentStore(path).granted("anything", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a list of consents"),
        ('{"schema_version": 1, "consents": [{}]}', "not a list of consents"),
        ('{"schema_version": 2, "consents": []}', "version 2 is of a newer program"),
    ],
)
def test_a_broken_or_newer_file_is_an_error_and_never_overwritten(path: Path, text: str, message: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match=message):
        ConsentStore(path).granted("mount", "/x")
    with pytest.raises(StateFileError, match=message):
        ConsentStore(path).grant("mount", "/x")
    assert path.read_text(encoding="utf-8") == text
