"""A server that clients had runs in the gateway afterwards, and the clients reach it by the entry they got instead."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tomllib

import pytest

from desktop.app import GatewayOptions, running
from desktop.clients.machine import Machine
from desktop.clients.moving import Mover
from desktop.clients.roster import Roster
from desktop.clients.survey import survey
from desktop.engine.labels import INSTANCE
from desktop.secrets.opening import opened
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
COMMAND = ["run", "-i", "--rm", "mcp-gateway-test/time"]


def containers_of(instance: str) -> int:
    """How many containers of the image a run has started that live."""
    import docker

    client = docker.from_env()
    try:
        filters = {"label": f"{INSTANCE}={instance}", "ancestor": "mcp-gateway-test/time"}
        return len(client.containers.list(filters=filters))
    finally:
        client.close()


async def test_what_two_clients_had_each_for_itself_runs_once_for_both(home: Home) -> None:
    cursor, codex = home.root / ".cursor" / "mcp.json", home.root / ".codex" / "config.toml"
    for file in (cursor, codex):
        file.parent.mkdir()
    before = json.dumps({"mcpServers": {"clock": {"command": "docker", "args": COMMAND}}}, indent=2).encode()
    cursor.write_bytes(before)
    codex.write_text(f'[mcp_servers.clock]\ncommand = "docker"\nargs = {json.dumps(COMMAND)}\n', "utf-8")
    async with running(GatewayOptions(), home.paths) as application:
        url = await application.listen("127.0.0.1", 0, token="common")
        machine = Machine(environ={"HOME": str(home.root)}, platform=sys.platform)
        roster = Roster(home.paths, url, machine)
        (clock,) = survey(roster.statuses())
        assert [place.client.id for place in clock.places] == ["codex", "cursor"]
        with opened(home.paths) as store:
            mover = Mover(home.paths, roster, store)
            await mover.move([clock])
            await application.configuration.reload()
            assert await application.settled(60)

            ours = json.loads(cursor.read_bytes())["mcpServers"]["mcp-gateway"]
            theirs = tomllib.loads(codex.read_text("utf-8"))["mcp_servers"]["mcp-gateway"]
            counts: list[int] = []
            async with contextlib.AsyncExitStack() as stack:
                for entry, headers in ((ours, ours["headers"]), (theirs, theirs["http_headers"])):
                    token = headers["Authorization"].removeprefix("Bearer ")
                    client = await stack.enter_async_context(connected("streaming", url=entry["url"], token=token))
                    result = await client.call_tool("get_current_time", {"timezone": "UTC"})
                    assert json.loads(result.content[0].text)["timezone"] == "UTC"
                    counts.append(await asyncio.to_thread(containers_of, application.instance))
                application.gateway.sightings.look()
                assert {sighting.client for sighting in application.gateway.sightings.all()} == {"codex", "cursor"}
                assert counts[0] == counts[1]  # the second client has none of its own

            await mover.undo()
        assert cursor.read_bytes() == before
        assert b"mcp-gateway]" not in codex.read_bytes()
