"""What ``gateway run`` says on standard error, in the reference's words (spec 2.12, 3.14)."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec

from desktop import jsonrpc
from desktop.cli import output
from desktop.cli.progress import ProgressLine
from desktop.errors import StateFileError
from desktop.jsonrpc import Envelope
from desktop.servers.status import ServerState, ServerStatus

if TYPE_CHECKING:
    from desktop.app import Application
    from desktop.engine.ports import PullProgress
    from desktop.gateway.session import Call

__all__ = ["GatewayLog", "copied_to", "log_to_stderr"]

_FAILED: Final = frozenset({ServerState.FAILING, ServerState.NEEDS_SETTING, ServerState.NEEDS_SIGN_IN})
_PULL_EVERY: Final = 3.0
_PULLED: Final = "Status: "
_FAULT: Final = re.compile(rb'"(?:error|isError)"\s*:\s*[{t]')


class _ToolResult(msgspec.Struct):
    isError: Any = False


_result: Final = msgspec.json.Decoder(_ToolResult)


class GatewayLog:
    """Writes what is new, each thing once.

    Args:
        is_quiet: Leave out everything but failures (for commands that only need a gateway in between).
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._enabled: tuple[str, ...] | None = None
        self._problems: tuple[str, ...] = ()
        self._told: dict[str, str] = {}
        self._pulls: dict[str, float] = {}
        self._images: dict[str, str] = {}
        self._progress = ProgressLine()

    def line(self, text: str) -> None:
        """One line of progress."""
        if not self._is_quiet:
            self._say(text)

    def stderr(self, server: str, line: str) -> None:
        """A line a server has written to its standard error."""
        self._say(f"  - {server}: {line}")

    def egress(self, server: str, host: str, port: int, allowed: bool) -> None:
        """A server behind the fence asked for a host."""
        output.remark(f"  - {server}: {'reached' if allowed else 'was kept from'} {host}:{port}")

    def begun(self, call: Call, message: Envelope) -> None:
        """A tool call is on its way; its values are not shown."""
        arguments = jsonrpc.fields(message.params).get("arguments")
        count = len(jsonrpc.fields(arguments)) if arguments is not None and bytes(arguments)[:1] == b"{" else 0
        self.line(f"  - Calling tool {call.subject} with arguments: object with {count} field(s)")

    def ended(self, call: Call, answer: bytes | None) -> None:
        """A tool call has ended, and how."""
        took = output.duration(time.monotonic() - call.started)
        self.line(f"  > Calling tool {call.subject} took: {took}{_how_it_ended(answer)}")

    def pull(self, server: str, progress: PullProgress) -> None:
        """A pull got further."""
        image = progress.image.partition("@")[0]
        if self._progress.is_watched:
            self._images[server] = f"Pulling {image}"
            self._progress.update(self._images[server], progress.done, progress.total)
            if progress.status.startswith(_PULLED):
                self._pulled(server)
            return
        now = time.monotonic()
        if now - self._pulls.get(progress.image, 0.0) >= _PULL_EVERY:
            self._pulls[progress.image] = now
            share = f" ({progress.done * 100 // progress.total} %)" if progress.total else ""
            output.remark(f"  - Pulling {image} for {server}{share}")

    def erase_progress(self) -> None:
        """Before something else is printed."""
        self._progress.erase()

    def _pulled(self, server: str) -> None:
        if server in self._images:
            self._progress.finish(self._images.pop(server))

    def _say(self, text: str) -> None:
        self._progress.erase()
        output.remark(text)

    def configuration(self, application: Application) -> None:
        """Problems of the files and the set of enabled servers, where they are new."""
        for problem in application.problems():
            if problem not in self._problems:
                self._say(f"- Problem: {problem}")
        self._problems = application.problems()
        enabled = tuple(sorted(status.name for status in application.servers() if status.enabled))
        if enabled != self._enabled:
            self._enabled = enabled
            self.line(f"- Those servers are enabled: {', '.join(enabled)}" if enabled else "- No server is enabled")

    def servers(self, application: Application) -> None:
        """What became of each enabled server, where it is new."""
        for status in application.servers():
            text = _outcome(status)
            if text and self._told.get(status.name) != text:
                self._told[status.name] = text
                self._pulled(status.name)
                if status.state in _FAILED:
                    self._say(text)
                else:
                    self.line(text)


def _how_it_ended(answer: bytes | None) -> str:
    """What to say of an answer beside its time; nothing of a good one."""
    if answer is None:
        return " (cancelled)"
    if _FAULT.search(answer) is None:  # spares a look into most answers
        return ""
    message = jsonrpc.parse(answer)
    if message.error:
        return " (error)"
    return " (the tool reports an error)" if _result.decode(message.result).isError else ""


def _outcome(status: ServerStatus) -> str:
    """A line once the server has been listed or can't be; empty before."""
    if not status.enabled:
        return ""
    if status.state in _FAILED:
        hint = f". {status.hint}" if status.hint else ""
        return f"  > Can't start {status.name}: {status.reason or status.state.value}{hint}"
    if status.state not in (ServerState.READY, ServerState.IDLE) or status.tool_count is None:
        return ""
    counts = ((status.tool_count, "tools"), (status.prompt_count, "prompts"), (status.resource_count, "resources"))
    return f"  > {status.name}: " + (" ".join(f"({count} {what})" for count, what in counts if count) or "(0 tools)")


def log_to_stderr(log: GatewayLog, *, is_verbose: bool) -> None:
    """Send the program's own log to standard error: warnings, in verbose mode everything; never a traceback."""

    def is_shown(record: logging.LogRecord) -> bool:
        log.erase_progress()
        return True

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(is_shown)
    handler.setFormatter(_Line())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("desktop").setLevel(logging.INFO if is_verbose else logging.WARNING)


class _Line(logging.Formatter):
    """One line a record; of an exception only its kind."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's message."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] is not None else ""
        return output.one_line(f"- {record.getMessage()}" + (f" ({kind})" if kind else ""))


@contextlib.contextmanager
def copied_to(file: str | None) -> Iterator[None]:
    """Write what goes to standard error into a file as well (``--log``); raises `StateFileError`."""
    if not file:
        yield
        return
    try:
        copy = Path(file).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed below
    except OSError as error:
        raise StateFileError(file, error.strerror or str(error), hint="--log names it") from error
    before = sys.stderr
    with copy:
        sys.stderr = _Both(before, copy)
        try:
            yield
        finally:
            sys.stderr = before


class _Both:
    """Standard error and its copy."""

    def __init__(self, first: TextIO, second: TextIO) -> None:
        self._first = first
        self._second = second

    def write(self, text: str) -> int:
        """To both."""
        self._second.write(text)
        return self._first.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)
