"""What only the person may decide is asked of them, refused when they can't be asked, and remembered when they agree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import ConsentRequiredError
from desktop.policy.consent import ConsentStore
from desktop.policy.question import Answer
from desktop.policy.questions import Questions
from tests.helpers.fake_mcp import eventually

INSTEAD = "Turn it on: docker-mcp server enable git"


def questions(folder: Path, **more: Any) -> Questions:
    made = Questions(ConsentStore(folder / "consents.json"), **more)
    made.attend()
    return made


def asked(of: Questions, *matters: str, server: str = "git") -> asyncio.Task[None]:
    work = of.ask(
        "add-server", server=server, title="Git", asker="test 1", matters=matters or ("run x",), instead=INSTEAD
    )
    return asyncio.create_task(work)


async def test_a_question_waits_for_its_answer_and_a_yes_is_remembered(tmp_path: Path) -> None:
    asking = questions(tmp_path)
    changes: list[int] = []
    asking.changed.subscribe(lambda _: changes.append(len(asking.open())))
    task = asked(asking, "run the image x", "use the secret Y")
    await eventually(asking.open)
    (question,) = asking.open()
    assert (question.server, question.asker, question.matters) == (
        "git",
        "test 1",
        ("run the image x", "use the secret Y"),
    )
    asking.answer(question.id, Answer.ALWAYS)
    await task
    assert asking.open() == ()
    assert changes == [1, 0]
    await asked(asking, "run the image x", "use the secret Y")
    await asked(questions(tmp_path), "run the image x", "use the secret Y")


async def test_a_yes_holds_only_for_the_server_and_what_it_was_asked_for(tmp_path: Path) -> None:
    asking = questions(tmp_path, time_limit=0.05)
    first = asked(asking, "run x")
    await eventually(asking.open)
    asking.answer(asking.open()[0].id, Answer.ALWAYS)
    await first
    for task in (asked(asking, "run x", "use the secret Y"), asked(asking, "run x", server="other")):
        with pytest.raises(ConsentRequiredError, match="nobody answered within"):
            await task


async def test_a_no_is_told_at_once_and_not_asked_again_soon(tmp_path: Path) -> None:
    asking = questions(tmp_path)
    task = asked(asking)
    await eventually(asking.open)
    asking.answer(asking.open()[0].id, Answer.REFUSE)
    for again in (task, asked(asking)):
        with pytest.raises(ConsentRequiredError, match="has refused") as refused:
            await again
        assert refused.value.hint == INSTEAD
    assert not (tmp_path / "consents.json").exists()


async def test_without_anybody_to_ask_it_is_refused_with_what_the_person_can_do(tmp_path: Path) -> None:
    unattended = Questions(ConsentStore(tmp_path / "consents.json"))
    with pytest.raises(ConsentRequiredError, match=r"no tray runs to ask. Turn it on: docker-mcp server enable git"):
        await asked(unattended)
    assert unattended.open() == ()


async def test_two_clients_that_want_the_same_are_one_question(tmp_path: Path) -> None:
    asking = questions(tmp_path)
    tasks = [asked(asking), asked(asking)]
    await eventually(asking.open)
    await asyncio.sleep(0.01)
    (question,) = asking.open()
    asking.answer(question.id, Answer.ALWAYS)
    await asyncio.gather(*tasks)


async def test_a_question_goes_with_the_last_that_waits_for_it(tmp_path: Path) -> None:
    asking = questions(tmp_path)
    tasks = [asked(asking), asked(asking)]
    await eventually(asking.open)
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert len(asking.open()) == 1
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert asking.open() == ()


async def test_a_late_answer_changes_nothing(tmp_path: Path) -> None:
    asking = questions(tmp_path, time_limit=0.02)
    task = asked(asking)
    await eventually(asking.open)
    (question,) = asking.open()
    with pytest.raises(ConsentRequiredError):
        await task
    asking.answer(question.id, Answer.ALWAYS)
    assert asking.open() == ()


async def test_a_client_can_not_bury_the_person_in_questions(tmp_path: Path) -> None:
    asking = questions(tmp_path)
    tasks = [asked(asking, f"run {number}") for number in range(6)]
    await eventually(lambda: any(task.done() for task in tasks))
    assert len(asking.open()) == 5
    (refused,) = [task for task in tasks if task.done()]
    assert "too many questions" in str(refused.exception())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
