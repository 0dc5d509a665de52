"""Starting the programs a test needs, and ending them again by their own process ids."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["need", "private_home", "session_bus", "started", "wait_until"]


def need(program: str) -> str:
    """The path of a program, or one sentence about what is missing."""
    if found := shutil.which(program):
        return found
    raise RuntimeError(f"{program} is not installed; `make test` installs it on Debian and Ubuntu")


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 15.0) -> None:
    """Wait for ``condition``, looking every 50 ms."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.05)


@contextlib.contextmanager
def started(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    log: Path,
    stdin: bytes | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own; the whole group is ended afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [need(str(command[0])), *map(str, command[1:])],
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):  # killed below then
        process.wait(timeout=5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=5)


def private_home(folder: Path) -> dict[str, str]:
    """An environment whose home, runtime and XDG folders lie in ``folder``; nothing of the caller's desktop is in it."""
    run = folder / "run"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    places = {"CONFIG": "config", "CACHE": "cache", "DATA": "data", "STATE": "state"}
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(run),
        "NO_AT_BRIDGE": "1",
        "GTK_A11Y": "none",
    }
    for key, name in places.items():
        (folder / name).mkdir(exist_ok=True)
        environment[f"XDG_{key}_HOME"] = str(folder / name)
    return environment


@contextlib.contextmanager
def session_bus(environment: Mapping[str, str], *, log: Path) -> Iterator[str]:
    """A private D-Bus session bus; yields its address. What it activates ends with it."""
    socket = Path(environment["XDG_RUNTIME_DIR"]) / "bus"
    address = f"unix:path={socket}"
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"]
    with started(command, environment, log=log) as process:
        wait_until(lambda: socket.exists() or process.poll() is not None, what="the start of a session bus")
        if process.poll() is not None:
            raise RuntimeError(f"dbus-daemon ended at once: {log.read_text(encoding='utf-8', errors='replace')}")
        yield address
