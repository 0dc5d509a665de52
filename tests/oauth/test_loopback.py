"""The address the browser comes back to takes one answer with the right state, and shows a page that can do nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from desktop.errors import SignInError, UsageError
from desktop.oauth.loopback import Loopback, Redirected, usual_port
from tests.helpers.ports import free_port


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Loopback]:
    loopback = Loopback("Notes & <more>")
    await loopback.open([0])
    loopback.expect("right")
    try:
        yield loopback
    finally:
        await loopback.close()


async def fetch(loopback: Loopback, target: str, *, method: str = "GET", host: str = "") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", loopback.port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{loopback.port}'}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        data = (await reader.read()).decode()
    writer.close()
    return int(data.split(" ", 2)[1]), data


async def test_the_right_answer_is_taken_once_and_the_page_waits_for_what_becomes_of_it() -> None:
    async with listening() as loopback:
        page = asyncio.create_task(fetch(loopback, "/callback?code=c&state=right&iss=https%3A%2F%2Fi"))
        assert await loopback.answer() == Redirected(code="c", state="right", iss="https://i")
        assert (await fetch(loopback, "/callback?code=d&state=right"))[0] == 400
        assert not page.done()
        loopback.succeeded()
        status, text = await page
        assert status == 200
        assert "You are signed in to Notes &amp; &lt;more&gt;" in text
        assert "default-src 'none'" in text
        assert "<script" not in text


async def test_what_went_wrong_is_shown_with_every_character_escaped() -> None:
    async with listening() as loopback:
        page = asyncio.create_task(fetch(loopback, "/callback?error=access_denied&state=right"))
        assert (await loopback.answer()).error == "access_denied"
        loopback.failed("because of <script>alert(1)</script>", "Try again")
        status, text = await page
        assert status == 400
        assert "because of &lt;script&gt;alert(1)&lt;/script&gt;." in text


@pytest.mark.parametrize(
    "target",
    [
        "/callback?code=c&state=wrong",
        "/callback?code=c",
        "/callback?code=c&state=right&state=right",
        "/callback?error=access_denied",
        "/callback",
    ],
)
async def test_other_answers_are_refused_and_the_right_one_is_still_awaited(target: str) -> None:
    async with listening() as loopback:
        assert (await fetch(loopback, target))[0] == 400
        page = asyncio.create_task(fetch(loopback, "/callback?code=c&state=right"))
        assert (await loopback.answer()).code == "c"
        loopback.succeeded()
        assert (await page)[0] == 200


async def test_there_is_nothing_else_at_that_address() -> None:
    async with listening() as loopback:
        assert (await fetch(loopback, "//[/callback?code=c&state=right"))[0] == 404
        assert (await fetch(loopback, "/"))[0] == 404
        assert (await fetch(loopback, "/callback/x?code=c&state=right"))[0] == 404
        assert (await fetch(loopback, "/callback?code=c&state=right", method="POST"))[0] == 405
        assert (await fetch(loopback, "/callback?code=c&state=right", host="evil.example"))[0] == 404
        with contextlib.suppress(ConnectionError, IndexError):
            await fetch(loopback, "/callback?" + "x" * 100_000)


async def test_a_page_that_is_still_open_is_told_when_the_sign_in_ends() -> None:
    loopback = Loopback("Notes")
    await loopback.open([0])
    loopback.expect("right")
    page = asyncio.create_task(fetch(loopback, "/callback?code=c&state=right"))
    await loopback.answer()
    await loopback.close()
    assert "The sign-in was ended" in (await page)[1]


async def test_the_first_free_port_is_taken() -> None:
    async with listening() as busy:
        free = free_port()
        other = Loopback("Notes")
        assert await other.open([busy.port, free]) == f"http://127.0.0.1:{free}/callback"
        await other.close()
        with pytest.raises(SignInError, match=f"port {busy.port} of this machine is in use"):
            await Loopback("Notes").open([busy.port])


@pytest.mark.parametrize(("text", "port"), [("", 54321), ("4000", 4000), ("80", 54321), ("70000", 54321), ("x", 54321)])
def test_the_usual_port_can_be_set(text: str, port: int, caplog: pytest.LogCaptureFixture) -> None:
    assert usual_port({"MCP_GATEWAY_OAUTH_PORT": text}) == port
    assert bool(caplog.messages) is (bool(text) and port == 54321)


@pytest.mark.parametrize("pasted", ["http://[127.0.0.1/callback?code=c&state=right", "http://[", "", "code"])
async def test_what_was_pasted_and_is_no_address_is_told_as_such(pasted: str) -> None:
    async with listening() as loopback:
        with pytest.raises(UsageError, match="not the address the browser ended at"):
            loopback.take(pasted)
        loopback.take("http://127.0.0.1/callback?code=c&state=right")
        assert (await loopback.answer()).code == "c"
