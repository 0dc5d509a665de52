"""The packages on clean systems: installed, used from a client, brought up to date, removed, and nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop import __version__
from tests.helpers.clean_root import CleanRoot, clean_root
from tests.helpers.display import Display, virtual_display
from tests.helpers.docker_engine import docker_engine
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected
from tests.helpers.ports import free_port
from tests.helpers.processes import wait_until
from tests.packaging.conftest import BEFORE

__all__ = ["docker_engine"]
pytestmark = [pytest.mark.package, pytest.mark.usefixtures("docker_engine")]

APP = "/usr/lib/mcp-gateway-desktop"
_LIBRARIES = (
    "libdbus-1-3", "libegl1", "libexpat1", "libfontconfig1", "libfreetype6", "libgl1", "libglib2.0-0", "libgssapi-krb5-2",
    "libx11-xcb1", "libxext6", "ca-certificates",
)  # fmt: skip


class Person:
    """Somebody who uses the installed program on a display, with a home of their own.

    Args:
        root: The system.
        display: What the tray is shown on.
        home: Their home, which is at the same place inside the system.
    """

    def __init__(self, root: CleanRoot, display: Display, home: Home) -> None:
        self._root = root
        self._home = home
        self._log = home.root / "tray.log"
        self.environment = {
            "HOME": str(home.root),
            "XDG_RUNTIME_DIR": display.environment["XDG_RUNTIME_DIR"],
            "DISPLAY": display.environment["DISPLAY"],
            "DBUS_SESSION_BUS_ADDRESS": display.environment["DBUS_SESSION_BUS_ADDRESS"],
            "MCP_GATEWAY_PORT": str(free_port()),
            "QT_QPA_PLATFORM": "xcb",
        }

    def says(self, *command: str) -> str:
        """What ``docker-mcp`` prints."""
        return self._root.run("docker-mcp", *command, environment=self.environment)

    @contextlib.contextmanager
    def tray(self) -> Iterator[subprocess.Popen[bytes]]:
        """The running tray with its gateway."""
        with self._root.started(
            "mcp-gateway-desktop", "--hidden", environment=self.environment, log=self._log
        ) as process:
            wait_until(lambda: self._is_reached(process), what="the start of the tray's gateway", seconds=60)
            yield process
            text = self._log.read_text(encoding="utf-8")
            assert "Traceback" not in text, text

    def _is_reached(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, self._log.read_text(encoding="utf-8")
        try:
            return bool(self.says("gateway", "status"))
        except RuntimeError:
            return False

    def client_file(self) -> dict[str, Any]:
        """What Cursor has been told of the gateway."""
        text = self._home.root.joinpath(".cursor", "mcp.json").read_text(encoding="utf-8")
        (entry,) = json.loads(text)["mcpServers"].values()
        return dict(entry)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """A client that reaches the gateway as its file says."""
        entry = self.client_file()
        token = entry["headers"]["Authorization"].removeprefix("Bearer ")
        async with connected("streaming", url=entry["url"], token=token) as client:
            yield client


@pytest.fixture
def home() -> Iterator[Home]:
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    home = Home(root)
    home.catalog({"echo": home.container("echo")})
    (root / ".cursor").mkdir()
    yield home
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def display() -> Iterator[Display]:
    with virtual_display("xfce4-panel") as running:
        yield running


def _containers() -> list[str]:
    command = ["docker", "ps", "-aq", "--filter", "label=io.mcp-gateway-desktop.server=echo"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _processes(root: CleanRoot) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(process.joinpath("exe").readlink()).endswith(f"{APP}/mcp-gateway-desktop"):
                found.append(process.joinpath("root").readlink())
    return [str(place) for place in found if place == root.folder]


async def _use(person: Person, display: Display) -> None:
    """What somebody does on the first day, with the installed programs alone."""
    await asyncio.to_thread(person.says, "server", "enable", "echo")
    with person.tray() as tray:
        items = "org.kde.StatusNotifierWatcher"
        asked = ("dbus-send", "--session", "--print-reply", f"--dest={items}", "/StatusNotifierWatcher")
        get = ("org.freedesktop.DBus.Properties.Get", f"string:{items}", "string:RegisteredStatusNotifierItems")
        wait_until(lambda: "StatusNotifierItem" in display.run(*asked, *get), what="the icon in the tray", seconds=30)
        await asyncio.to_thread(person.says, "client", "connect", "cursor", "--global")
        async with person.client() as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert "echo" in names
            answer = await client.call_tool("echo", {"text": "from a client"})
            assert "from a client" in str(answer.content)
        said = await asyncio.to_thread(person.says, "tools", "call", "echo", "text=from the command line")
        assert "from the command line" in said
        tray.terminate()
        await asyncio.to_thread(wait_until, lambda: tray.poll() is not None, what="the end of the tray", seconds=30)
        assert tray.returncode == 0
    await asyncio.to_thread(wait_until, lambda: not _containers(), what="the end of the container", seconds=30)


async def _journey(
    root: CleanRoot, person: Person, display: Display, install: Callable[[int], str], remove: Callable[[], object]
) -> None:
    before = root.files()
    assert BEFORE in install(0)
    await _use(person, display)
    told, settings = person.client_file(), person.says("server", "ls", "--json")
    with person.tray() as tray:
        assert __version__ in install(1)
        # What runs of the former version has ended, since its files are gone.
        wait_until(lambda: tray.poll() is not None, what="the end of the former version", seconds=30)
    assert person.says("version") == f"{__version__}\n"
    assert (person.client_file(), person.says("server", "ls", "--json")) == (told, settings)
    with person.tray():
        async with person.client() as client:
            assert "again" in str((await client.call_tool("echo", {"text": "again"})).content)
        remove()
        assert _processes(root) == []
    await asyncio.to_thread(wait_until, lambda: not _containers(), what="the end of the container", seconds=30)
    names = ("docker-mcp", "mcp-gateway", "mcp_gateway")
    ours = {file for file in root.files() - before if any(name in file.lower() for name in names)}
    assert ours == set()


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
async def test_debian(suite: str, debs: tuple[Path, Path], display: Display, home: Home) -> None:
    with clean_root(suite) as root, tempfile.TemporaryDirectory(prefix="mcpgw-debs-") as folder:
        for deb in debs:
            shutil.copy(deb, folder)
        root.run("apt-get", "update", "-q")

        def install(number: int) -> str:
            root.run("apt-get", "install", "-q", "-y", "--no-install-recommends", Path(folder) / debs[number].name)
            return root.run("dpkg-query", "-W", "mcp-gateway-desktop")

        def remove() -> None:
            root.run("apt-get", "purge", "-q", "-y", "mcp-gateway-desktop")

        await _journey(root, Person(root, display, home), display, install, remove)
        assert "no packages found" in root.run("dpkg-query", "-W", "mcp-gateway-desktop", check=False)


async def test_rpm(rpms: tuple[Path, Path], display: Display, home: Home) -> None:
    """The libraries are Debian's, and rpm knows nothing of them; its own work with our files is the same everywhere."""
    with clean_root("bookworm") as root:
        root.run("apt-get", "update", "-q")
        root.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *_LIBRARIES)
        subprocess.run(["rpm", "--root", root.folder, "--initdb"], check=True, timeout=60)

        def rpm(*arguments: str | Path) -> str:
            command = [*root.beneath, "rpm", "--root", root.folder, *arguments]
            return subprocess.run(command, check=True, timeout=300, capture_output=True, encoding="utf-8").stdout

        def install(number: int) -> str:
            rpm("-U", "--nodeps", rpms[number])
            rpm("-V", "--nodeps", "mcp-gateway-desktop")
            return rpm("-q", "mcp-gateway-desktop")

        def remove() -> None:
            rpm("-e", "mcp-gateway-desktop")

        await _journey(root, Person(root, display, home), display, install, remove)
