"""What providers answer about tokens: good ones, refusals, trouble, and nonsense."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest
from aiohttp import web

from desktop.errors import GrantRefusedError, ProviderUnavailableError, SignInError, SignInRequiredError
from desktop.oauth import token_endpoint
from desktop.oauth.addresses import AddressRule
from desktop.oauth.grant import CONFIGURED, Registration, Token
from desktop.oauth.provider_client import ProviderClient
from desktop.oauth.token_endpoint import ClientRefusedError
from tests.oauth.conftest import Rig

OLD = Token(access="old", refresh="r1", scope="a b", obtained_at=0, expires_at=10.0)


class Provider:
    """A token endpoint that answers what a test wants.

    Attributes:
        answers: What comes next, as (status, body).
        asked: The forms it got, with the header Authorization.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = []
        self.asked: list[dict[str, str]] = []
        self.url = ""
        self.hold = asyncio.Event()
        self.hold.set()

    async def token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.asked.append({**form, "authorization": request.headers.get("Authorization", "")})
        await self.hold.wait()
        status, body = self.answers.pop(0)
        if isinstance(body, bytes):
            return web.Response(status=status, body=body)
        return web.json_response(body, status=status)

    def registration(self, **more: str) -> Registration:
        fields = {"client_id": "c id", "token_endpoint": self.url, "revocation_endpoint": self.url, "issuer": self.url}
        return Registration(**{**fields, **more})  # type: ignore[arg-type]


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider()
    app = web.Application()
    app.router.add_post("/token", found.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield found
    await runner.cleanup()


@contextlib.asynccontextmanager
async def client(provider: Provider) -> AsyncIterator[ProviderClient]:
    async with ProviderClient(AddressRule(provider.url), time_limit=5) as found:
        yield found


async def test_what_a_renewal_leaves_out_stays_as_it_was(provider: Provider) -> None:
    provider.answers = [(200, {"access_token": "new", "expires_in": "60"})]
    async with client(provider) as http:
        token = await token_endpoint.refresh(http, provider.registration(resource="https://mcp.example/mcp"), OLD)
    assert (token.access, token.refresh, token.scope) == ("new", "r1", "a b")
    assert token.expires_at == pytest.approx(token.obtained_at + 60)
    asked = provider.asked[0]
    assert asked["grant_type"] == "refresh_token"
    assert asked["resource"] == "https://mcp.example/mcp"
    assert asked["client_id"] == "c id"
    assert asked["authorization"] == ""


async def test_a_client_proves_itself_as_it_was_registered(provider: Provider) -> None:
    provider.answers = [(200, {"access_token": "new"})] * 2
    async with client(provider) as http:
        basic = provider.registration(client_secret="s/x", auth_method="client_secret_basic")
        await token_endpoint.refresh(http, basic, OLD)
        post = provider.registration(client_secret="s/x", auth_method="client_secret_post")
        await token_endpoint.refresh(http, post, OLD)
    first, second = provider.asked
    assert base64.b64decode(first["authorization"].removeprefix("Basic ")) == b"c%20id:s%2Fx"
    assert "client_secret" not in first
    assert (second["authorization"], second["client_secret"]) == ("", "s/x")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant"}, GrantRefusedError),
        (200, {"error": "bad_refresh_token", "error_description": "gone"}, GrantRefusedError),
        (401, {"error": "invalid_client"}, ClientRefusedError),
        (400, {"error": "temporarily_unavailable"}, ProviderUnavailableError),
        (503, {"error": "invalid_grant"}, ProviderUnavailableError),
        (429, b"slow down", ProviderUnavailableError),
        (200, b"<html>log in to this hotel's network</html>", ProviderUnavailableError),
        (200, {"access_token": 5}, ProviderUnavailableError),
        (302, b"", ProviderUnavailableError),
    ],
)
async def test_a_refusal_is_told_from_trouble_that_passes(
    provider: Provider, status: int, body: object, kind: type[SignInError]
) -> None:
    provider.answers = [(status, body)]
    async with client(provider) as http:
        with pytest.raises(SignInError) as error:
            await token_endpoint.refresh(http, provider.registration(), OLD)
    assert type(error.value) is kind


async def test_what_a_provider_says_is_shown_in_one_short_line(provider: Provider) -> None:
    provider.answers = [(400, {"error": "invalid_grant", "error_description": "a\x1b[31m\nb" + "c" * 500})]
    async with client(provider) as http:
        with pytest.raises(GrantRefusedError) as error:
            await token_endpoint.refresh(http, provider.registration(), OLD)
    assert "invalid_grant: a [31m bccc" in error.value.message
    assert len(error.value.message) < 300


async def test_an_answer_without_end_is_cut_off(provider: Provider) -> None:
    provider.answers = [(200, b"x" * 2_000_000)]
    async with client(provider) as http:
        with pytest.raises(SignInError, match="larger than 1 MiB"):
            await token_endpoint.refresh(http, provider.registration(), OLD)


async def test_a_provider_that_does_not_answer_is_given_up(provider: Provider) -> None:
    provider.hold.clear()
    provider.answers = [(200, {})]
    async with ProviderClient(AddressRule(provider.url), time_limit=0.2) as http:
        with pytest.raises(ProviderUnavailableError, match=r"no answer within 0\.2 seconds"):
            await token_endpoint.refresh(http, provider.registration(), OLD)
    provider.hold.set()


# What an access does with it.


async def stored(rig: Rig, provider: Provider, **more: str) -> None:
    await rig.records.save("notes", OLD, provider.registration(**more))


async def test_an_ended_token_is_renewed_before_it_is_used_and_stored_before_that(rig: Rig, provider: Provider) -> None:
    await stored(rig, provider)
    provider.answers = [(200, {"access_token": "new", "refresh_token": "r2", "expires_in": 60})]
    assert await rig.tokens.of("notes").bearer() == "new"
    kept = await rig.records.token("notes")
    assert kept is not None
    assert (kept.access, kept.refresh) == ("new", "r2")
    assert {"old", "r1", "new", "r2"} <= set(rig.told)


async def test_a_token_another_process_has_renewed_meanwhile_is_taken_over(
    rig: Rig, provider: Provider, tmp_path: Path
) -> None:
    await stored(rig, provider)
    one, other = rig.tokens.of("notes"), Rig(tmp_path, rig.vault).tokens.of("notes")
    await asyncio.gather(one.load(), other.load())
    provider.hold.clear()
    provider.answers = [(200, {"access_token": "new", "expires_in": 60})]
    asking = asyncio.gather(*(access.bearer() for access in (one, other) for _ in range(5)))
    async with asyncio.timeout(10):
        while not provider.asked:
            await asyncio.sleep(0.01)
    provider.hold.set()
    assert set(await asking) == {"new"}
    assert len(provider.asked) == 1


async def test_a_client_the_provider_has_forgotten_is_forgotten_here_unless_the_person_set_it(
    rig: Rig, provider: Provider
) -> None:
    for more, kept in ({}, False), ({"source": CONFIGURED}, True):
        await stored(rig, provider, **more)
        await rig.tokens.reload()
        provider.answers = [(401, {"error": "invalid_client"})]
        with pytest.raises(SignInRequiredError):
            await rig.tokens.of("notes").bearer()
        assert await rig.records.token("notes") is None
        assert (await rig.records.registration("notes") is not None) is kept


async def test_a_token_that_nothing_renews_is_used_to_its_end(rig: Rig, provider: Provider) -> None:
    await rig.records.save("notes", msgspec.structs.replace(OLD, refresh="", expires_at=None), provider.registration())
    access = rig.tokens.of("notes")
    assert await access.bearer() == "old"
    with pytest.raises(SignInRequiredError):
        await access.instead_of("old")
    assert provider.asked == []
    assert access.needed


async def test_nobody_signed_in_means_no_token_and_no_error_until_a_server_refuses(rig: Rig) -> None:
    access = rig.tokens.of("notes")
    assert await access.bearer() == ""
    assert not access.needed
    with pytest.raises(SignInRequiredError):
        await access.instead_of("")
    assert access.needed


async def test_a_new_token_that_can_not_be_stored_is_used_and_stored_later(rig: Rig, provider: Provider) -> None:
    from desktop.errors import KeychainLockedError

    await stored(rig, provider)
    access = rig.tokens.of("notes")
    await access.load()
    provider.hold.clear()
    provider.answers = [(200, {"access_token": "new", "refresh_token": "r2", "expires_in": 60})]
    renewing = asyncio.create_task(access.bearer())
    async with asyncio.timeout(10):
        while not provider.asked:
            await asyncio.sleep(0.01)
    rig.vault.broken = KeychainLockedError("The keychain is locked")
    provider.hold.set()
    assert await renewing == "new"
    rig.vault.broken = None
    await rig.tokens.reload()
    assert access.current == "new"
    kept = await rig.records.token("notes")
    assert kept is not None
    assert kept.refresh == "r2"
