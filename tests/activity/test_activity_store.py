"""Calls are kept, found again, summed up and forgotten; a file that is no record is set aside."""

from __future__ import annotations

import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Outcome
from desktop.activity.store import ActivityStore
from desktop.errors import StateFileError


def call(at: float, tool: str = "t", **more: object) -> CallRecord:
    usual = {
        "client": "claude 1",
        "server": "s",
        "seconds": 0.5,
        "sent": 10,
        "received": 20,
        "outcome": Outcome.OK,
        "reason": "",
    }
    return CallRecord(id=0, at=at, tool=tool, **{**usual, **more})  # type: ignore[arg-type]


def add(store: ActivityStore, *calls: CallRecord) -> list[CallRecord]:
    return store.add([(record, CallDetails(arguments=f'"{record.tool}"', result="[]")) for record in calls])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "activity.db"


def test_calls_are_found_newest_first_page_by_page_and_by_another_process(path: Path) -> None:
    with closing(ActivityStore(path)) as store:
        kept = add(store, *(call(float(number), f"t{number}") for number in range(5)))
        assert [record.id for record in kept] == sorted({record.id for record in kept})
        first = store.find(CallFilter(), limit=2)
        assert [record.tool for record in first] == ["t4", "t3"]
        assert [record.tool for record in store.find(CallFilter(), limit=9, before=first[-1].id)] == ["t2", "t1", "t0"]
        with closing(ActivityStore(path)) as other:
            assert other.details(kept[3].id) == CallDetails(arguments='"t3"', result="[]")
            assert other.details(99) is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_the_person_may_read_the_file(path: Path) -> None:
    with closing(ActivityStore(path)) as store:
        add(store, call(1.0))
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_search_looks_at_names_and_reasons_and_takes_percent_signs_for_themselves(path: Path) -> None:
    with closing(ActivityStore(path)) as store:
        add(
            store,
            call(1.0, "list_issues", server="github"),
            call(2.0, "listXissues", client="Cursor 2"),
            call(3.0, "broken", outcome=Outcome.ERROR, reason="100% Full"),
        )

        def tools(**wanted: object) -> list[str]:
            return [record.tool for record in store.find(CallFilter(**wanted), limit=9)]  # type: ignore[arg-type]

        assert tools(text="LIST_") == ["list_issues"]
        assert tools(text="cursor list") == ["listXissues"]
        assert tools(text="0% full") == ["broken"]
        assert tools(text="%") == ["broken"]
        assert tools(failed=True) == ["broken"]
        assert tools(server="github") == ["list_issues"]
        assert tools(client="Cursor 2", failed=True) == []


def test_time_is_summed_up_in_equal_pieces(path: Path) -> None:
    with closing(ActivityStore(path)) as store:
        add(
            store,
            *(call(100.0 + number, seconds=float(number)) for number in range(10)),
            call(115.0, outcome=Outcome.TOOL_ERROR),
            call(116.0, outcome=Outcome.CANCELLED),
            call(99.0),
            call(120.0),
        )
        spans = store.spans(since=100.0, until=120.0, count=2)
        assert [(span.at, span.calls, span.errors) for span in spans] == [(100.0, 10, 0), (110.0, 2, 1)]
        assert (spans[0].median, spans[0].slow) == (5.0, 9.0)


def test_old_calls_and_those_beyond_the_most_are_forgotten(path: Path) -> None:
    with closing(ActivityStore(path)) as store:
        add(store, *(call(float(number)) for number in range(10)))
        assert store.forget(older_than=3.0, most=4) == 6
        assert [record.at for record in store.find(CallFilter(), limit=99)] == [9.0, 8.0, 7.0, 6.0]
        store.clear()
        assert store.find(CallFilter(), limit=99) == ()


@pytest.mark.parametrize("kind", ["nonsense", "newer"])
def test_a_file_that_is_no_record_of_ours_is_set_aside_and_a_new_one_begun(path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "nonsense":
        path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE calls (id)")
            connection.execute("PRAGMA user_version = 99")
            connection.commit()
    before = path.read_bytes()
    with closing(ActivityStore(path)) as store:
        add(store, call(1.0))
        assert len(store.find(CallFilter(), limit=9)) == 1
    assert path.with_name("activity.db.unusable").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("a file", encoding="utf-8")
    with closing(ActivityStore(tmp_path / "own" / "activity.db")) as store, pytest.raises(StateFileError, match="own"):
        store.find(CallFilter(), limit=1)
