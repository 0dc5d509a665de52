"""Frames and lines of an attach stream, cut at every place the wire may cut them."""

from __future__ import annotations

import logging
import time

import pytest

from desktop.engine.frames import STDERR, STDOUT, Capture, FrameReader, LineOutput


class Lines:
    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.err: list[bytes] = []
        self.ends = 0

    def stdout_line(self, line: bytes) -> None:
        assert not self.ends
        self.out.append(line)

    def stderr_line(self, line: bytes) -> None:
        assert not self.ends
        self.err.append(line)

    def closed(self) -> None:
        self.ends += 1


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


STREAM = (
    frame(STDOUT, b"one\ntw")
    + frame(STDERR, b"warn")
    + frame(STDOUT, b"")
    + frame(STDOUT, b"o\r\n\n")
    + frame(STDERR, b"ing\r\n")
    + frame(STDOUT, b"rest")
)


def read(pieces: list[bytes]) -> Lines:
    lines = Lines()
    output = LineOutput(lines)
    reader = FrameReader(output.feed)
    for piece in pieces:
        reader.feed(piece)
    output.end()
    return lines


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_lines_come_out_the_same_wherever_the_stream_is_cut(cut: int) -> None:
    lines = read([STREAM[:cut], STREAM[cut:]])
    assert lines.out == [b"one", b"two", b"", b"rest"]
    assert lines.err == [b"warning"]
    assert lines.ends == 1


def test_lines_come_out_the_same_byte_by_byte() -> None:
    lines = read([STREAM[i : i + 1] for i in range(len(STREAM))])
    assert lines.out == [b"one", b"two", b"", b"rest"]
    assert lines.err == [b"warning"]


def test_a_line_of_ten_megabytes_costs_no_more_than_its_bytes() -> None:
    def seconds(size: int) -> float:
        chunk = frame(STDOUT, b"x" * 1000)
        pieces = [chunk] * (size // 1000) + [frame(STDOUT, b"\n")]
        start = time.process_time()
        lines = read(pieces)
        assert len(lines.out[0]) == size
        return time.process_time() - start

    seconds(1_000_000)
    small, large = seconds(1_000_000), seconds(10_000_000)
    assert large < max(small, 0.001) * 40


def test_an_overlong_stderr_line_comes_in_pieces_of_64_kib() -> None:
    size = 64 * 1024
    lines = read([frame(STDERR, b"a" * (2 * size + 5) + b"\n"), frame(STDERR, b"b" * size + b"\nend\n\n")])
    assert [len(line) for line in lines.err] == [size, size, 5, size, 3, 0]


def test_a_stdout_line_above_the_limit_is_dropped_and_the_next_one_is_not(caplog: pytest.LogCaptureFixture) -> None:
    lines = Lines()
    output = LineOutput(lines, longest=10)
    with caplog.at_level(logging.WARNING):
        for piece in (b"12345", b"67890", b"x", b"y\nnext\n"):
            output.feed(STDOUT, piece)
    assert lines.out == [b"next"]
    assert "12 bytes" in caplog.text


def test_a_receiver_that_raises_does_not_disturb_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Lines):
        def stdout_line(self, line: bytes) -> None:
            super().stdout_line(line)
            raise ValueError(line)

    lines = Failing()
    output = LineOutput(lines)
    with caplog.at_level(logging.CRITICAL, "desktop.engine.frames"):
        output.feed(STDOUT, b"a\nb\n")
    output.end()
    output.end()
    output.feed(STDOUT, b"late\n")
    assert (lines.out, lines.ends) == ([b"a", b"b"], 1)


def test_capture_keeps_both_streams_up_to_its_limit() -> None:
    capture = Capture(5)
    capture.feed(STDOUT, b"abc")
    capture.feed(STDOUT, b"defg")
    capture.feed(STDERR, b"x")
    assert (capture.content(STDOUT), capture.content(STDERR)) == (b"abcde", b"x")
