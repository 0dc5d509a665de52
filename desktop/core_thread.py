"""The gateway on a thread and an event loop of its own, so that neither a busy window delays calls nor calls the window.

The tray sees a `Host` as ever: its events arrive on the tray's loop, its coroutines are awaited there, and what it only reads
is read at once, which `desktop.host.Host` allows from any thread. Everything of the core is touched on the core's loop only.
See docs/decisions/0008.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, cast

from desktop.event_loop import new_event_loop
from desktop.events import EventStream
from desktop.host import Host, HostEvent, HostPart

__all__ = ["in_core_thread"]

# How long, in seconds, one thread may hold the interpreter while the other waits: a window that paints for 100 ms would else
# keep a call waiting for 5 ms at each of its turns.
_SWITCH_INTERVAL: Final = 0.0005


@contextlib.asynccontextmanager
async def in_core_thread(make: Callable[[], AbstractAsyncContextManager[Host]]) -> AsyncIterator[Host]:
    """Run a host on a thread of its own.

    Args:
        make: Makes the host's context manager; called, entered and left on the core's loop.

    Yields:
        The host, for use on the calling loop.
    """
    thread = _CoreThread(make)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        host = await thread.start()
        try:
            yield cast("Host", _HostOnAnotherLoop(host, thread))
        finally:
            await thread.stop()
    finally:
        sys.setswitchinterval(before)


class _CoreThread:
    """The thread, its loop, and the way there and back."""

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[Host]]) -> None:
        self._make = make
        self._home = asyncio.get_running_loop()
        self._started: asyncio.Future[Host] = self._home.create_future()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)

    async def start(self) -> Host:
        """Begin, and wait until the host is up; raises what entering it raised."""
        self._thread.start()
        try:
            return await asyncio.shield(self._started)
        except asyncio.CancelledError:
            self._ask_to_stop()
            raise

    async def stop(self) -> None:
        """Leave the host and end the thread; raises what leaving it raised."""
        self._ask_to_stop()
        await self._ended.wait()
        await asyncio.to_thread(self._thread.join)
        if self._error is not None:
            raise self._error

    async def call(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Await something on the core's loop."""
        assert self._loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_begin(work), self._loop))

    def at_home(self, callback: Callable[..., Any], *arguments: Any) -> None:
        """Call back on the loop of whoever started us; nothing happens when that has ended."""
        with contextlib.suppress(RuntimeError):
            self._home.call_soon_threadsafe(callback, *arguments)

    def subscribe(self, subscribe: Callable[[], Any]) -> None:
        """Run a quick function on the core's loop, soon."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(subscribe)

    def _ask_to_stop(self) -> None:
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._host())
        except BaseException as error:
            self._error = error
            self.at_home(self._fail, error)
        finally:
            self.at_home(self._ended.set)

    async def _host(self) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with self._make() as host:
            self.at_home(self._succeed, host)
            await self._stop.wait()

    def _succeed(self, host: Host) -> None:
        if not self._started.done():
            self._started.set_result(host)

    def _fail(self, error: BaseException) -> None:
        if not self._started.done():
            self._started.set_exception(error)
            self._error = None


async def _begin(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return await work()


class _OnAnotherLoop:
    """Something of the core whose coroutines are awaited on another loop than its own; its parts likewise."""

    def __init__(self, inner: Any, thread: _CoreThread) -> None:
        self._inner = inner
        self._thread = thread

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if isinstance(found, HostPart):
            part = self.__dict__[name] = _OnAnotherLoop(found, self._thread)
            return part
        if not inspect.iscoroutinefunction(found):
            return found

        @functools.wraps(found)
        async def there(*arguments: Any, **named: Any) -> Any:
            return await self._thread.call(lambda: found(*arguments, **named))

        return there


class _HostOnAnotherLoop(_OnAnotherLoop):
    """A `Host` whose events come to another loop as well."""

    def __init__(self, host: Host, thread: _CoreThread) -> None:
        super().__init__(host, thread)
        self.events: EventStream[HostEvent] = EventStream()
        publish = self.events.publish
        thread.subscribe(lambda: host.events.subscribe(lambda event: thread.at_home(publish, event)))
