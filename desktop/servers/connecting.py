"""Opening a connection in one era of MCP or the other, and learning which of them a server speaks.

A connection is opened in the era it is wanted in where the server speaks it, else in the other (docs/eras.md). What is known
is kept with the server's listing; only what is not known is found out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from desktop.errors import GatewayError, ServerStartError, SignInRequiredError
from desktop.servers.own_question import WrongEraError
from desktop.servers.remote import RemoteTransport
from desktop.servers.transport import Transport
from desktop.servers.upstream import Upstream

__all__ = ["Connecting", "Eras"]


class Eras(msgspec.Struct, frozen=True, kw_only=True):
    """Which eras a server speaks; None while it is not known."""

    handshake: bool | None = None
    modern: bool | None = None

    def speaks(self, modern: bool) -> bool | None:
        """Whether it speaks one of them."""
        return self.modern if modern else self.handshake

    def learned(self, modern: bool, speaks: bool) -> Eras:
        """With what is known now of one of them."""
        return Eras(handshake=self.handshake if modern else speaks, modern=speaks if modern else self.modern)


class _Switch:
    """Receives what a transport reports for whichever connection is tried over it."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream

    def message(self, data: bytes, call: int | None) -> None:
        self.upstream.message(data, call)

    def undeliverable(self, call: int | None, reason: str) -> None:
        self.upstream.undeliverable(call, reason)

    def waits_for(self, call: int) -> bool:
        return self.upstream.waits_for(call)

    def renewed(self) -> None:
        self.upstream.renewed()

    def closed(self, reason: str, cause: GatewayError | None = None) -> None:
        self.upstream.closed(reason, cause)


class Connecting:
    """Opens one connection.

    Args:
        launch: Makes a way to the server that is not started.
        build: Makes a connection over it, modern or not.
        discard: Is given a connection that is not used after all, to close it.
        eras: What is known.
        limit: Seconds a server may take to answer.
        probe: Seconds a server that may be of the handshake era gets to answer ``server/discover``.

    Attributes:
        eras: What is known now; what `open` has learned is in it.
        upstream: The connection `open` has reached so far; to be closed when `open` fails.
    """

    def __init__(
        self,
        launch: Callable[[], Awaitable[Transport]],
        build: Callable[[Transport, bool], Upstream],
        discard: Callable[[Upstream], None],
        eras: Eras,
        *,
        limit: float,
        probe: float,
    ) -> None:
        self.eras = eras
        self.upstream: Upstream | None = None
        self._launch = launch
        self._build = build
        self._discard = discard
        self._limit = limit
        self._probe = min(probe, limit)

    async def open(self, *, modern: bool) -> Upstream:
        """Open it.

        Args:
            modern: The era that is wanted.

        Raises:
            GatewayError: The server can't be reached in either era.
        """
        first = self.eras.handshake is False or (modern and self.eras.modern is not False)
        transport = await self._launch()
        if isinstance(transport, RemoteTransport):
            return await (self._modern_post_first(transport) if first else self._handshake_post_first(transport))
        return await self._over_pipe(transport, first)

    # Standard input and output: both eras over the same pipes, as long as the server takes it.

    async def _over_pipe(self, transport: Transport, modern: bool) -> Upstream:
        known = self.eras.speaks(modern)
        upstream = self.upstream = self._build(transport, modern)
        switch = None if known else _Switch(upstream)
        await transport.start(switch or upstream)
        try:
            await upstream.greet(time_limit=self._probe if modern and not known else self._limit)
        except ServerStartError as error:
            if not isinstance(error, WrongEraError) and (known or not modern):
                raise
            if switch is None or upstream.closed_reason:  # it has left over the first words
                self._discard(upstream)
                self.upstream = None
                transport = await self._launch()
                switch = None
            upstream = await self._greet_again(transport, switch, not modern, error)
            if upstream.modern != modern:
                self.eras = self.eras.learned(modern, False)
        self.eras = self.eras.learned(upstream.modern, True)
        return upstream

    async def _greet_again(
        self, transport: Transport, switch: _Switch | None, modern: bool, first_error: ServerStartError
    ) -> Upstream:
        upstream = self.upstream = self._build(transport, modern)
        if switch is None:
            await transport.start(upstream)
        else:
            switch.upstream = upstream
        try:
            await upstream.greet(time_limit=self._limit)
        except WrongEraError:
            if modern or switch is None:
                raise first_error from None
            # It was only slow: the first words have made this a modern connection meanwhile.
            return await self._greet_again(transport, switch, True, first_error)
        return upstream

    # HTTP: each era has a way of its own.

    async def _modern_post_first(self, transport: RemoteTransport) -> Upstream:
        post = transport.modern()
        if post is not None:
            known = self.eras.modern
            try:
                return await self._post(post, True, self._limit if known else self._probe)
            except SignInRequiredError:
                raise
            except ServerStartError as error:
                if known and not isinstance(error, WrongEraError):
                    raise
        upstream = await self._post(transport, False, self._limit)
        self.eras = self.eras.learned(True, False)
        return upstream

    async def _handshake_post_first(self, transport: RemoteTransport) -> Upstream:
        post = transport.modern()
        try:
            return await self._post(transport, False, self._limit)
        except SignInRequiredError:
            raise
        except ServerStartError:
            if post is not None:
                with contextlib.suppress(ServerStartError):  # what is wrong is better said by the first error
                    upstream = await self._post(post, True, self._probe)
                    self.eras = self.eras.learned(False, False)
                    return upstream
            raise

    async def _post(self, transport: Transport, modern: bool, limit: float) -> Upstream:
        if self.upstream is not None:
            self._discard(self.upstream)
        upstream = self.upstream = self._build(transport, modern)
        await upstream.open(time_limit=limit)
        self.eras = self.eras.learned(modern, True)
        return upstream
