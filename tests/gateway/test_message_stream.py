"""The queue of one HTTP response, and the backlog of a session nobody listens to."""

from __future__ import annotations

import asyncio

from desktop.gateway.message_stream import MessageStream
from desktop.gateway.session import Session
from tests.helpers.fake_mcp import LIMIT


async def taken(stream: MessageStream) -> bytes | None:
    async with asyncio.timeout(LIMIT):
        return await stream.next()


async def test_messages_come_in_order_and_then_the_end() -> None:
    stream = MessageStream()
    stream.send(b"1")
    stream.send(b"2")
    stream.finish(b"3")
    assert [await taken(stream) for _ in range(4)] == [b"1", b"2", b"3", None]
    assert await taken(stream) is None


async def test_an_answer_that_comes_first_is_known_to_stand_alone() -> None:
    stream = MessageStream()
    stream.finish(b"answer")
    assert await taken(stream) == b"answer"
    assert stream.sole_answer


async def test_something_before_the_answer_makes_it_not_the_only_one() -> None:
    stream = MessageStream()
    stream.send(b"progress")
    stream.finish(b"answer")
    assert await taken(stream) == b"progress"
    assert not stream.sole_answer


async def test_a_reader_is_woken_by_what_comes_later() -> None:
    stream = MessageStream()
    reader = asyncio.create_task(taken(stream))
    await asyncio.sleep(0)
    stream.finish(b"later")
    assert await reader == b"later"


async def test_a_sign_of_life_wakes_a_waiting_reader_only() -> None:
    stream = MessageStream()
    stream.beat()
    stream.send(b"1")
    assert await taken(stream) == b"1"
    reader = asyncio.create_task(taken(stream))
    await asyncio.sleep(0)
    stream.beat()
    assert await reader == b""


async def test_a_message_that_comes_with_a_sign_of_life_goes_first_and_is_not_lost() -> None:
    stream = MessageStream()
    reader = asyncio.create_task(taken(stream))
    await asyncio.sleep(0)
    stream.beat()
    stream.finish(b"answer")
    assert await reader == b"answer"
    assert stream.sole_answer
    assert await taken(stream) is None


async def test_an_abandoned_stream_gives_what_it_has_and_ends() -> None:
    stream = MessageStream()
    stream.send(b"1")
    stream.abandon()
    assert [await taken(stream), await taken(stream)] == [b"1", None]
    waiting = MessageStream()
    reader = asyncio.create_task(taken(waiting))
    await asyncio.sleep(0)
    waiting.abandon()
    assert await reader is None


async def test_a_reader_that_was_cancelled_loses_no_message() -> None:
    stream = MessageStream()
    reader = asyncio.create_task(taken(stream))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait([reader])
    stream.send(b"kept")
    assert await taken(stream) == b"kept"


async def test_a_session_keeps_the_newest_messages_until_somebody_listens() -> None:
    session = Session("streaming")
    for number in range(600):
        session.deliver(b"%d" % number)
    assert not session.listening
    stream = MessageStream()
    session.attach(stream)
    session.deliver(b"live")
    session.end()
    kept = []
    while (message := await taken(stream)) is not None:
        kept.append(message)
    assert kept == [b"%d" % number for number in range(88, 600)] + [b"live"]
    assert session.closed


async def test_a_channel_that_went_away_does_not_take_the_place_of_a_newer_one() -> None:
    session = Session("streaming")
    old, new = MessageStream(), MessageStream()
    session.attach(old)
    session.attach(new)
    session.detach(old)
    session.deliver(b"1")
    assert await taken(new) == b"1"
    session.detach(new)
    assert not session.listening


async def test_session_ids_cannot_be_guessed() -> None:
    ids = {Session("streaming").id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(id) >= 32 and id.isascii() and id.isprintable() for id in ids)
