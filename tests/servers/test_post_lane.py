"""The short way to a remote server, against a server that writes its answers byte by byte as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from desktop.servers.event_stream import ServerSentEvent
from desktop.servers.post_lane import LaneAnswer, PostLane
from tests.helpers.fake_mcp import LIMIT, eventually

Answering = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def plain(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Server:
    """Reads requests and answers each with ``answering``."""

    def __init__(self) -> None:
        self.answering: Answering = self.echo
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def echo(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(plain(body))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                self.requests.append(head + body)
                await self.answering(body, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Owner:
    """Keeps what comes back."""

    def __init__(self) -> None:
        self.events: list[tuple[bytes, int | None]] = []
        self.answers: list[LaneAnswer] = []
        self.failures: list[tuple[int | None, str]] = []

    def lane_event(self, event: ServerSentEvent, call: int | None) -> None:
        self.events.append((event.data, call))

    def lane_answered(self, answer: LaneAnswer) -> None:
        self.answers.append(answer)

    def lane_failed(self, call: int | None, error: BaseException) -> None:
        self.failures.append((call, str(error)))

    async def answer(self, count: int = 1) -> LaneAnswer:
        await eventually(lambda: len(self.answers) >= count, what=str(self.failures))
        return self.answers[count - 1]

    async def failure(self) -> tuple[int | None, str]:
        await eventually(lambda: self.failures)
        return self.failures[0]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    async with asyncio.timeout(LIMIT):
        await listening.wait_closed()


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
async def lane(server: Server, owner: Owner) -> AsyncIterator[PostLane]:
    made = PostLane(f"http://127.0.0.1:{server.port}/mcp?key=1", {"X-Key": "value"}, owner)
    yield made
    made.close()


async def test_the_request_carries_path_headers_and_body(server: Server, owner: Owner, lane: PostLane) -> None:
    lane.post(b'{"id":1}', 1, b"Mcp-Method: tools/call\r\n")
    assert (await owner.answer()).body == b'{"id":1}'
    head = server.requests[0]
    assert head.startswith(b"POST /mcp?key=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port)
    assert b"\r\nX-Key: value\r\n" in head
    assert b"\r\nMcp-Method: tools/call\r\n" in head


async def test_one_connection_serves_calls_that_follow_each_other(server: Server, owner: Owner, lane: PostLane) -> None:
    for number in range(1, 6):
        lane.post(b"%d" % number, number)
        assert (await owner.answer(number)).body == b"%d" % number
    assert server.connections == 1


async def test_calls_at_once_get_their_own_answers_however_many(server: Server, owner: Owner, lane: PostLane) -> None:
    for number in range(300):
        lane.post(b"call %d" % number, number)
    await owner.answer(300)
    assert sorted((answer.call, answer.body) for answer in owner.answers if answer.call is not None) == [
        (number, b"call %d" % number) for number in range(300)
    ]
    assert server.connections <= 128


async def test_an_answer_may_come_in_pieces_or_chunks(server: Server, owner: Owner, lane: PostLane) -> None:
    async def slowly(body: bytes, writer: asyncio.StreamWriter) -> None:
        chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole = chunked + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        for position in range(0, len(whole), 7):
            writer.write(whole[position : position + 7])
            await writer.drain()
            await asyncio.sleep(0.001)

    server.answering = slowly
    lane.post(b"x", 1)
    assert (await owner.answer()).body == b"abcdefg"
    lane.post(b"y", 2)
    assert (await owner.answer(2)).body == b"abcdefg"
    assert server.connections == 1


async def test_a_body_without_a_length_ends_with_the_connection(server: Server, owner: Owner, lane: PostLane) -> None:
    async def to_the_end(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\nall of it")
        writer.close()

    server.answering = to_the_end
    lane.post(b"x", 1)
    assert (await owner.answer()).body == b"all of it"
    lane.post(b"y", 2)
    await owner.answer(2)
    assert server.connections == 2


async def test_a_connection_that_breaks_off_ends_its_call_alone(server: Server, owner: Owner, lane: PostLane) -> None:
    async def half(body: bytes, writer: asyncio.StreamWriter) -> None:
        if body == b"bad":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            await writer.drain()
            writer.close()
        else:
            await server.echo(body, writer)

    server.answering = half
    lane.post(b"good", 1)
    lane.post(b"bad", 2)
    assert (await owner.failure())[0] == 2
    assert (await owner.answer()).call == 1
    lane.post(b"good", 3)
    assert (await owner.answer(2)).call == 3


@pytest.mark.parametrize("garbage", [b"NOT HTTP AT ALL\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 64])
async def test_what_is_not_http_fails_the_call(server: Server, owner: Owner, lane: PostLane, garbage: bytes) -> None:
    async def answering(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)

    server.answering = answering
    lane.post(b"x", 1)
    assert await owner.failure() == (1, "what it answered is not HTTP")
    assert not owner.answers


async def test_events_are_told_as_they_come_and_then_the_end(server: Server, owner: Owner, lane: PostLane) -> None:
    go_on = asyncio.Event()

    async def streaming(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in (b"id: 1\nretry: 50\ndata: one\n\n", b"data: two\n\n"):
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            await go_on.wait()
        writer.write(b"0\r\n\r\n")

    server.answering = streaming
    lane.post(b"x", 7)
    await eventually(lambda: owner.events)
    assert owner.events == [(b"one", 7)]
    go_on.set()
    answer = await owner.answer()
    assert owner.events[1:] == [(b"two", 7)]
    assert (answer.is_stream, answer.last, answer.retry) == (True, "1", 50)


async def test_a_stream_that_breaks_off_is_reported_as_ended_so_that_it_can_be_continued(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    async def streaming(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"10\r\nid: 9\ndata: 1\n\n\n\r\n")
        await writer.drain()
        writer.close()

    server.answering = streaming
    lane.post(b"x", 1)
    assert (await owner.answer()).last == "9"
    assert not owner.failures


async def test_a_preliminary_word_is_not_the_answer(server: Server, owner: Owner, lane: PostLane) -> None:
    async def early(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + plain(b"real"))

    server.answering = early
    lane.post(b"x", 1)
    answer = await owner.answer()
    assert (answer.status, answer.body) == (200, b"real")


async def test_a_connection_the_server_will_soon_close_is_not_used_again(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    async def short(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(plain(body, b"Keep-Alive: timeout=1"))

    server.answering = short
    for number in (1, 2):
        lane.post(b"x", number)
        await owner.answer(number)
    assert server.connections == 2


async def test_a_dropped_call_closes_its_connection_and_is_not_reported(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    gone = asyncio.Event()

    async def never(body: bytes, writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()
        gone.set()

    async def waiting(body: bytes, writer: asyncio.StreamWriter) -> None:
        asyncio.get_running_loop().create_task(never(body, writer))

    server.answering = waiting
    lane.post(b"x", 5)
    await eventually(lambda: server.requests)
    lane.drop(5)
    async with asyncio.timeout(LIMIT):
        await gone.wait()
    assert not owner.answers
    assert not owner.failures


async def test_nobody_listening_fails_the_call(owner: Owner) -> None:
    lane = PostLane("http://127.0.0.1:9/mcp", {}, owner)
    lane.post(b"x", 3)
    assert (await owner.failure())[0] == 3
    lane.close()


async def test_a_header_with_a_line_break_is_refused(owner: Owner) -> None:
    with pytest.raises(ValueError, match="line break"):
        PostLane("http://127.0.0.1:9/mcp", {"X": "a\r\nY: b"}, owner)


async def test_answers_whose_heads_differ_in_length_and_date_only_are_told_apart(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    async def dated(body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(plain(body, b"Date: second %d" % (len(server.requests) // 4)))

    server.answering = dated
    for number in range(1, 21):
        lane.post(b"x" * number * 7, number)
        answer = await owner.answer(number)
        assert (answer.call, answer.status, answer.body) == (number, 200, b"x" * number * 7)
        assert answer.headers[b"date"] == b"second %d" % (number // 4)
    assert server.connections == 1


async def test_a_known_head_with_its_body_in_pieces_or_followed_by_more_is_read_with_care(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    async def pieces(body: bytes, writer: asyncio.StreamWriter) -> None:
        whole = plain(b"the whole of it")
        for part in (whole[:-5], whole[-5:]) if body == b"pieces" else (whole,):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)

    server.answering = pieces
    for number, body in enumerate((b"first", b"known", b"pieces", b"known", b"pieces"), 1):
        lane.post(body, number)
        assert (await owner.answer(number)).body == b"the whole of it"
    assert server.connections == 1


async def test_what_a_known_head_says_of_keeping_the_connection_holds_for_every_connection(
    server: Server, owner: Owner, lane: PostLane
) -> None:
    go_on = asyncio.Event()

    async def together(body: bytes, writer: asyncio.StreamWriter) -> None:
        if body == b"together":
            await go_on.wait()
        writer.write(plain(body, b"Keep-Alive: timeout=1"))

    server.answering = together
    lane.post(b"learned", 1)
    await owner.answer(1)
    for number in (2, 3):
        lane.post(b"together", number)
    await eventually(lambda: len(server.requests) == 3)
    go_on.set()
    await owner.answer(3)
    connections = server.connections
    lane.post(b"next", 4)
    await owner.answer(4)
    assert server.connections == connections + 1


@pytest.mark.parametrize("status", [b"404 Not Found", b"500 Oops", b"202 Accepted"])
async def test_the_same_head_with_another_status_is_another_head(
    server: Server, owner: Owner, lane: PostLane, status: bytes
) -> None:
    async def answering(body: bytes, writer: asyncio.StreamWriter) -> None:
        good = plain(b"body")
        writer.write(good if body == b"good" else good.replace(b"200 OK", status))

    server.answering = answering
    for number, body in enumerate((b"good", b"bad", b"good", b"bad"), 1):
        lane.post(body, number)
        await owner.answer(number)
    told = int(status[:3])
    assert [answer.status for answer in owner.answers] == [200, told, 200, told]
