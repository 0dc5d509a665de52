"""What was pasted from a README runs: in a container, with its variables and folders, at once and without a restart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.app import GatewayOptions, running
from desktop.servers.status import ServerState
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]


async def test_a_pasted_command_is_a_running_server_a_moment_later(home: Home) -> None:
    async with running(GatewayOptions(), home.paths) as host:
        url = await host.listen("127.0.0.1", 0, token="common")
        pasted = "$ docker run --rm -i \\\n    mcp-gateway-test/time \\\n    --local-timezone=Asia/Tokyo\n"
        drafts = (await host.adding.understand(pasted)).drafts
        await host.adding.add(drafts)
        assert await host.settled(60)
        status = host.server(drafts[0].name)
        assert status is not None
        assert status.state in (ServerState.READY, ServerState.IDLE)
        async with connected("streaming", url=url, token="common") as session:
            names = {tool.name for tool in (await session.list_tools()).tools}
            assert "get_current_time" in names
            answer = await session.call_tool("get_current_time", {"timezone": "Asia/Tokyo"})
            assert "Asia/Tokyo" in str(answer.content)


async def test_a_pasted_configuration_sees_the_folder_it_names(home: Home) -> None:
    folder = home.root / "shared"
    folder.mkdir()
    Path(folder, "note.txt").write_text("from the host", encoding="utf-8")
    args = ["run", "-i", "--rm", "-v", f"{folder}:/data:ro", "mcp-gateway-test/filesystem", "/data"]
    async with running(GatewayOptions(), home.paths) as host:
        url = await host.listen("127.0.0.1", 0, token="common")
        text = json.dumps({"mcpServers": {"my files": {"command": "docker", "args": args}}})
        await host.adding.add((await host.adding.understand(text)).drafts)
        assert await host.settled(60)
        async with connected("streaming", url=url, token="common") as session:
            answer = await session.call_tool("read_file", {"path": "/data/note.txt"})
            assert "from the host" in str(answer.content)


async def test_a_folder_that_an_entry_names_is_not_given_before_somebody_agreed(home: Home) -> None:
    folder = home.root / "shared"
    folder.mkdir()
    Path(folder, "note.txt").write_text("from the host", encoding="utf-8")
    entry = home.container("filesystem", command=["/data"], volumes=[f"{folder}:/data:ro"])
    home.catalog({"files": entry})
    home.enable("files")
    async with running(GatewayOptions(), home.paths) as host:
        url = await host.listen("127.0.0.1", 0, token="common")
        await host.settled(60)
        status = host.server("files")
        assert status is not None
        assert status.state is ServerState.NEEDS_SETTING
        assert f"Filesystem may not read the folder {folder}" in status.reason
        assert status.hint == "Allow it with: docker-mcp server enable files --folders"
        command = [sys.executable, "-m", "desktop", "server", "enable", "files", "--folders"]
        await asyncio.to_thread(subprocess.run, command, env=home.environment, check=True)
        await host.restart("files")
        async with connected("streaming", url=url, token="common") as session:
            answer = await session.call_tool("read_file", {"path": "/data/note.txt"})
            assert "from the host" in str(answer.content)
