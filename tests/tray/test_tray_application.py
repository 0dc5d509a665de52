"""The program from start to end, in process and as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.errors import EndpointError
from desktop.host import SecretNeed
from desktop.tray.application import HostFactory, TrayApplication
from desktop.tray.bridge import Phase
from desktop.tray.clients_page import ClientsPage
from desktop.tray.memory import Memory
from desktop.tray.server_settings_dialog import ServerSettingsDialog
from desktop.tray.settings_page import SettingsPage
from desktop.tray.single_instance import Request
from tests.helpers.fake_host import FakeHost, failing_host, few_servers
from tests.tray.conftest import Run

ROOT = Path(__file__).parents[2]


async def until(condition: object, seconds: float = 5.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def make(qapp: QApplication, memory: Memory, factory: HostFactory) -> TrayApplication:
    return TrayApplication(qapp, factory, memory)


@pytest.fixture(autouse=True)
def guardless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard that ends a stuck process would end the tests."""
    monkeypatch.setattr("threading.Timer.start", lambda _timer: None)


def test_window_and_icon_are_there_before_the_host(run: Run, qapp: QApplication, memory: Memory) -> None:
    host = FakeHost()
    seen: list[bool] = []
    tray = make(qapp, memory, lambda: (seen.append(tray.window.isVisible()), host.running())[1])

    async def story() -> None:
        serving = asyncio.create_task(tray.main())
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        tray.quit()
        await serving

    run(story())
    assert seen == [True]
    assert host.closed


def test_hidden_starts_without_the_window_and_a_second_start_brings_it(
    run: Run, qapp: QApplication, memory: Memory
) -> None:
    tray = make(qapp, memory, FakeHost().running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        assert not tray.window.isVisible()
        tray.on_request(Request(show=False))
        assert not tray.window.isVisible()
        tray.on_request(Request(activation_token="t"))
        assert tray.window.isVisible()
        tray.quit()
        await serving

    run(story())


def test_a_host_that_cant_start_is_explained(run: Run, qapp: QApplication, memory: Memory) -> None:
    error = EndpointError("Port 8811 is in use", hint="End the program that uses it.")
    tray = make(qapp, memory, lambda: failing_host(error))

    async def story() -> None:
        serving = asyncio.create_task(tray.main())
        await until(lambda: tray.bridge.phase is Phase.FAILED)
        assert tray.window.banners.endpoint.text() == "Port 8811 is in use.\nEnd the program that uses it."
        assert "Port 8811" in tray.icon.tooltip
        tray.quit()
        await serving

    run(story())


def test_a_host_that_does_not_close_is_left_after_the_limit(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.tray.application.CLOSE_LIMIT", 0.2)
    host = FakeHost()
    host.close_delay = 60
    tray = make(qapp, memory, host.running)

    async def story() -> float:
        serving = asyncio.create_task(tray.main())
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        began = time.monotonic()
        tray.quit()
        await serving
        return time.monotonic() - began

    assert run(story()) < 3


def test_quitting_while_the_host_is_starting_does_not_wait_for_it(run: Run, qapp: QApplication, memory: Memory) -> None:
    host = FakeHost()
    host.delay = 60
    tray = make(qapp, memory, host.running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main())
        await asyncio.sleep(0.2)
        tray.quit()
        async with asyncio.timeout(3):
            await serving

    run(story())


def test_closing_hides_into_the_tray_and_says_so_once(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.tray.icon.TrayIcon.available", property(lambda _icon: True))
    notified: list[str] = []
    monkeypatch.setattr(
        "desktop.tray.icon.TrayIcon.notify", lambda _icon, title, _text: bool(notified.append(title)) or True
    )
    tray = make(qapp, memory, FakeHost().running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main())
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        for _ in range(3):
            tray.window.close()
            assert not tray.window.isVisible()
            tray.open_window()
            assert tray.window.isVisible()
        tray.quit()
        await serving

    run(story())
    assert notified == ["MCP Gateway keeps running"]
    assert memory.told_about_tray


def test_closing_without_a_tray_keeps_the_window_within_reach(run: Run, qapp: QApplication, memory: Memory) -> None:
    tray = make(qapp, memory, FakeHost().running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main())
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        tray.window.close()
        assert tray.window.isMinimized()
        assert not serving.done()
        tray.open_window()
        assert not tray.window.isMinimized()
        tray.quit()
        await serving

    run(story())
    assert not memory.told_about_tray


def test_a_hidden_window_comes_back_when_the_tray_stays_away(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.tray.application.TRAY_LOOK_INTERVAL", 10)
    tray = make(qapp, memory, FakeHost().running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        await until(lambda: tray.window.isVisible())
        tray.quit()
        await serving

    run(story())


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="tray-") as home:
        run_directory = Path(home) / "run"
        run_directory.mkdir(mode=0o700)
        yield {
            **os.environ,
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "XDG_RUNTIME_DIR": str(run_directory),
            "QT_QPA_PLATFORM": "offscreen",
        }


DEMO = """
import sys, threading, os
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop.tray import application
from tests.helpers.fake_host import FakeHost, few_servers
host = FakeHost(few_servers())
original = host.running
def factory():
    print("up", flush=True)
    if "app-quit" in sys.argv:
        threading.Timer(0.5, lambda: QApplication.instance().metaObject().invokeMethod(QApplication.instance(), "quit")).start()
    return original()
code = application.run(factory, [argument for argument in sys.argv[1:] if argument == "--hidden"])
print("closed", host.closed, threading.active_count(), flush=True)
sys.exit(code)
"""


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", DEMO, *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(environment: dict[str, str], which: signal.Signals) -> None:
    process = start(environment, "--hidden")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(0.3)
    process.send_signal(which)
    out, errors = process.communicate(timeout=20)
    assert out.startswith("closed True")
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_the_systems_request_to_quit_ends_it_in_order(environment: dict[str, str]) -> None:
    out, errors = start(environment, "app-quit").communicate(timeout=20)
    assert "closed True" in out
    assert "Traceback" not in errors


def test_a_second_start_ends_at_once(environment: dict[str, str]) -> None:
    first = start(environment, "--hidden")
    assert first.stdout is not None
    assert first.stdout.readline() == "up\n"
    second = start(environment)
    out, _errors = second.communicate(timeout=20)
    assert "up" not in out
    assert second.returncode == 0
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=20)
    assert first.returncode == 0


def test_the_tray_menu_leads_to_places_clients_and_missing_settings(
    run: Run, qapp: QApplication, memory: Memory
) -> None:
    host = FakeHost(few_servers())
    host.secrets["slack"] = (SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN"),)
    tray = make(qapp, memory, host.running)

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        await until(lambda: tray.bridge.phase is Phase.RUNNING)
        tray.menu.settings.trigger()
        assert tray.window.isVisible()
        assert isinstance(tray.window.current, SettingsPage)
        tray.menu.client_requested.emit("cursor")
        page = tray.window.current
        assert isinstance(page, ClientsPage)
        assert page.detail.client == "cursor"
        tray.menu.client_requested.emit("")
        assert tray.window.current is page
        tray.menu.setting_requested.emit("slack")
        await until(lambda: tray.window.findChild(ServerSettingsDialog) is not None)
        tray.quit()
        await serving

    run(story())
