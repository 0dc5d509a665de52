"""The window that asks the person whether a client may do something."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from desktop.app import Application, GatewayOptions, running
from desktop.core_thread import in_core_thread
from desktop.policy.question import Answer
from desktop.tray.actions import Actions
from desktop.tray.application import TrayApplication
from desktop.tray.bridge import Bridge
from desktop.tray.icon import TrayState, tray_state
from desktop.tray.memory import Memory
from desktop.tray.question_window import QuestionWindow, headline
from desktop.tray.theme import Look, Theme
from tests.helpers.fake_host import FakeHost, call_question, few_servers, question
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected
from tests.helpers.ports import free_port
from tests.helpers.remote_server import remote_server
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


@pytest.mark.parametrize(("text", "answer"), [("Allow", Answer.ALWAYS), ("Refuse", Answer.REFUSE)])
def test_a_button_answers_and_the_window_goes(
    run: Run, host: FakeHost, asking: QuestionWindow, text: str, answer: Answer
) -> None:
    async def story() -> None:
        host.set_questions(question(7))
        await until(lambda: asking.isVisible() and button(asking, text).isEnabled())
        button(asking, text).click()
        await until(lambda: not asking.isVisible())
        assert host.calls == [("answer", 7, answer)]

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
            assert host.calls[-1] == ("answer", number, Answer.REFUSE)

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


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Allow once", Answer.ONCE),
        ("Allow this session", Answer.SESSION),
        ("Always allow", Answer.ALWAYS),
        ("Refuse", Answer.REFUSE),
    ],
)
def test_a_call_can_be_allowed_once_for_the_session_or_always(
    run: Run, host: FakeHost, asking: QuestionWindow, text: str, answer: Answer
) -> None:
    async def story() -> None:
        host.set_questions(call_question(9))
        await until(lambda: asking.isVisible() and button(asking, text).isEnabled())
        shown = texts(asking)
        assert "wants to call a tool of GitHub" in shown
        assert '"repo": "mcp-gateway"' in shown
        assert button(asking, text).isVisible()
        button(asking, text).click()
        await until(lambda: not asking.isVisible())
        assert host.calls == [("answer", 9, answer)]
        host.set_questions(question(10))
        await until(asking.isVisible)
        assert not button(asking, "Allow once").isVisible()
        assert '"repo"' not in texts(asking)

    run(story())


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


def test_the_program_shows_a_question_while_its_window_is_hidden_and_notifies_of_it_once(
    run: Run, qapp: QApplication, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threading.Timer.start", lambda _timer: None)
    host = FakeHost(few_servers())
    tray = TrayApplication(qapp, host.running, memory)
    notified: list[str] = []
    monkeypatch.setattr(tray.icon, "notify", lambda title, text: notified.append(title))

    async def story() -> None:
        serving = asyncio.create_task(tray.main(hidden=True))
        await until(lambda: tray.bridge.host is not None)
        host.set_questions(question(3))
        await until(tray.question.isVisible)
        host.set_questions(question(3), question(4, title="Slack"))
        await until(lambda: len(notified) == 2)
        assert not tray.window.isVisible()
        host.set_questions(question(3))
        await asyncio.sleep(0.1)
        assert notified == ["claude-code 2.4.1 wants to use GitHub", "claude-code 2.4.1 wants to use Slack"]
        tray.quit()
        await serving

    run(story())


def test_a_real_client_adds_a_server_after_the_person_has_clicked_allow(
    run: Run, actions: Actions, theme: Theme
) -> None:
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    (root / ".env").write_text("", encoding="utf-8")
    home = Home(root)
    port = free_port()
    remote = {"type": "remote", "title": "Far away", "remote": {"url": f"http://127.0.0.1:{port}/mcp"}}
    home.catalog({"far": {**remote, "description": "Tells headers."}})

    @contextlib.asynccontextmanager
    async def hosted() -> AsyncIterator[Application]:
        async with running(GatewayOptions(secrets=str(root / ".env")), home.paths) as application:
            application.questions_are_seen()
            await application.listen("127.0.0.1", 0, token="token")
            yield application

    async def story() -> None:
        async with remote_server("streaming", port), in_core_thread(hosted) as host:
            bridge = Bridge()
            bridge.attach(host)
            window = QuestionWindow(bridge, Actions(bridge), theme)
            async with connected("streaming", url=host.endpoint().url, token="token") as client:
                found = await client.call_tool("mcp-find", {"query": "headers"})
                assert '"far"' in found.content[0].text
                adding = asyncio.create_task(client.call_tool("mcp-add", {"name": "far"}))
                await until(lambda: window.isVisible() and button(window, "Allow").isEnabled())
                assert "be reached at 127.0.0.1" in texts(window)
                button(window, "Allow").click()
                added = await asyncio.wait_for(adding, 30)
                assert not added.is_error, added.content[0].text
                assert "header" in {tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools}
                answer = await client.call_tool("mcp-exec", {"name": "header", "arguments": {"name": "host"}})
                assert answer.content[0].text == f"127.0.0.1:{port}"
            await until(lambda: not window.isVisible())
            bridge.detach()
            window.hide()
            window.deleteLater()

    try:
        run(story())
    finally:
        shutil.rmtree(root, ignore_errors=True)
