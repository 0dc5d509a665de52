"""The last words of a server, which explain its end to every client that was waiting for it."""

from __future__ import annotations

from desktop.servers.stderr_log import StderrLog


def test_the_last_words_are_the_newest_text_the_server_wrote() -> None:
    log = StderrLog(str)
    log.add(b"first")
    log.add(b"last words")
    log.add(b"   ")
    log.note("a remark of ours")
    assert log.last() == "last words"


def test_what_is_left_of_a_message_is_nobody_s_last_words() -> None:
    log = StderrLog(str)
    log.add(b"(stdout) starting up")
    log.add(b'(stdout) sult":{"content":[{"type":"text","text":"for another client"}]}}')
    assert log.last() == "(stdout) starting up"
    assert len(log.lines()) == 2


def test_only_what_came_since_a_mark_counts() -> None:
    log = StderrLog(str)
    log.add(b"of an earlier run")
    mark = log.mark
    assert log.last(mark) == ""
    log.add(b"of this run")
    assert log.last(mark) == "of this run"


def test_what_came_after_a_mark_is_read_on_even_when_older_lines_have_gone() -> None:
    log = StderrLog(str, limit=3)
    for number in range(3):
        log.add(str(number).encode())
    lines, mark = log.lines_since(0)
    assert (lines, mark) == (("0", "1", "2"), 3)
    assert log.lines_since(mark) == ((), 3)
    for number in range(3, 8):
        log.add(str(number).encode())
    assert log.lines_since(mark) == (("5", "6", "7"), 8)


def test_it_is_bounded_in_bytes_too_and_keeps_the_newest() -> None:
    log = StderrLog(str, size=10_000)
    for number in range(100):
        log.add(b"x" * 1_000 + str(number).encode())
    lines = log.lines()
    assert lines[-1].endswith("x99")
    assert sum(map(len, lines)) <= 10_000
    log.add(b"y" * 50_000)
    assert [line[0] for line in log.lines()] == ["y"]
    for _ in range(10_000):
        log.add(b"")
    assert len(log.lines()) < 200
