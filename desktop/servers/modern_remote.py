"""The way to a remote server that speaks 2026-07-28: every request a POST of its own, no session, no stream beside it.

MCP 2026-07-28, basic/transports, streamable HTTP. A request is cancelled by closing its answer; nothing can be resumed. Once the
server has answered, requests take the short way (`PostLane`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from desktop import jsonrpc
from desktop.errors import GatewayError, SignInRequiredError
from desktop.jsonrpc import MalformedMessageError
from desktop.servers.authorization import Authorization
from desktop.servers.http_transport import REDIRECTS, HttpTransport, challenge_of, words
from desktop.servers.own_question import WrongEraError
from desktop.servers.post_lane import LaneAnswer
from desktop.servers.request_headers import HeaderNames, request_headers

if TYPE_CHECKING:
    import aiohttp

__all__ = ["ModernRemoteTransport"]

_LISTENS: Final = b'"subscriptions/listen"'  # a stream that stays open is aiohttp's
_HEAD: Final = 120  # of a message: where its method is
_SAYS_NOTHING_OF_THE_ERA: Final = (401, 403, 408, 429)


class ModernRemoteTransport(HttpTransport):
    """Posts requests to a remote server.

    Args:
        server: Catalog name, for messages.
        url: The MCP endpoint.
        headers: Sent with every request; may hold secrets.
        authorization: Shows that the person has signed in.

    Attributes:
        names_of: Tool -> which of its arguments headers repeat (`request_headers`).
    """

    def __init__(
        self, server: str, url: str, headers: Mapping[str, str], authorization: Authorization | None = None
    ) -> None:
        super().__init__(server, url, headers, authorization)
        self.names_of: Callable[[str], HeaderNames] = lambda tool: {}
        self._posts: dict[int, asyncio.Task[None]] = {}

    def negotiated(self, protocol_version: str) -> None:
        """Remember that the server answers; requests may take the short way from now on, and there is no stream to open."""
        self.version = protocol_version
        self.spawn(self.open_lane(self.request_headers(), self))

    def send(self, message: bytes, call: int | None) -> None:
        """Post a request. A notification is not sent; the one that cancels a request closes its answer."""
        if call is None:
            self._close_cancelled(message)
        elif self._lane is None or _LISTENS in message[:_HEAD]:
            self._post_soon(message, call)
        else:
            try:
                mirrored = request_headers(jsonrpc.parse(message), self.names_of)
            except MalformedMessageError as error:
                self.failed(call, f"{self.server} can't be asked: {words(error)}")
                return
            if self._authorization is not None:
                _ = self.bearer  # the lane has it from now on
            lines = "".join([f"{name}: {text}\r\n" for name, text in mirrored.items()])
            self._lane.post(message, call, lines.encode("ascii"))

    def _post_soon(self, message: bytes, call: int) -> None:
        task = self._posts[call] = self.spawn(self._post_request(message, call))
        task.add_done_callback(lambda _: self._posts.pop(call, None))

    def _close_cancelled(self, message: bytes) -> None:
        said = jsonrpc.parse(message)
        if said.method == "notifications/cancelled":
            call = jsonrpc.decode(jsonrpc.fields(said.params)["requestId"])
            task = self._posts.get(call)
            if task is not None:
                task.cancel()
            for lane in self._lanes:
                lane.drop(call)

    async def _post_request(self, message: bytes, call: int, *, again: bool = False) -> None:
        sent = self.bearer
        try:
            mirrored = request_headers(jsonrpc.parse(message), self.names_of)
            headers = {**self.request_headers(), **mirrored}
            async with self.http.post(self.url, data=message, headers=headers, allow_redirects=False) as answer:
                if self.moved(answer):
                    await self._post_request(message, call)
                    return
                if (
                    answer.status in (401, 403)
                    and not again
                    and await self.allowed_now(answer.status, challenge_of(answer), sent)
                ):
                    await self._post_request(message, call, again=True)
                    return
                if not self.version:
                    await self._look_for_refusal(answer)
                await self._read_answer(answer, call)
        except (OSError, TimeoutError, self.client_errors()) as error:
            self.failed(call, self.unreachable(error))
        except (ValueError, MalformedMessageError) as error:  # what aiohttp says of a header it can't send
            self.failed(call, f"{self.server} can't be asked: {words(error)}")
        except GatewayError as error:
            self.failed(call, str(error) if self.version else error.message, error)

    def lane_answered(self, answer: LaneAnswer) -> None:
        """A response has ended (`LaneOwner`)."""
        receiver, call, status = self.receiver, answer.call, answer.status
        assert call is not None
        if status in REDIRECTS or b"set-cookie" in answer.headers:
            self.leave_lane(answer)
            if status in REDIRECTS:
                self._post_soon(answer.message, call)
                return
        if status in (401, 403):
            self.spawn(self._post_again(answer, call))
            return
        if status >= 300:
            self._refused(status, answer.body, call)
            return
        if answer.body and not answer.body.isspace():
            receiver.message(answer.body, call)
        if receiver.waits_for(call):
            receiver.undeliverable(call, f"{self.server} ended its answer early")

    async def _post_again(self, answer: LaneAnswer, call: int) -> None:
        """A request was refused that went the short way: post it again if there is another token by now."""
        try:
            challenge = answer.headers.get(b"www-authenticate", b"").decode("latin-1")
            if await self.allowed_now(answer.status, challenge, answer.bearer):
                await self._post_request(answer.message, call, again=True)
            else:
                self._refused(answer.status, answer.body, call)
        except GatewayError as error:
            self.failed(call, str(error), error)

    async def _look_for_refusal(self, answer: aiohttp.ClientResponse) -> None:
        """An HTTP error without a JSON-RPC one, as old servers answer to what they don't know."""
        if 400 <= answer.status < 500 and answer.status not in _SAYS_NOTHING_OF_THE_ERA:
            body = await answer.read()
            if body[:1] != b"{" or b'"jsonrpc"' not in body:
                raise WrongEraError(f"{self.server} answered server/discover with HTTP {answer.status}")

    async def _read_answer(self, answer: aiohttp.ClientResponse, call: int) -> None:
        if answer.status in (401, 403) and not self.version:  # with the second token as well
            raise self.sign_in()
        if answer.content_type == "text/event-stream":
            await self.read_stream(answer, call)  # one that breaks off can't be continued in this era
        else:
            body = await answer.read()
            if not answer.ok:
                self._refused(answer.status, body, call)
                return
            if body.strip():
                self.receiver.message(body, call)
        self.receiver.undeliverable(call, f"{self.server} ended its answer early")

    def _refused(self, status: int, body: bytes, call: int) -> None:
        if status == 401:
            reason = f"{self.server} wants you to sign in again"
            self.gone(reason, SignInRequiredError(reason, "Sign in in the tray, or see docker-mcp oauth ls"))
        elif body[:1] == b"{" and b'"jsonrpc"' in body:
            self.receiver.message(body, call)
        else:
            self.failed(call, f"{self.server} answered with HTTP {status}")
