"""A server gets a place of this machine once its person has agreed, and is asked about it only once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from desktop.catalog.model import CatalogServer
from desktop.errors import ConsentRequiredError
from desktop.policy.consent import ConsentStore
from desktop.policy.question import Answer
from desktop.policy.questions import Questions
from desktop.servers.launch import binds_of_entry
from desktop.servers.mount_consent import MountConsent, agree_to_named
from desktop.servers.stakes import ENGINE_SOCKET_MATTER
from tests.helpers.fake_mcp import eventually

FILES = CatalogServer(name="files", title="Files", image="mcp/files")
SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
FOLDER = "/home/ada/notes:/notes:ro"


class Person:
    """Somebody who may be there to answer.

    Attributes:
        store: What they have agreed to.
        asked: What they were asked about.
    """

    def __init__(self, folder: Path) -> None:
        self.store = ConsentStore(folder / "consents.json")
        self.questions = Questions(self.store, time_limit=5)
        self.mounts = MountConsent(self.questions, self.store)
        self.asked: list[str] = []
        self.seen: set[int] = set()

    async def answers(self, answer: Answer, *settled: str, chosen: tuple[str, ...] = ()) -> None:
        """Let the server have these places, saying this to every question."""
        task = asyncio.create_task(self.mounts.agreed(FILES, settled, chosen=chosen))
        while not task.done():
            await eventually(lambda: task.done() or self.questions.open())
            for question in self.questions.open():
                if question.id not in self.seen:
                    self.seen.add(question.id)
                    self.asked += question.matters
                self.questions.answer(question.id, answer)
                await asyncio.sleep(0)
        await task


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


async def test_each_folder_is_asked_about_once_and_volumes_never(person: Person) -> None:
    person.questions.attend()
    await person.answers(Answer.ALWAYS, FOLDER, "cache:/root/.cache", "/home/ada/work:/work")
    await person.answers(Answer.REFUSE, FOLDER, "/home/ada/work:/work")
    assert person.asked == ["read the folder /home/ada/notes", "read and change the folder /home/ada/work"]
    with pytest.raises(ConsentRequiredError, match="Files may not read and change the folder /home/ada/notes"):
        await person.answers(Answer.REFUSE, "/home/ada/notes:/notes")


async def test_without_a_tray_the_persons_own_settings_are_their_consent_but_a_callers_choice_is_not(
    person: Person,
) -> None:
    await person.mounts.agreed(FILES, [FOLDER])
    with pytest.raises(ConsentRequiredError, match="no tray runs to ask"):
        await person.mounts.agreed(FILES, [], chosen=[FOLDER])


async def test_a_folder_the_entry_names_always_needs_a_consent_and_the_command_line_can_give_it(person: Person) -> None:
    with pytest.raises(ConsentRequiredError, match="no tray runs to ask") as caught:
        await person.mounts.agreed(FILES, [FOLDER], named=[FOLDER, "cache:/root/.cache"])
    assert caught.value.hint == "Allow it with: docker-mcp server enable files --folders"
    agree_to_named(person.store, structs.replace(FILES, volumes=[FOLDER, "cache:/root/.cache", SOCKET]), {})
    await person.mounts.agreed(FILES, [FOLDER], named=[FOLDER])
    assert [consent.subject for consent in person.store.all()] == ["files: read the folder /home/ada/notes"]


@pytest.mark.parametrize(
    ("volume", "is_named"),
    [
        ("{{files.path}}:/data", False),
        ("{{files.path|volume}}", False),
        ("/srv/data:/data", True),
        ("~/:/data", True),
        ("{{files.path}}/../..:/data", True),
        ("/srv/{{files.path}}:/data", True),
    ],
)
def test_only_a_whole_setting_is_the_persons_own_place(volume: str, is_named: bool) -> None:
    server = structs.replace(FILES, volumes=[volume])
    values = {"path": "/home/ada/notes" if volume.startswith("{") else "notes"}
    assert bool(binds_of_entry(server, values)) is is_named


async def test_the_engines_socket_always_needs_a_consent_and_the_command_line_can_give_it(person: Person) -> None:
    with pytest.raises(ConsentRequiredError, match="control Docker itself") as caught:
        await person.mounts.agreed(FILES, [SOCKET])
    assert caught.value.hint == "Allow it with: docker-mcp server enable files --docker-socket"
    person.store.grant("mount", f"files: {ENGINE_SOCKET_MATTER}")
    await person.mounts.agreed(FILES, [SOCKET])


async def test_what_was_agreed_to_when_a_client_added_the_server_is_not_asked_again(person: Person) -> None:
    person.questions.attend()
    person.store.grant("add-server", "files: run the image mcp/files; read the folder /home/ada/notes")
    await person.answers(Answer.REFUSE, FOLDER)
    assert person.asked == []


async def test_a_consent_that_was_taken_back_is_asked_for_again(person: Person) -> None:
    person.questions.attend()
    await person.answers(Answer.ALWAYS, FOLDER)
    (consent,) = person.store.all()
    person.store.revoke(consent.kind, consent.subject)
    await person.answers(Answer.ALWAYS, FOLDER)
    assert len(person.asked) == 2


async def test_a_name_with_a_semicolon_in_it_agrees_to_nothing_else(person: Person) -> None:
    person.questions.attend()
    odd = "/home/ada/x; read and change the folder /home/ada"
    await person.answers(Answer.ALWAYS, f"{odd}:/x")
    await person.answers(Answer.ALWAYS, f"{odd}:/x")
    assert person.asked == [f"read and change the folder {odd}"]
    with pytest.raises(ConsentRequiredError, match="Files may not read and change the folder /home/ada"):
        await person.answers(Answer.REFUSE, "/home/ada:/home")


async def test_a_setting_a_client_has_chosen_agrees_to_no_folder(person: Person) -> None:
    person.questions.attend()
    matter = "run with settings the client has chosen (a = b; read and change the folder /home/ada; c)"
    asking = asyncio.create_task(
        person.questions.ask("add-server", server="files", title="Files", asker="c", matters=[matter], instead="")
    )
    await eventually(person.questions.open)
    person.questions.answer(person.questions.open()[0].id, Answer.ALWAYS)
    await asking
    with pytest.raises(ConsentRequiredError):
        await person.answers(Answer.REFUSE, "/home/ada:/home")
