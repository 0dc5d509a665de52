"""The guardian sees when a client drops our entry, says so once, and writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.clients.guardian import EntryState, Guardian
from desktop.clients.receipts import Receipts
from tests.clients.conftest import Connect

ENTRY = {"url": "u"}
PRESENT, CHANGED, GONE = EntryState.PRESENT, EntryState.CHANGED, EntryState.GONE


class Watch:
    """What a guardian has told, sighting by sighting."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, EntryState, int]] = asyncio.Queue()

    async def follow(self, folder: Path) -> None:
        async with contextlib.aclosing(Guardian(Receipts(folder), settle=0.05).sightings()) as batches:
            async for batch in batches:
                for sighting in batch:
                    name = Path(sighting.receipt.file).name
                    self.told.put_nowait((name, sighting.state, sighting.times_gone))

    async def next(self) -> tuple[str, EntryState, int]:
        return await asyncio.wait_for(self.told.get(), 20)


@contextlib.asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watch]:
    watch = Watch()
    task = asyncio.create_task(watch.follow(folder))
    try:
        yield watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "clients"


async def test_an_entry_a_client_drops_is_told_once_and_again_after_a_restore(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "editor" / "mcp.json"
    file.parent.mkdir()
    connection = connection_to(file)
    connection.connect(ENTRY)
    async with watching(state) as watch:
        assert await watch.next() == ("mcp.json", PRESENT, 0)
        file.write_bytes(b'{"mcpServers": {}}')
        assert await watch.next() == ("mcp.json", GONE, 1)
        file.write_bytes(b'{"mcpServers": {"other": {}}}')

        connection.connect(ENTRY)
        assert await watch.next() == ("mcp.json", PRESENT, 1)
        file.unlink()
        assert await watch.next() == ("mcp.json", GONE, 2)
    assert not file.exists()


async def test_a_file_written_anew_with_our_entry_in_it_is_no_news(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "mcp.json"
    connection_to(file).connect(ENTRY)
    async with watching(state) as watch:
        assert await watch.next() == ("mcp.json", PRESENT, 0)
        file.write_text(json.dumps({"more": 1, "mcpServers": {"mcp-gateway": ENTRY}}, indent="\t"), encoding="utf-8")
        file.write_bytes(b"{broken")
        assert await watch.next() == ("mcp.json", EntryState.UNREADABLE, 0)
        file.write_text(json.dumps({"mcpServers": {"mcp-gateway": {"url": "theirs"}}}), encoding="utf-8")
        assert await watch.next() == ("mcp.json", CHANGED, 0)


async def test_a_client_connected_later_is_watched_until_it_is_disconnected(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    connection_to(tmp_path / "first.json").connect(ENTRY)
    later = connection_to(tmp_path / "later.json")
    async with watching(state) as watch:
        assert await watch.next() == ("first.json", PRESENT, 0)
        later.connect(ENTRY)
        assert await watch.next() == ("later.json", PRESENT, 0)
        later.disconnect()
        assert await watch.next() == ("later.json", EntryState.DISCONNECTED, 0)


async def test_a_client_s_folder_that_is_taken_away_is_not_made_again(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "editor" / "deep" / "mcp.json"
    connection_to(file).connect(ENTRY)
    async with watching(state) as watch:
        assert await watch.next() == ("mcp.json", PRESENT, 0)
        await asyncio.to_thread(shutil.rmtree, tmp_path / "editor")
        assert await watch.next() == ("mcp.json", GONE, 1)
        assert not (tmp_path / "editor").exists()
        connection_to(file).connect(ENTRY)
        assert await watch.next() == ("mcp.json", PRESENT, 1)


async def test_a_file_behind_a_link_is_watched_where_it_is(tmp_path: Path, state: Path, connection_to: Connect) -> None:
    real = tmp_path / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_bytes(b"{}")
    (tmp_path / "editor").mkdir()
    (tmp_path / "editor" / "mcp.json").symlink_to(real)
    connection_to(tmp_path / "editor" / "mcp.json").connect(ENTRY)
    async with watching(state) as watch:
        assert await watch.next() == ("mcp.json", PRESENT, 0)
        real.write_bytes(b"{}")
        assert await watch.next() == ("mcp.json", GONE, 1)


async def test_what_is_no_file_any_more_does_not_hold_the_guardian(
    tmp_path: Path, state: Path, connection_to: Connect
) -> None:
    file = tmp_path / "mcp.json"
    connection_to(file).connect(ENTRY)
    async with watching(state) as watch:
        assert await watch.next() == ("mcp.json", PRESENT, 0)
        file.unlink()
        os.mkfifo(file)
        assert await watch.next() in {("mcp.json", GONE, 1), ("mcp.json", EntryState.UNREADABLE, 0)}
