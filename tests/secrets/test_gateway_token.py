"""The endpoint's token: made once, kept privately, the environment's first."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from desktop.secrets.token import gateway_token
from desktop.state.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(docker_mcp=tmp_path / "mcp", own=tmp_path / "own", cache=tmp_path / "cache")


def test_the_environment_s_token_goes_before_the_file_s(paths: Paths) -> None:
    assert gateway_token(paths, {"MCP_GATEWAY_AUTH_TOKEN": " given "}) == "given"
    assert not paths.token.exists()


def test_a_token_of_fifty_characters_is_made_once_and_kept(paths: Paths) -> None:
    value = gateway_token(paths, {})
    assert len(value) == 50
    assert gateway_token(paths, {}) == value


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no such file modes; the profile folder is private there"
)
def test_only_its_owner_can_read_the_file_even_if_it_was_opened_to_others(paths: Paths) -> None:
    value = gateway_token(paths, {})
    assert stat.S_IMODE(paths.token.stat().st_mode) == 0o600
    paths.token.chmod(0o644)
    assert gateway_token(paths, {}) == value
    assert stat.S_IMODE(paths.token.stat().st_mode) == 0o600
