"""The window that asks the person whether a client may do something."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.icon import TrayState, tray_state
from desktop.tray.question_window import QuestionWindow, headline
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import FakeHost, few_servers, question
from tests.tray.conftest import Run

ALL_IS_WELL = [status for status in few_servers() if status.name == "time"]


@pytest.fixture
def asking(bridge: Bridge, actions: Actions, theme: Theme) -> Iterator[QuestionWindow]:
    window = QuestionWindow(bridge, actions, theme)
    yield window
    window.hide()
    window.deleteLater()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def button(window: QuestionWindow, text: str) -> QPushButton:
    (found,) = [item for item in window.findChildren(QPushButton) if item.text() == text]
    return found


def texts(window: QuestionWindow) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel))


def test_it_comes_with_a_question_and_says_who_wants_what(run: Run, host: FakeHost, asking: QuestionWindow) -> None:
    assert not asking.isVisible()

    async def story() -> None:
        host.set_questions(question())
        await until(asking.isVisible)
        shown = texts(asking)
        assert "claude-code 2.4.1 wants to use GitHub" in shown
        assert "use the secret GITHUB_PERSONAL_ACCESS_TOKEN" in shown
        assert "read and change the folder /home/ada/Documents/projects" in shown
        assert "Refused in 2:00" in shown or "Refused in 1:5" in shown
        assert "use the secret" in asking.accessibleDescription()

    run(story())


@pytest.mark.parametrize(("text", "allowed"), [("Allow", True), ("Refuse", False)])
def test_a_button_answers_and_the_window_goes(
    run: Run, host: FakeHost, asking: QuestionWindow, text: str, allowed: bool
) -> None:
    async def story() -> None:
        host.set_questions(question(7))
        await until(lambda: asking.isVisible() and button(asking, text).isEnabled())
        button(asking, text).click()
        await until(lambda: not asking.isVisible())
        assert host.calls == [("answer", 7, allowed)]

    run(story())


def test_allowing_takes_a_moment_so_that_no_click_for_something_else_does_it(
    run: Run, host: FakeHost, asking: QuestionWindow
) -> None:
    async def story() -> None:
        host.set_questions(question(1), question(2, title="Slack"))
        await until(asking.isVisible)
        assert not button(asking, "Allow").isEnabled()
        assert "More waiting: 1" in texts(asking)
        await until(button(asking, "Allow").isEnabled)
        button(asking, "Allow").click()
        await until(lambda: asking.question is not None and asking.question.id == 2)
        assert not button(asking, "Allow").isEnabled()
        assert "wants to use Slack" in texts(asking)

    run(story())


def test_escape_return_and_closing_refuse(run: Run, host: FakeHost, asking: QuestionWindow) -> None:
    async def story() -> None:
        for number, act in enumerate(
            (
                lambda: QTest.keyClick(asking, Qt.Key.Key_Escape),
                lambda: QTest.keyClick(button(asking, "Refuse"), Qt.Key.Key_Space),
                lambda: asking.close(),
            )
        ):
            host.set_questions(question(number))
            await until(asking.isVisible)
            act()
            await until(lambda: not asking.isVisible())
            assert host.calls[-1] == ("answer", number, False)

    run(story())


def test_a_question_whose_time_is_up_takes_the_window_along(run: Run, host: FakeHost, asking: QuestionWindow) -> None:
    async def story() -> None:
        host.set_questions(question(asked_at=time.monotonic() - 119))
        await until(asking.isVisible)
        host.set_questions()
        await until(lambda: not asking.isVisible())
        assert host.calls == []

    run(story())


def test_the_icon_asks_for_attention_while_a_question_waits() -> None:
    host = FakeHost(ALL_IS_WELL)
    bridge = Bridge()
    bridge.attach(host)
    assert tray_state(bridge) is TrayState.OK
    host.set_questions(question())
    assert tray_state(bridge) is TrayState.ATTENTION


def test_a_folder_is_asked_for_in_the_servers_name() -> None:
    assert headline(question(kind="mount", asker="", title="Curl")) == "Curl wants a folder of yours"
    assert headline(question(asker="")) == "A client wants to use GitHub"


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
def test_long_texts_keep_the_window_small(
    run: Run, host: FakeHost, bridge: Bridge, actions: Actions, theme: Theme, look: Look
) -> None:
    theme.set_look(look)
    window = QuestionWindow(bridge, actions, theme)

    async def story() -> None:
        host.set_questions(
            question(asker="x" * 300, title="y" * 300, matters=tuple("use the secret " + "z" * 90 for _ in range(40)))
        )
        await until(window.isVisible)
        assert window.width() < 800
        assert window.height() < 500

    run(story())
    window.hide()
    window.deleteLater()
