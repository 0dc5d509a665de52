"""Interceptors see, change and replace tool calls; each way of running one, and what becomes of a failing one."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import json
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from desktop.errors import EngineUnavailableError, UsageError
from desktop.gateway.call_guard import CallGuard
from desktop.gateway.interceptors import Interceptor, InterceptorRunner, parse_interceptor
from desktop.gateway.own_tools import OwnTool, OwnTools
from desktop.gateway.session import Call
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, tool
from tests.helpers.gateway_client import GatewayClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the interceptors here are written for sh")
Json = dict[str, Any]


class NoContainers:
    """An engine that is not there."""

    async def run_to_end(
        self, name: str, image: str, command: Sequence[str], stdin: bytes, *, time_limit: float
    ) -> tuple[int, bytes, bytes]:
        raise EngineUnavailableError("Docker is not running", "Start Docker and try again")


class Intercepted:
    """A gateway whose calls go through interceptors.

    Attributes:
        said: What interceptors wrote to their standard error, with their names.
    """

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.folder = folder
        self.said: list[tuple[str, str]] = []
        self.server = FakeServer("s", "t", "u")
        self.server.handlers["tools/call"] = lambda _, message: {
            "content": [{"type": "text", "text": json.dumps(message["params"])}],
            "isError": False,
        }

    async def start(self, *specs: str, time_limit: float = 10.0) -> GatewayClient:
        interceptors = [parse_interceptor(text, number) for number, text in enumerate(specs, 1)]
        runner = InterceptorRunner(NoContainers(), lambda *line: self.said.append(line), time_limit=time_limit)
        guard = CallGuard(interceptors=interceptors, runner=runner)
        await self.rig.start(self.server, gateway={"guard": guard})
        return await self.rig.client()

    def script(self, code: str) -> str:
        """A shell command that runs Python; ``message`` is what it is given."""
        head = "import json, sys; message = json.load(sys.stdin)\n"
        return f"{shlex.quote(sys.executable)} -c {shlex.quote(head + code)}"

    def keeps(self, name: str) -> str:
        """A shell command that keeps what it is given in a file."""
        return f"cat > {shlex.quote(str(self.folder / name))}"

    def kept(self, name: str) -> Json:
        found: Json = json.loads((self.folder / name).read_text("utf-8"))
        return found


@pytest.fixture
def intercepted(rig: Rig, tmp_path: Path) -> Intercepted:
    return Intercepted(rig, tmp_path)


async def text_of(asked: Any) -> str:
    return str((await asked.result())["content"][0]["text"])


# What they are given.


async def test_before_and_after_are_given_the_documented_shape_and_who_calls_what(intercepted: Intercepted) -> None:
    client = await intercepted.start(
        f"BEFORE:Exec:{intercepted.keeps('before')}", f"after:exec:{intercepted.keeps('after')}"
    )
    asked = client.call("t", arguments={"query": "ü"}, _meta={"progressToken": 7})
    assert json.loads(await text_of(asked))["arguments"] == {"query": "ü"}
    digest = hashlib.sha256(client.session.id.encode()).hexdigest()[:16]
    origin = {"server": "s", "client": "test 1", "session": digest}
    params = {"name": "t", "arguments": {"query": "ü"}, "_meta": {"progressToken": 7}}
    assert intercepted.kept("before") == {"method": "tools/call", "params": params, **origin}
    after = intercepted.kept("after")
    assert after.pop("content")[0]["type"] == "text"
    assert after == {"isError": False, **origin, "tool": "t"}


# What they may say.


async def test_the_output_of_before_takes_the_place_of_the_call(intercepted: Intercepted) -> None:
    client = await intercepted.start('before:exec:echo \'{"content":[{"type":"text","text":"instead"}]}\'')
    assert await text_of(client.call("t")) == "instead"
    assert intercepted.server.last.requests("tools/call") == []


async def test_a_request_that_before_says_is_made_in_the_place_of_the_clients(intercepted: Intercepted) -> None:
    code = "message['params'].update(name='u', arguments={'more': 1}); print(json.dumps(message))"
    client = await intercepted.start(f"before:exec:{intercepted.script(code)}")
    assert json.loads(await text_of(client.call("t", arguments={"less": 1}))) == {"name": "u", "arguments": {"more": 1}}


async def test_a_request_to_a_tool_that_is_not_offered_stays_refused(intercepted: Intercepted) -> None:
    code = "message['params'].update(name='hidden'); print(json.dumps(message))"
    client = await intercepted.start(f"before:exec:{intercepted.script(code)}")
    assert (await client.call("t").error())["message"] == "Unknown tool: hidden"


async def test_the_output_of_after_takes_the_place_of_the_result(intercepted: Intercepted) -> None:
    code = "message['isError'] = True; print(json.dumps(message, indent=2))"
    client = await intercepted.start(f"after:exec:{intercepted.script(code)}")
    result = await client.call("t").result()
    assert result.keys() == {"content", "isError"}
    assert result["isError"] is True


async def test_the_first_is_the_outermost(intercepted: Intercepted) -> None:
    def marks(letter: str) -> str:
        code = f"message['content'].append({{'type': 'text', 'text': '{letter}'}}); print(json.dumps(message))"
        return intercepted.script(code)

    def adds(letter: str) -> str:
        code = f"m = message['params']['arguments']; m['order'] = m.get('order', '') + '{letter}'; print(json.dumps(message))"
        return intercepted.script(code)

    specs = (
        f"before:exec:{adds('a')}",
        f"after:exec:{marks('b')}",
        f"before:exec:{adds('c')}",
        f"after:exec:{marks('d')}",
    )
    client = await intercepted.start(*specs)
    content = (await client.call("t").result())["content"]
    assert json.loads(content[0]["text"])["arguments"] == {"order": "ac"}
    assert [entry["text"] for entry in content[1:]] == ["d", "b"]


async def test_only_those_outside_of_the_one_that_answered_see_its_answer(intercepted: Intercepted) -> None:
    specs = (
        f"after:exec:{intercepted.keeps('outer')}",
        'before:exec:echo \'{"content":[],"isError":true}\'',
        f"after:exec:{intercepted.keeps('inner')}",
    )
    client = await intercepted.start(*specs)
    assert await client.call("t").result() == {"content": [], "isError": True}
    assert intercepted.kept("outer")["isError"] is True
    assert not (intercepted.folder / "inner").exists()


async def test_errors_of_the_protocol_are_not_shown_to_after(intercepted: Intercepted) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no")

    intercepted.server.handlers["tools/call"] = fail
    client = await intercepted.start(f"after:exec:{intercepted.keeps('after')}")
    assert (await client.call("t").error())["message"] == "no"
    assert not (intercepted.folder / "after").exists()


async def test_a_question_to_the_client_passes_as_it_is(intercepted: Intercepted) -> None:
    question = {"resultType": "input_required", "inputRequests": {"a": {}}, "requestState": "opaque"}
    intercepted.server.handlers["tools/call"] = lambda *_: question
    client = await intercepted.start(f"after:exec:{intercepted.keeps('after')}")
    assert await client.call("t").result() == question
    assert not (intercepted.folder / "after").exists()


async def test_only_tool_calls_are_intercepted(intercepted: Intercepted) -> None:
    intercepted.server.prompts = [{"name": "p"}]
    intercepted.server.capabilities["prompts"] = {}
    client = await intercepted.start("before:exec:exit 1")
    assert await client.ask("prompts/get", {"name": "p"}).result() == {}


# While they run.


async def test_progress_reaches_the_client_while_the_call_runs(intercepted: Intercepted) -> None:
    intercepted.server.held.add("tools/call")
    client = await intercepted.start("before:exec:true", f"after:exec:{intercepted.keeps('after')}")
    asked = client.call("t", _meta={"progressToken": "mine"})
    sent = await intercepted.server.last.wait_for("tools/call")
    token = sent["params"]["_meta"]["progressToken"]
    intercepted.server.last.tell("notifications/progress", {"progressToken": token, "progress": 1})
    assert asked.before[0]["params"]["progressToken"] == "mine"
    intercepted.server.last.reply(sent["id"], {"content": []})
    assert await asked.result() == {"content": []}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_cancelled_call_ends_its_interceptor(intercepted: Intercepted, when: str) -> None:
    started, ended = intercepted.folder / "started", intercepted.folder / "ended"
    client = await intercepted.start(f"{when}:exec:touch {started}; sleep 2; touch {ended}", time_limit=30)
    asked = client.call("t")
    while not started.exists():
        await asyncio.sleep(0.01)
    client.tell("notifications/cancelled", {"requestId": asked.id})
    assert asked.abandoned
    assert client.session.calls == {}
    await asyncio.sleep(2.2)
    assert not ended.exists()


async def test_the_end_of_the_session_ends_its_interceptors(intercepted: Intercepted) -> None:
    client = await intercepted.start("before:exec:sleep 30")
    asked = client.call("t")
    await asyncio.sleep(0.1)
    await client.leave()
    assert (await asked.error())["message"] == "The session has ended"


async def test_a_call_that_waits_for_the_first_listing_is_intercepted_once(rig: Rig, tmp_path: Path) -> None:
    server = FakeServer("s", "t")
    server.gate.clear()
    runner = InterceptorRunner(NoContainers(), lambda *_: None)
    guard = CallGuard(interceptors=[parse_interceptor(f"before:exec:echo x >> {tmp_path}/count")], runner=runner)
    await rig.start(server, settle=False, gateway={"guard": guard})
    client = await rig.client()
    asked = client.call("t")
    await asyncio.sleep(0.2)
    server.gate.set()
    await asked.result()
    assert (tmp_path / "count").read_text("utf-8") == "x\n"


async def test_a_call_that_a_tool_of_ours_hands_on_is_intercepted_as_the_one_it_becomes(
    intercepted: Intercepted,
) -> None:
    class Arguments(msgspec.Struct):
        name: str

    async def run(call: Call, arguments: Arguments, meta: Raw) -> None:
        intercepted.rig.gateway.hand_on(call, arguments.name, Raw(b"{}"), meta)

    refuses = "sys.exit(message['params']['name'] == 'u')"
    client = await intercepted.start(
        f"before:exec:{intercepted.script(refuses)}", f"after:exec:{intercepted.keeps('after')}"
    )
    intercepted.rig.gateway.offer_own(OwnTools([OwnTool(tool("run"), Arguments, run)]))
    assert (await client.call("run", arguments={"name": "u"}).error())["message"].endswith("it ended with exit code 1")
    assert json.loads(await text_of(client.call("run", arguments={"name": "t"})))["name"] == "t"
    assert intercepted.kept("after")["tool"] == "t"


# When they fail.


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("before:exec:exit 3", "interceptor 1 (before:exec) failed: it ended with exit code 3"),
        ("after:exec:exit 3", "interceptor 1 (after:exec) failed: it ended with exit code 3"),
        ("before:exec:sleep 20", "interceptor 1 (before:exec) failed: it took longer than 0.5 s"),
        ("before:exec:echo hello", "what interceptor 1 (before:exec) said is not a JSON object"),
        ("before:exec:echo '[]'", "what interceptor 1 (before:exec) said is not a JSON object"),
        ("before:exec:echo '{}'", "what interceptor 1 (before:exec) said is not a tool's result"),
        ("after:exec:echo '{}'", "what interceptor 1 (after:exec) said is not a tool's result"),
        ("after:exec:printf '\\377'", "what interceptor 1 (after:exec) said is not a JSON object"),
        (
            'before:exec:echo \'{"method":"tools/list"}\'',
            "what interceptor 1 (before:exec) said is neither a tools/call request nor a tool's result",
        ),
        (
            "before:http:http://127.0.0.1:9/",
            "interceptor 1 (before:http) failed: its URL can't be reached (ClientConnectorError)",
        ),
        (
            "before:docker:busybox cat",
            "interceptor 1 (before:docker) failed: Docker is not running. Start Docker and try again",
        ),
    ],
)
async def test_a_call_fails_with_one_sentence_about_its_interceptor(
    intercepted: Intercepted, spec: str, reason: str
) -> None:
    client = await intercepted.start(spec, time_limit=0.5 if "sleep" in spec else 10)
    begun = time.monotonic()
    assert (await client.call("t").error())["message"] == f"executing interceptor: {reason}"
    assert time.monotonic() - begun < 5
    assert client.session.calls == {}


async def test_what_an_interceptor_writes_to_its_standard_error_is_told_with_its_name(intercepted: Intercepted) -> None:
    client = await intercepted.start("before:exec:true", "after:exec:echo one >&2; echo two >&2")
    await client.call("t").result()
    assert intercepted.said == [("interceptor 2 (after:exec)", "one"), ("interceptor 2 (after:exec)", "two")]


# Over HTTP.


@pytest.fixture
def hook() -> Iterator[Callable[..., str]]:
    """Starts an HTTP server; what it was sent is in ``got``."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(body: bytes, got: list[bytes], status: int = 200) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/hook"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


async def test_a_url_is_posted_the_message_and_its_answer_counts(
    intercepted: Intercepted, hook: Callable[..., str]
) -> None:
    got: list[bytes] = []
    quiet, loud = hook(b"", got), hook(b'{"content":[{"type":"text","text":"posted"}]}', got)
    client = await intercepted.start(f"before:http:{quiet}", f"after:http:{loud}")
    assert await text_of(client.call("t")) == "posted"
    assert json.loads(got[0])["method"] == "tools/call"
    assert json.loads(got[1])["tool"] == "t"


async def test_a_url_that_answers_with_an_error_lets_the_call_fail(
    intercepted: Intercepted, hook: Callable[..., str]
) -> None:
    client = await intercepted.start(f"before:http:{hook(b'', [], 500)}")
    reason = "executing interceptor: interceptor 1 (before:http) failed: its URL answered with HTTP status 500"
    assert (await client.call("t").error())["message"] == reason


# Their spelling.


def test_a_spec_is_split_at_its_first_two_colons() -> None:
    found = parse_interceptor("After:HTTP:http://127.0.0.1:80/a:b", 2)
    assert found == Interceptor(when="after", kind="http", argument="http://127.0.0.1:80/a:b", number=2)
    assert found.label == "interceptor 2 (after:http)"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("before", "'before', expected format is 'when:type:argument'"),
        ("before:exec", "'before:exec', expected format is 'when:type:argument'"),
        ("before|exec|true", "'before|exec|true', expected format is 'when:type:argument'"),
        ("during:exec:true", "'during:exec:true': 'during' is not a moment, expected 'before' or 'after'"),
        ("before:ssh:true", "'before:ssh:true': 'ssh' is not a type, expected 'exec', 'docker' or 'http'"),
        ("before:exec: ", "'before:exec: ': there is nothing to run after 'before:exec:'"),
        ("before:http:example.org", "'before:http:example.org': 'example.org' is not an http or https URL"),
        ("before:docker:image 'x", "'before:docker:image 'x': No closing quotation"),
    ],
)
def test_a_wrong_spec_is_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_interceptor(text)
    assert raised.value.message == f"invalid interceptor spec {reason}"


async def test_many_calls_at_once_each_pass_their_own_interceptor(intercepted: Intercepted) -> None:
    client = await intercepted.start(f"before:exec:{intercepted.keeps('before')}", "after:exec:cat")
    asked = [client.call("t", arguments={"n": number}) for number in range(20)]
    for number, call in enumerate(asked):
        assert json.loads(await text_of(call))["arguments"] == {"n": number}
