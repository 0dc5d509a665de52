"""Server-sent events survive being cut anywhere."""

from __future__ import annotations

import pytest

from desktop.servers.event_stream import EventParser, ServerSentEvent, format_event

STREAM = (
    b": a comment\n\n"
    b"event: endpoint\ndata: /message?sessionId=1\n\n"
    b'id: 7\r\nretry: 250\r\ndata: {"a":\r\ndata: "\xc3\xa9"}\r\n\r\n'
    b"data:no space\ndata:  two spaces\n\n"
    b"id: only\n\n"
    b"data\n\n"
    b"retry: soon\nunknown: x\ndata: last\n\n"
    b"data: never finished\n"
)
EVENTS = [
    ServerSentEvent(event="endpoint", data=b"/message?sessionId=1"),
    ServerSentEvent(data=b'{"a":\n"\xc3\xa9"}', id="7", retry=250),
    ServerSentEvent(data=b"no space\n two spaces"),
    ServerSentEvent(id="only"),
    ServerSentEvent(data=b""),
    ServerSentEvent(data=b"last"),
]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_a_stream_cut_in_two_gives_the_same_events(cut: int) -> None:
    parser = EventParser()
    assert parser.feed(STREAM[:cut]) + parser.feed(STREAM[cut:]) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_stream_in_small_pieces_gives_the_same_events(size: int) -> None:
    parser = EventParser()
    found = [event for at in range(0, len(STREAM), size) for event in parser.feed(STREAM[at : at + size])]
    assert found == EVENTS


def test_a_large_event_in_many_pieces_is_not_searched_again_and_again() -> None:
    parser = EventParser()
    body = b"x" * 4_000_000
    pieces = [b"data: ", *(body[at : at + 1000] for at in range(0, len(body), 1000)), b"\n\n"]
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert [event.data for event in events] == [body]


@pytest.mark.parametrize("data", [b'{"a":1}', b'{\n"a":\r\n1}', b"{}\n"])
def test_what_we_write_is_read_as_one_event(data: bytes) -> None:
    (event,) = EventParser().feed(format_event(data))
    assert event.event == "message"
    assert event.data.split() == data.split()
