"""Reading and writing server-sent events (HTML living standard, section 9.2), as bytes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EventParser", "ServerSentEvent", "format_event"]


@dataclass(slots=True)
class ServerSentEvent:
    """One event: its type (``message`` when none is given), data, id and reconnection time in milliseconds."""

    event: str = "message"
    data: bytes = b""
    id: str | None = None
    retry: int | None = None


class EventParser:
    """Cuts a byte stream into events; each byte is looked at once, however the stream is cut into pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._event = "message"
        self._id: str | None = None
        self._retry: int | None = None
        self._touched = False

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """Take the next piece; returns the events it completes."""
        start = len(self._rest)
        self._rest += piece
        end = self._rest.rfind(b"\n", start)
        if end < 0:
            return []
        complete = bytes(self._rest[:end])
        del self._rest[: end + 1]
        events: list[ServerSentEvent] = []
        for line in complete.split(b"\n"):
            line = line.removesuffix(b"\r")
            if line:
                self._field(line)
            elif self._touched:
                events.append(
                    ServerSentEvent(event=self._event, data=b"\n".join(self._data), id=self._id, retry=self._retry)
                )
                self._data, self._event, self._id, self._retry, self._touched = [], "message", None, None, False
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if not name:
            return  # a comment
        value = value.removeprefix(b" ")
        self._touched = True
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id":
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self._retry = int(value)


def format_event(data: bytes, event: bytes = b"message", id: bytes = b"") -> bytes:
    """One event; ``data`` is a single JSON message (line breaks in it are insignificant white space and are replaced)."""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    if id:
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (id, event, data)
    return b"event: %b\ndata: %b\n\n" % (event, data)
