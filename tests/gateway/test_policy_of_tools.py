"""Tools the policy denies are not there; calls of those it says to ask about wait for the person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.search import CatalogSearch
from desktop.gateway.call_guard import CallGuard, SecretScreen
from desktop.gateway.dynamic_tools import DynamicTools
from desktop.policy.call_consent import CallConsent
from desktop.policy.consent import ConsentStore
from desktop.policy.question import Answer, Question
from desktop.policy.questions import Questions
from desktop.policy.rules import NO_POLICY, parse_policy
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import SecretScanner
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, FakeTransport, eventually, tool
from tests.helpers.gateway_client import GatewayClient


class Governed:
    """A gateway with a policy, and a person who may answer.

    Attributes:
        server: Its server ``s``, which counts what it was called with.
        calls: The tools that were called.
        questions: What the person is asked.
    """

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.policy = NO_POLICY
        self.calls: list[str] = []
        self.store = ConsentStore(folder / "consents.json")
        self.questions = Questions(self.store, time_limit=5)
        self.redactor = Redactor()
        self.server = FakeServer("s", "read", "write")
        self.server.handlers["tools/call"] = self._called

    def _called(self, _: FakeTransport, message: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(message["params"]["name"])
        return {"content": []}

    async def start(
        self,
        text: str,
        *,
        attended: bool = True,
        screened: bool = False,
        settle: bool = True,
        tools: tuple[dict[str, Any], ...] = (),
    ) -> GatewayClient:
        """Begin with this policy."""
        self.policy = parse_policy(text)
        screen = SecretScreen(SecretScanner(self.redactor), redact=False) if screened else None
        guard = CallGuard(screen=screen, consent=CallConsent(self.questions, self.store, self.redactor.clean))
        if attended:
            self.questions.attend()
        if tools:
            self.server.tools = list(tools)
        options = {"guard": guard, "policy": lambda: self.policy}
        gateway = await self.rig.start(self.server, settle=settle, gateway=options)
        dynamic = DynamicTools(gateway, self.rig.fleet, search=CatalogSearch(), questions=self.questions, check=_fine)
        gateway.offer_own(dynamic.own)
        return await self.rig.client()

    async def asked(self) -> Question:
        """The question that waits."""
        await eventually(self.questions.open)
        return self.questions.open()[0]


async def _fine(*_: Any) -> None:
    """Nothing is missing."""


@pytest.fixture
def governed(rig: Rig, tmp_path: Path) -> Governed:
    return Governed(rig, tmp_path / "own")


async def test_a_denied_tool_is_neither_listed_nor_called(governed: Governed) -> None:
    client = await governed.start("deny tool s:wri*")
    assert {"read"} == set(await client.tools()) & {"read", "write"}
    assert "unknown" in (await client.call("write").error())["message"].lower()
    result = await client.ask("tools/call", {"name": "mcp-exec", "arguments": {"name": "write"}}).result()
    assert result["isError"]
    assert governed.calls == []


async def test_a_new_policy_changes_what_is_offered_and_clients_are_told(governed: Governed) -> None:
    client = await governed.start("")
    assert {"read", "write"} <= set(await client.tools())
    governed.policy = parse_policy("deny tool s:read")
    governed.rig.gateway.configuration_changed()
    await client.wait_for("notifications/tools/list_changed")
    assert "read" not in await client.tools()


@pytest.mark.parametrize("screened", [False, True])
async def test_a_call_waits_for_the_person_who_sees_its_arguments_without_secrets(
    governed: Governed, screened: bool
) -> None:
    governed.redactor.add("s3cret-value")
    client = await governed.start("ask tool write", screened=screened)
    arguments = {"path": "/a", "text": "ü"} if screened else {"path": "/a", "text": "ü s3cret-value"}
    call = client.ask("tools/call", {"name": "write", "arguments": arguments})
    question = await governed.asked()
    assert (question.server, question.kind, question.repeats) == ("s", "call-tool", True)
    assert question.matters == ("call its tool write",)
    assert '"path": "/a"' in question.details
    assert "ü" in question.details
    assert "s3cret" not in question.details
    assert governed.calls == []
    governed.questions.answer(question.id, Answer.ONCE)
    await call.result()
    assert governed.calls == ["write"]
    await client.call("read").result()
    assert governed.questions.open() == ()


async def test_once_asks_again_session_holds_for_the_session_and_always_for_all(governed: Governed) -> None:
    client = await governed.start("ask tool write")

    async def answered(of: GatewayClient, answer: Answer) -> None:
        call = of.call("write")
        governed.questions.answer((await governed.asked()).id, answer)
        await call.result()

    await answered(client, Answer.ONCE)
    await answered(client, Answer.SESSION)
    await client.call("write").result()
    other = await governed.rig.client()
    await answered(other, Answer.ALWAYS)
    third = await governed.rig.client()
    await third.call("write").result()
    assert len(governed.calls) == 5
    assert [consent.subject for consent in governed.store.all()] == ["s: call its tool write"]


async def test_a_yes_for_once_is_good_for_one_of_several_equal_calls(governed: Governed) -> None:
    client = await governed.start("ask tool write")
    calls = [client.call("write") for _ in range(3)]
    for number in range(3):
        question = await governed.asked()
        assert len(governed.calls) == number
        governed.questions.answer(question.id, Answer.ONCE)
        await eventually(lambda done=number + 1: len(governed.calls) == done)
    for call in calls:
        await call.result()


async def test_a_yes_for_one_client_is_none_for_another(governed: Governed) -> None:
    client = await governed.start("ask tool write")
    other = await governed.rig.client()
    first, second = client.call("write"), other.call("write")
    await eventually(lambda: len(governed.questions.open()) == 2)
    governed.questions.answer(governed.questions.open()[0].id, Answer.SESSION)
    await eventually(lambda: governed.calls == ["write"])
    (question,) = governed.questions.open()
    governed.questions.answer(question.id, Answer.REFUSE)
    await first.result()
    assert "has refused" in (await second.error())["message"]


async def test_arguments_are_shown_without_characters_that_turn_the_text_around(governed: Governed) -> None:
    client = await governed.start("ask tool write")
    client.ask("tools/call", {"name": "write", "arguments": {"a": "safe\u202egnihtemos", "b": "ü\u2066x"}})
    details = (await governed.asked()).details
    assert "safe\\u202egnihtemos" in details
    assert "ü\\u2066x" in details
    assert '\n  "b"' in details


@pytest.mark.parametrize(
    ("attended", "answer", "reason"),
    [(True, Answer.REFUSE, "The person has refused"), (False, None, "no tray runs to ask")],
)
async def test_a_refused_call_fails_with_the_reason_and_never_reaches_the_server(
    governed: Governed, attended: bool, answer: Answer | None, reason: str
) -> None:
    client = await governed.start("ask tool *", attended=attended)
    call = client.call("write")
    if answer is not None:
        governed.questions.answer((await governed.asked()).id, answer)
    message = (await call.error())["message"]
    assert reason in message
    assert "allow tool s:write" in message
    assert governed.calls == []


async def test_a_model_that_calls_through_mcp_exec_is_asked_about_all_the_same(governed: Governed) -> None:
    client = await governed.start("ask tool s:write")
    call = client.ask("tools/call", {"name": "mcp-exec", "arguments": {"name": "write", "arguments": {"a": 1}}})
    question = await governed.asked()
    assert governed.calls == []
    governed.questions.answer(question.id, Answer.ONCE)
    await call.result()
    assert governed.calls == ["write"]


async def test_a_call_that_came_before_the_server_was_listed_is_asked_about_all_the_same(
    governed: Governed,
) -> None:
    governed.server.gate.clear()
    client = await governed.start("ask tool write", settle=False)
    call = client.call("write")
    governed.server.gate.set()
    question = await governed.asked()
    assert governed.calls == []
    governed.questions.answer(question.id, Answer.ONCE)
    await call.result()
    assert governed.calls == ["write"]


async def test_a_cancelled_call_takes_its_question_along(governed: Governed) -> None:
    client = await governed.start("ask tool write")
    call = client.call("write")
    await governed.asked()
    client.tell("notifications/cancelled", {"requestId": call.id})
    await eventually(lambda: not governed.questions.open())
    assert governed.calls == []


async def test_hints_decide_where_the_policy_says_so(governed: Governed) -> None:
    client = await governed.start(
        "default tool hints",
        tools=(
            tool("read", annotations={"readOnlyHint": True, "destructiveHint": True}),
            tool("write", annotations={"destructiveHint": True}),
            tool("odd", annotations=["not", "an", "object"]),
            tool("plain"),
        ),
    )
    for name in ("read", "odd", "plain"):
        await client.call(name).result()
    call = client.call("write")
    governed.questions.answer((await governed.asked()).id, Answer.ONCE)
    await call.result()
    assert governed.calls == ["read", "odd", "plain", "write"]
