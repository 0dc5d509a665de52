"""The gateway's token stays the same, wherever it is kept."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from desktop.errors import KeychainLockedError
from desktop.secrets.keychain import KeychainStore
from desktop.secrets.token import GatewayToken, same_token
from desktop.state.paths import Paths


class Keychain(KeychainStore):
    """A keychain in memory that can be locked."""

    def __init__(self) -> None:
        super().__init__("test")
        self.entries: dict[str, str] = {}
        self.locked = False

    async def get(self, name: str) -> str | None:
        if self.locked:
            raise KeychainLockedError("The keychain is locked")
        return self.entries.get(name)

    async def set(self, name: str, value: str) -> None:
        if self.locked:
            raise KeychainLockedError("The keychain is locked")
        self.entries[name] = value


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(docker_mcp=tmp_path / "mcp", own=tmp_path / "own", cache=tmp_path / "cache")


async def test_the_environment_s_token_goes_before_all_others(paths: Paths) -> None:
    token = GatewayToken(paths, Keychain(), environ={"MCP_GATEWAY_AUTH_TOKEN": " mine "})
    assert (await token.value(), token.source) == ("mine", "environment")
    assert not paths.own.exists()


async def test_the_keychain_keeps_a_token_of_fifty_characters_and_no_file_is_made(paths: Paths) -> None:
    keychain = Keychain()
    first, second = GatewayToken(paths, keychain, environ={}), GatewayToken(paths, keychain, environ={})
    value = await first.value()
    assert re.fullmatch("[a-z0-9]{50}", value)
    assert (await second.value(), second.source) == (value, "keychain")
    assert not paths.token.exists()


@pytest.mark.parametrize("locked", [True, False])
async def test_without_a_keychain_a_private_file_keeps_the_token(paths: Paths, locked: bool) -> None:
    keychain: Keychain | None = None
    if locked:
        keychain = Keychain()
        keychain.locked = True
    token = GatewayToken(paths, keychain, environ={})
    value = await token.value()
    assert token.source == "file"
    assert paths.token.read_text(encoding="utf-8").strip() == value
    if os.name == "posix":
        assert stat.S_IMODE(paths.token.stat().st_mode) == 0o600
        paths.token.chmod(0o644)
    assert await GatewayToken(paths, keychain, environ={}).value() == value
    if os.name == "posix":
        assert stat.S_IMODE(paths.token.stat().st_mode) == 0o600


async def test_a_token_that_clients_know_from_the_file_stays_when_the_keychain_opens(paths: Paths) -> None:
    keychain = Keychain()
    keychain.locked = True
    value = await GatewayToken(paths, keychain, environ={}).value()
    keychain.locked = False
    assert await GatewayToken(paths, keychain, environ={}).value() == value
    assert keychain.entries == {}


def test_tokens_are_compared_whole_and_an_empty_one_equals_nothing() -> None:
    assert same_token("abc", "abc")
    assert not same_token("ab", "abc")
    assert not same_token("", "")
    assert not same_token("é\udcff", "abc")
