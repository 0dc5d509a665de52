"""A container whose entry names a provider gets the token of that sign-in, and a new container the renewed one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop.app import GatewayOptions, running
from desktop.servers.status import ServerState
from tests.helpers.authorization_server import Person, authorization_server
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home
from tests.helpers.ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.usefixtures("docker_engine"), pytest.mark.timeout(120)]


async def test_the_token_is_in_the_variable_and_follows_its_renewal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    home = Home(tmp_path / "h")
    provider_entry = {"provider": "forge", "secret": "forge.token", "env": "FORGE_TOKEN"}
    home.catalog({"echo": home.container("echo", oauth={"providers": [provider_entry], "scopes": ["offline_access"]})})
    home.enable("echo")
    client = {
        "client_id": "mine",
        "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
        "application_type": "native",
        "token_endpoint_auth_method": "none",
    }
    async with (
        authorization_server(clients=[client]) as provider,
        running(GatewayOptions(watch=False), home.paths) as application,
    ):
        sign_ins = application.services.sign_ins
        sign_ins._browser = Person()
        sign_ins._settings.change("forge", {"issuer": provider.issuer, "client_id": "mine", "port": port})
        assert await application.settled(30)
        status = application.server("echo")
        assert status is not None
        assert (status.state, status.reason) == (ServerState.NEEDS_SIGN_IN, "Echo wants you to sign in to forge")
        await application.sign_in("echo")
        async with asyncio.timeout(60):
            while not (application.server("echo") or status).tool_count:
                await asyncio.sleep(0.05)
        mcp = GatewayClient(application.gateway)
        await mcp.initialize()

        async def variable() -> str:
            result = await mcp.call("env", arguments={"name": "FORGE_TOKEN"}).result()
            return str(result["content"][0]["text"])

        access = application.services.tokens.of("forge")
        first = access.current
        assert first
        assert await variable() == first
        await access.instead_of(first)
        assert access.current != first
        assert await variable() == access.current
        await application.sign_out("forge")
        assert "sign in to forge" in (await mcp.call("env", arguments={"name": "FORGE_TOKEN"}).error())["message"]
