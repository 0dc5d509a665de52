"""What may never happen while fuzzing, caught wherever it shows: exceptions nobody handled, leaks, answers that go astray."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desktop.gateway.gateway import Gateway
from desktop.gateway.session import Call, Question, Session
from desktop.servers.upstream import Upstream

__all__ = ["Watch", "memory"]


def memory() -> int:
    """Resident memory of this process in KiB; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


class Watch(logging.Handler):
    """Collects findings.

    Attributes:
        findings: What was found, with how often.
        details: The first traceback or detail of each finding.
        seed: What is being tried; named with the finding.
        done: How often each thing was tried.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.findings: Counter[str] = Counter()
        self.details: dict[str, str] = {}
        self.done: Counter[str] = Counter()
        self.seed = ""

    def __enter__(self) -> Watch:
        logging.getLogger().addHandler(self)
        self._before = asyncio.get_running_loop().get_exception_handler()
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        asyncio.get_running_loop().set_exception_handler(self._before)

    def found(self, what: str, detail: str = "") -> None:
        """Something went wrong."""
        self.findings[what] += 1
        self.details.setdefault(what, f"first with {self.seed}\n{detail}".rstrip())

    def caught(self, where: str, error: BaseException) -> None:
        """An exception came out where none may."""
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{Path(last[0].filename).name}:{last[0].lineno}" if last else ""
        self.found(f"{where}: {type(error).__name__} at {place}", "".join(traceback.format_exception(error)))

    def emit(self, record: logging.LogRecord) -> None:
        """An exception in the log, or an error."""
        if record.exc_info and record.exc_info[1] is not None:
            self.caught(f"logged by {record.name}", record.exc_info[1])
        elif record.levelno >= logging.ERROR:
            self.found(f"logged by {record.name}: {record.getMessage()[:200]}")

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.caught(f"unhandled ({context.get('message')})", error)
        else:
            self.found(f"loop: {context.get('message')}", repr(context))

    def left_behind(self) -> None:
        """Nothing of an episode that is over may be alive."""
        gc.collect()
        for kind, count in Counter(type(item).__name__ for item in _ours()).items():
            self.found(f"left behind: {kind}", str(count))

    def report(self) -> Iterator[str]:
        """Lines for a person."""
        for what, count in self.findings.most_common():
            yield f"{count} x {what}"
            yield from (f"    {line}" for line in self.details[what].splitlines())


def _ours() -> list[Any]:
    return [item for item in gc.get_objects() if isinstance(item, Session | Call | Question | Upstream | Gateway)]
