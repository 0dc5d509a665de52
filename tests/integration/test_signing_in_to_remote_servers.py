"""The whole program with a remote server that wants a sign-in: a real authorization server, a real MCP server, real calls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.oauth.status import SignInState
from desktop.servers.status import ServerState
from tests.helpers.authorization_server import AuthorizationServer, Person, authorization_server
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.guarded_server import guarded_server
from tests.helpers.home import Home
from tests.helpers.modern_client import ModernWeb
from tests.helpers.ports import free_port

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home folder of its own, without a keychain: secrets are sealed with a passphrase."""
    monkeypatch.setenv("MCP_GATEWAY_OAUTH_PORT", str(free_port()))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    yield Home(root)
    shutil.rmtree(root, ignore_errors=True)


@contextlib.asynccontextmanager
async def program(home: Home, *, watch: bool = True) -> AsyncIterator[Application]:
    """One run; it takes the passphrase out of the environment."""
    os.environ["MCP_GATEWAY_PASSPHRASE"] = "correct horse"
    async with running(GatewayOptions(watch=watch), home.paths) as application:
        application.services.sign_ins._browser = Person()
        yield application


@dataclass
class Scene:
    """One gateway with one server that wants a sign-in."""

    application: Application
    provider: AuthorizationServer
    person: Person

    def state(self) -> ServerState:
        status = self.application.server("notes")
        assert status is not None
        return status.state

    def works(self) -> bool:
        status = self.application.server("notes")
        return status is not None and status.state in (ServerState.READY, ServerState.IDLE) and bool(status.tool_count)

    def sign_in(self) -> SignInState:
        status = self.application.sign_in_of("notes")
        assert status is not None
        return status.state

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that events tell of."""
        changed = asyncio.Event()
        unsubscribe = self.application.events.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(30):
                while not condition():
                    changed.clear()
                    await changed.wait()
        finally:
            unsubscribe()

    async def end_access_token(self) -> str:
        """End the access token at the provider, so that the server refuses it although it looks good here; gives it."""
        token = await self.application.services.sign_ins._records.token("notes")
        assert token is not None
        await self.provider.end(token.access)
        return token.access

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[GatewayClient]:
        client = GatewayClient(self.application.gateway)
        await client.initialize()
        yield client


@contextlib.asynccontextmanager
async def scene(home: Home, *, signed_in: bool = True, **options: object) -> AsyncIterator[Scene]:
    async with authorization_server(**options) as provider, guarded_server(free_port(), provider.issuer) as url:
        home.catalog({"notes": {"type": "remote", "title": "Notes", "remote": {"url": url}}})
        home.enable("notes")
        async with program(home) as application:
            person = Person()
            application.services.sign_ins._browser = person
            shown = Scene(application, provider, person)
            assert await application.settled(30)
            if signed_in:
                await application.sign_in("notes")
                await shown.until(shown.works)
            yield shown


async def test_a_server_that_wants_a_sign_in_says_so_and_works_after_it(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with scene(home, signed_in=False) as shown:
        status = shown.application.server("notes")
        assert status is not None
        assert (status.state, status.reason) == (ServerState.NEEDS_SIGN_IN, "Notes wants you to sign in")
        assert "docker-mcp oauth authorize notes" in status.hint
        assert shown.sign_in() is SignInState.NEEDED
        await shown.application.sign_in("notes")
        await shown.until(shown.works)
        assert shown.sign_in() is SignInState.SIGNED_IN
        async with shown.client() as client:
            result = await client.call("whoami").result()
        assert result["content"][0]["text"] == "somebody who has signed in"
        token = await shown.application.services.sign_ins._records.token("notes")
        assert token is not None
        assert token.access not in caplog.text
        assert token.refresh not in caplog.text


async def test_twenty_calls_that_find_the_token_ended_renew_it_once_and_all_succeed(home: Home) -> None:
    async with scene(home) as shown, shown.client() as client:
        await client.call("whoami").result()
        before = await shown.end_access_token()
        results = await asyncio.gather(*(client.call("whoami").result() for _ in range(20)))
        assert {result["content"][0]["text"] for result in results} == {"somebody who has signed in"}
        assert (await shown.provider.counts())["refresh_token"] == 1
        token = await shown.application.services.sign_ins._records.token("notes")
        assert token is not None
        assert token.access != before
        await client.call("whoami").result()
        assert (await shown.provider.counts())["refresh_token"] == 1


async def test_the_same_in_the_modern_era(home: Home) -> None:
    async with scene(home) as shown:
        url = await shown.application.listen("127.0.0.1", 0, token=None)
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        async with httpx.AsyncClient(timeout=30, base_url=url.removesuffix("/mcp"), headers=headers) as http:
            web = ModernWeb(http)
            await web.call("whoami")
            await shown.end_access_token()
            results = await asyncio.gather(*(web.call("whoami") for _ in range(20)))
        assert {result["content"][0]["text"] for result in results} == {"somebody who has signed in"}
        assert (await shown.provider.counts())["refresh_token"] == 1


async def test_a_call_outlives_its_token_and_the_next_one_has_another(home: Home) -> None:
    async with scene(home, life=4) as shown, shown.client() as client:
        token = await shown.application.services.sign_ins._records.token("notes")
        slow = client.call("slow", arguments={"seconds": 5})
        await shown.until(lambda: shown.application.services.tokens.of("notes").token != token)
        await client.call("whoami").result()
        assert (await slow.result())["content"][0]["text"] == "done"


async def test_a_refused_renewal_ends_in_needs_sign_in_while_the_tools_stay_and_signing_in_again_mends_it(
    home: Home,
) -> None:
    async with scene(home) as shown, shown.client() as client:
        records = shown.application.services.sign_ins._records
        token = await records.token("notes")
        registration = await records.registration("notes")
        assert token is not None
        assert registration is not None
        form = {"token": token.refresh, "token_type_hint": "refresh_token", "client_id": registration.client_id}
        async with httpx.AsyncClient() as http:
            (await http.post(registration.revocation_endpoint, data=form)).raise_for_status()
        error = await client.call("whoami").error()
        assert "Notes wants you to sign in" in error["message"]
        assert "docker-mcp oauth authorize notes" in error["message"]
        await shown.until(lambda: shown.state() is ServerState.NEEDS_SIGN_IN)
        assert shown.sign_in() is SignInState.NEEDED
        assert "whoami" in await client.tools()
        await shown.application.sign_in("notes")
        await shown.until(shown.works)
        assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"
        assert (await shown.provider.counts())["registration"] == 1


async def test_signing_out_ends_the_connection_and_the_token(home: Home) -> None:
    async with scene(home) as shown, shown.client() as client:
        await client.call("whoami").result()
        assert await shown.application.sign_out("notes") == ""
        await shown.until(lambda: shown.state() is ServerState.NEEDS_SIGN_IN)
        assert "whoami" in await client.tools()
        assert "sign in" in (await client.call("whoami").error())["message"]


async def test_a_call_that_needs_more_says_so_and_works_after_another_sign_in(home: Home) -> None:
    async with scene(home) as shown, shown.client() as client:
        error = await client.call("more").error()
        assert "Notes wants you to allow more for this (mcp:more)" in error["message"]
        status = shown.application.sign_in_of("notes")
        assert status is not None
        assert status.wanted == ("mcp:more",)
        assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"
        await shown.application.sign_in("notes")
        assert (await client.call("more").result())["content"][0]["text"] == "more"


async def test_a_provider_that_is_down_fails_the_call_and_not_the_connection(home: Home) -> None:
    async with scene(home) as shown, shown.client() as client:
        await client.call("whoami").result()
        await shown.provider.set(down=True)
        await shown.end_access_token()
        assert "can't be renewed now" in (await client.call("whoami").error())["message"]
        await shown.provider.set(down=False)
        shown.application.services.tokens.of("notes")._retry_at = 0.0
        assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"


async def test_a_sign_in_of_another_process_is_noticed_and_tokens_are_nowhere_in_plain_text(home: Home) -> None:
    async with scene(home, signed_in=False) as shown:
        async with program(home) as other:
            await other.sign_in("notes")
        await shown.until(shown.works)
        token = await shown.application.services.sign_ins._records.token("notes")
        assert token is not None
        hits = [
            path
            for path in home.root.rglob("*")
            if path.is_file() and any(secret.encode() in path.read_bytes() for secret in (token.access, token.refresh))
        ]
        assert hits == []


async def test_what_was_signed_in_before_a_restart_is_signed_in_after_it(home: Home) -> None:
    async with authorization_server(life=3) as provider, guarded_server(free_port(), provider.issuer) as url:
        home.catalog({"notes": {"type": "remote", "title": "Notes", "remote": {"url": url}}})
        home.enable("notes")
        async with program(home, watch=False) as first:
            await first.settled(30)
            await first.sign_in("notes")
            await Scene(first, provider, Person()).until(lambda: bool(first.server("notes").tool_count))  # type: ignore[union-attr]
        await asyncio.sleep(3)  # the token ends while nothing runs
        async with program(home, watch=False) as second:
            shown = Scene(second, provider, Person())
            async with shown.client() as client:
                assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"
        assert (await provider.counts())["authorization_code"] == 1


async def test_http_with_sse_is_signed_in_to_and_renewed_as_well(home: Home) -> None:
    async with authorization_server() as provider, guarded_server(free_port(), provider.issuer, path="sse") as url:
        home.catalog({"notes": {"type": "remote", "title": "Notes", "remote": {"url": url, "transport_type": "sse"}}})
        home.enable("notes")
        async with program(home, watch=False) as application:
            shown = Scene(application, provider, Person())
            assert await application.settled(30)
            assert shown.state() is ServerState.NEEDS_SIGN_IN
            await application.sign_in("notes")
            await shown.until(shown.works)
            async with shown.client() as client:
                assert (await client.call("whoami").result())["content"][0]["text"] == "somebody who has signed in"
                await shown.end_access_token()
                results = await asyncio.gather(*(client.call("whoami").result() for _ in range(5)))
                assert {result["content"][0]["text"] for result in results} == {"somebody who has signed in"}
            assert (await provider.counts())["refresh_token"] == 1


_CALLS = """
import asyncio
from desktop.app import GatewayOptions, running
from tests.helpers.gateway_client import GatewayClient

async def main():
    async with running(GatewayOptions(watch=False)) as application:
        client = GatewayClient(application.gateway)
        await client.initialize()
        answers = await asyncio.gather(*(client.call("whoami").result() for _ in range(10)))
        print(len(answers))

asyncio.run(main())
"""


async def test_three_processes_that_find_the_token_ended_renew_it_once(home: Home) -> None:
    async with scene(home) as shown:
        await shown.end_access_token()
        environment = {**home.environment, "MCP_GATEWAY_PASSPHRASE": "correct horse", "PYTHONPATH": str(ROOT)}
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _CALLS),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                cwd=ROOT,
            )
            for _ in range(2)
        ]
        async with shown.client() as client:
            own = asyncio.gather(*(client.call("whoami").result() for _ in range(10)))
            for process in processes:
                out, err = await process.communicate()
                assert out == b"10\n", err.decode()[-2000:]
            assert len(await own) == 10
        assert (await shown.provider.counts())["refresh_token"] == 1
