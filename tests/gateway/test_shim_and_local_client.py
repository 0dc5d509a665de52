"""The shim and the command line's client, against a real listener on the socket of a gateway in memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import GatewayError
from desktop.gateway.local_client import LocalClient, RequestError, running_gateway
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.gateway.shim import connect, read_endpoint
from desktop.state.paths import Paths
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import LIMIT, FakeServer, eventually, tool
from tests.helpers.gateway_client import EVERYTHING

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


@pytest.fixture
def paths() -> Iterator[Paths]:
    folder = tempfile.mkdtemp(prefix="gw-")
    yield Paths.of_user({"HOME": folder}, "linux")
    shutil.rmtree(folder)


@pytest.fixture
async def endpoint(rig: Rig, paths: Paths) -> AsyncIterator[LocalEndpoint]:
    made = LocalEndpoint(rig.gateway, paths, ready=lambda: True) if hasattr(rig, "gateway") else None
    if made is None:
        await rig.start(FakeServer("s", "t"))
        made = LocalEndpoint(rig.gateway, paths, ready=lambda: True)
    await made.publish()
    yield made
    await rig.gateway.close()
    await made.close()


def server_of(rig: Rig) -> FakeServer:
    return rig.launcher.servers["s"]


class ShimProcess:
    """A running shim, seen from the client that started it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    async def say(self, *messages: Any) -> None:
        for message in messages:
            self._in.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
        await self._in.drain()

    async def message(self) -> Json:
        async with asyncio.timeout(LIMIT):
            line = await self._out.readline()
        if not line and self._process.stderr is not None:
            pytest.fail(f"the shim has ended: {(await self._process.stderr.read()).decode()}")
        return json.loads(line)

    async def open(self, **capabilities: Any) -> None:
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}
        await self.say({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params})
        assert (await self.message())["id"] == "hello"
        await self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def close_input(self) -> None:
        """End the input, and let the process do what it still has to do."""
        self._in.close()
        await self._in.wait_closed()

    async def end(self) -> tuple[int, bytes, bytes]:
        """End the input; exit code, what was not read yet, and standard error."""
        async with asyncio.timeout(LIMIT):
            out, err = await self._process.communicate(b"")
        assert self._process.returncode is not None
        return self._process.returncode, out, err

    async def ended(self) -> tuple[int, bytes]:
        """Wait for its own end; exit code and standard error."""
        assert self._process.stderr is not None
        async with asyncio.timeout(LIMIT):
            err = await self._process.stderr.read()
            return await self._process.wait(), err


@contextlib.asynccontextmanager
async def shim(paths: Paths, profile: str = "") -> AsyncIterator[ShimProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "desktop.gateway.shim", str(paths.endpoint_file), profile),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=1 << 24,
    )
    try:
        yield ShimProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def call(id: Any, **more: Any) -> Json:
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "t", "arguments": {}, **more}}


async def test_a_client_of_the_shim_gets_answers_messages_and_questions(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    async with shim(paths) as client:
        await client.open(**EVERYTHING)
        await client.say(call("c"))
        sent = await server.last.wait_for("tools/call")
        server.last.tell("notifications/message", {"level": "info", "data": "é"})
        assert (await client.message())["params"]["data"] == "é"
        server.last.ask("q", "roots/list")
        question = await client.message()
        await client.say({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}})
        await server.last.wait_for_answer("q")
        server.last.reply(sent["id"], {"text": "x" * 1_000_000})
        assert len((await client.message())["result"]["text"]) == 1_000_000
        server.tools.append(tool("new"))
        server.last.tell("notifications/tools/list_changed")
        assert (await client.message())["method"] == "notifications/tools/list_changed"
        assert await client.end() == (0, b"", b"")
    await eventually(lambda: rig.gateway.sessions == {})


async def test_many_calls_at_once_each_get_their_own_answer_in_whatever_order_they_come(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    async with shim(paths) as client:
        await client.open()
        await client.say(*(call(number, arguments={"n": number}) for number in range(50)))
        await server.last.wait_for("tools/call", 50)
        for message in reversed(server.last.requests("tools/call")):
            server.last.reply(message["id"], {"n": message["params"]["arguments"]["n"]})
        answers = [await client.message() for _ in range(50)]
        assert {answer["id"]: answer["result"]["n"] for answer in answers} == {n: n for n in range(50)}


async def test_a_cancelled_call_gets_no_answer(rig: Rig, endpoint: LocalEndpoint, paths: Paths) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    async with shim(paths) as client:
        await client.open()
        await client.say(call("c"))
        await server.last.wait_for("tools/call")
        await client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "c"}})
        await server.last.wait_for("notifications/cancelled")
        await client.say({"jsonrpc": "2.0", "id": "p", "method": "ping"})
        assert (await client.message())["id"] == "p"


async def test_what_is_no_message_gets_a_parse_error(rig: Rig, endpoint: LocalEndpoint, paths: Paths) -> None:
    async with shim(paths) as client:
        await client.open()
        await client.say(b"garbage")
        answer = await client.message()
        assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        await client.say(b"", b"   ", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert (await client.message())["id"] == 1


async def test_a_call_before_initialize_is_refused_under_its_own_id(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    async with shim(paths) as client:
        await client.say(call("early"))
        answer = await client.message()
        assert answer["id"] == "early"
        assert "initialize" in answer["error"]["message"]
        await client.open()


async def test_a_session_the_gateway_no_longer_knows_is_an_error_under_the_id_of_the_call(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    async with shim(paths) as client:
        await client.open()
        await client.say({"jsonrpc": "2.0", "id": 1, "method": "ping"})
        await client.message()
        (session,) = rig.gateway.sessions.values()
        del rig.gateway.sessions[session.id]
        await client.say(call("lost"))
        answer = await client.message()
        assert (answer["id"], answer["error"]["message"]) == ("lost", "Session not found")
        rig.gateway.sessions[session.id] = session


async def test_when_the_gateway_goes_calls_under_way_are_answered_and_the_shim_ends(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    async with shim(paths) as client:
        await client.open()
        await client.say(*(call(number) for number in range(5)))
        await server.last.wait_for("tools/call", 5)
        await rig.gateway.close()
        await endpoint.close()
        answers = [await client.message() for _ in range(5)]
        assert {answer["id"] for answer in answers} == set(range(5))
        assert all(answer["error"]["code"] == -32000 for answer in answers)
        code, err = await client.ended()
        assert (code, err) == (0, b"docker-mcp: the gateway has ended\n")


async def gateway_that_dies(
    listening: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Shakes hands, and ends without a word when a tool is called."""
    with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            body = await reader.readexactly(length)
            if head.startswith(b"get"):
                listening.set()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
            elif b"initialize" in body:
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: 1\r\nContent-Length: 38\r\n\r\n"
                    b'{"jsonrpc":"2.0","id":1,"result":{} } '
                )
            else:
                return


async def test_a_gateway_that_dies_in_the_middle_of_a_call_is_an_error_for_the_client(paths: Paths) -> None:
    paths.socket.parent.mkdir(parents=True)
    listening = asyncio.Event()
    server = await asyncio.start_unix_server(partial(gateway_that_dies, listening), paths.socket)
    paths.endpoint_file.write_text(f"unix:{paths.socket}\n", encoding="utf-8")
    async with shim(paths) as client:
        await client.say({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
        assert (await client.message())["id"] == 1
        await asyncio.wait_for(listening.wait(), LIMIT)
        server.close()
        paths.socket.unlink()
        await client.say(call("c"), call("d"))
        answers = [await client.message() for _ in range(2)]
        assert {answer["id"] for answer in answers} == {"c", "d"}
        assert {answer["error"]["message"] for answer in answers} == {"The MCP gateway has gone"}


async def gateway_that_hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers two requests on each connection, then closes it without a word."""
    try:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                await reader.read()
                break
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
            message = json.loads(await reader.readexactly(length))
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {}}).encode()
            lines = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: s\r\nContent-Length: %d\r\n\r\n"
            )
            writer.write(lines % len(body) + body)
    except asyncio.IncompleteReadError:
        pass
    writer.close()


async def test_no_call_is_lost_when_the_gateway_closes_connections_between_calls(paths: Paths) -> None:
    paths.socket.parent.mkdir(parents=True)
    server = await asyncio.start_unix_server(gateway_that_hangs_up, paths.socket)
    paths.endpoint_file.write_text(f"unix:{paths.socket}\n", encoding="utf-8")
    async with shim(paths) as client:
        await client.say({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": {}})
        assert (await client.message())["id"] == "hello"
        for number in range(60):
            await client.say(call(number))
            assert await client.message() == {"jsonrpc": "2.0", "id": number, "result": {}}
        await client.say(*(call(number) for number in range(30)))
        assert sorted([(await client.message())["id"] for _ in range(30)]) == list(range(30))
    server.close()


async def test_the_end_of_input_waits_for_the_last_answers(rig: Rig, endpoint: LocalEndpoint, paths: Paths) -> None:
    server = server_of(rig)
    server.held.add("tools/call")
    async with shim(paths) as client:
        await client.open()
        await client.say(call("last"))
        sent = await server.last.wait_for("tools/call")
        ending = asyncio.create_task(client.end())
        await asyncio.sleep(0)
        server.last.reply(sent["id"], {"late": True})
        code, out, err = await ending
        assert (code, json.loads(out)["result"], err) == (0, {"late": True}, b"")


async def test_without_a_gateway_nobody_is_found(paths: Paths) -> None:
    assert read_endpoint(str(paths.endpoint_file)) is None
    assert running_gateway(paths) is None
    assert LocalClient.connect(paths) is None
    paths.endpoint_file.parent.mkdir(parents=True)
    for text in ("", "\n", "unix:/nonexistent\n", "127.0.0.1:1\ntoken\n", "nonsense", "host:port"):
        paths.endpoint_file.write_text(text, encoding="utf-8")
        assert running_gateway(paths) is None
        assert LocalClient.connect(paths) is None
    assert connect("127.0.0.1:99999999") is None


async def test_the_command_line_lists_and_calls(rig: Rig, endpoint: LocalEndpoint, paths: Paths) -> None:
    def work() -> tuple[str | None, Any, Any, list[Json], int]:
        told: list[Json] = []
        client = LocalClient.connect(paths)
        assert client is not None
        try:
            listed = client.request("tools/list")
            called = client.request("tools/call", {"name": "t", "arguments": {}}, on_notification=told.append)
            with pytest.raises(RequestError, match="Unknown tool: x") as caught:
                client.request("tools/call", {"name": "x"})
            return running_gateway(paths), listed, called, told, caught.value.code
        finally:
            client.close()

    server = server_of(rig)

    def talk(transport: Any, message: Json) -> Any:
        transport.tell("notifications/message", {"level": "info", "data": "working"})
        return {"ok": True}

    server.handlers["tools/call"] = talk
    address, listed, called, told, code = await asyncio.to_thread(work)
    assert address == f"unix:{paths.socket}"
    assert [entry["name"] for entry in listed["tools"]] == ["t"]
    assert called == {"ok": True}
    assert [message["params"]["data"] for message in told] == ["working"]
    assert code == -32602
    await eventually(lambda: rig.gateway.sessions == {})


async def test_a_gateway_that_goes_in_the_middle_of_a_call_of_the_command_line_is_a_sentence(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    server = server_of(rig)
    server.held.add("tools/call")

    def work() -> None:
        client = LocalClient.connect(paths)
        assert client is not None
        try:
            client.request("tools/call", {"name": "t"})
        finally:
            with contextlib.suppress(GatewayError):
                client.close()

    asking = asyncio.create_task(asyncio.to_thread(work))
    await server.last.wait_for("tools/call")
    await endpoint.close()
    with pytest.raises(GatewayError, match="The running gateway does not answer"):
        await asyncio.wait_for(asking, LIMIT)


async def test_the_socket_is_for_this_user_alone_and_the_file_goes_with_the_gateway(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    assert paths.socket.stat().st_mode & 0o777 == 0o600
    assert paths.socket.parent.stat().st_mode & 0o777 == 0o700
    assert paths.endpoint_file.stat().st_mode & 0o777 == 0o600
    await endpoint.close()
    assert not paths.endpoint_file.exists()


async def test_a_gateway_that_goes_leaves_the_file_of_the_one_that_took_over(
    rig: Rig, endpoint: LocalEndpoint, paths: Paths
) -> None:
    paths.endpoint_file.write_text("127.0.0.1:1\nother\n", encoding="utf-8")
    await endpoint.close()
    assert paths.endpoint_file.read_text(encoding="utf-8") == "127.0.0.1:1\nother\n"
