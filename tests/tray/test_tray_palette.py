"""The palette finds servers, clients, places and actions by a few letters and does what was meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.tray.clients_page import ClientsPage
from desktop.tray.main_window import MainWindow
from desktop.tray.palette import Entry, Palette, score
from tests.helpers.fake_host import FakeHost, many_servers
from tests.tray.conftest import Run


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def opened(window: MainWindow) -> Palette:
    window.open_palette()
    (palette,) = window.findChildren(Palette)
    assert isinstance(palette, Palette)
    return palette


def names(palette: Palette) -> list[str]:
    return [palette.model.index(row).data() for row in range(palette.model.rowCount())]


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("git", "GitHub"),
        ("hub", "GitHub"),
        ("gh", "GitHub"),
        ("my serv", "My server"),
        ("time", "Time"),
        ("xyz", None),
    ],
)
def test_letters_in_order_find_a_name_and_beginnings_of_words_weigh_most(typed: str, best: str | None) -> None:
    entries = [Entry(name, "", lambda: None) for name in ("Overtime sheet", "GitHub", "Time", "My server", "Daytime")]
    found = max(entries, key=lambda entry: score(typed, entry))
    assert (found.name if score(typed, found) else None) == best


def test_a_server_is_shown_a_client_chosen_and_an_action_done(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        window.show()
        palette = opened(window)
        QTest.keyClicks(palette.field, "slack")
        assert names(palette)[:2] == ["Slack", "Turn off Slack"]
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert window.page.detail.server == "slack"
        await until(lambda: not window.findChildren(Palette))
        palette = opened(window)
        QTest.keyClicks(palette.field, "windsurf")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        page = window.current
        assert isinstance(page, ClientsPage)
        assert page.detail.client == "windsurf"
        await until(lambda: not window.findChildren(Palette))
        palette = opened(window)
        QTest.keyClicks(palette.field, "turn on fetch")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await until(lambda: ("set_enabled", "fetch", True) in host.calls)

    run(story())


def test_arrow_keys_walk_the_list_and_escape_does_nothing_else(run: Run, host: FakeHost, window: MainWindow) -> None:
    async def story() -> None:
        window.show()
        host.set_servers(many_servers(300))
        await asyncio.sleep(0.1)
        palette = opened(window)
        for _ in range(3):
            QTest.keyClick(palette.field, Qt.Key.Key_Down)
        assert palette.view.currentIndex().row() == 3
        QTest.keyClick(palette.field, Qt.Key.Key_PageUp)
        assert palette.view.currentIndex().row() == 0
        QTest.keyClicks(palette.field, "nothing is called like this")
        assert names(palette) == []
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert palette.isVisible()
        QTest.keyClick(palette, Qt.Key.Key_Escape)
        await until(lambda: not window.findChildren(Palette))
        assert host.calls == []

    run(story())
