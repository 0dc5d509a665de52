"""One program per user, whatever happened before."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from desktop.tray.single_instance import Request, SingleInstance

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.tray.single_instance import Request, SingleInstance
app = QCoreApplication([])
instance = SingleInstance("test", Path(sys.argv[1]))
first = instance.claim(Request(show=sys.argv[2] == "show", activation_token="token-7"))
print("first" if first else "second", flush=True)
if first:
    app.exec()
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="one-") as path:  # a socket's path must be short
        yield Path(path)


def second_start(directory: Path, wish: str = "show") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SECOND, str(directory), wish]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("wish", ["show", "hide"])
def test_a_second_start_hands_over_its_wish(directory: Path, qtbot: QtBot, wish: str) -> None:
    first = SingleInstance("test", directory)
    assert first.claim(Request())
    with qtbot.waitSignal(first.requested, timeout=10_000) as requested:
        second = second_start(directory, wish)
    assert requested.args == [Request(show=wish == "show", activation_token="token-7")]
    assert second.communicate(timeout=10)[0] == "second\n"
    first.release()


def test_a_crash_leaves_nothing_that_blocks(directory: Path) -> None:
    crashed = second_start(directory)
    assert crashed.stdout is not None
    assert crashed.stdout.readline() == "first\n"
    crashed.send_signal(signal.SIGKILL)
    crashed.wait(timeout=10)
    crashed.stdout.close()
    assert list(directory.glob("*.socket"))
    again = SingleInstance("test", directory)
    assert again.claim(Request())
    again.release()


def test_the_place_can_be_taken_after_release(directory: Path, qtbot: QtBot) -> None:
    for _ in range(2):
        instance = SingleInstance("test", directory)
        assert instance.claim(Request())
        instance.release()


@pytest.mark.parametrize("message", [b"nonsense\n", b"[]\n", b'{"show": true}\n', b"x" * 100_000])
def test_nonsense_is_refused(directory: Path, qtbot: QtBot, message: bytes) -> None:
    first = SingleInstance("test", directory)
    assert first.claim(Request())
    connection = QLocalSocket()
    with qtbot.assertNotEmitted(first.requested), qtbot.waitSignal(connection.disconnected):
        connection.connectToServer(first._address)
        connection.write(message)
    first.release()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no mode")
def test_the_socket_is_ours_alone(directory: Path, qtbot: QtBot) -> None:
    instance = SingleInstance("test", directory)
    assert instance.claim(Request())
    (path,) = directory.glob("*.socket")
    assert path.stat().st_mode & 0o077 == 0
    instance.release()
