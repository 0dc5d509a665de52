"""Garbage is collected on the interface's thread only: Qt objects may not be deleted from another."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.tray import collector
from desktop.tray.collector import Collector


class Left:
    """In a cycle with itself; notes the thread that ended it."""

    def __init__(self, ended: list[int]) -> None:
        self.me = self
        self.ended = ended

    def __del__(self) -> None:
        self.ended.append(threading.get_ident())


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Collector]:
    monkeypatch.setattr(collector, "INTERVAL", 10)
    made = Collector()
    yield made
    made.close()
    assert gc.isenabled()


def litter(ended: list[int]) -> None:
    """As much garbage as makes the interpreter collect by itself, more than once."""
    for _ in range(5_000):
        Left(ended)


def test_what_another_thread_leaves_is_collected_on_the_interfaces_thread(collecting: Collector, qtbot: QtBot) -> None:
    ended: list[int] = []
    thread = threading.Thread(target=litter, args=(ended,))
    thread.start()
    thread.join()
    assert ended == []
    qtbot.waitUntil(lambda: len(ended) == 5_000)
    assert set(ended) == {threading.get_ident()}
