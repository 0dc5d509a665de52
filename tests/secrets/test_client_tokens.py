"""Tokens of single clients: issued, checked, revoked; the file holds hashes only."""

from __future__ import annotations

import hmac
import json
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.secrets.client_tokens import ClientTokens, TokenCheck, token_hash
from desktop.state.paths import Paths

FILE = Path("/home/person/.cursor/mcp.json")
OTHER = Path("/home/person/project/.cursor/mcp.json")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of_user({"HOME": str(tmp_path)}, "linux")


def test_a_token_is_checked_by_its_hash_and_never_kept(paths: Paths) -> None:
    token = ClientTokens(paths).issue("cursor", FILE)
    kept = paths.client_tokens.read_text("utf-8")
    assert token not in kept
    assert token_hash(token) in kept
    assert paths.client_tokens.stat().st_mode & 0o777 == 0o600
    check = TokenCheck(paths)
    assert check.caller(token.encode()) is None
    assert check.refresh()
    caller = check.caller(token.encode())
    assert caller is not None
    assert caller.client == "cursor"
    assert check.in_force(caller)
    assert check.caller(token.encode() + b"x") is None
    assert check.caller(token_hash(token).encode()) is None


def test_every_client_and_file_has_a_token_of_its_own(paths: Paths) -> None:
    tokens = ClientTokens(paths)
    issued = {tokens.issue("cursor", FILE), tokens.issue("cursor", OTHER), tokens.issue("zed", FILE)}
    assert len(issued) == 3
    assert [(token.client, token.file) for token in tokens.all()] == [
        ("cursor", str(FILE)),
        ("cursor", str(OTHER)),
        ("zed", str(FILE)),
    ]


def test_a_new_token_takes_the_place_of_the_old_one(paths: Paths) -> None:
    tokens = ClientTokens(paths)
    old = tokens.issue("cursor", FILE)
    new = tokens.issue("cursor", FILE)
    assert not tokens.holds(old, "cursor", FILE)
    assert tokens.holds(new, "cursor", FILE)
    assert not tokens.holds(new, "zed", FILE)


def test_a_revoked_token_lets_nobody_in(paths: Paths) -> None:
    tokens, check = ClientTokens(paths), TokenCheck(paths)
    token, kept = tokens.issue("cursor", FILE), tokens.issue("zed", FILE)
    check.refresh()
    caller = check.caller(token.encode())
    assert caller is not None
    before = check.generation
    assert tokens.revoke("cursor", FILE)
    assert not tokens.revoke("cursor", FILE)
    assert check.refresh()
    assert check.generation > before
    assert check.caller(token.encode()) is None
    assert not check.in_force(caller)
    assert check.caller(kept.encode()) is not None


def test_nothing_is_read_again_while_the_file_stays_as_it_is(paths: Paths) -> None:
    ClientTokens(paths).issue("cursor", FILE)
    check = TokenCheck(paths)
    assert [check.refresh(), check.refresh(), check.refresh()] == [True, False, False]


def test_every_known_hash_is_compared_in_constant_time(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, check = ClientTokens(paths), TokenCheck(paths)
    first = tokens.issue("cursor", FILE)
    tokens.issue("zed", FILE)
    check.refresh()
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    assert check.caller(first.encode()) is not None
    assert len(compared) == 2


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"version": 1}', '{"version": 1, "tokens": [{"client": "cursor"}]}', '{"version": "1", "tokens": []}'],
)
def test_a_file_that_is_not_ours_is_named_and_lets_nobody_in(paths: Paths, text: str) -> None:
    token = ClientTokens(paths).issue("cursor", FILE)
    check = TokenCheck(paths)
    check.refresh()
    paths.client_tokens.write_text(text, "utf-8")
    with pytest.raises(StateFileError, match=r"clients\.json"):
        ClientTokens(paths).all()
    with pytest.raises(StateFileError):
        ClientTokens(paths).issue("zed", FILE)
    assert paths.client_tokens.read_text("utf-8") == text
    assert check.refresh()
    assert check.caller(token.encode()) is None


def test_a_file_of_a_newer_version_stays_untouched(paths: Paths) -> None:
    paths.client_tokens.parent.mkdir(parents=True)
    text = json.dumps({"version": 2, "tokens": []})
    paths.client_tokens.write_text(text, "utf-8")
    with pytest.raises(StateFileError, match="newer version"):
        ClientTokens(paths).issue("cursor", FILE)
    assert paths.client_tokens.read_text("utf-8") == text
