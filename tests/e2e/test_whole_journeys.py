"""What a person does from the first start on, by mouse and keyboard alone, and what a client has of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.e2e.running_tray import Tray, containers_of, running_tray, until
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected

pytestmark = [pytest.mark.display, pytest.mark.keychain, pytest.mark.timeout(110)]
SECRET = "correct horse battery staple"


def photograph(tray: Tray, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        tray.display.screenshot(Path(folder) / f"journey-{name}.png")


def cursor_file(home: Home) -> Path:
    """A home in which Cursor has been, with a server of its own."""
    path = home.root / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text('{"mcpServers": {"mine": {"command": "mine"}}}\n', encoding="utf-8")
    return path


def servers_in(path: Path) -> dict[str, Any]:
    servers: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["mcpServers"]
    return servers


@pytest.mark.engine
@pytest.mark.usefixtures("docker_engine")
async def test_from_the_first_start_to_a_call_of_a_client_and_back(home: Home) -> None:
    secrets = [{"name": "vault.token", "env": "VAULT_TOKEN"}]
    often = {"pulls": 1000}
    home.catalog(
        {
            "time": home.container("time", description="Tells the time.", metadata=often),
            "vault": home.container(
                "echo", title="Vault", description="Keeps things.", secrets=secrets, metadata=often
            ),
        }
    )
    file = cursor_file(home)
    with running_tray(home, welcomed=False) as tray:
        assert tray.told("secrets") == "keychain"

        # The first steps: an engine is there, a server is switched on, the clients are left for later.
        await tray.window("First steps")
        photograph(tray, "1-first-steps")
        await tray.press("Continue")
        await until(lambda: "Time" in tray.rows(), "the servers to begin with")
        assert "Vault" not in tray.rows()
        await tray.switch("Time")
        await until(lambda: "ready" in tray.says("Time") or "idle" in tray.says("Time"), "the first server")
        photograph(tray, "2-first-server")
        await tray.press("Continue")
        await until(lambda: "Cursor" in tray.rows(), "the clients found here")
        await tray.press("Skip")
        await tray.window("MCP Gateway")

        # A server with a secret, through the catalog.
        tray.display.keys("ctrl+2")
        await until(lambda: "Search the catalog" in tray.told("controls"), "the catalog")
        tray.write("vault")
        await until(lambda: list(tray.rows())[:1] == ["Vault"], "the search's result")
        await tray.choose("Vault")
        await tray.press("Turn on")
        await until(lambda: "VAULT_TOKEN" in tray.told("controls"), "the question for the secret")
        await tray.press("VAULT_TOKEN")
        tray.write(SECRET)
        photograph(tray, "3-secret")
        await tray.press("Save")
        await tray.window("MCP Gateway")
        await until(lambda: bool(containers_of("vault")), "the server's container")

        # Cursor is connected with one click.
        tray.display.keys("ctrl+3")
        await until(lambda: "not connected" in tray.says("Cursor"), "Cursor among the clients")
        await tray.switch("Cursor")
        await until(lambda: "mcp-gateway" in servers_in(file), "the entry in Cursor's file")
        assert servers_in(file)["mine"] == {"command": "mine"}
        entry = servers_in(file)["mcp-gateway"]
        await until(lambda: "waiting" in tray.says("Cursor"), "the state of Cursor")

        # A client comes with what stands in that file, and calls the server.
        token = entry["headers"]["Authorization"].removeprefix("Bearer ")
        async with connected("streaming", url=entry["url"], token=token, mode="legacy") as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert {"get_current_time", "echo"} <= tools
            answer = await client.call_tool("echo", {"text": "hello vault"})
            assert "hello vault" in answer.content[0].text
            # The server has its secret, and the gateway lets nobody see it.
            with pytest.raises(MCPError, match="one of your stored secrets"):
                await client.call_tool("env", {"name": "VAULT_TOKEN"})
            await until(lambda: "connected" in tray.says("Cursor").split(", "), "the news that Cursor is here")
            photograph(tray, "4-client")

            tray.display.keys("ctrl+4")
            await until(lambda: any("echo" in row["says"] for row in tray.rows().values()), "the call in Activity")
            photograph(tray, "5-activity")

            tray.display.keys("ctrl+1")
            await until(lambda: "on" in tray.says("Vault").split(", "), "the server in the list")
            await tray.switch("Vault")
            await until(lambda: not containers_of("vault"), "the end of the container")
            assert "echo" not in {tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools}
    assert SECRET not in "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in home.root.rglob("*") if path.is_file()
    )


async def test_an_entry_that_another_program_took_out_is_reported_and_put_back_with_one_click(home: Home) -> None:
    file = cursor_file(home)
    with running_tray(home) as tray:
        tray.display.keys("ctrl+3")
        await tray.switch("Cursor")
        await until(lambda: "mcp-gateway" in servers_in(file), "the entry in Cursor's file")
        entry = servers_in(file)["mcp-gateway"]
        await until(lambda: "waiting" in tray.says("Cursor"), "the state of Cursor")

        file.write_text('{"mcpServers": {"mine": {"command": "mine"}}}\n', encoding="utf-8")
        await until(lambda: "entry dropped" in tray.says("Cursor"), "the report")
        assert "Cursor dropped the entry" in tray.says("Cursor")
        photograph(tray, "6-dropped")

        await tray.press("Connect again")
        await until(lambda: "mcp-gateway" in servers_in(file), "the entry, back in Cursor's file")
        assert servers_in(file)["mcp-gateway"]["url"] == entry["url"]
        assert servers_in(file)["mine"] == {"command": "mine"}
        await until(lambda: "waiting" in tray.says("Cursor"), "the state of Cursor")
