"""The address the browser is sent back to: http://127.0.0.1:PORT/callback, for one sign-in (RFC 8252 section 7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from desktop.errors import SignInError, UsageError
from desktop.oauth.result_page import result_page

__all__ = ["Loopback", "Redirected", "usual_port"]

PATH: Final = "/callback"
_PORT: Final = 54321
_VARIABLE: Final = "MCP_GATEWAY_OAUTH_PORT"
_HEAD_LIMIT: Final = 16 * 1024
_READ_LIMIT: Final = 10.0
_OUTCOME_LIMIT: Final = 60.0
log = logging.getLogger(__name__)


def usual_port(environ: Mapping[str, str] = os.environ) -> int:
    """The port a provider sends browsers back to: MCP_GATEWAY_OAUTH_PORT, else 54321 (spec 4.3)."""
    text = environ.get(_VARIABLE, "")
    if not text:
        return _PORT
    if text.isdecimal() and 1025 <= int(text) <= 65535:
        return int(text)
    log.warning("%s is not a port between 1025 and 65535; %d is used", _VARIABLE, _PORT)
    return _PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected:
    """What the browser brought back (RFC 6749 section 4.1.2, RFC 9207).

    Attributes:
        code: The authorization code; empty when the provider refused.
        state: The state.
        iss: The provider's issuer; None when it does not say.
        error, description: Why it refused.
    """

    code: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    iss: str | None = None
    error: str = ""
    description: str = ""

    @classmethod
    def of(cls, query: str) -> Redirected:
        """Read the query of the address; a parameter that stands there twice counts as missing."""
        pairs = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in pairs]
        found = {name: value for name, value in pairs if names.count(name) == 1}
        return cls(
            code=found.get("code", ""),
            state=found.get("state", ""),
            iss=found.get("iss"),
            error=found.get("error", ""),
            description=found.get("error_description", ""),
        )


class Loopback:
    """Listens for one answer. To be closed with `close`.

    Args:
        title: What is signed in to, for the page.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._server: asyncio.Server | None = None
        self._state = ""
        self._used = False
        self._answer: asyncio.Future[Redirected] = asyncio.get_running_loop().create_future()
        self._outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._handlers: set[asyncio.Task[None]] = set()

    async def open(self, ports: Sequence[int]) -> str:
        """Listen at the first of the ports that is free; 0 means any.

        Returns:
            The redirect URI.

        Raises:
            SignInError: None of them is.
        """
        for port in ports:
            with contextlib.suppress(OSError):
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_HEAD_LIMIT)
                return self.redirect_uri
        shown = " and ".join(str(port) for port in ports)
        raise SignInError(
            f"port {shown} of this machine is in use, and the browser could not come back",
            f"Close the program that uses it, or set {_VARIABLE} to another port",
        )

    @property
    def redirect_uri(self) -> str:
        """Where the browser comes back to."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def port(self) -> int:
        """The port it listens at."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def expect(self, state: str) -> None:
        """From now on take the answer with this state, once."""
        self._state = state

    async def answer(self) -> Redirected:
        """Wait for the browser."""
        return await asyncio.shield(self._answer)

    def take(self, address: str) -> None:
        """Take the address a person has copied from a browser on another machine.

        Raises:
            UsageError: It isn't one, or belongs to another sign-in.
        """
        text = address.strip().strip("'\"<>")
        redirected = Redirected.of(_split(text)[1] or text.lstrip("?"))
        if not redirected.state or not (redirected.code or redirected.error):
            raise UsageError(
                "that is not the address the browser ended at",
                "Copy all of its address bar: it begins with http://127.0.0.1 and has code= and state= in it",
            )
        if not self._take(redirected):
            raise UsageError(
                "that address belongs to another sign-in", "Open the newest link and copy the address again"
            )

    def succeeded(self) -> None:
        """Tell the browser that all went well."""
        self._end(200, f"You are signed in to {self._title}", "You can close this page and go back to your work.")

    def failed(self, reason: str, hint: str) -> None:
        """Tell the browser why it did not."""
        self._end(400, f"Signing in to {self._title} did not work", f"{reason}.", f"{hint}." if hint else "")

    async def close(self) -> None:
        """Stop listening; a page that is being sent goes out first."""
        self.failed("The sign-in was ended", "Begin again in MCP Gateway")
        if self._server is not None:
            self._server.close()
        if self._handlers:
            _, late = await asyncio.wait(self._handlers, timeout=2)
            for task in late:
                task.cancel()
        if not self._answer.done():
            self._answer.cancel()

    def _end(self, status: int, heading: str, *lines: str) -> None:
        if not self._outcome.done():
            self._outcome.set_result(result_page(status, heading, *lines))

    def _take(self, redirected: Redirected) -> bool:
        """Take an answer if it has the state that is expected, once (RFC 6749 section 10.12)."""
        if self._used or not self._state or not secrets.compare_digest(redirected.state.encode(), self._state.encode()):
            return False
        self._used = True
        if not self._answer.done():
            self._answer.set_result(redirected)
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            async with asyncio.timeout(_READ_LIMIT):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._page(head.decode("latin-1")))
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was has gone, or is no browser
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _page(self, head: str) -> bytes:
        lines = head.split("\r\n")
        method, target = [*lines[0].split(" "), "", ""][:2]
        path, query = _split(target)
        hosts = [line.partition(":")[2].strip().lower() for line in lines[1:] if line.lower().startswith("host:")]
        if hosts not in ([f"127.0.0.1:{self.port}"], [f"localhost:{self.port}"]) or path != PATH:
            return result_page(404, "There is nothing here", "This address only takes the end of a sign-in.")
        if method != "GET":
            return result_page(405, "There is nothing here", "This address only takes the end of a sign-in.")
        if not self._take(Redirected.of(query)):
            return result_page(
                400,
                "This page belongs to no sign-in",
                "It was used already, or is of another one.",
                "Begin again in MCP Gateway.",
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OUTCOME_LIMIT):
                return await asyncio.shield(self._outcome)
        return result_page(
            400, f"Signing in to {self._title} takes long", "Look into MCP Gateway for what became of it."
        )


def _split(address: str) -> tuple[str, str]:
    """Path and query; both empty where it is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:  # such as [ without ]
        return "", ""
    return parts.path, parts.query
