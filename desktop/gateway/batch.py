"""JSON-RPC batches, which one revision of MCP has: 2025-03-26 (basic, batching)."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.gateway import Gateway
from desktop.gateway.session import Reply, Session
from desktop.jsonrpc import MalformedMessageError

__all__ = ["has_batches", "is_batch", "take_batch"]

_REVISION: Final = "2025-03-26"
_messages = msgspec.json.Decoder(list[Raw])


def is_batch(data: bytes) -> bool:
    """Whether a client sent a list instead of a message."""
    return data.lstrip()[:1] == b"["


def has_batches(session: Session) -> bool:
    """Whether the session's revision knows batches."""
    return session.protocol_version == _REVISION


def take_batch(gateway: Gateway, session: Session, data: bytes, reply: Reply) -> bool:
    """Take every message of a batch; the answers go to ``reply`` as one batch when the last is there.

    Returns:
        Whether there will be an answer: a batch of notifications and answers has none.

    Raises:
        MalformedMessageError: It is no list, or an empty one.
    """
    try:
        parts = _messages.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(str(error)) from error
    if not parts:
        raise MalformedMessageError("the batch is empty")
    batch = _Batch(reply)
    for part in parts:
        try:
            message = jsonrpc.parse(bytes(part))
        except MalformedMessageError:
            batch.expect().finish(jsonrpc.response_error(None, jsonrpc.INVALID_REQUEST, "This is not a message"))
            continue
        if message.method == "initialize" and message.id is not None:
            text = "initialize can't be part of a batch"
            batch.expect().finish(jsonrpc.response_error(message.id, jsonrpc.INVALID_REQUEST, text))
        else:
            is_request = jsonrpc.is_request(message)
            gateway.take(session, message, batch.expect() if is_request else reply)
    return batch.complete()


class _Batch:
    """Collects the answers to one batch."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self._answers: list[bytes] = []
        self._expected = 0
        self._open = 0
        self._is_complete = False

    def expect(self) -> _Part:
        """One more answer."""
        self._expected += 1
        self._open += 1
        return _Part(self)

    def complete(self) -> bool:
        """No more answers are to be expected than those that are; returns whether there are any."""
        self._is_complete = True
        self._answer_when_whole()
        return self._expected > 0

    def ended(self, answer: bytes | None) -> None:
        """One has come, or will not."""
        self._open -= 1
        if answer is not None:
            self._answers.append(answer)
        self._answer_when_whole()

    def _answer_when_whole(self) -> None:
        if not self._is_complete or self._open or not self._expected:
            return
        if self._answers:
            self.reply.finish(b"[%b]" % b",".join(self._answers))
        else:
            self.reply.abandon()


class _Part:
    """Where the answer to one request of a batch goes."""

    __slots__ = ("_batch",)

    def __init__(self, batch: _Batch) -> None:
        self._batch = batch

    def send(self, message: bytes) -> None:
        self._batch.reply.send(message)

    def finish(self, message: bytes) -> None:
        self._batch.ended(message)

    def abandon(self) -> None:
        self._batch.ended(None)
