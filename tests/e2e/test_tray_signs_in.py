"""A person signs in from the tray: a real display, tray host, keychain, browser, authorization server and MCP server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.state.app_settings import AppSettingsFile
from tests.helpers.authorization_server import authorization_server
from tests.helpers.display import Display, virtual_display
from tests.helpers.guarded_server import guarded_server
from tests.helpers.home import Home
from tests.helpers.keychain import private_keychain
from tests.helpers.mcp_clients import connected
from tests.helpers.node import install_tools, node
from tests.helpers.ports import free_port
from tests.helpers.processes import need, started, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.display,
    pytest.mark.keychain,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]
ROOT = Path(__file__).parents[2]
_BROWSE = ROOT / "tests" / "helpers" / "browse.mjs"


def browser_in(folder: Path) -> Path:
    """A command as the system has one for its browser: it opens the address and comes back at once."""
    script = folder / "browser"
    done = folder / "browser.done"
    script.write_text(
        f"#!/bin/sh\n"
        f'( CHROMIUM="{need("chromium")}" "{node()}" --no-warnings "{_BROWSE}" "{install_tools()}" "$1" agree '
        f'> "{folder}/browser.page" 2> "{folder}/browser.log"; echo $? > "{done}" ) &\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script


class Told:
    """What the program told of itself."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def newest(self, key: str) -> Any:
        """The newest value under a key, or None."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        values = [message[key] for line in lines if line.startswith("{") and key in (message := json.loads(line))]
        return values[-1] if values else None

    def button(self, text: str) -> list[int] | None:
        """Where the button is whose name begins so, once it is there."""
        controls: dict[str, list[int]] = self.newest("controls") or {}
        return next((place for name, place in controls.items() if name.startswith(text)), None)


async def until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    await asyncio.to_thread(wait_until, lambda: bool(condition()), what=what, seconds=seconds)


async def click(display: Display, told: Told, text: str) -> None:
    await until(lambda: told.button(text), f"the button {text}")
    x, y = told.button(text) or (0, 0)
    await asyncio.to_thread(display.click, x, y)


def shot(display: Display, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        display.screenshot(Path(folder) / f"{name}.png")


async def test_one_click_in_the_tray_menu_signs_in_and_the_window_signs_out(home: Home) -> None:
    async with authorization_server() as provider, guarded_server(free_port(), provider.issuer) as server:
        home.catalog({"notes": {"type": "remote", "title": "Notes", "remote": {"url": server}}})
        home.enable("notes")
        AppSettingsFile(home.paths.app_settings, home.paths.lock_for(home.paths.app_settings)).change(welcomed=True)
        with private_keychain() as keychain, virtual_display("trayer", size="1280x800") as display:
            environment = {
                **home.environment,
                "BROWSER": str(await asyncio.to_thread(browser_in, display.folder)),
                "DBUS_SESSION_BUS_ADDRESS": keychain.environment["DBUS_SESSION_BUS_ADDRESS"],
                "DISPLAY": display.environment["DISPLAY"],
                "MCP_GATEWAY_OAUTH_PORT": str(free_port()),
                "MCP_GATEWAY_PORT": str(free_port()),
                "PYTHONPATH": str(ROOT),
                "QT_QPA_PLATFORM": "xcb",
            }
            log = display.folder / "program.log"
            with started([sys.executable, "-m", "tests.e2e.tray_program"], environment, log=log) as process:
                told = Told(log)
                await until(lambda: told.newest("waiting") == ["notes"], "the server's wish for a sign-in")
                windows = ("xdotool", "search", "--onlyvisible", "--name", "")
                before = display.run(*windows, check=False)
                display.click(1280 - 14, 800 - 14, 3)
                await until(lambda: display.run(*windows, check=False) != before, "the menu")
                await asyncio.sleep(
                    0.3
                )  # a menu takes hold of the keyboard a moment after it is seen, and nothing tells when
                shot(display, "sign-in-menu")
                display.keys("Down", "Down", "Return")  # past Open: what needs the person
                await until(lambda: (display.folder / "browser.done").exists(), "the end of the browser", 60)
                page = (display.folder / "browser.page").read_text(encoding="utf-8")
                assert "You are signed in to Notes" in page, (display.folder / "browser.log").read_text(
                    encoding="utf-8"
                )
                await until(lambda: told.newest("sign_ins")["notes"] == "signed in", "the sign-in")
                await until(lambda: told.newest("waiting") == [], "the server")
                url, token = told.newest("url"), told.newest("token")
                async with connected("streaming", url=url, token=token) as client:
                    said = await client.call_tool("whoami", {})
                    assert said.content[0].text == "somebody who has signed in"
                display.keys("ctrl+5")
                await click(display, told, "Sign-ins")
                await until(lambda: told.button("Sign out"), "the sign-in in the window")
                shot(display, "sign-ins")
                await click(display, told, "Sign out")
                await until(lambda: told.newest("sign_ins")["notes"] == "needs sign-in", "the sign-out")
                assert (await provider.counts())["revocation"] == 1
                process.terminate()
                await until(lambda: process.poll() is not None, "the end of the tray", 20)
                text = log.read_text(encoding="utf-8")
                assert process.returncode == 0, text
                assert "Traceback" not in text, text
