"""The whole flow against a real authorization server and a real MCP server; forms are filled in without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from desktop.errors import GrantRefusedError, SignInCancelledError, SignInError, UsageError
from desktop.oauth.status import SignInState
from tests.helpers.authorization_server import AuthorizationServer, authorization_server
from tests.helpers.guarded_server import guarded_server
from tests.helpers.ports import free_port
from tests.oauth.conftest import MemoryVault, Rig

pytestmark = pytest.mark.slow


@contextlib.asynccontextmanager
async def service(**options: object) -> AsyncIterator[tuple[AuthorizationServer, str]]:
    async with authorization_server(**options) as provider, guarded_server(free_port(), provider.issuer) as url:
        yield provider, url


async def test_signing_in_brings_a_token_the_server_takes(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        token = await rig.sign_ins.sign_in("notes")
        await rig.person.done()
        asked = parse_qs(urlsplit(rig.person.links[0]).query)
        registration = await rig.records.registration("notes")
        assert registration is not None
        assert asked["resource"] == [url]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["scope"] == ["mcp:tools offline_access"]
        assert "You are signed in to Notes" in rig.person.pages[0]
        assert token.refresh
        assert token.expires_at is not None
        assert 50 < token.expires_at - token.obtained_at < 61
        assert registration.issuer == provider.issuer
        assert registration.revocation_endpoint == f"{provider.issuer}/token/revocation"
        assert token.access in rig.told
        assert token.refresh in rig.told
        status = rig.sign_ins.status("notes")
        assert status is not None
        assert (status.state, status.scopes) == (SignInState.SIGNED_IN, ("mcp:tools",))
        async with httpx.AsyncClient() as client:
            hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            refused = await client.post(url, json=hello)
            taken = await client.post(url, json=hello, headers={"Authorization": f"Bearer {token.access}"})
        assert refused.status_code == 401
        assert taken.status_code != 401


@contextlib.contextmanager
def taken(port: int | None) -> Iterator[None]:
    """Another program listens at the port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port or 0))
        other.listen()
        yield


async def until(condition: object) -> None:
    async with asyncio.timeout(30):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_second_sign_in_is_the_same_client_and_a_renewal_rotates_the_refresh_token(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        access = rig.tokens.of("notes")
        renewed = await access.instead_of(first.access)
        stored = await rig.records.token("notes")
        assert stored is not None
        assert stored.access == renewed != first.access
        assert stored.refresh != first.refresh
        assert stored.scope == first.scope
        assert await access.instead_of(first.access) == renewed  # somebody whose call was refused late
        await rig.sign_ins.sign_in("notes")
        counts = await provider.counts()
        assert counts == {"registration": 1, "authorization_code": 2, "refresh_token": 1}


async def test_twenty_calls_in_two_processes_that_find_the_token_ended_renew_it_once(rig: Rig, tmp_path: Path) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        other = Rig(tmp_path, rig.vault)
        renewed = await asyncio.gather(
            *(rig.tokens.of("notes").instead_of(first.access) for _ in range(20)),
            *(other.tokens.of("notes").instead_of(first.access) for _ in range(20)),
        )
        assert len(set(renewed)) == 1
        assert (await provider.counts())["refresh_token"] == 1


async def test_a_token_is_renewed_when_four_fifths_of_its_life_are_over(rig: Rig) -> None:
    async with service(life=5) as (provider, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        changed: list[str] = []
        rig.tokens.changed.subscribe(changed.append)
        keeping = asyncio.create_task(rig.tokens.keep_fresh())
        try:
            await until(lambda: changed)
        finally:
            keeping.cancel()
        token = rig.tokens.of("notes").token
        assert token is not None
        assert token.access != first.access
        assert first.expires_at is not None
        assert first.due_at <= token.obtained_at < first.expires_at
        assert (await provider.counts())["refresh_token"] == 1


async def test_a_refused_refresh_token_means_signing_in_again_as_the_same_client(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        await rig.tokens.of("notes").instead_of(first.access)
        await rig.records.save_token(
            "notes", first
        )  # a copy from before the rotation: replayed, the provider ends everything
        await rig.tokens.reload()
        with pytest.raises(Exception, match="Notes wants you to sign in") as error:
            await rig.tokens.of("notes").instead_of(first.access)
        assert "docker-mcp oauth authorize notes" in str(error.value)
        assert await rig.records.token("notes") is None
        assert await rig.records.registration("notes") is not None
        await rig.sign_ins.look()
        status = rig.sign_ins.status("notes")
        assert status is not None
        assert status.state is SignInState.NEEDED
        await rig.sign_ins.sign_in("notes")
        counts = await provider.counts()
        assert (counts["registration"], counts["refresh_token invalid_grant"]) == (1, 1)


async def test_signing_out_revokes_the_token_at_the_provider(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        token = await rig.sign_ins.sign_in("notes")
        assert await rig.sign_ins.sign_out("notes") == ""
        assert rig.vault.values == {}
        assert (await provider.counts())["revocation"] == 1
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, json={}, headers={"Authorization": f"Bearer {token.access}"})
        assert answer.status_code == 401
        assert await rig.sign_ins.sign_out("notes") == ""


async def test_saying_no_at_the_consent_page_is_told_here_and_in_the_browser(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        rig.person.consents = False
        with pytest.raises(GrantRefusedError) as error:
            await rig.sign_ins.sign_in("notes")
        await rig.person.done()
        assert error.value.message == (
            "Signing in to Notes failed while checking what the browser brought back: you or the provider said no "
            "(End-User aborted interaction)"
        )
        assert "Signing in to Notes did not work" in rig.person.pages[0]
        assert not [name for name in rig.vault.values if name.startswith("oauth/")]


async def test_a_browser_that_is_closed_ends_in_the_time_limit_or_a_cancel(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        rig.person.comes_back = False
        rig.sign_ins._time_limit = 0.5
        with pytest.raises(SignInError, match="waiting for you in the browser: nobody signed in within"):
            await rig.sign_ins.sign_in("notes")
        rig.sign_ins._time_limit = 60
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: len(rig.person.links) == 2)
        status = rig.sign_ins.status("notes")
        assert status is not None
        assert (status.state, status.link) == (SignInState.SIGNING_IN, rig.person.links[1])
        await rig.sign_ins.cancel("notes")
        with pytest.raises(SignInCancelledError):
            await waiting
        status = rig.sign_ins.status("notes")
        assert status is not None
        assert status.state is not SignInState.SIGNING_IN
        port = urlsplit(parse_qs(urlsplit(rig.person.links[1]).query)["redirect_uri"][0]).port
        assert port is not None
        with taken(port):
            pass


async def test_an_answer_with_the_wrong_state_is_refused_and_the_right_one_taken_once(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        rig.person.comes_back = False
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: rig.person.address)
        async with httpx.AsyncClient(timeout=30) as client:
            right = rig.person.address
            wrong = await client.get(right.replace("state=", "state=x"))
            assert (wrong.status_code, waiting.done()) == (400, False)
            assert "belongs to no sign-in" in wrong.text
            results = await asyncio.gather(client.get(right), client.get(right), return_exceptions=True)
        await waiting
        statuses = sorted(answer.status_code for answer in results if isinstance(answer, httpx.Response))
        assert statuses in ([200], [200, 400])
        assert (await provider.counts())["authorization_code"] == 1


async def test_a_code_that_was_used_before_is_refused_by_the_provider(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        rig.person.comes_back = False
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: rig.person.address)
        old = parse_qs(urlsplit(rig.person.address).query)["code"][0]
        rig.sign_ins.take_address("notes", rig.person.address)
        await waiting
        rig.person.address = ""
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: rig.person.address)
        new = parse_qs(urlsplit(rig.person.address).query)["code"][0]
        rig.sign_ins.take_address("notes", rig.person.address.replace(new, old))
        with pytest.raises(SignInError, match="failed while fetching the token") as error:
            await waiting
        assert "invalid_grant" in error.value.message
        assert old not in str(error.value)


async def test_an_answer_of_another_provider_is_refused(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        rig.person.comes_back = False
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: rig.person.address)
        rig.sign_ins.take_address("notes", rig.person.address.partition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example")
        with pytest.raises(SignInError, match="the answer is of another provider") as error:
            await waiting
        assert "https://evil.example" in error.value.message
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        rig.person.address = ""
        await until(lambda: rig.person.address)
        rig.sign_ins.take_address("notes", rig.person.address.partition("&iss=")[0])
        with pytest.raises(SignInError, match="did not say who it is"):
            await waiting


async def test_a_copied_address_does_instead_of_a_browser_on_this_machine(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        with pytest.raises(UsageError, match="no sign-in waits"):
            rig.sign_ins.take_address("notes", "http://127.0.0.1/callback?code=c&state=s")
        rig.person.comes_back = False
        waiting = asyncio.create_task(rig.sign_ins.sign_in("notes"))
        await until(lambda: rig.person.address)
        for wrong in ("", "abc", "http://127.0.0.1:1/callback?code=only"):
            with pytest.raises(UsageError, match="not the address the browser ended at"):
                rig.sign_ins.take_address("notes", wrong)
        with pytest.raises(UsageError, match="belongs to another sign-in"):
            rig.sign_ins.take_address("notes", "http://127.0.0.1/callback?code=c&state=s")
        rig.sign_ins.take_address("notes", f"  {rig.person.address}\n")
        assert (await waiting).access


async def test_where_the_usual_port_is_in_use_another_is_taken_and_registered_if_need_be(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        await rig.sign_ins.sign_in("notes")
        usual = (await rig.records.registration("notes")).redirect_uri  # type: ignore[union-attr]
        port = urlsplit(usual).port
        with taken(port or 0):
            await rig.sign_ins.sign_in("notes")  # the provider takes any port, as RFC 8252 wants
            assert (await provider.counts())["registration"] == 1
            await provider.set(onlyPort=port)  # one that does not
            failed = asyncio.create_task(rig.sign_ins.sign_in("notes"))
            with contextlib.suppress(SignInError, TimeoutError):
                await asyncio.wait_for(asyncio.shield(failed), 3)
            assert (await provider.counts())["registration"] == 2
            await rig.sign_ins.cancel("notes")
        assert (await provider.redirects())[0] == usual


async def test_a_provider_that_is_down_keeps_the_token_and_is_asked_again_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.oauth.access._FIRST_PAUSE", 0.2)
    async with service() as (provider, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        await provider.set(down=True)
        access = rig.tokens.of("notes")
        with pytest.raises(SignInError, match="can't be renewed now: the provider has trouble \\(HTTP 503\\)"):
            await access.instead_of(first.access)
        assert await rig.records.token("notes") == first
        with pytest.raises(SignInError, match="can't be renewed now"):
            await access.instead_of(first.access)  # at once, without asking
        await provider.set(down=False)
        await asyncio.sleep(0.25)
        assert await access.instead_of(first.access) != first.access


async def test_a_server_that_wants_more_is_signed_in_to_with_all_scopes_together(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        first = await rig.sign_ins.sign_in("notes")
        await rig.tokens.of("notes").more_wanted("mcp:more")
        status = rig.sign_ins.status("notes")
        assert status is not None
        assert (status.state, status.wanted) == (SignInState.SIGNED_IN, ("mcp:more",))
        token = await rig.sign_ins.sign_in("notes")
        assert first.scope == "mcp:tools"
        assert set(token.scope.split()) == {"mcp:tools", "mcp:more"}
        registration = await rig.records.registration("notes")
        assert registration is not None
        assert registration.wanted == ""


async def test_scopes_that_are_asked_for_go_before_what_the_server_says(rig: Rig) -> None:
    async with service() as (_, url):
        rig.app("notes", url)
        token = await rig.sign_ins.sign_in("notes", ["mcp:more"])
        assert token.scope == "mcp:more"


async def test_a_client_registered_by_hand_is_used_with_its_secret_and_its_port(rig: Rig) -> None:
    port = free_port()
    client = {
        "client_id": "mine",
        "client_secret": "known to both",
        "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
        "application_type": "native",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    async with service(clients=[client], registration=False) as (provider, url):
        rig.app("notes", url)
        with pytest.raises(SignInError, match="only takes clients that were registered by hand") as error:
            await rig.sign_ins.sign_in("notes")
        assert "docker-mcp oauth client notes --client-id ID" in error.value.hint
        rig.settings.change("notes", {"client_id": "mine", "port": port})
        await rig.records.save_client_secret("notes", "known to both")
        token = await rig.sign_ins.sign_in("notes")
        assert await rig.tokens.of("notes").instead_of(token.access) != token.access
        assert await rig.sign_ins.sign_out("notes") == ""
        with taken(port), pytest.raises(SignInError, match=f"port {port} of this machine is in use"):
            await rig.sign_ins.sign_in("notes")
        assert "registration" not in await provider.counts()


async def test_a_service_is_signed_in_to_in_the_browser_or_with_a_code_on_another_device(rig: Rig) -> None:
    port = free_port()
    client = {
        "client_id": "mine",
        "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    }
    async with authorization_server(clients=[client]) as provider:
        rig.app("forge", provider="forge", scopes=("openid", "offline_access"))
        with pytest.raises(SignInError, match="It is not known where one signs in to Forge"):
            await rig.sign_ins.sign_in("forge")
        rig.settings.change("forge", {"issuer": provider.issuer, "port": port})
        with pytest.raises(SignInError, match="only takes clients that were registered by hand"):
            await rig.sign_ins.sign_in("forge")
        rig.settings.change("forge", {"client_id": "mine"})
        token = await rig.sign_ins.sign_in("forge")
        assert set(token.scope.split()) == {"openid", "offline_access"}
        assert "resource=" not in rig.person.links[0]
        assert await rig.tokens.of("forge").instead_of(token.access) != token.access
        rig.settings.change(
            "forge",
            {
                "token_endpoint": f"{provider.issuer}/token",
                "device_authorization_endpoint": f"{provider.issuer}/device/auth",
            },
        )
        shown: list[tuple[str, str]] = []

        def look(_: str) -> None:
            status = rig.sign_ins.status("forge")
            if status is not None and status.user_code:
                shown.append((status.user_code, status.link))

        rig.sign_ins.changed.subscribe(look)
        token = await rig.sign_ins.sign_in("forge")
        assert token.access
        assert shown[0][0] in shown[0][1]
        counts = await provider.counts()
        assert counts["urn:ietf:params:oauth:grant-type:device_code"] == 1


async def test_two_sign_ins_at_once_are_one(rig: Rig) -> None:
    async with service() as (provider, url):
        rig.app("notes", url)
        one, two = await asyncio.gather(rig.sign_ins.sign_in("notes"), rig.sign_ins.sign_in("notes"))
        assert one == two
        assert (await provider.counts())["authorization_code"] == 1


async def test_a_store_that_is_locked_ends_a_sign_in_before_the_browser_opens(rig: Rig) -> None:
    from desktop.errors import KeychainLockedError

    vault: MemoryVault = rig.vault
    vault.broken = KeychainLockedError("The keychain is locked", "Unlock it and try again")
    rig.app("notes", "http://127.0.0.1:9/mcp")
    with pytest.raises(SignInError, match=r"failed while preparing: The keychain is locked\. Unlock it and try again"):
        await rig.sign_ins.sign_in("notes")
    assert rig.person.links == []
