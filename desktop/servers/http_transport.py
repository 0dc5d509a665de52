"""What every way to a server over HTTP has: an address that may move, an aiohttp client, and the short way of calls.

aiohttp makes the connection, keeps the streams and follows redirects; calls may go over a `PostLane` (docs/decisions/0007)
unless the server uses cookies.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import ssl
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from desktop.errors import GatewayError, SecretStoreError, ServerStartError, SignInRequiredError
from desktop.oauth.challenge import Challenge
from desktop.servers.authorization import Authorization
from desktop.servers.event_stream import EventParser, ServerSentEvent
from desktop.servers.post_lane import LaneAnswer, LaneOwner, PostLane
from desktop.servers.transport import MessageReceiver

if TYPE_CHECKING:
    import aiohttp

__all__ = ["JSON_OR_STREAM", "REDIRECTS", "HttpTransport", "challenge_of", "words"]

JSON_OR_STREAM: Final = "application/json, text/event-stream"
REDIRECTS: Final = (301, 302, 307, 308)
_MOST_MOVES: Final = 5
_FAREWELL: Final = 3.0
log = logging.getLogger(__name__)


class HttpTransport:
    """One address, and what is under way to it.

    Args:
        server: Catalog name, for messages.
        url: The MCP endpoint.
        headers: Sent with every request; may hold secrets.
        authorization: Shows that the person has signed in; None where there is nothing to sign in with.

    Attributes:
        server: The same.
        url: Where the endpoint is by now.
        post_url: Where messages are posted.
        version: The revision of MCP spoken; empty until the server has answered.
        closing: Whether nothing is wanted any more.
    """

    def __init__(
        self, server: str, url: str, headers: Mapping[str, str], authorization: Authorization | None = None
    ) -> None:
        self.server = server
        self.url = url
        self.post_url = url
        self.version = ""
        self.closing = False
        # A secret often ends with a line break.
        self._headers = {name: value.strip() for name, value in headers.items()}
        self._authorization = authorization
        self._bearer = ""
        self._locked: SecretStoreError | None = None
        self._receiver: MessageReceiver | None = None
        self._http: aiohttp.ClientSession | None = None
        self._lane: PostLane | None = None
        self._lanes: list[PostLane] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._moves = 0

    @property
    def receiver(self) -> MessageReceiver:
        """Who takes what comes; there is one once it is started."""
        assert self._receiver is not None
        return self._receiver

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client; there is one once it is started."""
        assert self._http is not None
        return self._http

    async def start(self, receiver: MessageReceiver) -> None:
        """Prepare the client; raises `ServerStartError` where the address is none, and what signing in may raise."""
        import aiohttp

        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ServerStartError(f"{self.server} has no usable address: {self.url!r} is not an http(s) URL")
        self._receiver = receiver
        if self._authorization is not None:
            try:
                self._use(await self._authorization.bearer())
            except SecretStoreError as error:  # many servers want no sign-in
                self._locked = error
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=15),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=True,
        )

    async def drain(self) -> None:
        """Each message is a request of its own; nothing congests."""

    async def close(self) -> None:
        """End all streams and requests."""
        self.closing = True
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for lane in self._lanes:
            lane.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            with contextlib.suppress(Exception):  # the server may be gone; there is nobody to tell
                async with asyncio.timeout(_FAREWELL):
                    await self._farewell()
            await self._http.close()

    async def _farewell(self) -> None:
        """Tell the server that nobody comes any more, where it wants to know."""

    def last_words(self) -> str:
        """What a remote server prints is not ours to see."""
        return ""

    def request_headers(self, accept: str = JSON_OR_STREAM) -> dict[str, str]:
        """Headers of a request."""
        return {**self._headers, "Accept": accept, "Content-Type": "application/json"}

    def spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin something that ends with the transport at the latest."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def moved(self, answer: aiohttp.ClientResponse) -> bool:
        """Take over a new address on the same host; to another host our headers, with secrets in them, must not go."""
        if answer.status not in REDIRECTS or "Location" not in answer.headers:
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
                f"{self.server} sends its clients on to {new.netloc}",
                "Set that address in its catalog entry if you trust it",
            )
        if self.post_url == self.url:
            self.post_url = target
        self.url = target
        return True

    async def read_stream(self, answer: aiohttp.ClientResponse, call: int | None) -> tuple[str | None, int]:
        """Hand on the events of a stream; returns the last one's id and the milliseconds after which it may be continued."""
        parser = EventParser()
        last: str | None = None
        retry = 1000
        async for piece in answer.content.iter_any():
            for event in parser.feed(piece):
                last = event.id if event.id is not None else last
                retry = event.retry if event.retry is not None else retry
                if event.data:
                    self.receiver.message(event.data, call)
        return last, retry

    # Being signed in.

    @property
    def bearer(self) -> str:
        """The access token that requests carry from now on; another one than before where it has been renewed."""
        if self._authorization is not None:
            current = self._authorization.current
            if current and current != self._bearer:
                self._use(current)
        return self._bearer

    def _use(self, bearer: str) -> None:
        """Send the token, in place of whatever a catalog says of that header (spec 3.17)."""
        self._bearer = bearer
        if bearer:
            kept = {name: value for name, value in self._headers.items() if name.lower() != "authorization"}
            self._headers = {**kept, "Authorization": f"Bearer {bearer}"}
            if self._lane is not None:
                self._lane.use_headers(self.request_headers(), bearer)

    async def allowed_now(self, status: int, challenge: str, sent: str) -> bool:
        """Whether a request may be sent again that the server has refused with HTTP 401 or 403, since there is another token.

        Args:
            status: The status.
            challenge: The header ``WWW-Authenticate``.
            sent: The token the request carried.

        Raises:
            SignInRequiredError: Only a sign-in helps.
            GatewayError: The token can't be renewed now, or is not good for this.
        """
        said = Challenge.of(challenge)
        if status == 403:
            if self._authorization is not None and said.wants_more:
                error = await self._authorization.more_wanted(said.scope)
                raise error if self.version else SignInRequiredError(error.message, error.hint)
            if not self.version:
                raise self.sign_in()
            return False
        if self._authorization is None:
            raise self.sign_in()
        if self._locked is not None:
            reason = f"{self.server} wants you to sign in, and what is stored can't be read: {self._locked.message}"
            raise SignInRequiredError(reason, self._locked.hint)
        if not sent and any(name.lower() == "authorization" for name in self._headers):
            raise self.sign_in()
        self._use(await self._authorization.instead_of(sent))
        return True

    def sign_in(self) -> SignInRequiredError:
        """The error that says that only a sign-in helps."""
        return SignInRequiredError(f"{self.server} wants you to sign in", "Sign in, or set the token it needs")

    # The short way.

    async def open_lane(self, headers: Mapping[str, str], owner: LaneOwner) -> None:
        """From now on messages may take the short way, if the server has set no cookies."""
        secure = urlsplit(self.post_url).scheme == "https"
        tls = await asyncio.to_thread(_tls_context) if secure else None
        if not self.closing and not len(self.http.cookie_jar):
            with contextlib.suppress(ValueError):  # a header aiohttp will complain about
                self._lane = PostLane(self.post_url, headers, owner, tls)
                self._lane.use_headers(self.request_headers(), self.bearer)
                self._lanes.append(self._lane)

    def leave_lane(self, answer: LaneAnswer) -> None:
        """From now on aiohttp posts everything: it follows redirects and keeps cookies."""
        from http.cookies import CookieError, SimpleCookie

        from yarl import URL

        self._lane = None  # calls under way on it still end there
        with contextlib.suppress(CookieError):
            cookies = SimpleCookie(answer.headers.get(b"set-cookie", b"").decode("latin-1"))
            self.http.cookie_jar.update_cookies(cookies, URL(self.post_url))

    def lane_event(self, event: ServerSentEvent, call: int | None) -> None:
        """An event of a response that is a stream (`LaneOwner`)."""
        self.receiver.message(event.data, call)

    def lane_failed(self, call: int | None, error: BaseException) -> None:
        """There is no response (`LaneOwner`)."""
        self.failed(call, self.unreachable(error))

    # How things end.

    def client_errors(self) -> type[Exception]:
        """What aiohttp raises."""
        import aiohttp

        return aiohttp.ClientError

    def unreachable(self, error: BaseException) -> str:
        """The sentence for a request that could not be made or answered."""
        return f"{self.server} can't be reached at {urlsplit(self.url).netloc}: {words(error)}"

    def failed(self, call: int | None, reason: str, cause: GatewayError | None = None) -> None:
        """A message was not taken or not answered."""
        if self._receiver is None or self.closing:
            return
        if not self.version or isinstance(cause, SignInRequiredError):
            self.gone(reason, cause)
        elif call is not None:
            self._receiver.undeliverable(call, reason)
        else:
            log.warning("%s", reason)

    def gone(self, reason: str, cause: GatewayError | None = None) -> None:
        """The connection has ended by itself."""
        if self._receiver is not None and not self.closing:
            self.closing = True
            self._receiver.closed(reason, cause)


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def challenge_of(answer: aiohttp.ClientResponse) -> str:
    """What a refusal says of how to sign in."""
    return ", ".join(answer.headers.getall("WWW-Authenticate", []))


def words(error: BaseException) -> str:
    """What went wrong with a request, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0][:200]
