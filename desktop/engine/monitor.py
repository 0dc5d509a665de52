"""Whether a container engine is there: asked for once, looked for again while it is missing, told when it changes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from desktop.engine.ports import ContainerEngine, EngineInfo
from desktop.errors import EngineError, EngineUnavailableError
from desktop.events import EventStream

__all__ = ["EngineMonitor"]

_RETRY: Final = 5.0


class EngineMonitor:
    """Keeps the answer to "is there an engine" without asking it before each use.

    Args:
        engine: The engine to look for.

    Attributes:
        info: The engine that answered; None while there is none.
        error: Why there is none; None while it was never looked for, or answers.
        changed: An event whenever ``info`` or ``error`` becomes another.
    """

    def __init__(self, engine: ContainerEngine) -> None:
        self.info: EngineInfo | None = None
        self.error: EngineError | None = None
        self.changed: EventStream[None] = EventStream()
        self._engine = engine
        self._lock = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    async def available(self) -> ContainerEngine:
        """The engine, if it answers.

        Raises:
            EngineError: There is none; after the first look this is known at once.
        """
        if self.info is None:
            if self.error is not None:
                raise self.error
            await self.look()
        if self.info is None:
            raise self.error or EngineUnavailableError("Docker is not running", "Start Docker and try again")
        return self._engine

    def reveals(self, image: str) -> bool:
        """Whether the engine shows hidden variables of this image's containers."""
        return self._engine.reveals(image)

    async def look(self) -> None:
        """Ask now; the outcome is in ``info`` and ``error``."""
        async with self._lock:
            before = (self.info, str(self.error or ""))
            try:
                self.info, self.error = await self._engine.ping(), None
            except EngineError as error:
                self.info, self.error = None, error
            if (self.info, str(self.error or "")) != before:
                self.changed.publish(None)

    def lost(self, error: EngineUnavailableError) -> None:
        """A call found that the engine has gone."""
        if self.info is not None:
            self.info, self.error = None, error
            self.changed.publish(None)

    def watch(self) -> None:
        """From now on, look again every few seconds while there is no engine, and now and then while there is one."""
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look_again())

    async def close(self) -> None:
        """Stop watching and give the engine back."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._engine.close()

    async def _look_again(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_RETRY if self.info is None else _RETRY * 6)
