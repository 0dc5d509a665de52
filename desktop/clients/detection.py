"""Whether a client is on this computer, and whether it runs."""

from __future__ import annotations

import contextlib
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.clients.description import Client
from desktop.clients.machine import Machine, is_there
from desktop.clients.processes import Running, is_alive

__all__ = ["Presence", "Sign", "detect"]

_CHROMIUM_ON_WINDOWS: Final = "lockfile"


class Sign(enum.Enum):
    """What tells that a client is here; the value is the phrase shown to people."""

    NONE = "not found"
    SETTINGS = "settings found"
    PROGRAM = "installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A client as found on this computer.

    Attributes:
        sign: What tells that it is here; settings alone may be left over from one that was removed.
        place: Where that was found; empty for none.
        running: Whether it runs now.
    """

    sign: Sign = Sign.NONE
    place: str = ""
    running: bool = False

    @property
    def installed(self) -> bool:
        """Whether there is any sign of it."""
        return self.sign is not Sign.NONE


def detect(client: Client, machine: Machine, running: Running) -> Presence:
    """Look for a client; reads folders only, nothing is started."""
    sign, place = _look(client, machine)
    return Presence(sign=sign, place=place, running=_runs(client, machine, running))


def _look(client: Client, machine: Machine) -> tuple[Sign, str]:
    if program := machine.find_program(client.programs):
        return Sign.PROGRAM, str(program)
    for path in machine.expand_all(client.apps.on(machine.platform)):
        if is_there(path):
            return Sign.PROGRAM, str(path)
    file = machine.choose(client.places)
    for path in (*machine.expand_all(client.traces.on(machine.platform)), *((file,) if file is not None else ())):
        if is_there(path):
            return Sign.SETTINGS, str(path)
    return Sign.NONE, ""


def _runs(client: Client, machine: Machine, running: Running) -> bool:
    if any(_is_held(lock) for lock in machine.expand_all(client.lock.on(machine.platform))):
        return True
    return running.any_of(client.processes)


def _is_held(lock: Path) -> bool:
    """Whether the program that made a lock lives: VS Code's kin write their process id into it, Chromium's a link to
    ``HOST-ID``; on Windows Chromium's is there only while the program runs."""
    with contextlib.suppress(OSError, ValueError):  # no lock, or one in a form we don't know: it does not run
        if lock.is_symlink():
            return is_alive(int(str(lock.readlink()).rpartition("-")[2]))
        if lock.name == _CHROMIUM_ON_WINDOWS:
            return lock.exists()
        return is_alive(int(lock.read_text(encoding="ascii").strip()))
    return False
