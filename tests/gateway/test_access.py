"""Who may talk to the HTTP endpoint."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from desktop.gateway.access import Access
from desktop.secrets.client_tokens import ClientTokens, TokenCheck
from tests.helpers.home import Home

TOKEN = "s3cret-token"
AUTHORIZED = {b"host": b"localhost:8811", b"authorization": b"Bearer " + TOKEN.encode()}


def status(access: Access, **headers: bytes) -> int:
    refusal = access.refuse({name.encode(): value for name, value in headers.items()})
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"localhost", 200),
        (b"LocalHost:8811", 200),
        (b"127.0.0.1:8811", 200),
        (b"[::1]:8811", 200),
        (b"[::1]", 200),
        (b"", 403),
        (b"evil.example", 403),
        (b"localhost.evil.example", 403),
        (b"127.0.0.1.evil.example:80", 403),
        (b"evil.example:localhost", 403),
        (b"[::1", 200),
        (b"[fe80::1]:80", 403),
        (b"0.0.0.0", 403),
        (b"\xff\xfe", 403),
    ],
)
def test_only_our_own_host_names_pass(host: bytes, expected: int) -> None:
    assert status(Access(None), host=host) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (b"http://localhost:3000", 200),
        (b"https://127.0.0.1", 200),
        (b"http://[::1]:99", 200),
        (b"null", 403),
        (b"", 403),
        (b"http://evil.example", 403),
        (b"http://localhost.evil.example", 403),
        (b"http://localhost@evil.example", 403),
        (b"chrome-extension://localhost", 403),
        (b"file://localhost", 403),
        (b"http://[::1", 403),
        (b"http://[not-an-address]/", 403),
        (b"\xff", 403),
    ],
)
@pytest.mark.parametrize("access", [Access(None), Access(None, trusted=True), Access(None, ["*"])])
def test_a_foreign_web_page_never_passes(access: Access, origin: bytes, expected: int) -> None:
    assert status(access, host=b"localhost", origin=origin) == expected


def test_a_named_address_is_accepted_besides_the_loopback_ones() -> None:
    access = Access(None, ["192.168.0.7"])
    assert status(access, host=b"192.168.0.7:8811", origin=b"http://192.168.0.7") == 200
    assert status(access, host=b"localhost") == 200
    assert status(access, host=b"192.168.0.8") == 403
    assert status(Access(None, ["[FE80::1]"]), host=b"[fe80::1]:1") == 200


def test_bound_to_every_interface_any_host_name_passes_but_not_any_origin() -> None:
    assert status(Access(None, ["*"]), host=b"anything.example") == 200
    assert status(Access(None, ["*"]), host=b"a.example", origin=b"http://a.example") == 403


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (b"Bearer " + TOKEN.encode(), 200),
        (b"bearer   " + TOKEN.encode() + b" ", 200),
        (b"Basic " + TOKEN.encode(), 401),
        (b"Bearer", 401),
        (b"Bearer ", 401),
        (b"Bearer wrong", 401),
        (b"Bearer " + TOKEN.encode()[:-1], 401),
        (b"Bearer \xff", 401),
        (TOKEN.encode(), 401),
    ],
)
def test_the_token_is_asked_for_as_a_bearer_token(authorization: bytes, expected: int) -> None:
    assert status(Access(TOKEN), host=b"localhost", authorization=authorization) == expected


def test_without_a_token_in_the_request_nobody_passes() -> None:
    assert status(Access(TOKEN), host=b"localhost") == 401
    assert status(Access(""), host=b"localhost") == 401


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert Access(TOKEN).refuse(AUTHORIZED) is None
    assert compared == [(TOKEN.encode(), TOKEN.encode())]


def test_a_socket_only_this_user_can_reach_needs_neither_host_nor_token() -> None:
    assert status(Access(TOKEN, trusted=True)) == 200


def test_the_host_is_checked_before_the_token_so_that_a_stranger_learns_nothing() -> None:
    assert status(Access(TOKEN), host=b"evil.example", authorization=b"Bearer x") == 403


async def test_a_token_that_becomes_known_while_a_request_is_refused_lets_it_in_after_all(tmp_path: Path) -> None:
    paths = Home(tmp_path).paths
    check = TokenCheck(paths)
    access = Access(token="common", clients=check)
    token = ClientTokens(paths).issue("cursor", tmp_path / "mcp.json")
    headers = {b"host": b"localhost", b"authorization": b"Bearer " + token.encode()}
    generation = access.generation
    assert access.refuse(headers) is not None

    check.refresh()  # as the watch over the file does, on another thread

    assert await access.learns_more(generation)
    assert access.refuse(headers) is None
    assert not await access.learns_more(access.generation)
