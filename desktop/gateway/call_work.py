"""What is done for calls that can't be answered at once, and questions to servers whose answers nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec

from desktop import jsonrpc
from desktop.errors import GatewayError
from desktop.gateway.session import Call
from desktop.jsonrpc import MalformedMessageError
from desktop.servers.upstream import Upstream

__all__ = ["CallWork"]

log = logging.getLogger(__name__)


class CallWork:
    """The gateway's tasks.

    Attributes:
        tasks: Those under way.
    """

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()

    def later(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        """Do something for a call, which is answered with the error it ends with."""

        async def guarded() -> None:
            try:
                await work
            except GatewayError as error:
                call.error(jsonrpc.CONNECTION_CLOSED, str(error))
            except (MalformedMessageError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                call.error(jsonrpc.INVALID_PARAMS, f"The params of the request are invalid: {error}")
            except Exception as error:
                log.exception("a request failed")
                call.error(jsonrpc.INTERNAL_ERROR, f"The gateway failed: {type(error).__name__}")

        call.task = task = self._spawn(guarded())
        task.add_done_callback(lambda _: work.close())  # a call that was cancelled at once has not begun it

    def tell(self, upstream: Upstream, method: str, params: bytes) -> None:
        """Ask a server something, now, whose answer nobody waits for."""

        def answered(task: asyncio.Task[Any]) -> None:
            if not task.cancelled() and task.exception() is not None:
                log.debug("%s does not take %s: %s", upstream.server, method, task.exception())

        self._spawn(upstream.request(method, params, time_limit=10)).add_done_callback(answered)

    async def close(self) -> None:
        """End everything."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
