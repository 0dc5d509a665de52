"""A host on a thread of its own: called from one loop, running on another."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator

import pytest

from desktop.core_thread import in_core_thread
from desktop.errors import EndpointError, GatewayError
from desktop.events import EventStream
from desktop.host import HostEvent, StatusChanged
from tests.helpers.fake_mcp import LIMIT, eventually


class Core:
    """What of a host is needed here; keeps on which threads it was used."""

    def __init__(self) -> None:
        self.events: EventStream[HostEvent] = EventStream()
        self.threads: dict[str, int] = {"entered": threading.get_ident()}
        self.loop = asyncio.get_running_loop()
        self.left = False
        self.waiting = asyncio.Event()

    @property
    def paused(self) -> bool:
        return True

    def problems(self) -> tuple[str, ...]:
        return ("one",)

    async def restart(self, name: str) -> str:
        self.threads["restart"] = threading.get_ident()
        self.events.publish(StatusChanged())
        if name == "broken":
            raise EndpointError("it is broken", "mend it")
        return name

    async def set_paused(self, paused: bool) -> None:
        await self.waiting.wait()


@contextlib.asynccontextmanager
async def core() -> AsyncIterator[Core]:
    made = Core()
    yield made
    made.left = True


async def test_coroutines_run_there_and_events_arrive_here() -> None:
    seen: list[int] = []
    async with in_core_thread(core) as host:  # type: ignore[arg-type]
        inner: Core = host._inner  # type: ignore[attr-defined]
        host.events.subscribe(lambda event: seen.append(threading.get_ident()))
        assert await host.restart("a") == "a"  # type: ignore[func-returns-value]
        await eventually(lambda: seen)
        assert seen == [threading.get_ident()]
        assert inner.threads["restart"] == inner.threads["entered"] != threading.get_ident()
        assert (host.paused, host.problems()) == (True, ("one",))
    assert inner.left
    assert "gateway" not in {thread.name for thread in threading.enumerate()}


async def test_an_error_comes_back_with_its_hint() -> None:
    async with in_core_thread(core) as host:  # type: ignore[arg-type]
        with pytest.raises(GatewayError, match="it is broken") as caught:
            await host.restart("broken")
        assert caught.value.hint == "mend it"


async def test_a_host_that_can_not_start_says_why_and_leaves_no_thread() -> None:
    @contextlib.asynccontextmanager
    async def failing() -> AsyncIterator[Core]:
        raise EndpointError("no state folder")
        yield Core()

    with pytest.raises(EndpointError, match="no state folder"):
        async with in_core_thread(failing):  # type: ignore[arg-type]
            pass
    await eventually(lambda: "gateway" not in {thread.name for thread in threading.enumerate()})


async def test_leaving_while_a_coroutine_waits_there_does_not_hang() -> None:
    async with asyncio.timeout(LIMIT):
        async with in_core_thread(core) as host:  # type: ignore[arg-type]
            waiting = asyncio.create_task(host.set_paused(True))
            await asyncio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_cancelled_wait_cancels_the_work_there() -> None:
    async with in_core_thread(core) as host:  # type: ignore[arg-type]
        inner: Core = host._inner  # type: ignore[attr-defined]
        waiting = asyncio.create_task(host.set_paused(True))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        left = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(count(), inner.loop))
        assert left == 1  # the one that hosts


async def test_a_cancelled_start_is_not_left_running() -> None:
    entered = threading.Event()

    @contextlib.asynccontextmanager
    async def slow() -> AsyncIterator[Core]:
        entered.set()
        await asyncio.sleep(0.3)
        yield Core()

    async def enter() -> None:
        async with in_core_thread(slow):  # type: ignore[arg-type]
            pass

    starting = asyncio.create_task(enter())
    await asyncio.to_thread(entered.wait)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await eventually(lambda: "gateway" not in {thread.name for thread in threading.enumerate()})


async def test_the_interpreter_s_switch_interval_is_put_back() -> None:
    before = sys.getswitchinterval()
    async with in_core_thread(core):  # type: ignore[arg-type]
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
