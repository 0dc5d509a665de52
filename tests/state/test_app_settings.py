"""What was chosen for the program is kept, what can't be right counts as not chosen, and nothing foreign is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import StateFileError
from desktop.state.app_settings import AppSettings, AppSettingsFile


@pytest.fixture
def file(tmp_path: Path) -> AppSettingsFile:
    return AppSettingsFile(tmp_path / "settings" / "app.json", tmp_path / "locks" / "app.lock")


def written(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "settings" / "app.json").read_text(encoding="utf-8"))
    return found


def test_nothing_chosen_is_as_usual_and_a_choice_is_kept(file: AppSettingsFile, tmp_path: Path) -> None:
    assert file.read() == AppSettings()
    assert file.change(look="dark", port=9000) == AppSettings(look="dark", port=9000)
    assert file.read() == AppSettings(look="dark", port=9000)
    assert written(tmp_path)["schema_version"] == 1


def test_what_this_version_does_not_know_survives(file: AppSettingsFile, tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "app.json").write_text('{"of_tomorrow": [1], "look": "light"}', encoding="utf-8")
    file.change(keep_days=30)
    assert written(tmp_path)["of_tomorrow"] == [1]
    assert file.read() == AppSettings(look="light", keep_days=30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"look": "pink"},
        {"look": 1},
        {"port": "8811"},
        {"port": 0},
        {"port": True},
        {"port": 70000},
        {"keep_calls": 1},
        {"keep_days": 0},
        {"most_running": -1},
        {"block_secrets": "maybe"},
        {"language": "xx"},
    ],
)
def test_a_value_that_can_not_be_right_is_refused_and_counts_as_not_chosen_where_it_stands(
    file: AppSettingsFile, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="can't be"):
        file.change(**wrong)
    assert not (tmp_path / "settings" / "app.json").exists()
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "app.json").write_text(json.dumps(wrong), encoding="utf-8")
    assert file.read() == AppSettings()


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "not valid JSON"), ("[1]", "an object"), ('{"schema_version": 2}', "newer program")]
)
def test_a_file_that_can_not_be_understood_is_left_as_it_is_and_the_program_starts_all_the_same(
    file: AppSettingsFile, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "settings").mkdir()
    path = tmp_path / "settings" / "app.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match=reason.replace("an object", "object")):
        file.change(look="dark")
    assert path.read_text(encoding="utf-8") == text
    assert file.read_or_usual() == AppSettings()
