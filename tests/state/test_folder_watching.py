"""Folders are watched, so that a file another program replaces is seen at once."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.state.atomic_file import write_text
from desktop.state.locks import file_lock
from desktop.state.watching import watch


async def next_of(changes: AsyncIterator[frozenset[Path]]) -> frozenset[Path]:
    async with asyncio.timeout(5):
        return await anext(changes)


def watch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "watch files"]


async def test_an_atomic_save_is_seen_within_half_a_second(tmp_path: Path) -> None:
    changes = watch([tmp_path / "made" / "on the way", tmp_path])
    assert await next_of(changes) == frozenset()
    for number in range(3):
        started = time.monotonic()
        write_text(tmp_path / "registry.yaml", f"{number}")
        assert await next_of(changes) == {tmp_path / "registry.yaml"}
        assert time.monotonic() - started < 0.5
    await changes.aclose()


async def test_our_own_temporary_and_lock_files_are_passed_over(tmp_path: Path) -> None:
    changes = watch([tmp_path])
    await next_of(changes)
    (tmp_path / ".a.1-0.mgd-tmp").touch()
    with file_lock(tmp_path / ".x.lock"):
        write_text(tmp_path / "seen", "")
    assert await next_of(changes) == {tmp_path / "seen"}
    await changes.aclose()


async def test_a_folder_that_is_removed_is_made_and_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "mcp"
    changes = watch([folder])
    await next_of(changes)
    shutil.rmtree(folder)
    assert folder in await next_of(changes)
    write_text(folder / "registry.yaml", "")
    assert await next_of(changes) == {folder / "registry.yaml"}
    await changes.aclose()


@pytest.mark.parametrize("way", ["cancelled", "closed"])
async def test_no_thread_is_left_when_the_watch_ends(tmp_path: Path, way: str) -> None:
    up = asyncio.Event()

    async def follow() -> None:
        async for _ in watch([tmp_path]):
            up.set()

    before = len(watch_threads())
    if way == "cancelled":
        task = asyncio.create_task(follow())
        async with asyncio.timeout(5):
            await up.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        changes = watch([tmp_path])
        await next_of(changes)
        await changes.aclose()
    for thread in watch_threads():
        thread.join(1)
    assert len(watch_threads()) == before
