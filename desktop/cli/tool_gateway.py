"""A gateway to ask about tools: the running one, or one of our own for as long as the question takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from desktop.errors import GatewayError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.app import GatewayOptions
    from desktop.cli.gateway_log import GatewayLog
    from desktop.gateway.gateway import Gateway
    from desktop.gateway.session import Session

__all__ = ["Ask", "Work", "ask_gateway"]

Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
Work = Callable[[Ask], Coroutine[Any, Any, int]]


def ask_gateway(work: Work, flags: Sequence[str], *, is_verbose: bool) -> int:
    """Run ``work`` with a function that sends a request and returns its result.

    Args:
        work: What is to be done; returns the exit code.
        flags: Flags of ``gateway run``. With any, a gateway of our own is started; without, the running one is asked first.
        is_verbose: Show what servers write to standard error.
    """
    if not flags:
        from desktop.gateway.local_client import LocalClient

        client = LocalClient.connect(Paths.of_user())
        if client is not None:

            async def ask(method: str, params: dict[str, Any]) -> Any:
                return client.request(method, params)

            try:
                return _finished(work(ask))
            finally:
                client.close()
    return _with_own_gateway(work, flags, is_verbose=is_verbose)


def _finished(work: Coroutine[Any, Any, int]) -> int:
    """Run work that never has to wait for a loop; without one, Ctrl-C ends it at once."""
    try:
        work.send(None)
    except StopIteration as ended:
        return int(ended.value)
    raise RuntimeError("the work waits for an event loop")


def _with_own_gateway(work: Work, flags: Sequence[str], *, is_verbose: bool) -> int:
    from desktop.cli import deferred
    from desktop.cli.gateway_flags import chosen_options, parse_flags
    from desktop.cli.gateway_log import GatewayLog, log_to_stderr

    deferred.settle()
    arguments = parse_flags([*flags, "--watch=false"])
    is_verbose = is_verbose or arguments.verbose
    log = GatewayLog(is_quiet=not is_verbose)
    log_to_stderr(log, is_verbose=is_verbose)
    options = chosen_options(arguments, on_stderr=log.stderr if is_verbose else None, on_pull=log.pull)
    try:
        return asyncio.run(_own(work, options, log))
    finally:
        log.erase_progress()


async def _own(work: Work, options: GatewayOptions, log: GatewayLog) -> int:
    from desktop.app import running

    async with running(options) as application:
        log.configuration(application)
        if not await application.settled(options.start_timeout):
            log.line("- Some servers are still starting")
        log.servers(application)
        gateway = application.gateway
        session = gateway.open_session("stdio")
        try:
            return await work(lambda method, params: _request(gateway, session, method, params))
        finally:
            await gateway.end_session(session)


async def _request(gateway: Gateway, session: Session, method: str, params: dict[str, Any]) -> Any:
    from desktop import jsonrpc

    answer = _Answer()
    message = jsonrpc.parse(jsonrpc.request(1, method, jsonrpc.encode(params)))
    gateway.request(session, message, answer)
    reply = jsonrpc.parse(await answer.message)
    if bytes(reply.error):
        raise GatewayError(str(jsonrpc.decode(reply.error).get("message", "the gateway answered with an error")))
    return jsonrpc.decode(reply.result)


class _Answer:
    """Takes the answer to one request; what comes before it (progress, log messages) is passed over."""

    def __init__(self) -> None:
        self.message: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def send(self, message: bytes) -> None:
        """Passed over."""

    def finish(self, message: bytes) -> None:
        """The answer."""
        if not self.message.done():
            self.message.set_result(message)

    def abandon(self) -> None:
        """There will be none."""
        self.message.cancel()
