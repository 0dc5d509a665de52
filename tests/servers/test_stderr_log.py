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
