"""Edits inside lists: an item's keys, an item more, an item less, and every comment that isn't theirs."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.errors import StateFileError
from desktop.state import yaml_text
from desktop.state.yaml_edit import REMOVED, Change, edit

TEXT = """\
# top
servers:
  # first
  - name: a  # named
    config:
      port: 1  # one
    tools: [x]
  - name: b
last: 1
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change(("servers", 0, "config", "port"), 2),
            [{"name": "a", "config": {"port": 2}, "tools": ["x"]}, {"name": "b"}],
        ),
        (Change(("servers", 0, "name"), "c"), [{"name": "c", "config": {"port": 1}, "tools": ["x"]}, {"name": "b"}]),
        (Change(("servers", 0, "tools"), REMOVED), [{"name": "a", "config": {"port": 1}}, {"name": "b"}]),
        (Change(("servers", 1, "config", "deep"), {"k": []}), None),
        (Change(("servers", 1), {"name": "z"}), [{"name": "a", "config": {"port": 1}, "tools": ["x"]}, {"name": "z"}]),
        (Change(("servers", 2), {"name": "z"}), None),
        (Change(("servers", 1), REMOVED), [{"name": "a", "config": {"port": 1}, "tools": ["x"]}]),
        (
            Change(("servers", 1, "none"), REMOVED),
            [{"name": "a", "config": {"port": 1}, "tools": ["x"]}, {"name": "b"}],
        ),
    ],
)
def test_one_item_changes_and_comments_stay(change: Change, expected: Any) -> None:
    before = yaml_text.parse(TEXT, "x")
    after = edit(TEXT, [change], "x")
    data = yaml_text.parse(after, "x")
    assert data["last"] == 1
    if expected is None:
        assert data["servers"][0] == before["servers"][0]
        assert data["servers"][change.path[1]] != (before["servers"] + [None])[change.path[1]]  # type: ignore[index]
    else:
        assert data["servers"] == expected
    for comment in ("# top", "# first", "# named"):
        assert comment in after


def test_an_edit_of_one_line_leaves_all_others_alone() -> None:
    after = edit(TEXT, [Change(("servers", 0, "config", "port"), 2)], "x")
    assert after == TEXT.replace("port: 1", "port: 2")


def test_the_first_item_of_an_empty_list_is_added() -> None:
    after = edit("servers: []\n", [Change(("servers", 0), {"name": "a"})], "x")
    assert yaml_text.parse(after, "x") == {"servers": [{"name": "a"}]}


@pytest.mark.parametrize("path", [("servers", 3), ("last", 0), ("servers", 0, "name", 0), ("none", 0)])
def test_an_item_that_can_not_be_there_is_an_error(path: tuple[str | int, ...]) -> None:
    with pytest.raises(StateFileError, match="should be a list with"):
        edit(TEXT, [Change(path, 1)], "x")
