"""A remote server: streamable HTTP (MCP 2025-11-25, basic/transports) with a fall back to HTTP with SSE (2024-11-05)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from desktop.errors import GatewayError, SignInRequiredError
from desktop.servers.authorization import Authorization
from desktop.servers.http_transport import JSON_OR_STREAM, REDIRECTS, HttpTransport, challenge_of, words
from desktop.servers.legacy_sse import open_stream
from desktop.servers.post_lane import LaneAnswer
from desktop.servers.transport import MessageReceiver

if TYPE_CHECKING:
    import aiohttp

    from desktop.servers.modern_remote import ModernRemoteTransport

__all__ = ["RemoteTransport", "TransportType", "transport_type"]

TransportType = Literal["", "streamable-http", "sse"]
_STREAMABLE: Final = {"streamable-http", "http", "streamable", "streaming", "streamable_http"}
_HANDSHAKE: Final = 30.0
_INITIALIZED: Final = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
log = logging.getLogger(__name__)


def transport_type(text: str) -> TransportType:
    """The catalog's transport name; anything unknown or empty means: try streamable HTTP, then SSE."""
    if text in _STREAMABLE:
        return "streamable-http"
    return "sse" if text == "sse" else ""


class RemoteTransport(HttpTransport):
    """One MCP session with a remote server.

    Args:
        server: Catalog name, for messages.
        url: The MCP endpoint.
        headers: Sent with every request; may hold secrets.
        kind: The transport to use, or empty to find out.
        authorization: Shows that the person has signed in.
    """

    def __init__(
        self,
        server: str,
        url: str,
        headers: Mapping[str, str],
        kind: TransportType,
        authorization: Authorization | None = None,
    ) -> None:
        super().__init__(server, url, headers, authorization)
        self._kind: TransportType = kind
        self._session_id = ""
        self._initialized: asyncio.Task[None] | None = None
        self._hello = b""
        self._listening: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._repeated: set[int] = set()

    def modern(self) -> ModernRemoteTransport | None:
        """The same way in the modern era, which HTTP with SSE never had; not started."""
        from desktop.servers.modern_remote import ModernRemoteTransport

        if self._kind == "sse":
            return None
        return ModernRemoteTransport(self.server, self.url, self._headers, self._authorization)

    async def start(self, receiver: MessageReceiver) -> None:
        """Prepare the client; for SSE, open the stream and wait for the endpoint event."""
        await super().start(receiver)
        if self._kind == "sse":
            await open_stream(self)

    def negotiated(self, protocol_version: str) -> None:
        """Remember the version for the header; open the stream for messages that belong to no call."""
        self.version = protocol_version
        if self._kind == "streamable-http":
            self._listening = self.spawn(self._listen())

    def send(self, message: bytes, call: int | None) -> None:
        """Post one message."""
        lane = self._lane
        if lane is not None:
            if self._authorization is not None:
                _ = self.bearer  # the lane has it from now on
            lane.post(message, call)
        elif self.version and self._initialized is None and call is None:
            self._initialized = self.spawn(self._post_initialized(message))
        else:
            if not self.version and b'"initialize"' in message[:200]:
                self._hello = message
            self.spawn(self._post(message, call))

    def request_headers(self, accept: str = JSON_OR_STREAM) -> dict[str, str]:
        """Headers of a request in the session."""
        headers = super().request_headers(accept)
        if self._session_id:
            headers["Mcp-Session-Id"] = self._session_id
        if self.version:
            headers["MCP-Protocol-Version"] = self.version
        return headers

    async def _farewell(self) -> None:
        if self._session_id and self._kind != "sse":
            async with self.http.delete(self.url, headers=self.request_headers()):
                pass

    async def _post(self, message: bytes, call: int | None, *, again: bool = False) -> None:
        if self._initialized is not None and not self._initialized.done() and call is not None:
            await asyncio.wait([self._initialized])
        if self._renewing is not None and call is not None:
            await asyncio.wait([self._renewing])
        session, sent = self._session_id, self.bearer
        try:
            async with self.http.post(
                self.post_url, data=message, headers=self.request_headers(), allow_redirects=False
            ) as answer:
                if self.moved(answer):
                    await self._post(message, call)
                    return
                if (
                    answer.status in (401, 403)
                    and not again
                    and await self.allowed_now(answer.status, challenge_of(answer), sent)
                ):
                    await self._post(message, call, again=True)
                    return
                if not self.version and call is not None and await self._fell_back(answer, message, call):
                    return
                await self._read_answer(answer, message, call, session)
        except (OSError, TimeoutError, self.client_errors()) as error:
            self.failed(call, self.unreachable(error))
        except ValueError as error:  # what aiohttp says of a header it can't send
            self.failed(call, f"{self.server} can't be asked: {words(error)}")
        except GatewayError as error:
            self.failed(call, str(error) if self.version else error.message, error)

    async def _fell_back(self, answer: aiohttp.ClientResponse, message: bytes, call: int) -> bool:
        """While the transport is unknown, the first refusal means: try SSE."""
        if self._kind == "" and answer.status in (400, 404, 405):
            self._kind = "sse"
            await open_stream(self)
            await self._post(message, call)
            return True
        if self._kind == "" and answer.ok:
            self._kind = "streamable-http"
        return False

    async def _read_answer(
        self, answer: aiohttp.ClientResponse, message: bytes, call: int | None, session: str
    ) -> None:
        if answer.status in (401, 403) and not self.version:  # with the second token as well
            raise self.sign_in()
        if "mcp-session-id" in answer.headers and not self._session_id:
            self._session_id = answer.headers["mcp-session-id"]
        if answer.content_type == "text/event-stream":
            last, retry = await self.read_stream(answer, call)
            await self._resume(call, last, retry)
        elif answer.ok:
            body = await answer.read()
            if body.strip() and self._kind != "sse":
                self.receiver.message(body, call)
        else:
            self._refused(answer.status, await answer.read(), message, call, session)
            return
        if call is not None and self._kind != "sse":
            self.receiver.undeliverable(call, f"{self.server} ended its answer early")

    def _refused(self, status: int, body: bytes, message: bytes, call: int | None, session: str) -> None:
        """Take an answer that says no to what was posted in ``session``."""
        if status == 401:
            reason = f"{self.server} wants you to sign in again"
            self.gone(reason, SignInRequiredError(reason, "Sign in in the tray, or see docker-mcp oauth ls"))
        elif status == 404 and session:
            if call is None:
                log.info("%s has ended the session; the next call begins another", self.server)
            elif self._hello and call not in self._repeated:
                self.spawn(self._repeat(message, call, session))
            else:
                self.gone(f"{self.server} has ended the session")
        elif call is not None and body[:1] == b"{" and b'"jsonrpc"' in body:
            self.receiver.message(body, call)
        else:
            self.failed(call, f"{self.server} answered with HTTP {status}")

    # A session the server has forgotten (MCP 2025-11-25, basic/transports: session management).

    async def _repeat(self, message: bytes, call: int, session: str) -> None:
        """Post a request again that the server did not take for want of its session, once, in a new one."""
        self._repeated.add(call)
        try:
            if self._renewing is None and session == self._session_id:
                self._renewing = self.spawn(self._renew())
            if self._renewing is not None:
                await asyncio.wait([self._renewing])
            if not self.closing and self.receiver.waits_for(call):
                await self._post(message, call)
        finally:
            self._repeated.discard(call)

    async def _renew(self) -> None:
        """Shake hands again and follow the new session; where that fails, the connection has ended."""
        ended = f"{self.server} has ended the session"
        if self._lane is not None:
            self._lane.owner = _FormerSession(self, self._session_id)
        self._lane, self._session_id = None, ""
        headers = {name: text for name, text in self.request_headers().items() if name != "MCP-Protocol-Version"}
        try:
            async with (
                asyncio.timeout(_HANDSHAKE),
                self.http.post(self.post_url, data=self._hello, headers=headers, allow_redirects=False) as answer,
            ):
                if b'"result"' not in await answer.read() or not answer.ok:
                    self.gone(ended)
                    return
                self._session_id = answer.headers.get("mcp-session-id", "")
            await self._post_initialized(_INITIALIZED)
            if self._listening is None or self._listening.done():
                self._listening = self.spawn(self._listen())
            self.receiver.renewed()
        except (OSError, TimeoutError, self.client_errors()) as error:
            self.gone(f"{ended}, and there is no new one: {words(error)}")
        finally:
            self._renewing = None

    # The short way (LaneOwner).

    async def _post_initialized(self, message: bytes) -> None:
        """Post the end of the handshake; afterwards messages may take the short way."""
        await self._post(message, None)
        if self._kind == "streamable-http":
            await self.open_lane(self.request_headers(), self)

    def lane_answered(self, answer: LaneAnswer) -> None:
        """A response has ended."""
        self.take_answer(answer, self._session_id)

    def take_answer(self, answer: LaneAnswer, session: str) -> None:
        """Take the response to what was posted in ``session``."""
        receiver, call, status = self.receiver, answer.call, answer.status
        if status in REDIRECTS or b"set-cookie" in answer.headers:
            self.leave_lane(answer)
            if status >= 300:
                self.spawn(self._post(answer.message, call))
                return
        if answer.is_stream and status == 200:
            if call is not None and answer.last is not None and receiver.waits_for(call):
                self.spawn(self._resume_or_fail(call, answer.last, answer.retry))
                return
        elif 200 <= status < 300:
            if answer.body and not answer.body.isspace():
                receiver.message(answer.body, call)
        elif status in (401, 403):
            self.spawn(self._post_again(answer, session))
            return
        else:
            self._refused(status, answer.body, answer.message, call, session)
            return
        if call is not None and receiver.waits_for(call):
            receiver.undeliverable(call, f"{self.server} ended its answer early")

    async def _post_again(self, answer: LaneAnswer, session: str) -> None:
        """A request was refused that went the short way: post it again if there is another token by now."""
        try:
            challenge = answer.headers.get(b"www-authenticate", b"").decode("latin-1")
            if await self.allowed_now(answer.status, challenge, answer.bearer):
                await self._post(answer.message, answer.call, again=True)
            else:
                self._refused(answer.status, answer.body, answer.message, answer.call, session)
        except GatewayError as error:
            self.failed(answer.call, str(error), error)

    async def _resume_or_fail(self, call: int, last: str, retry: int) -> None:
        with contextlib.suppress(OSError, TimeoutError, self.client_errors()):
            await self._resume(call, last, retry)
        self.receiver.undeliverable(call, f"{self.server} ended its answer early")

    async def _resume(self, call: int | None, last: str | None, retry: int) -> None:
        """A stream that ended after an event with an id may be continued (SEP-1699); `undeliverable` ends a lost call."""
        attempts = 0
        while last is not None and call is not None and attempts < 5 and self.receiver.waits_for(call):
            attempts += 1
            await asyncio.sleep(retry / 1000)
            headers = {**self.request_headers("text/event-stream"), "Last-Event-ID": last}
            async with self.http.get(self.url, headers=headers, allow_redirects=False) as answer:
                if answer.content_type != "text/event-stream" or not answer.ok:
                    return
                newer, retry = await self.read_stream(answer, call)
                last = newer or last

    async def _listen(self) -> None:
        """Keep the stream for messages without a call open, while the server offers one."""
        pause, last = 1.0, None
        while not self.closing:
            sent = self.bearer
            headers = self.request_headers("text/event-stream")
            if last is not None:
                headers["Last-Event-ID"] = last
            try:
                async with self.http.get(self.url, headers=headers, allow_redirects=False) as answer:
                    if answer.status == 401 and sent and await self._renewed(answer, sent):
                        continue
                    if answer.content_type != "text/event-stream" or not answer.ok:
                        return
                    pause = 1.0
                    newer, retry = await self.read_stream(answer, None)
                    last = newer or last
                    pause = retry / 1000
            except (OSError, TimeoutError, self.client_errors()):
                pause = min(pause * 2, 60.0)
            await asyncio.sleep(pause)

    async def _renewed(self, answer: aiohttp.ClientResponse, sent: str) -> bool:
        """Whether there is another token than the one the stream was refused with; calls tell what is wrong otherwise."""
        with contextlib.suppress(GatewayError):
            return await self.allowed_now(answer.status, challenge_of(answer), sent) and self.bearer != sent
        return False


class _FormerSession:
    """Owner of a lane whose session the server has forgotten: what it refuses is asked again in the session after that."""

    def __init__(self, transport: RemoteTransport, session: str) -> None:
        self.lane_event = transport.lane_event
        self.lane_failed = transport.lane_failed
        self._transport = transport
        self._session = session

    def lane_answered(self, answer: LaneAnswer) -> None:
        self._transport.take_answer(answer, self._session)
