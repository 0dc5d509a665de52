"""The guardian sees when a client drops our entry, says so once, and writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.clients.guardian import EntryState, Guardian
from desktop.clients.receipts import Receipts
from tests.clients.conftest import Connect

ENTRY = {"url": "u"}
Seen = tuple[str, EntryState, int]


@contextlib.asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[asyncio.Queue[Seen]]:
    """A guardian's sightings; it is up once the entry of a file of its own has been seen to be gone."""
    seen: asyncio.Queue[Seen] = asyncio.Queue()

    async def follow() -> None:
        async with contextlib.aclosing(Guardian(Receipts(folder), settle=0.05).sightings()) as sightings:
            async for sighting in sightings:
                seen.put_nowait((Path(sighting.receipt.file).name, sighting.state, sighting.times_gone))

    task = asyncio.create_task(follow())
    try:
        assert await asyncio.wait_for(seen.get(), 20) == ("ready.json", EntryState.GONE, 1)
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def state(tmp_path: Path, connection_to: Connect) -> Path:
    """The folder of receipts, with one for a file that is gone again."""
    connection_to(tmp_path / "ready.json").connect(ENTRY)
    (tmp_path / "ready.json").unlink()
    return tmp_path / "state" / "clients"


async def test_an_entry_a_client_drops_is_told_once_and_again_after_a_restore(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "editor" / "mcp.json"
    file.parent.mkdir()
    connection = connection_to(file)
    connection.connect(ENTRY)
    async with watching(state) as seen:
        file.write_bytes(b'{"mcpServers": {}}')
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.GONE, 1)
        file.write_bytes(b'{"mcpServers": {"other": {}}}')

        connection.connect(ENTRY)
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.PRESENT, 1)
        file.unlink()
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.GONE, 2)
    assert not file.exists()


async def test_a_file_written_anew_with_our_entry_in_it_is_no_news(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "mcp.json"
    connection_to(file).connect(ENTRY)
    async with watching(state) as seen:
        file.write_text(json.dumps({**json.loads(file.read_bytes()), "more": 1}), encoding="utf-8")
        file.write_text(json.dumps({"mcpServers": {"mcp-gateway": ENTRY}}, indent="\t"), encoding="utf-8")
        file.write_bytes(b"{broken")
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.UNREADABLE, 0)
        file.write_text(json.dumps({"mcpServers": {"mcp-gateway": {"url": "theirs"}}}), encoding="utf-8")
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.CHANGED, 0)


async def test_a_client_connected_later_is_watched_too(tmp_path: Path, state: Path, connection_to: Connect) -> None:
    async with watching(state) as seen:
        file = tmp_path / "later" / "deep" / "mcp.json"
        connection_to(file).connect(ENTRY)
        await asyncio.to_thread(connection_to(tmp_path / "ready.json").connect, ENTRY)
        assert await asyncio.wait_for(seen.get(), 20) == ("ready.json", EntryState.PRESENT, 1)
        await asyncio.to_thread(shutil.rmtree, tmp_path / "later")
        assert await asyncio.wait_for(seen.get(), 20) == ("mcp.json", EntryState.GONE, 1)
    assert not (tmp_path / "later").exists()


async def test_a_disconnected_client_is_no_longer_watched(tmp_path: Path, state: Path, connection_to: Connect) -> None:
    connection = connection_to(tmp_path / "mcp.json")
    connection.connect(ENTRY)
    async with watching(state) as seen:
        connection.disconnect()
        connection_to(tmp_path / "ready.json").connect(ENTRY)
        assert await asyncio.wait_for(seen.get(), 20) == ("ready.json", EntryState.PRESENT, 1)
        assert seen.empty()
