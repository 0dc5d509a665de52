"""A writer of clients' files that is killed (SIGKILL) before each of its calls to the system in turn, again and again.

Run as ``python -m tests.clients.killed_writer FOLDER SCENARIO``; it says how many times it was killed, and fails with an
AssertionError when a kill left a file that is neither the old nor the new one, or something that can't be undone.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.clients.connection import Connection, Disconnected
from desktop.clients.document import Format
from desktop.clients.file_edit import ClientFile
from desktop.clients.receipts import Receipts

ENTRY = {"url": "http://127.0.0.1:8811/mcp", "headers": {"Authorization": "Bearer one"}}
OTHER = {"url": "http://127.0.0.1:8811/mcp", "headers": {"Authorization": "Bearer two"}}
SETTINGS = b'{\n  // mine\n  "mcpServers": {\n    "a": {}\n  }\n}\n'


class Stage:
    """A folder with a client's file and our state, set up anew for each kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.file = self.home / ".editor" / "mcp.json"
        self.connection = self._connection()

    def _connection(self) -> Connection:
        file = ClientFile(self.file, locks=self.folder / "state" / "locks")
        receipts = Receipts(self.folder / "state" / "clients")
        return Connection("editor", file, Format.JSONC, ("mcpServers", "mcp-gateway"), receipts)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.home.mkdir(parents=True)

    def content(self) -> bytes | None:
        return self.file.read_bytes() if self.file.exists() else None

    def write(self, content: bytes) -> None:
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_bytes(content)


def new_file(stage: Stage) -> Callable[[], Any]:
    return lambda: stage.connection.connect(ENTRY)


def old_file(stage: Stage) -> Callable[[], Any]:
    stage.write(SETTINGS)
    return lambda: stage.connection.connect(ENTRY)


def new_token(stage: Stage) -> Callable[[], Any]:
    stage.write(SETTINGS)
    stage.connection.connect(ENTRY)
    return lambda: stage.connection.connect(OTHER)


def restore(stage: Stage) -> Callable[[], Any]:
    stage.write(SETTINGS)
    stage.connection.connect(ENTRY)
    return stage.connection.disconnect


def remove_file(stage: Stage) -> Callable[[], Any]:
    stage.connection.connect(ENTRY)
    return stage.connection.disconnect


def remove_entry(stage: Stage) -> Callable[[], Any]:
    stage.write(SETTINGS.replace(b"mine", b"ours"))
    stage.connection.connect(ENTRY)
    stage.file.write_bytes(stage.file.read_bytes().replace(b"ours", b"mine"))
    return stage.connection.disconnect


SCENARIOS = {
    "new-file": (new_file, None),
    "old-file": (old_file, SETTINGS),
    "new-token": (new_token, SETTINGS),
    "restore": (restore, SETTINGS),
    "remove-file": (remove_file, None),
    "remove-entry": (remove_entry, SETTINGS),
}


def main(folder: Path, scenario: str) -> int:
    """Kill the scenario's step before its first system call, its second, and so on until it gets through."""
    prepare, first = SCENARIOS[scenario]
    stage = Stage(folder)
    stage.clear()
    step = prepare(stage)
    before = stage.content()
    step()
    after = stage.content()
    assert before != after
    kills = 0
    while _killed(stage, prepare, kills + 1):
        kills += 1
        assert stage.content() in (before, after), (kills, stage.content())
        _check_repair(stage, first, kills)
    assert stage.content() == after
    print(kills)
    return 0


def _killed(stage: Stage, prepare: Callable[[Stage], Callable[[], Any]], number: int) -> bool:
    """Run the step in a process of its own that ends at its system call ``number``; False when it ends by itself."""
    stage.clear()
    step = prepare(stage)
    child = os.fork()
    if not child:
        left = number

        def count(_frame: Any, event: str, called: Any) -> None:
            nonlocal left
            if event == "c_call" and _is_of_system(called):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        step()
        sys.setprofile(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _is_of_system(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    return "posix" in (called.__module__, getattr(owner, "__name__", "")) or type(owner).__module__ in {"_io", "fcntl"}


def _check_repair(stage: Stage, first: bytes | None, kills: int) -> None:
    """After the crash a new process can connect and disconnect, and then everything is as it was at first."""
    stage.connection.connect(OTHER)
    assert stage.connection.entry() == OTHER
    outcome = stage.connection.disconnect()
    assert outcome is Disconnected.RESTORED, (kills, outcome)
    assert stage.content() == first, (kills, stage.content())
    left = [path for path in stage.home.rglob("*") if path != stage.file and path.is_file()]
    assert all(path.name.endswith(".mgd-tmp") for path in left), (kills, left)
    for path in left:
        path.unlink()
    if first is None:
        shutil.rmtree(stage.file.parent) if left and stage.file.parent.exists() else None
        assert not any(stage.home.iterdir()), (kills, list(stage.home.rglob("*")))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
