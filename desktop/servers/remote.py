"""A remote server: streamable HTTP (MCP 2025-11-25, basic/transports) with a fall back to HTTP with SSE (2024-11-05).

aiohttp makes the connection, keeps the streams and follows redirects; once the handshake is done, calls take the short way
(`PostLane`) unless the server uses cookies.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import ssl
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urljoin, urlsplit

from desktop.errors import GatewayError, ServerStartError, SignInRequiredError
from desktop.servers.event_stream import EventParser, ServerSentEvent
from desktop.servers.post_lane import LaneAnswer, PostLane
from desktop.servers.transport import MessageReceiver

if TYPE_CHECKING:
    import aiohttp

    from desktop.servers.modern_remote import ModernRemoteTransport

__all__ = ["RemoteTransport", "TransportType", "transport_type", "words"]

TransportType = Literal["", "streamable-http", "sse"]
_STREAMABLE: Final = {"streamable-http", "http", "streamable", "streaming", "streamable_http"}
_MOST_MOVES: Final = 5
_HANDSHAKE: Final = 30.0
_INITIALIZED: Final = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_BOTH: Final = "application/json, text/event-stream"
log = logging.getLogger(__name__)


def transport_type(text: str) -> TransportType:
    """The catalog's transport name; anything unknown or empty means: try streamable HTTP, then SSE."""
    if text in _STREAMABLE:
        return "streamable-http"
    return "sse" if text == "sse" else ""


class RemoteTransport:
    """One MCP session with a remote server.

    Args:
        server: Catalog name, for messages.
        url: The MCP endpoint.
        headers: Sent with every request; may hold secrets.
        kind: The transport to use, or empty to find out.
    """

    def __init__(self, server: str, url: str, headers: Mapping[str, str], kind: TransportType) -> None:
        self._server = server
        self._url = url
        self._headers = {
            name: value.strip() for name, value in headers.items()
        }  # a secret often ends with a line break
        self._kind: TransportType = kind
        self._receiver: MessageReceiver | None = None
        self._http: aiohttp.ClientSession | None = None
        self._lane: PostLane | None = None
        self._lanes: list[PostLane] = []
        self._session_id = ""
        self._version = ""
        self._post_url = url
        self._tasks: set[asyncio.Task[None]] = set()
        self._initialized: asyncio.Task[None] | None = None
        self._hello = b""
        self._listening: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._repeated: set[int] = set()
        self._closing = False
        self._moves = 0

    def modern(self) -> ModernRemoteTransport | None:
        """The same way in the modern era, which HTTP with SSE never had; not started."""
        from desktop.servers.modern_remote import ModernRemoteTransport

        return None if self._kind == "sse" else ModernRemoteTransport(self._server, self._url, self._headers)

    async def start(self, receiver: MessageReceiver) -> None:
        """Prepare the client; for SSE, open the stream and wait for the endpoint event."""
        import aiohttp

        if urlsplit(self._url).scheme not in ("http", "https"):
            raise ServerStartError(f"{self._server} has no usable address: {self._url!r} is not an http(s) URL")
        self._receiver = receiver
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=15),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=True,
        )
        if self._kind == "sse":
            await self._open_sse()

    def negotiated(self, protocol_version: str) -> None:
        """Remember the version for the header; open the stream for messages that belong to no call."""
        self._version = protocol_version
        if self._kind == "streamable-http":
            self._listening = self._spawn(self._listen())

    def send(self, message: bytes, call: int | None) -> None:
        """Post one message."""
        if self._lane is not None:
            self._lane.post(message, call)
        elif self._version and self._initialized is None and call is None:
            self._initialized = self._spawn(self._post_initialized(message))
        else:
            if not self._version and b'"initialize"' in message[:200]:
                self._hello = message
            self._spawn(self._post(message, call))

    async def drain(self) -> None:
        """Each message is a request of its own; nothing congests."""

    async def close(self) -> None:
        """End the session at the server and all streams."""
        self._closing = True
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for lane in self._lanes:
            lane.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            if self._session_id and self._kind != "sse":
                with contextlib.suppress(Exception):  # the server may be gone; there is nobody to tell
                    async with asyncio.timeout(3), self._http.delete(self._url, headers=self._request_headers()):
                        pass
            await self._http.close()

    def last_words(self) -> str:
        """What a remote server prints is not ours to see."""
        return ""

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _request_headers(self, accept: str = _BOTH) -> dict[str, str]:
        headers = {**self._headers, "Accept": accept, "Content-Type": "application/json"}
        if self._session_id:
            headers["Mcp-Session-Id"] = self._session_id
        if self._version:
            headers["MCP-Protocol-Version"] = self._version
        return headers

    async def _post(self, message: bytes, call: int | None) -> None:
        assert self._http is not None
        if self._initialized is not None and not self._initialized.done() and call is not None:
            await asyncio.wait([self._initialized])
        if self._renewing is not None and call is not None:
            await asyncio.wait([self._renewing])
        session = self._session_id
        try:
            async with self._http.post(
                self._post_url, data=message, headers=self._request_headers(), allow_redirects=False
            ) as answer:
                if self._moved(answer):
                    await self._post(message, call)
                    return
                if not self._version and call is not None and await self._fell_back(answer, message, call):
                    return
                await self._read_answer(answer, message, call, session)
        except (OSError, TimeoutError, self._client_errors()) as error:
            self._failed(call, f"{self._server} can't be reached at {urlsplit(self._url).netloc}: {words(error)}")
        except ValueError as error:  # what aiohttp says of a header it can't send
            self._failed(call, f"{self._server} can't be asked: {words(error)}")
        except GatewayError as error:
            self._failed(call, error.message, error)

    def _moved(self, answer: aiohttp.ClientResponse) -> bool:
        """Take over a new address on the same host; to another host our headers, with secrets in them, must not go."""
        if answer.status not in (301, 302, 307, 308) or "Location" not in answer.headers:
            return False
        target = urljoin(str(answer.url), answer.headers["Location"])
        old, new = urlsplit(str(answer.url)), urlsplit(target)
        safe = (old.scheme, old.netloc) == (new.scheme, new.netloc) or (old.hostname, "https") == (
            new.hostname,
            new.scheme,
        )
        self._moves += 1
        if not safe or self._moves > _MOST_MOVES:
            raise ServerStartError(
                f"{self._server} sends its clients on to {new.netloc}",
                "Set that address in its catalog entry if you trust it",
            )
        if self._post_url == self._url:
            self._post_url = target
        self._url = target
        return True

    async def _fell_back(self, answer: aiohttp.ClientResponse, message: bytes, call: int) -> bool:
        """While the transport is unknown, the first refusal means: try SSE."""
        if self._kind == "" and answer.status in (400, 404, 405):
            await self._open_sse()
            await self._post(message, call)
            return True
        if self._kind == "" and answer.ok:
            self._kind = "streamable-http"
        return False

    async def _read_answer(
        self, answer: aiohttp.ClientResponse, message: bytes, call: int | None, session: str
    ) -> None:
        assert self._receiver is not None
        if answer.status in (401, 403) and not self._version:
            raise SignInRequiredError(f"{self._server} wants you to sign in", "Sign in, or set the token it needs")
        if "mcp-session-id" in answer.headers and not self._session_id:
            self._session_id = answer.headers["mcp-session-id"]
        if answer.content_type == "text/event-stream":
            last, retry = await self._read_stream(answer, call)
            await self._resume(call, last, retry)
        elif answer.ok:
            body = await answer.read()
            if body.strip() and self._kind != "sse":
                self._receiver.message(body, call)
        else:
            self._refused(answer.status, await answer.read(), message, call, session)
            return
        if call is not None and self._kind != "sse":
            self._receiver.undeliverable(call, f"{self._server} ended its answer early")

    def _refused(self, status: int, body: bytes, message: bytes, call: int | None, session: str) -> None:
        """Take an answer that says no to what was posted in ``session``."""
        assert self._receiver is not None
        if status == 401:
            self._gone(f"{self._server} wants you to sign in again")
        elif status == 404 and session:
            if call is None:
                log.info("%s has ended the session; the next call begins another", self._server)
            elif self._hello and call not in self._repeated:
                self._spawn(self._repeat(message, call, session))
            else:
                self._gone(f"{self._server} has ended the session")
        elif call is not None and body[:1] == b"{" and b'"jsonrpc"' in body:
            self._receiver.message(body, call)
        else:
            self._failed(call, f"{self._server} answered with HTTP {status}")

    # A session the server has forgotten (MCP 2025-11-25, basic/transports: session management).

    async def _repeat(self, message: bytes, call: int, session: str) -> None:
        """Post a request again that the server did not take for want of its session, once, in a new one."""
        assert self._receiver is not None
        self._repeated.add(call)
        try:
            if self._renewing is None and session == self._session_id:
                self._renewing = self._spawn(self._renew())
            if self._renewing is not None:
                await asyncio.wait([self._renewing])
            if not self._closing and self._receiver.waits_for(call):
                await self._post(message, call)
        finally:
            self._repeated.discard(call)

    async def _renew(self) -> None:
        """Shake hands again and follow the new session; where that fails, the connection has ended."""
        assert self._http is not None
        assert self._receiver is not None
        ended = f"{self._server} has ended the session"
        if self._lane is not None:
            self._lane.owner = _FormerSession(self, self._session_id)
        self._lane, self._session_id = None, ""
        headers = {name: text for name, text in self._request_headers().items() if name != "MCP-Protocol-Version"}
        try:
            async with (
                asyncio.timeout(_HANDSHAKE),
                self._http.post(self._post_url, data=self._hello, headers=headers, allow_redirects=False) as answer,
            ):
                if b'"result"' not in await answer.read() or not answer.ok:
                    self._gone(ended)
                    return
                self._session_id = answer.headers.get("mcp-session-id", "")
            await self._post_initialized(_INITIALIZED)
            if self._listening is None or self._listening.done():
                self._listening = self._spawn(self._listen())
            self._receiver.renewed()
        except (OSError, TimeoutError, self._client_errors()) as error:
            self._gone(f"{ended}, and there is no new one: {words(error)}")
        finally:
            self._renewing = None

    # The short way (LaneOwner).

    async def _post_initialized(self, message: bytes) -> None:
        """Post the end of the handshake; afterwards messages may take the short way."""
        assert self._http is not None
        await self._post(message, None)
        secure = urlsplit(self._post_url).scheme == "https"
        tls = await asyncio.to_thread(_tls_context) if secure else None
        if self._kind == "streamable-http" and not self._closing and not len(self._http.cookie_jar):
            with contextlib.suppress(ValueError):  # a header aiohttp will complain about
                self._lane = PostLane(self._post_url, self._request_headers(), self, tls)
                self._lanes.append(self._lane)

    def lane_event(self, event: ServerSentEvent, call: int | None) -> None:
        """An event of a response that is a stream."""
        self._event(event, call)

    def lane_answered(self, answer: LaneAnswer) -> None:
        """A response has ended."""
        self.take_answer(answer, self._session_id)

    def take_answer(self, answer: LaneAnswer, session: str) -> None:
        """Take the response to what was posted in ``session``."""
        assert self._receiver is not None
        call, status = answer.call, answer.status
        if status in (301, 302, 307, 308) or b"set-cookie" in answer.headers:
            self._leave_lane(answer)
            if status >= 300:
                self._spawn(self._post(answer.message, call))
                return
        if answer.is_stream and status == 200:
            if call is not None and answer.last is not None and self._receiver.waits_for(call):
                self._spawn(self._resume_or_fail(call, answer.last, answer.retry))
                return
        elif 200 <= status < 300:
            if answer.body and not answer.body.isspace():
                self._receiver.message(answer.body, call)
        else:
            self._refused(status, answer.body, answer.message, call, session)
            return
        if call is not None and self._receiver.waits_for(call):
            self._receiver.undeliverable(call, f"{self._server} ended its answer early")

    def lane_failed(self, call: int | None, error: BaseException) -> None:
        """There is no response."""
        self._failed(call, f"{self._server} can't be reached at {urlsplit(self._url).netloc}: {words(error)}")

    def _leave_lane(self, answer: LaneAnswer) -> None:
        """From now on aiohttp posts everything: it follows redirects and keeps cookies."""
        from http.cookies import CookieError, SimpleCookie

        from yarl import URL

        assert self._http is not None
        self._lane = None  # calls under way on it still end there
        with contextlib.suppress(CookieError):
            cookies = SimpleCookie(answer.headers.get(b"set-cookie", b"").decode("latin-1"))
            self._http.cookie_jar.update_cookies(cookies, URL(self._post_url))

    async def _resume_or_fail(self, call: int, last: str, retry: int) -> None:
        assert self._receiver is not None
        with contextlib.suppress(OSError, TimeoutError, self._client_errors()):
            await self._resume(call, last, retry)
        self._receiver.undeliverable(call, f"{self._server} ended its answer early")

    async def _read_stream(self, answer: aiohttp.ClientResponse, call: int | None) -> tuple[str | None, int]:
        parser = EventParser()
        last: str | None = None
        retry = 1000
        async for piece in answer.content.iter_any():
            for event in parser.feed(piece):
                last = event.id if event.id is not None else last
                retry = event.retry if event.retry is not None else retry
                self._event(event, call)
        return last, retry

    def _event(self, event: ServerSentEvent, call: int | None) -> None:
        assert self._receiver is not None
        if event.event == "endpoint" and self._kind == "sse":
            target = urljoin(self._url, event.data.decode("utf-8", "replace"))
            if urlsplit(target)[:2] != urlsplit(self._url)[:2]:
                raise ServerStartError(f"{self._server} names an endpoint on another host: {target}")
            self._post_url = target
        elif event.data:
            self._receiver.message(event.data, call)

    async def _resume(self, call: int | None, last: str | None, retry: int) -> None:
        """A stream that ended after an event with an id may be continued (SEP-1699); `undeliverable` ends a lost call."""
        assert self._http is not None
        assert self._receiver is not None
        attempts = 0
        while last is not None and call is not None and attempts < 5 and self._receiver.waits_for(call):
            attempts += 1
            await asyncio.sleep(retry / 1000)
            headers = {**self._request_headers("text/event-stream"), "Last-Event-ID": last}
            async with self._http.get(self._url, headers=headers, allow_redirects=False) as answer:
                if answer.content_type != "text/event-stream" or not answer.ok:
                    return
                newer, retry = await self._read_stream(answer, call)
                last = newer or last

    async def _listen(self) -> None:
        """Keep the stream for messages without a call open, while the server offers one."""
        assert self._http is not None
        pause, last = 1.0, None
        while not self._closing:
            headers = self._request_headers("text/event-stream")
            if last is not None:
                headers["Last-Event-ID"] = last
            try:
                async with self._http.get(self._url, headers=headers, allow_redirects=False) as answer:
                    if answer.content_type != "text/event-stream" or not answer.ok:
                        return
                    pause = 1.0
                    newer, retry = await self._read_stream(answer, None)
                    last = newer or last
                    pause = retry / 1000
            except (OSError, TimeoutError, self._client_errors()):
                pause = min(pause * 2, 60.0)
            await asyncio.sleep(pause)

    async def _open_sse(self) -> None:
        """HTTP with SSE: one stream for everything from the server, and an address to post to."""
        self._kind = "sse"
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._spawn(self._sse_stream(ready))
        try:
            async with asyncio.timeout(15):
                await ready
        except TimeoutError:
            raise ServerStartError(f"{self._server} did not open its SSE stream within 15 s") from None

    async def _sse_stream(self, ready: asyncio.Future[None]) -> None:
        assert self._http is not None
        reason = f"{self._server} has ended the connection"
        try:
            headers = self._request_headers("text/event-stream")
            async with self._http.get(self._url, headers=headers, allow_redirects=False) as answer:
                if self._moved(answer):
                    await self._sse_stream(ready)
                    return
                if answer.status in (401, 403):
                    raise SignInRequiredError(f"{self._server} wants you to sign in", "Sign in, or set its token")
                if answer.content_type != "text/event-stream":
                    raise ServerStartError(f"{self._server} does not speak MCP at {self._url} (HTTP {answer.status})")
                parser = EventParser()
                async for piece in answer.content.iter_any():
                    for event in parser.feed(piece):
                        self._event(event, None)
                        if event.event == "endpoint" and not ready.done():
                            ready.set_result(None)
        except GatewayError as error:
            if not ready.done():
                ready.set_exception(error)
                return
            reason = str(error)
        except (OSError, TimeoutError, self._client_errors()) as error:
            reason = f"{self._server} can't be reached at {urlsplit(self._url).netloc}: {words(error)}"
            if not ready.done():
                ready.set_exception(ServerStartError(reason))
                return
        self._gone(reason)

    def _client_errors(self) -> type[Exception]:
        import aiohttp

        return aiohttp.ClientError

    def _failed(self, call: int | None, reason: str, cause: GatewayError | None = None) -> None:
        if self._receiver is None or self._closing:
            return
        if not self._version:
            self._gone(reason, cause)
        elif call is not None:
            self._receiver.undeliverable(call, reason)
        else:
            log.warning("%s", reason)

    def _gone(self, reason: str, cause: GatewayError | None = None) -> None:
        if self._receiver is not None and not self._closing:
            self._closing = True
            self._receiver.closed(reason, cause)


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _FormerSession:
    """Owner of a lane whose session the server has forgotten: what it refuses is asked again in the session after that."""

    def __init__(self, transport: RemoteTransport, session: str) -> None:
        self.lane_event = transport.lane_event
        self.lane_failed = transport.lane_failed
        self._transport = transport
        self._session = session

    def lane_answered(self, answer: LaneAnswer) -> None:
        self._transport.take_answer(answer, self._session)


def words(error: BaseException) -> str:
    """What went wrong with a request, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0][:200]
