"""Which programs of this computer run, by name; looked up once for all clients."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["Running", "is_alive", "running_programs"]

_INTERPRETERS: Final = frozenset({"node", "bun", "deno", "python", "python3"})
_TIME_LIMIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """The names of running programs, in lower case, of interpreted ones the script's; ours and our children's left out."""

    names: frozenset[str] = frozenset()

    def any_of(self, names: Iterable[str]) -> bool:
        """Whether one of these programs runs."""
        return any(name.lower().removesuffix(".exe") in self.names for name in names)


def running_programs(platform: str = sys.platform) -> Running:
    """What runs now; reads the system's own lists, so it belongs on a worker thread. What can't be read is left out."""
    if platform == "win32":
        return Running(_names(_windows()))
    if platform.startswith("linux"):
        return Running(_names(_linux()))
    return Running(_names(_ps()))


def is_alive(process: int) -> bool:
    """Whether a process with this id is there."""
    if sys.platform == "win32":
        return str(process) in {row[1] for row in _tasks(["/fi", f"PID eq {process}"]) if len(row) > 1}
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is there, but somebody else's
    return True


def _names(commands: Iterable[list[str]]) -> frozenset[str]:
    found = set()
    for command in commands:
        if not command or not command[0]:
            continue
        name = PurePosixPath(command[0].replace("\\", "/")).name.lower().removesuffix(".exe")
        found.add(name)
        script = next((part for part in command[1:] if not part.startswith("-")), "")
        if name in _INTERPRETERS and script:
            found.add(PurePosixPath(script.replace("\\", "/")).name.lower().removesuffix(".js"))
    return frozenset(found)


def _linux() -> Iterable[list[str]]:
    own = os.getuid()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is not ours to look at
            if entry.stat().st_uid == own:
                text = Path(entry.path, "cmdline").read_bytes().decode("utf-8", "replace")
                yield text.split("\0")


def _ps() -> Iterable[list[str]]:
    command = ["/bin/ps", "-xww", "-o", "comm="]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_LIMIT, check=True)
        for line in listed.stdout.splitlines():
            yield [line.strip()]


def _windows() -> Iterable[list[str]]:
    return ([row[0]] for row in _tasks([]) if row)


def _tasks(more: list[str]) -> list[list[str]]:
    command = ["tasklist", "/fo", "csv", "/nh", *more]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=_TIME_LIMIT, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return list(csv.reader(listed.stdout.splitlines()))
