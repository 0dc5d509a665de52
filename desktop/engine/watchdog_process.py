"""Starts the watchdog (see `desktop.engine.watchdog`) and tells it what to take back should this process be killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from desktop.engine.labels import INSTANCE

__all__ = ["Watchdog", "watchdog_command", "watchdog_environment"]

CLOSE_LIMIT: Final = 10.0

log = logging.getLogger(__name__)


class Watchdog:
    """A small child process that outlives this one by a few seconds and cleans up after it.

    Everything goes over a pipe whose writing end nobody else holds (it isn't inherited), nothing over the command line.
    A watchdog that can't be started or has died costs a warning in the log, not the program; the sweep at the next
    start is there as well.

    Args:
        instance: Id of this run; containers with its label are removed.
    """

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the watchdog while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the child; takes a few milliseconds, in a thread."""
        try:
            self._process = await asyncio.to_thread(_spawn)
        except OSError as error:
            log.warning("The watchdog can't be started: %s", error.strerror)
            return
        self._tell(f"label {INSTANCE}={self._instance}")

    def engine_found(self, address: str) -> None:
        """Say where the engine is (`EngineInfo.address`)."""
        self._tell(f"engine {address}")

    def process_started(self, pgid: int) -> None:
        """Say that a process group of ours runs."""
        self._tell(f"pgid {pgid}")

    def process_ended(self, pgid: int) -> None:
        """Say that a process group has ended; its number may soon belong to somebody else."""
        self._tell(f"forget {pgid}")

    async def close(self) -> None:
        """End in good order: the watchdog looks once for leftovers, then exits."""
        process, pipe = self._process, self._process.stdin if self._process is not None else None
        if process is None or pipe is None:
            return
        self._tell("done")
        self._process = None
        with contextlib.suppress(OSError):
            pipe.close()
        try:
            await asyncio.to_thread(process.wait, CLOSE_LIMIT)
        except subprocess.TimeoutExpired:
            log.warning("The watchdog did not end within %d s", CLOSE_LIMIT)
            process.kill()
            await asyncio.to_thread(process.wait)

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        try:
            os.write(self._process.stdin.fileno(), line.replace("\n", " ").encode("utf-8") + b"\n")
        except OSError as error:
            log.warning("The watchdog does not listen: %s", error.strerror)


def watchdog_command(executable: str, *, frozen: bool) -> list[str]:
    """Command line of the watchdog.

    Args:
        executable: Python, or the built app.
        frozen: Whether this is a built app; its entry point calls `desktop.engine.watchdog.main` for ``--watchdog``.
    """
    if frozen:
        return [executable, "--watchdog"]
    return [executable, "-I", "-S", str(Path(__file__).with_name("watchdog.py"))]


def watchdog_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what PyInstaller's bootloader put into it, so that the child is a start of its own.

    Args:
        environ: Our environment.
    """
    cleaned = {name: value for name, value in environ.items() if not name.startswith(("_PYI_", "_MEIPASS"))}
    frozen = len(cleaned) < len(environ)
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH"):
        original = cleaned.pop(f"{name}_ORIG", None)
        if original is not None or frozen:
            cleaned.pop(name, None)
        if original:
            cleaned[name] = original
    cleaned["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    return cleaned


def _spawn() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        watchdog_command(sys.executable, frozen=getattr(sys, "frozen", False)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(sys.executable).anchor or None,
        env=watchdog_environment(os.environ),
        start_new_session=True,
        bufsize=0,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    if process.stdin is not None and sys.platform != "win32":
        # A watchdog that hangs must not hang the event loop through a full pipe.
        os.set_blocking(process.stdin.fileno(), False)
    return process
