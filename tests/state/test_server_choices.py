"""What the person chose for single servers, in a file that is edited by hand too."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.sharing import Sharing
from desktop.state.server_choices import ServerChoice, ServerChoicesFile


def file_in(folder: Path, text: str = "") -> ServerChoicesFile:
    path = folder / "servers.yaml"
    if text:
        path.write_text(text, encoding="utf-8")
    return ServerChoicesFile(path, folder / "lock")


def test_without_a_file_nothing_is_chosen(tmp_path: Path) -> None:
    assert file_in(tmp_path).choices() == {}


def test_choices_are_kept_and_taken_back(tmp_path: Path) -> None:
    file = file_in(tmp_path)
    file.set_sharing("time", Sharing.PER_CALL)
    file.set_call_timeout("time", 30)
    file.set_sharing("git.hub", Sharing.SHARED)
    assert file.choices() == {
        "time": ServerChoice(sharing=Sharing.PER_CALL, call_timeout=30.0),
        "git.hub": ServerChoice(sharing=Sharing.SHARED),
    }
    file.set_sharing("time", None)
    file.set_sharing("git.hub", None)
    file.set_sharing("never", None)
    assert file.choices() == {"time": ServerChoice(call_timeout=30.0)}


def test_what_a_person_wrote_into_the_file_stays(tmp_path: Path) -> None:
    file = file_in(tmp_path, "# mine\nservers:\n  old:  {later: 1}  # unknown key\n")
    file.set_sharing("new", Sharing.PER_CLIENT)
    text = (tmp_path / "servers.yaml").read_text(encoding="utf-8")
    assert "# mine\n" in text
    assert "  old:  {later: 1}  # unknown key\n" in text
    assert file.choices()["old"] == ServerChoice()
    assert file.choices()["new"].sharing is Sharing.PER_CLIENT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("servers:\n  a:\n    sharing: sometimes\n", "'sometimes' is none of shared, per client, per call"),
        ("servers:\n  a:\n    call_timeout: soon\n", "'soon' is not a number of seconds"),
        ("servers:\n  a:\n    call_timeout: true\n", "'True' is not a number of seconds"),
        ("servers:\n  a:\n    call_timeout: -1\n", "'-1' is not a number of seconds"),
        ("servers:\n  a: shared\n", "what is chosen for 'a' should be a map"),
        ("servers: [a]\n", "'servers' should be a map of server names"),
    ],
)
def test_what_means_nothing_is_named_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(StateFileError, match=reason) as caught:
        file_in(tmp_path, text).choices()
    assert "servers.yaml, line " in str(caught.value)


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    file = file_in(tmp_path, "schema_version: 2\nservers: {}\n")
    with pytest.raises(StateFileError, match="newer program"):
        file.set_sharing("a", Sharing.SHARED)
    assert (tmp_path / "servers.yaml").read_text(encoding="utf-8") == "schema_version: 2\nservers: {}\n"


def test_a_duplicate_is_remembered_with_its_secrets_until_it_is_removed(tmp_path: Path) -> None:
    file = file_in(tmp_path, "")
    file.add_duplicate("work", "github", {"github.token": "mine"})
    file.set_sharing("work", Sharing.SHARED)
    assert file.choices()["work"] == ServerChoice(
        sharing=Sharing.SHARED, duplicate_of="github", secrets={"github.token": "mine"}
    )
    with pytest.raises(StateFileError, match="something chosen for 'work' already"):
        file.add_duplicate("work", "github", {})
    file.remove("work")
    file.remove("never")
    assert file.choices() == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("servers:\n  a:\n    duplicate_of: [b]\n", "is not the name of a server"),
        ("servers:\n  a:\n    secrets: [b]\n", "should be a map of names of secrets"),
        ("servers:\n  a:\n    secrets: {b: 1}\n", "should be a map of names of secrets"),
    ],
)
def test_a_duplicate_that_means_nothing_is_named_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(StateFileError, match=reason):
        file_in(tmp_path, text).choices()
