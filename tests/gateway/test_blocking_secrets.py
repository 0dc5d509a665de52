"""Calls that would pass a secret on fail, or lose it; all others go their way at next to no cost."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from desktop import jsonrpc
from desktop.gateway.call_guard import CallGuard, SecretScreen
from desktop.gateway.interceptors import InterceptorRunner, parse_interceptor
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import INLINE, SecretScanner
from tests.gateway.conftest import Rig
from tests.gateway.test_interceptors import NoContainers
from tests.helpers.fake_mcp import FakeServer
from tests.helpers.gateway_client import GatewayClient

TOKEN = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
LARGE = "a few words " * (INLINE // 6)
Json = dict[str, Any]


class Screened:
    """A gateway that looks for secrets.

    Attributes:
        told: What it said of its search.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.told: list[str] = []
        self.redactor = Redactor()
        self.server = FakeServer("s", "t", prompts=[{"name": "p"}], resources=[{"uri": "file:///r", "name": "r"}])

    async def start(self, *specs: str, redact: bool = False) -> GatewayClient:
        screen = SecretScreen(SecretScanner(self.redactor), redact=redact, tell=self.told.append)
        interceptors = [parse_interceptor(text, number) for number, text in enumerate(specs, 1)]
        runner = InterceptorRunner(NoContainers(), lambda *_: None)
        guard = CallGuard(interceptors=interceptors, runner=runner, screen=screen)
        await self.rig.start(self.server, gateway={"guard": guard})
        return await self.rig.client()

    def answers(self, result: Json, method: str = "tools/call") -> None:
        self.server.handlers[method] = lambda *_: result


@pytest.fixture
def screened(rig: Rig) -> Screened:
    return Screened(rig)


def text(*parts: str) -> Json:
    return {"content": [{"type": "text", "text": part} for part in parts], "isError": False}


# Blocked.


@pytest.mark.parametrize("filler", ["", LARGE])
async def test_a_secret_in_the_arguments_never_reaches_the_server(screened: Screened, filler: str) -> None:
    client = await screened.start()
    asked = client.call("t", arguments={"deep": [{"er": f"{filler} Bearer {TOKEN}"}]})
    assert await asked.error() == {
        "code": jsonrpc.INVALID_PARAMS,
        "message": "a secret is being passed to tool t: GitHub token",
    }
    assert screened.server.last.requests("tools/call") == []
    assert client.session.calls == {}


@pytest.mark.parametrize("filler", ["", LARGE])
@pytest.mark.parametrize(
    "result",
    [
        text("fine", f"GITHUB_TOKEN={TOKEN}"),
        {"content": [], "structuredContent": {"a": {"b": [TOKEN]}}},
        {"content": [{"type": "resource", "resource": {"uri": "file:///x", "text": f"x\n{TOKEN}\n"}}]},
        {"content": [{"type": "resource_link", "uri": f"https://host/?t={TOKEN}", "name": "x"}]},
        {"content": [{"type": "text", "text": json.dumps({"inner": TOKEN})}], "isError": True},
    ],
    ids=["text", "structured", "embedded", "link", "error"],
)
async def test_a_secret_in_a_result_never_reaches_the_client(screened: Screened, result: Json, filler: str) -> None:
    screened.answers({**result, "_meta": {"filler": filler}})
    client = await screened.start()
    asked = client.call("t")
    assert await asked.error() == {
        "code": jsonrpc.INTERNAL_ERROR,
        "message": "a secret is being returned by the t tool: GitHub token",
    }
    assert TOKEN.encode() not in asked.raw
    assert client.session.calls == {}


async def test_an_error_of_the_server_may_not_hold_a_secret_either(screened: Screened) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(f"401 for {TOKEN}")

    screened.server.handlers["tools/call"] = fail
    client = await screened.start()
    assert (await client.call("t").error())["message"] == "a secret is being returned by the t tool: GitHub token"


async def test_prompts_and_resources_are_searched_as_well(screened: Screened) -> None:
    message = {"role": "user", "content": {"type": "text", "text": TOKEN}}
    screened.answers({"messages": [message]}, "prompts/get")
    screened.answers({"contents": [{"uri": "file:///r", "text": TOKEN}]}, "resources/read")
    client = await screened.start()
    error = await client.ask("prompts/get", {"name": "p"}).error()
    assert error["message"] == "a secret is being returned by the p prompt: GitHub token"
    error = await client.ask("resources/read", {"uri": "file:///r"}).error()
    assert error["message"] == "a secret is being returned by the file:///r resource: GitHub token"
    error = await client.ask("prompts/get", {"name": "p", "arguments": {"a": TOKEN}}).error()
    assert error["message"] == "a secret is being passed to prompt p: GitHub token"
    assert screened.told == []


async def test_the_value_of_a_stored_secret_is_blocked_also_in_base64(screened: Screened) -> None:
    client = await screened.start()
    screened.redactor.add("the user's own pass phrase")
    for value in ("the user's own pass phrase", base64.b64encode(b"user:the user's own pass phrase").decode()):
        screened.answers(text(f"Authorization: {value}"))
        message = (await client.call("t").error())["message"]
        assert message == "a secret is being returned by the t tool: one of your stored secrets"


@pytest.mark.skipif(sys.platform == "win32", reason="the interceptor here is written for sh")
async def test_what_an_interceptor_says_is_searched_too(screened: Screened, tmp_path: Path) -> None:
    (tmp_path / "said").write_text(json.dumps(text(TOKEN)), "utf-8")
    client = await screened.start(f"after:exec:cat {tmp_path}/said")
    assert "a secret is being returned" in (await client.call("t").error())["message"]


# Not blocked.


async def test_pictures_ids_and_questions_to_the_client_pass(screened: Screened) -> None:
    picture = {"type": "image", "mimeType": "image/png", "data": base64.b64encode(bytes(range(256)) * 4000).decode()}
    client = await screened.start()
    for result in (
        {"content": [picture]},
        text("123e4567-e89b-12d3-a456-426614174000", LARGE),
        {"resultType": "input_required", "inputRequests": {}, "requestState": f"opaque {TOKEN}"},
    ):
        screened.answers(result)
        asked = client.call("t")
        assert await asked.result() == result


async def test_the_bytes_of_a_harmless_result_are_not_touched(screened: Screened) -> None:
    client = await screened.start()
    screened.server.held.add("tools/call")
    asked = client.call("t")
    sent = await screened.server.last.wait_for("tools/call")
    result = b'{ "content" : [ ], "odd":1.0e5,  "x":"\\u00e9\\/" }'
    screened.server.last.say(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (sent["id"], result))
    assert result in (await asked.message(), asked.raw)[1]


async def test_a_cancelled_call_is_not_answered_when_its_search_ends(screened: Screened) -> None:
    screened.answers(text(LARGE * 20))
    client = await screened.start()
    asked = client.call("t")
    sent = await screened.server.last.wait_for("tools/call")
    assert sent
    while asked.id in client.session.calls and client.session.calls[asked.id].task is None:
        await asyncio.sleep(0)
    client.tell("notifications/cancelled", {"requestId": asked.id})
    await asyncio.sleep(0.3)
    assert asked.abandoned
    assert asked.raw == b""


# Redacted.


@pytest.mark.parametrize("filler", ["", LARGE])
async def test_redacting_takes_secrets_out_and_lets_the_call_go_on(screened: Screened, filler: str) -> None:
    client = await screened.start(redact=True)
    screened.answers(text(f"{filler}one {TOKEN} two “{TOKEN}”", "three"))
    found = (await client.call("t", arguments={"filler": filler, "key": TOKEN}, _meta={"a": 1}).result())["content"]
    assert [entry["text"] for entry in found] == [
        f"{filler}one [GitHub token removed] two “[GitHub token removed]”",
        "three",
    ]
    sent = screened.server.last.requests("tools/call")[0]["params"]
    assert sent == {
        "name": "t",
        "arguments": {"filler": filler, "key": "[GitHub token removed]"},
        "_meta": {"a": 1},
    }


# Told.


async def test_the_search_is_told_step_by_step(screened: Screened) -> None:
    client = await screened.start()
    await client.call("t").result()
    assert screened.told == [
        "  - Scanning tool call arguments for secrets...",
        "  > No secret found in arguments.",
        "  - Scanning tool call response for secrets...",
        "  > No secret found in response.",
    ]
    screened.told.clear()
    await client.call("t", arguments={"a": TOKEN}).error()
    assert screened.told[1:] == ["  > a secret is being passed to tool t: GitHub token"]
    assert TOKEN not in str(screened.told)


# What it costs.


async def test_an_ordinary_call_is_searched_in_microseconds(screened: Screened) -> None:
    scanner = SecretScanner(screened.redactor)
    for number in range(5):
        screened.redactor.add(f"stored-secret-{number}-abcdef")
    arguments = b'{"path":"/home/user/notes.txt","limit":100}'
    answer = json.dumps(
        {"jsonrpc": "2.0", "id": 7, "result": text("The fox\njumps over the lazy dog, twice.")}
    ).encode()
    best = min(_seconds_of(scanner, arguments, answer) for _ in range(20))
    assert best < 100e-6  # about 10 on a quiet machine


def _seconds_of(scanner: SecretScanner, *messages: bytes) -> float:
    begun = time.perf_counter()
    for _ in range(100):
        for message in messages:
            scanner.family(message)
    return (time.perf_counter() - begun) / 100


async def test_a_malformed_call_is_refused_and_forgotten(screened: Screened) -> None:
    client = await screened.start()
    for params in (b'{"name":1}', b"[]", b'{"name":"t","arguments":', b"{}"):
        error = await _raw(client, params)
        assert error["error"]["code"] in (jsonrpc.INVALID_PARAMS, jsonrpc.PARSE_ERROR)
    assert client.session.calls == {}


async def _raw(client: GatewayClient, params: bytes) -> Json:
    try:
        return await client.ask("tools/call", raw_params=params).message()
    except jsonrpc.MalformedMessageError:
        return {"error": {"code": jsonrpc.PARSE_ERROR}}
