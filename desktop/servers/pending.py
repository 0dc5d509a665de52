"""The requests that wait for their answers on one connection, and what their number tells of a message that names none."""

from __future__ import annotations

from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Id
from desktop.servers.call_sink import CallSink, SessionPort
from desktop.servers.progress import Progress

__all__ = ["Pending", "PendingRequests"]


class Pending:
    """A request that waits for its answer: the asker's id for it, where everything goes, and its progress if it is wanted."""

    __slots__ = ("id", "progress", "sink")

    def __init__(self, id: Id, sink: CallSink, progress: Progress | None) -> None:
        self.id = id
        self.sink = sink
        self.progress = progress


class PendingRequests(dict[int, Pending]):
    """What waits, by our id. A `dict`, so that putting and taking costs no more than that."""

    @property
    def has_call(self) -> bool:
        """Whether a client's request is among them; the others are our own."""
        return any(pending.sink.session is not None for pending in self.values())

    def of_session(self, session: SessionPort) -> list[int]:
        """Ids of a session's requests."""
        return [call for call, pending in self.items() if pending.sink.session is session]

    def sink_of(self, call: int | None) -> CallSink | None:
        """The call a message belongs to: told by the transport, or the only one of a client under way."""
        if call is not None:
            pending = self.get(call)
            return pending.sink if pending is not None else None
        sole: CallSink | None = None
        for pending in self.values():
            if pending.sink.session is None:
                continue
            if sole is not None:
                return None
            sole = pending.sink
        return sole

    def progressed(self, params: dict[str, Raw]) -> None:
        """Pass the params of a progress notification on to the request they name, if its client wants them."""
        token = jsonrpc.decode(params["progressToken"]) if "progressToken" in params else None
        pending = self.get(token) if isinstance(token, int) and token is not True else None
        if pending is not None and pending.progress is not None:
            pending.sink.send(pending.progress.reported(params))

    def sole_session(self, otherwise: SessionPort | None) -> SessionPort | None:
        """The only session with calls under way; ``otherwise`` while there is none."""
        sessions = {id(item.sink.session): item.sink.session for item in self.values() if item.sink.session}
        if not sessions:
            return otherwise
        return next(iter(sessions.values())) if len(sessions) == 1 else None
