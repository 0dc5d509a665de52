"""The watchdog as a process: it cleans up when its standard input ends, and not before."""

from __future__ import annotations

import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from desktop.engine import watchdog
from desktop.engine.labels import INSTANCE
from desktop.engine.watchdog_process import Watchdog, watchdog_command, watchdog_environment

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")


class Containers(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The requests a watchdog makes; `late` containers appear only after the first ones are gone."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.present = {"1" * 64, "2" * 64}
        self.late = ["3" * 64]
        self.networks = {"4" * 64}
        self.filters: list[str] = []
        super().__init__(str(path), Requests)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Requests(BaseHTTPRequestHandler):
    server: Containers

    def do_GET(self) -> None:
        filters = parse_qs(urlsplit(self.path).query)["filters"][0]
        if self.path.startswith("/networks"):
            assert json.loads(filters) == json.loads(self.server.filters[0])
            self.reply([{"Id": network} for network in self.server.networks])
            return
        self.server.filters.append(filters)
        self.reply([{"Id": container} for container in self.server.present])
        if not self.server.present and self.server.late:
            self.server.present.add(self.server.late.pop())

    def do_DELETE(self) -> None:
        kind, _, name = urlsplit(self.path).path.strip("/").partition("/")
        if kind == "networks" and self.server.present:  # as an engine does while a container is on it
            self.send_error(403)
            return
        (self.server.networks if kind == "networks" else self.server.present).discard(name)
        self.reply(None)

    def reply(self, body: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def containers(tmp_path: Path) -> Iterator[Containers]:
    with closing(Containers(tmp_path / "engine.sock")) as server:
        yield server


@pytest.fixture
def group() -> Iterator[subprocess.Popen[bytes]]:
    """A process group that ignores SIGTERM."""
    code = "import signal,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        watchdog_command(sys.executable, frozen=False), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )


@posix_only
def test_at_end_of_file_containers_and_process_groups_go(
    containers: Containers, group: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with started() as process:
        told = f"label a=b\nengine unix://{tmp_path / 'engine.sock'}\npgid {group.pid}\nnonsense\npgid x\npgid 1\n"
        _, errors = process.communicate(told.encode(), timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert group.wait(5) == -signal.SIGKILL
    assert not containers.present
    assert not containers.late, "a container that appeared late was not waited for"
    assert not containers.networks
    assert json.loads(containers.filters[0]) == {"label": ["a=b"]}


@posix_only
def test_a_process_group_that_has_ended_is_not_killed(group: subprocess.Popen[bytes]) -> None:
    with started() as process:
        process.communicate(f"pgid {group.pid}\nforget {group.pid}\n".encode(), timeout=30)
    assert group.poll() is None


@posix_only
def test_signals_do_not_stop_the_watchdog(containers: Containers, tmp_path: Path) -> None:
    with started() as process:
        assert process.stdin is not None
        process.stdin.write(f"label a=b\nengine unix://{tmp_path / 'engine.sock'}\n".encode())
        process.stdin.flush()
        own_session(process.pid)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert not containers.present


def own_session(pid: int) -> None:
    """Wait until the watchdog has set itself up: its own session is the last thing it makes."""
    while os.getsid(pid) != pid:
        os.sched_yield()


async def test_a_normal_end_is_quick(containers: Containers, tmp_path: Path) -> None:
    containers.present.clear()
    containers.late.clear()
    containers.networks.clear()
    dog = Watchdog("0123456789ab")
    await dog.start()
    pid = dog.pid
    dog.engine_found(f"unix://{tmp_path / 'engine.sock'}")
    await dog.close()
    await dog.close()
    assert dog.pid is None
    assert json.loads(containers.filters[0]) == {"label": [f"{INSTANCE}=0123456789ab"]}
    assert len(containers.filters) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid or 0, 0)


async def test_a_watchdog_that_was_killed_does_not_disturb_the_program(caplog: pytest.LogCaptureFixture) -> None:
    dog = Watchdog("0123456789ab")
    await dog.start()
    assert dog.pid is not None
    os.kill(dog.pid, signal.SIGKILL)
    os.waitid(os.P_PID, dog.pid, os.WEXITED | os.WNOWAIT)
    caplog.clear()
    with caplog.at_level("WARNING"):
        dog.process_started(12345)
    assert "does not listen" in caplog.text
    caplog.clear()
    await dog.close()


async def test_before_its_start_and_after_its_end_a_watchdog_is_silent() -> None:
    dog = Watchdog("0123456789ab")
    dog.process_started(12345)
    dog.process_ended(12345)
    await dog.close()


def test_only_the_standard_library_is_imported() -> None:
    path = str(Path(watchdog.__file__).parent)
    code = f"import sys; sys.path.append({path!r}); import watchdog; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"desktop", "docker", "asyncio", "json", "typing", "subprocess"} & set(done.stdout.split())


def test_nothing_about_the_run_is_on_the_command_line() -> None:
    assert watchdog_command("python", frozen=False)[:3] == ["python", "-I", "-S"]
    assert watchdog_command("/opt/app/mcp-gateway-desktop", frozen=True) == [
        "/opt/app/mcp-gateway-desktop",
        "--watchdog",
    ]


def test_the_environment_is_as_before_the_bootloader() -> None:
    cleaned = watchdog_environment(
        {
            "HOME": "/h",
            "_PYI_ARCHIVE_FILE": "x",
            "_MEIPASS2": "y",
            "LD_LIBRARY_PATH": "/tmp/_MEI1",
            "LD_LIBRARY_PATH_ORIG": "/usr/lib",
        }
    )
    assert cleaned == {"HOME": "/h", "LD_LIBRARY_PATH": "/usr/lib", "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    assert "LD_LIBRARY_PATH" not in watchdog_environment({"_PYI_X": "1", "LD_LIBRARY_PATH": "/tmp/_MEI1"})
    assert watchdog_environment({"LD_LIBRARY_PATH": "/mine"})["LD_LIBRARY_PATH"] == "/mine"
