"""The life of a token by the clock, what a server's challenge says, and which addresses a sign-in may use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from desktop.errors import SignInError
from desktop.oauth.addresses import AddressRule
from desktop.oauth.challenge import Challenge
from desktop.oauth.grant import Registration, Token
from desktop.oauth.records import Records, token_name
from desktop.secrets.store import check_name, is_internal
from tests.oauth.conftest import MemoryVault


def token(life: float | None = 1000.0, *, at: float = 0.0) -> Token:
    return Token(access="a-secret", refresh="r-secret", obtained_at=at, expires_at=None if life is None else at + life)


def test_a_token_is_due_after_four_fifths_of_its_life_and_over_a_moment_before_its_end() -> None:
    assert [token().due(now) for now in (0, 799, 800, 2000)] == [False, False, True, True]
    assert [token().expired(now) for now in (0, 989, 990, 2000)] == [False, False, True, True]
    assert [token(10).expired(now) for now in (9.4, 9.5)] == [False, True]


def test_a_token_whose_end_is_not_known_is_never_due() -> None:
    assert not token(None).due(1e12)
    assert not token(None).expired(1e12)


def test_a_clock_that_was_set_back_makes_a_token_due_and_not_over() -> None:
    early = token(at=10_000.0)
    assert early.due(5_000)
    assert not early.due(9_990)  # clocks are never exact
    assert not early.expired(5_000)


def test_nothing_shows_a_token_or_a_client_secret() -> None:
    shown = repr(token()) + repr(Registration(client_id="c", client_secret="s-secret"))
    assert "secret" not in shown.replace("client_secret", "")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer", Challenge()),
        (
            'Bearer resource_metadata="https://a/b", scope="x y"',
            Challenge(resource_metadata="https://a/b", scope="x y"),
        ),
        ("Bearer error=invalid_token , scope = x", Challenge(error="invalid_token", scope="x")),
        ('Basic realm="scope=1", Bearer scope="two"', Challenge(scope="two")),
        ('Bearer my-scope="no", SCOPE="yes"', Challenge(scope="yes")),
        ('Bearer error="insufficient_scope", scope="a\\"b"', Challenge(error="insufficient_scope", scope="a b")),
        ("", Challenge()),
    ],
)
def test_a_challenge_is_understood(header: str, expected: Challenge) -> None:
    assert Challenge.of(header) == expected


def test_a_challenge_that_was_understood_can_be_written_again() -> None:
    said = Challenge(error="insufficient_scope", scope="a b", resource_metadata="https://a/b")
    assert Challenge.of(said.header()) == said
    assert said.wants_more
    assert Challenge(resource_metadata='https://a/"x').header() == "Bearer"


@pytest.mark.parametrize(
    ("home", "address", "allowed"),
    [
        ("https://mcp.example.com/mcp", "https://login.example.com/x", True),
        ("https://mcp.example.com/mcp", "http://login.example.com/x", False),
        ("https://mcp.example.com/mcp", "https://localhost/x", False),
        ("https://mcp.example.com/mcp", "http://127.0.0.1:8080/x", False),
        ("https://mcp.example.com/mcp", "https://169.254.169.254/latest", False),
        ("https://mcp.example.com/mcp", "https://10.0.0.1/x", False),
        ("https://mcp.example.com/mcp", "https://[::1]/x", False),
        ("https://mcp.example.com/mcp", "https://router.local./x", False),
        ("https://mcp.example.com/mcp", "https://127.1/x", False),
        ("https://mcp.example.com/mcp", "https://2130706433/x", False),
        ("https://mcp.example.com/mcp", "https://0x7f.0.0.1/x", False),
        ("https://mcp.example.com/mcp", "https://[::ffff:10.0.0.1]/x", False),
        ("https://mcp.example.com/mcp", "https://[x/y", False),
        ("https://mcp.example.com/mcp", "https://localhost:x@evil/", True),
        ("http://127.0.0.1:9000/mcp", "http://localhost:8000/x", True),
        ("http://127.0.0.1:9000/mcp", "http://192.168.1.1/x", False),
        ("https://10.0.0.1/mcp", "https://10.0.0.2/x", True),
        ("https://mcp.example.com/mcp", "file:///etc/passwd", False),
        ("https://mcp.example.com/mcp", "javascript:alert(1)", False),
        ("https://mcp.example.com/mcp", "", False),
    ],
)
def test_what_a_server_names_may_not_lie_on_this_machine_unless_the_server_does(
    home: str, address: str, allowed: bool
) -> None:
    rule = AddressRule(home, {})
    if allowed:
        rule.check(address)
    else:
        with pytest.raises(SignInError):
            rule.check(address)


def test_the_switch_lifts_the_rule_for_addresses_but_not_for_what_is_none() -> None:
    lifted = AddressRule("https://mcp.example.com", {"DOCKER_MCP_ALLOW_INSECURE_REMOTE_URLS": "1"})
    lifted.check("http://10.0.0.1/x")
    with pytest.raises(SignInError):
        lifted.check("file:///etc/passwd")


async def test_records_have_names_the_secret_store_takes_and_keeps_for_itself() -> None:
    vault = MemoryVault()
    records = Records(vault)
    for app in ("notes", "io.github.someone/notes", "a b/../c", "ünï"):
        await records.save(app, token(), Registration(client_id="c"))
        await records.save_client_secret(app, "s")
        assert await records.token(app) == token()
    for name in vault.values:
        check_name(name)
        assert is_internal(name)
    assert len(vault.values) == 12
    assert await records.signed_in(("notes", "other")) == {"notes"}
    await records.save_token("notes", None)
    assert token_name("notes") not in vault.values
    assert await records.known(("notes", "other")) == {"notes"}


async def test_a_record_that_is_not_ours_counts_as_none() -> None:
    vault = MemoryVault()
    vault.values[token_name("notes")] = "something else"
    assert await Records(vault).token("notes") is None


def test_a_gateway_that_starts_imports_nothing_that_only_a_sign_in_needs() -> None:
    late = ("mcp", "httpx", "httpx2", "pydantic", "desktop.oauth.code_flow", "desktop.oauth.device_flow")
    script = f"import sys, desktop.app; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
