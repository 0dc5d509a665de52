"""``docker-mcp gateway``: run a gateway in the foreground, find the running one, print its token."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from desktop.cli import deferred, output
from desktop.cli.commands import Command, Group
from desktop.cli.gateway_flags import Serving, add_flags, chosen_options, chosen_serving
from desktop.cli.parser import Parser
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.app import Application, GatewayOptions
    from desktop.cli.gateway_log import GatewayLog

__all__ = ["GROUP"]

_LISTING: Final = 30.0  # what listing a server may take after its start
_END_WITHIN: Final = 9.5
_TOKEN_VARIABLE: Final = "MCP_GATEWAY_AUTH_TOKEN"


def _run(arguments: argparse.Namespace) -> int:
    serving = chosen_serving(arguments)
    deferred.settle()
    from desktop.cli.gateway_log import GatewayLog, copied_to, log_to_stderr

    log = GatewayLog()
    options = chosen_options(
        arguments,
        on_stderr=log.stderr if arguments.verbose else None,
        on_interceptor=log.stderr,
        on_scan=log.line if arguments.log_calls else None,
        call_log=log if arguments.log_calls else None,
        on_pull=log.pull,
        on_egress=log.egress if arguments.debug_dns or arguments.verbose else None,
    )
    if serving.transport != "stdio":  # over stdio the terminal is the client's
        from desktop.cli.terminal_passphrase import ask_ahead

        ask_ahead(Paths.of_user())
    from desktop.event_loop import new_event_loop

    with copied_to(arguments.log):
        log_to_stderr(log, is_verbose=arguments.verbose)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(_Run(options, serving, log, is_dry=arguments.dry_run).serve())
            finally:
                log.erase_progress()
    return 0


class _Run:
    """One run of the gateway in the foreground."""

    def __init__(self, options: GatewayOptions, serving: Serving, log: GatewayLog, *, is_dry: bool) -> None:
        self._options = options
        self._serving = serving
        self._log = log
        self._is_dry = is_dry
        self._started = time.monotonic()

    async def serve(self) -> None:
        """Until end of input, a signal, or the end of a dry run."""
        from desktop.cli.stopping import end_within, stop_event

        with stop_event() as stop:
            stopped = asyncio.create_task(stop.wait())
            work = asyncio.create_task(self._work())
            await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                stopped.cancel()
                await work
                return
            end_within(_END_WITHIN)
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _work(self) -> None:
        from desktop.app import running
        from desktop.cli.stopping import end_within

        self._log.line("- Reading configuration...")
        async with running(self._options) as application:
            try:
                await self._serve(application)
            finally:
                end_within(_END_WITHIN)

    async def _serve(self, application: Application) -> None:
        if not self._is_dry and self._serving.transport != "stdio":
            await self._listen(application)
        self._log.line(f"- Configuration read in {self._elapsed()}")
        self._log.configuration(application)
        listing = asyncio.create_task(self._list(application))
        tasks = {listing}
        if not self._is_dry and self._serving.transport == "stdio":
            self._log.line("> Start stdio server")
            tasks.add(asyncio.create_task(application.serve_stdio()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, application: Application) -> None:
        """Listen before anything slow; who connects early waits for the first lists."""
        serving = self._serving
        token = None if serving.allow_unauthenticated else await application.token()
        url = await application.listen(serving.host, serving.port, token=token)
        if self._options.is_usual:
            await application.publish_locally()
        port = url.rpartition(":")[2].partition("/")[0]
        self._log.line(f"> Start {serving.transport} server on port {port}")
        self._log.line(f"> Gateway URL: {url.removesuffix('mcp') + 'sse' if serving.transport == 'sse' else url}")
        if token is None:
            self._log.line("> No token is asked for: every program that reaches this port may use the tools")
        elif os.environ.get(_TOKEN_VARIABLE, "").strip():
            self._log.line(f"> Clients need the bearer token of {_TOKEN_VARIABLE}")
        else:
            self._log.line("> Clients need a bearer token; this prints it: docker-mcp gateway token")

    async def _list(self, application: Application) -> None:
        """Say what became of the servers; afterwards also of those that change."""
        self._log.line("- Listing MCP tools...")
        begun = time.monotonic()
        unsubscribe = application.events.subscribe(lambda _: self._log.servers(application))
        if not await application.settled(self._options.start_timeout + _LISTING):
            self._log.line("- Some servers are still starting")
        self._log.servers(application)
        tools = application.endpoint().tools
        self._log.line(f"> {tools} tools listed in {output.duration(time.monotonic() - begun)}")
        unsubscribe()
        if self._options.watch:
            self._log.line("- Watching for configuration updates...")
        self._log.line(f"> Initialized in {self._elapsed()}")
        if self._is_dry:
            self._log.line("Dry run mode enabled, not starting the server.")
            return
        changed = asyncio.Event()
        application.events.subscribe(lambda _: changed.set())
        while True:
            await changed.wait()
            changed.clear()
            self._log.configuration(application)
            self._log.servers(application)
            await asyncio.sleep(0.2)  # a burst of changes is looked at once

    def _elapsed(self) -> str:
        return output.duration(time.monotonic() - self._started)


def _status_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["json"], help="print a JSON object")


def _status(arguments: argparse.Namespace) -> int:
    from desktop.gateway.local_client import running_gateway

    address = running_gateway(Paths.of_user())
    if arguments.format == "json":
        output.print_json({"running": address is not None, "address": address or ""})
    else:
        print(address or "not running")
    return 0 if address else 1


def _token(arguments: argparse.Namespace) -> int:
    from desktop.secrets.token import gateway_token

    print(gateway_token(Paths.of_user()))
    return 0


GROUP: Final = Group(
    "gateway",
    "The gateway: run it, find it, its token.",
    (
        Command(("run",), "Run the gateway in the foreground.", "--transport streaming --port 8811", _run, add_flags),
        Command(
            ("status",),
            "Print where the running gateway is reached; exit code 1 when none runs.",
            "\n--format json",
            _status,
            _status_arguments,
        ),
        Command(("token",), "Print the bearer token that HTTP clients need.", "", _token),
    ),
)
