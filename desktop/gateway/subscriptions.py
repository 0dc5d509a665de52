"""``subscriptions/listen``: streams on which modern clients hear of changes (MCP 2026-07-28, basic/utilities/subscriptions)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.envelope import ModernRequest, RefusedError
from desktop.gateway.gateway import Gateway
from desktop.gateway.modern_reply import stamped
from desktop.gateway.session import Reply, Session
from desktop.jsonrpc import Envelope
from desktop.revisions import SUBSCRIPTION_KEY

__all__ = ["Listening", "Subscriptions"]

_ACKNOWLEDGED_WITHIN: Final = 5.0
_MOST_RESOURCES: Final = 1000
_LISTS: Final = ("tools", "prompts", "resources")
_UPDATED: Final = "notifications/resources/updated"


class _Filter(msgspec.Struct, rename="camel"):
    tools_list_changed: bool | None = None
    prompts_list_changed: bool | None = None
    resources_list_changed: bool | None = None
    resource_subscriptions: list[str] | None = None


class _Params(msgspec.Struct):
    notifications: _Filter


_params = msgspec.json.Decoder(_Params)


class Listening:
    """One open stream.

    Args:
        request: The request that opened it.
        wanted: The notifications asked for, by their method.
        resources: The resources asked for.
        target: Where its notifications go.
        ended: Called once when the stream has ended.
    """

    def __init__(
        self,
        request: ModernRequest,
        wanted: frozenset[str],
        resources: Iterable[str],
        target: Reply,
        ended: Callable[[Listening], None],
    ) -> None:
        self.wanted = wanted
        self.resources = list(dict.fromkeys(resources))
        self._id = request.id
        self._target = target
        self._ended = ended
        self._waiting: list[tuple[str, dict[str, Raw]]] | None = []
        self._over = False

    def acknowledge(self) -> None:
        """Say what will be told, which has to come first; then what has happened meanwhile."""
        waiting, self._waiting = self._waiting, None
        if self._over or waiting is None:
            return
        honoured: dict[str, bool | list[str]] = {
            f"{which}ListChanged": True for which in _LISTS if _changed(which) in self.wanted
        }
        if self.resources:
            honoured["resourceSubscriptions"] = self.resources
        self._send("notifications/subscriptions/acknowledged", {"notifications": Raw(jsonrpc.encode(honoured))})
        for method, params in waiting:
            self._send(method, params)

    def tell(self, method: str, params: dict[str, Raw]) -> None:
        """Pass a notification on."""
        if self._waiting is not None:
            self._waiting.append((method, params))
        elif not self._over:
            self._send(method, params)

    def _send(self, method: str, params: dict[str, Raw]) -> None:
        meta = jsonrpc.fields(params["_meta"]) if "_meta" in params else {}
        meta[SUBSCRIPTION_KEY] = Raw(self._id)
        self._target.send(jsonrpc.notification(method, jsonrpc.encode({**params, "_meta": Raw(jsonrpc.encode(meta))})))

    def finish(self) -> None:
        """The stream ends on our side: the client hears that it was meant to."""
        if not self._over:
            self._over = True
            self._ended(self)
            result = stamped(b'{"_meta":{"%b":%b}}' % (SUBSCRIPTION_KEY.encode(), self._id), "subscriptions/listen")
            self._target.finish(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (self._id, result))

    def give_up(self, reason: str) -> None:
        """The client has gone, or does not want to hear more."""
        if not self._over:
            self._over = True
            self._ended(self)
            self._target.abandon()


class Subscriptions:
    """The streams of one session; its `Channel`, since nothing else reaches a modern client without a request.

    Args:
        gateway: Brings subscriptions to the servers.
        session: The client's.
        numbers: Gives ids to our own requests, not used by others of the session.
    """

    def __init__(self, gateway: Gateway, session: Session, numbers: itertools.count[int]) -> None:
        self._gateway = gateway
        self._session = session
        self._numbers = numbers
        self._streams: dict[Listening, None] = {}

    def listen(self, message: Envelope, request: ModernRequest, target: Reply) -> Listening:
        """Open a stream; it is acknowledged when the servers have been told, or after a few seconds.

        Raises:
            RefusedError: It isn't clear what is to be heard.
        """
        try:
            asked = _params.decode(message.params).notifications
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RefusedError(jsonrpc.INVALID_PARAMS, f"params.notifications can't be read: {error}") from None
        resources = asked.resource_subscriptions or []
        if len(resources) > _MOST_RESOURCES:
            text = f"A stream can follow {_MOST_RESOURCES} resources, not {len(resources)}"
            raise RefusedError(jsonrpc.INVALID_PARAMS, text)
        wanted = {_changed(which) for which in _LISTS if getattr(asked, f"{which}_list_changed")}
        stream = Listening(request, frozenset(wanted), resources, target, self._stream_ended)
        followed = self._followed()
        self._streams[stream] = None
        new = [uri for uri in stream.resources if uri not in followed]
        if new:
            self._follow(stream, new)
        else:
            stream.acknowledge()
        return stream

    def _follow(self, stream: Listening, uris: list[str]) -> None:
        left = set(uris)

        def answered(uri: str, message: bytes) -> None:
            left.discard(uri)
            if jsonrpc.parse(message).error:
                self._unfollowed(uri)
                if uri in stream.resources:
                    stream.resources.remove(uri)
            if not left:
                timer.cancel()
                stream.acknowledge()

        timer = asyncio.get_running_loop().call_later(_ACKNOWLEDGED_WITHIN, stream.acknowledge)
        for uri in uris:
            self._request("resources/subscribe", uri, partial(answered, uri))

    def _request(self, method: str, uri: str, answered: Callable[[bytes], None]) -> None:
        params = Raw(jsonrpc.encode({"uri": uri}))
        message = Envelope(id=next(self._numbers), method=method, params=params)
        self._gateway.request(self._session, message, _OwnReply(answered))

    def _unfollowed(self, uri: str) -> None:
        subscriptions = self._session.subscriptions
        for key in [key for key, exposed in subscriptions.items() if exposed == uri]:
            del subscriptions[key]

    def _followed(self) -> set[str]:
        return {uri for stream in self._streams for uri in stream.resources}

    def _stream_ended(self, stream: Listening) -> None:
        del self._streams[stream]
        if self._session.id in self._gateway.sessions:
            for uri in set(stream.resources) - self._followed():
                self._request("resources/unsubscribe", uri, lambda _: None)

    # Channel.

    def send(self, message: bytes) -> None:
        """A message that belongs to no request: only what a stream asked for is passed on."""
        if not self._streams:
            return
        parsed = jsonrpc.parse(message)
        method, params = parsed.method or "", jsonrpc.fields(parsed.params)
        uri = jsonrpc.decode(params["uri"]) if method == _UPDATED and "uri" in params else None
        for stream in tuple(self._streams):
            if method in stream.wanted or (uri is not None and uri in stream.resources):
                stream.tell(method, params)

    @property
    def open(self) -> bool:
        """Whether anybody listens."""
        return bool(self._streams)

    def abandon(self) -> None:
        """The session has ended."""
        self.end()

    def end(self) -> None:
        """End every stream and say so."""
        for stream in tuple(self._streams):
            stream.finish()


class _OwnReply:
    """Takes the answer to a request of our own."""

    def __init__(self, answered: Callable[[bytes], None]) -> None:
        self._answered = answered

    def send(self, message: bytes) -> None:
        """Nothing is expected before the answer."""

    def finish(self, message: bytes) -> None:
        """The answer."""
        self._answered(message)

    def abandon(self) -> None:
        """The session has ended."""


def _changed(which: str) -> str:
    return f"notifications/{which}/list_changed"
