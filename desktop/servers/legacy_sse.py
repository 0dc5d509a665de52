"""HTTP with SSE (MCP 2024-11-05, basic/transports): one stream for everything from the server, and an address to post to."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urljoin, urlsplit

from desktop.errors import GatewayError, ServerStartError
from desktop.servers.event_stream import EventParser, ServerSentEvent
from desktop.servers.http_transport import HttpTransport, challenge_of

__all__ = ["open_stream"]

_OPENING: Final = 15.0


async def open_stream(transport: HttpTransport) -> None:
    """Open the stream and wait for its first event, which says where to post; when the stream ends, so does the transport.

    Raises:
        SignInRequiredError: The server wants a sign-in.
        ServerStartError: It does not open the stream in time, or names an address on another host.
    """
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    transport.spawn(_follow(transport, ready))
    try:
        async with asyncio.timeout(_OPENING):
            await ready
    except TimeoutError:
        raise ServerStartError(f"{transport.server} did not open its SSE stream within {_OPENING:.0f} s") from None


async def _follow(transport: HttpTransport, ready: asyncio.Future[None]) -> None:
    try:
        await _read(transport, ready)
        reason = f"{transport.server} has ended the connection"
    except GatewayError as error:
        if not ready.done():
            ready.set_exception(error)
            return
        reason = str(error)
    except (OSError, TimeoutError, transport.client_errors()) as error:
        reason = transport.unreachable(error)
        if not ready.done():
            ready.set_exception(ServerStartError(reason))
            return
    transport.gone(reason)


async def _read(transport: HttpTransport, ready: asyncio.Future[None], *, again: bool = False) -> None:
    sent = transport.bearer
    headers = transport.request_headers("text/event-stream")
    async with transport.http.get(transport.url, headers=headers, allow_redirects=False) as answer:
        if not transport.moved(answer):
            if answer.status in (401, 403):
                if again or not await transport.allowed_now(answer.status, challenge_of(answer), sent):
                    raise transport.sign_in()
                await _read(transport, ready, again=True)
                return
            if answer.content_type != "text/event-stream":
                raise ServerStartError(
                    f"{transport.server} does not speak MCP at {transport.url} (HTTP {answer.status})"
                )
            parser = EventParser()
            async for piece in answer.content.iter_any():
                for event in parser.feed(piece):
                    _take(transport, event, ready)
            return
    await _read(transport, ready)


def _take(transport: HttpTransport, event: ServerSentEvent, ready: asyncio.Future[None]) -> None:
    if event.event == "endpoint":
        target = urljoin(transport.url, event.data.decode("utf-8", "replace"))
        if urlsplit(target)[:2] != urlsplit(transport.url)[:2]:
            raise ServerStartError(f"{transport.server} names an endpoint on another host: {target}")
        transport.post_url = target
        if not ready.done():
            ready.set_result(None)
    elif event.data:
        transport.receiver.message(event.data, None)
