"""A model finds servers and adds them to its own session; what concerns the person is asked of the person."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from desktop.catalog.model import CatalogServer, SecretReference, ToolEntry
from desktop.catalog.search import CatalogSearch
from desktop.errors import MissingSettingError, ServerStartError
from desktop.gateway import dynamic_tools
from desktop.gateway.call_guard import CallGuard
from desktop.gateway.dynamic_tools import DynamicTools
from desktop.gateway.interceptors import Interceptor, InterceptorRunner
from desktop.gateway.session import Call
from desktop.jsonrpc import Envelope
from desktop.policy.consent import ConsentStore
from desktop.policy.question import Answer
from desktop.policy.questions import Questions
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer, eventually
from tests.helpers.gateway_client import GatewayClient

OWN = ["mcp-find", "mcp-add", "mcp-remove", "mcp-config-set", "mcp-exec"]
SCHEMA = {
    "name": "set-up",
    "type": "object",
    "properties": {"url": {"type": "string"}, "level": {"type": "integer", "default": 1}, "mode": {"enum": ["a", "b"]}},
    "required": ["url", "level"],
}


class Entry(FakeServer):
    """A fake server with more in its catalog entry."""

    def __init__(self, name: str, *tools: str, entry: dict[str, Any] | None = None, **lists: Any) -> None:
        super().__init__(name, *tools, **lists)
        self.more = entry or {}

    @property
    def entry(self) -> CatalogServer:
        return msgspec.structs.replace(super().entry, **self.more)


class Dynamic:
    """A gateway with the tools, and a person who answers.

    Attributes:
        questions: What the person is asked.
        unset: Servers whose secret is not set.
    """

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.questions = Questions(ConsentStore(folder / "consents.json"), time_limit=5)
        self.unset: set[str] = set()

    async def start(
        self, *servers: FakeServer, on: tuple[str, ...] = ("base",), attended: bool = True, **more: Any
    ) -> None:
        """Begin with these servers in the catalog; the ones named in ``on`` are turned on, and every question gets a yes."""
        gateway = await self.rig.start(FakeServer("base", "ping"), *servers, on=on, **more)
        tools = DynamicTools(
            gateway, self.rig.fleet, search=CatalogSearch(), questions=self.questions, check=self._check
        )
        gateway.offer_own(tools.own)
        if attended:
            self.questions.attend()
        self.answers(True)

    def answers(self, allowed: bool) -> None:
        """From now on the person says so."""
        self.asked: list[tuple[str, ...]] = []

        def look(_: None) -> None:
            for question in self.questions.open():
                if not self.asked or self.asked[-1] != question.matters:
                    self.asked.append(question.matters)
                asyncio.get_running_loop().call_soon(
                    lambda id=question.id: self.questions.answer(id, Answer.ALWAYS if self.says else Answer.REFUSE)
                )

        self.says = allowed
        if not hasattr(self, "_watching"):
            self._watching = self.questions.changed.subscribe(look)

    async def _check(self, server: CatalogServer, values: Any) -> None:
        if server.name in self.unset:
            raise MissingSettingError("TOKEN is not set", "Write TOKEN=… into .env")


@pytest.fixture
def dynamic(rig: Rig, tmp_path: Path) -> Dynamic:
    return Dynamic(rig, tmp_path / "own")


async def used(client: GatewayClient, tool: str, **arguments: Any) -> tuple[str, bool]:
    result = await client.ask("tools/call", {"name": tool, "arguments": arguments}).result()
    (content,) = result["content"]
    return content["text"], result["isError"]


async def done(client: GatewayClient, tool: str, **arguments: Any) -> Any:
    text, failed = await used(client, tool, **arguments)
    assert not failed, text
    return json.loads(text) if text.startswith("{") else text


async def refused(client: GatewayClient, tool: str, **arguments: Any) -> str:
    text, failed = await used(client, tool, **arguments)
    assert failed, text
    return text


async def test_they_are_listed_in_front_with_schemas_and_a_prompt_explains_them(dynamic: Dynamic) -> None:
    await dynamic.start()
    client = await dynamic.rig.client()
    tools = (await client.ask("tools/list").result())["tools"]
    assert [tool["name"] for tool in tools] == [*OWN, "ping"]
    assert all(tool["inputSchema"]["required"] for tool in tools[:5])
    assert (await client.ask("prompts/list").result())["prompts"][0]["name"] == "mcp-discover"
    prompt = await client.ask("prompts/get", {"name": "mcp-discover"}).result()
    assert "mcp-find" in prompt["messages"][0]["content"]["text"]


async def test_a_server_that_uses_one_of_their_names_gets_its_name_in_front(dynamic: Dynamic) -> None:
    await dynamic.start(
        FakeServer("copycat", "mcp-find", "mcp-exec", prompts=[{"name": "mcp-discover"}]), on=("copycat",)
    )
    client = await dynamic.rig.client()
    assert await client.tools() == [*OWN, "copycat__mcp-find", "copycat__mcp-exec"]
    result = await client.call("copycat__mcp-find").result()
    assert result["content"][0]["text"] == "copycat:mcp-find"
    prompts = (await client.ask("prompts/list").result())["prompts"]
    assert [prompt["name"] for prompt in prompts] == ["mcp-discover", "copycat__mcp-discover"]


async def test_finding_tells_what_a_server_needs(dynamic: Dynamic) -> None:
    entry = {
        "description": "Sends letters by pigeon.",
        "secrets": [SecretReference(name="pigeon.token", env="TOKEN")],
        "config": [SCHEMA],
        "longLived": True,
        "tools": [ToolEntry(name="ping")],
    }
    await dynamic.start(Entry("pigeon", entry=entry), Entry("owl", entry={"description": "Letters by owl."}))
    client = await dynamic.rig.client()
    found = await done(client, "mcp-find", query="letters pigeon")
    assert (found["prompt"], found["total_matches"]) == ("letters pigeon", 2)
    assert found["servers"][0] == {
        "name": "pigeon",
        "description": "Sends letters by pigeon.",
        "required_secrets": ["pigeon.token"],
        "config_schema": [SCHEMA],
        "long_lived": True,
        "tool_name_warnings": ["ping is the name of a tool of base too"],
    }
    assert found["servers"][1] == {"name": "owl", "description": "Letters by owl.", "long_lived": False}
    assert len((await done(client, "mcp-find", query="letters", limit=1))["servers"]) == 1
    assert (await done(client, "mcp-find", query="nothing like that"))["servers"] == []


async def test_an_added_server_is_there_for_its_session_alone_and_goes_with_it(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one", "two")
    await dynamic.start(extra)
    first, second = await dynamic.rig.client(), await dynamic.rig.client()
    answer = await done(first, "mcp-add", name="extra")
    assert (answer["server"], answer["added"]) == ("extra", 2)
    assert answer["tools"] == [{"name": name, "inputSchema": {"type": "object"}} for name in ("one", "two")]
    assert await first.tools() == [*OWN, "ping", "one", "two"]
    assert first.told("notifications/tools/list_changed")
    assert (await first.call("one").result())["content"][0]["text"] == "extra:one"

    assert await second.tools() == [*OWN, "ping"]
    assert "Unknown tool" in (await second.call("one").error())["message"]
    assert not second.told("notifications/tools/list_changed")
    assert dynamic.rig.fleet.configuration.enabled == ("base",)

    assert len(extra.transports) == 1
    await first.leave()
    await eventually(lambda: not extra.live)


async def test_sessions_that_add_the_same_server_share_it_until_the_last_has_gone(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one")
    await dynamic.start(extra)
    first, second = await dynamic.rig.client(), await dynamic.rig.client()
    await done(first, "mcp-add", name="extra")
    await done(second, "mcp-add", name="extra")
    assert len(extra.live) == 1
    assert len(dynamic.asked) == 1
    await first.leave()
    assert (await second.call("one").result())["isError"] is False
    assert await done(second, "mcp-remove", name="extra") == "extra and its tools are removed from this session"
    await eventually(lambda: not extra.live)
    assert await second.tools() == [*OWN, "ping"]
    assert len(second.told("notifications/tools/list_changed")) == 2


async def test_a_new_image_a_secret_and_a_mount_are_asked_for(dynamic: Dynamic, tmp_path: Path) -> None:
    entry = {"secrets": [SecretReference(name="a.b", env="TOKEN")], "volumes": [f"{tmp_path}:/data:ro", "cache:/cache"]}
    await dynamic.start(Entry("extra", "one", entry=entry))
    client = await dynamic.rig.client()
    await done(client, "mcp-add", name="extra")
    assert dynamic.asked == [("run the image test/extra", "use the secret TOKEN", f"read the folder {tmp_path}")]


async def test_nothing_is_asked_when_the_image_is_on_already_and_nothing_else_is_at_stake(dynamic: Dynamic) -> None:
    await dynamic.start(Entry("twin", "one", entry={"image": "test/base"}))
    await done(await dynamic.rig.client(), "mcp-add", name="twin")
    assert dynamic.asked == []


async def test_what_the_person_refuses_is_not_added_and_the_model_learns_why(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one")
    await dynamic.start(extra)
    dynamic.says = False
    client = await dynamic.rig.client()
    text = await refused(client, "mcp-add", name="extra")
    assert text.startswith("The person has refused: extra may not run the image test/extra.")
    assert text.endswith("docker-mcp server enable extra")
    assert await client.tools() == [*OWN, "ping"]
    assert extra.transports == []


async def test_without_a_tray_nothing_new_is_added(dynamic: Dynamic) -> None:
    await dynamic.start(FakeServer("extra", "one"), attended=False)
    text = await refused(await dynamic.rig.client(), "mcp-add", name="extra")
    assert "no tray runs to ask" in text
    assert "docker-mcp server enable extra" in text


async def test_a_client_that_cancels_takes_its_question_back(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one")
    await dynamic.start(extra)
    dynamic._watching()  # nobody answers any more
    client = await dynamic.rig.client()
    asked = client.call("mcp-add", arguments={"name": "extra"})
    await eventually(dynamic.questions.open)
    client.tell("notifications/cancelled", {"requestId": asked.id})
    await eventually(lambda: not dynamic.questions.open())
    assert asked.abandoned
    await client.leave()


async def test_a_client_that_waits_for_the_person_hears_that_it_is_to_wait(
    dynamic: Dynamic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamic_tools, "PROGRESS_EVERY", 0.01)
    await dynamic.start(FakeServer("extra", "one"))
    dynamic._watching()  # nobody answers
    client = await dynamic.rig.client()
    asked = client.call("mcp-add", arguments={"name": "extra"}, _meta={"progressToken": "p"})
    await eventually(lambda: len(asked.before) >= 2)
    assert [message["params"]["progress"] for message in asked.before[:2]] == [1, 2]
    assert asked.before[0]["params"]["progressToken"] == "p"
    dynamic.questions.answer(dynamic.questions.open()[0].id, Answer.ALWAYS)
    assert not (await asked.result())["isError"]
    told = len(asked.before)
    await asyncio.sleep(0.03)
    assert len(asked.before) == told


async def test_an_unknown_name_suggests_the_nearest(dynamic: Dynamic) -> None:
    await dynamic.start(FakeServer("github-official", "one"))
    client = await dynamic.rig.client()
    for tool, arguments in (
        ("mcp-add", {"name": "github"}),
        ("mcp-config-set", {"server": "githb-official", "config": {}}),
    ):
        assert "Did you mean github-official?" in await refused(client, tool, **arguments)
    assert "Look for one with mcp-find" in await refused(client, "mcp-add", name="q")


async def test_a_missing_secret_is_named_with_what_to_do(dynamic: Dynamic) -> None:
    await dynamic.start(FakeServer("extra", "one"))
    dynamic.unset.add("extra")
    text = await refused(await dynamic.rig.client(), "mcp-add", name="extra")
    assert text == "TOKEN is not set. Write TOKEN=… into .env"
    assert dynamic.asked == []


async def test_a_server_that_does_not_start_is_not_added_and_may_be_tried_again(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one")
    await dynamic.start(extra)
    extra.start_error = ServerStartError("extra ended at once", "Look at its log")
    client = await dynamic.rig.client()
    assert await refused(client, "mcp-add", name="extra") == "extra ended at once. Look at its log"
    assert await client.tools() == [*OWN, "ping"]
    extra.start_error = None
    assert (await done(client, "mcp-add", name="extra"))["added"] == 1


async def test_settings_are_checked_kept_for_the_session_and_never_told_back(dynamic: Dynamic) -> None:
    extra = Entry("extra", "one", entry={"config": [SCHEMA]})
    await dynamic.start(extra)
    client = await dynamic.rig.client()
    text = await refused(client, "mcp-add", name="extra")
    assert "url is missing" in text
    assert "level" in text  # in the schema
    assert "level is missing" not in text
    wrong = await refused(client, "mcp-config-set", server="extra", config={"url": 5, "mode": "SECRET-VALUE"})
    assert "url should be of the type string" in wrong
    assert 'mode should be one of "a", "b"' in wrong
    assert "SECRET-VALUE" not in wrong
    told = await done(client, "mcp-config-set", server="extra", config={"url": "https://hidden.example"})
    assert told == "extra has these settings for this session: url; add it with mcp-add"
    assert (await done(client, "mcp-add", name="extra"))["added"] == 1
    assert dynamic.asked == [
        ("run the image test/extra", "run with settings the client has chosen (url = https://hidden.example)")
    ]
    other = await dynamic.rig.client()
    assert "url is missing" in await refused(other, "mcp-add", name="extra")


async def test_other_settings_for_a_server_that_is_on_are_asked_for_and_seen_by_nobody_else(dynamic: Dynamic) -> None:
    base = Entry("set-up", "one", entry={"config": [SCHEMA]})
    await dynamic.start(base, on=("set-up",))
    first, second = await dynamic.rig.client(), await dynamic.rig.client()
    await second.call("one").result()
    shared = base.last
    told = await done(first, "mcp-config-set", server="set-up", config={"url": "u", "level": 2})
    assert told.endswith("it runs with them now")
    assert dynamic.asked == [("run with settings the client has chosen (level = 2, url = u)",)]
    own = base.last
    assert own is not shared
    await first.call("one").result()
    await second.call("one").result()
    assert (len(own.requests("tools/call")), len(shared.requests("tools/call"))) == (1, 2)
    assert await first.tools() == await second.tools() == [*OWN, "one"]
    await done(first, "mcp-config-set", server="set-up", config={"url": "u2", "level": 2})
    await eventually(lambda: not own.up)


async def test_a_server_that_is_on_can_be_left_out_and_taken_back_by_one_session(dynamic: Dynamic) -> None:
    await dynamic.start()
    first, second = await dynamic.rig.client(), await dynamic.rig.client()
    await done(first, "mcp-remove", name="base")
    assert (await first.tools(), await second.tools()) == (OWN, [*OWN, "ping"])
    assert "Unknown tool" in (await first.call("ping").error())["message"]
    assert "is not in this session. There are: none" in await refused(first, "mcp-remove", name="base")
    assert (await done(first, "mcp-add", name="base"))["added"] == 1
    assert await first.tools() == [*OWN, "ping"]
    assert dynamic.asked == []


async def test_tools_of_a_server_that_is_not_activated_are_called_by_exec_alone(dynamic: Dynamic) -> None:
    await dynamic.start(FakeServer("extra", "ping", "one"))
    client = await dynamic.rig.client()
    answer = await done(client, "mcp-add", name="extra", activate=False)
    assert [tool["name"] for tool in answer["tools"]] == ["extra__ping", "one"]
    assert "mcp-exec" in answer["note"]
    assert "one" not in await client.tools()
    assert (await used(client, "mcp-exec", name="extra__ping", arguments={"a": 1}))[0] == "extra:ping"
    assert (await done(client, "mcp-add", name="extra"))["added"] == 2
    assert "one" in await client.tools()


@pytest.mark.parametrize("arguments", [{"big": 1}, '{"big": 1}', ' {"big":1} '])
async def test_exec_takes_an_object_or_its_json_text_and_forwards_progress(dynamic: Dynamic, arguments: Any) -> None:
    base = FakeServer("worker", "one")
    base.held.add("tools/call")
    await dynamic.start(base, on=("worker",))
    client = await dynamic.rig.client()
    params = {"name": "mcp-exec", "arguments": {"name": "one", "arguments": arguments}, "_meta": {"progressToken": "p"}}
    asked = client.ask("tools/call", params)
    sent = await eventually_call(base)
    assert sent["params"]["name"] == "one"
    assert sent["params"]["arguments"] == {"big": 1}
    base.last.tell("notifications/progress", {"progressToken": sent["params"]["_meta"]["progressToken"], "progress": 1})
    base.last.reply(sent["id"], {"content": [], "x-vendor": 1})
    assert (await asked.result())["x-vendor"] == 1
    assert asked.before[0]["params"] == {"progressToken": "p", "progress": 1}


async def eventually_call(server: FakeServer) -> dict[str, Any]:
    await eventually(lambda: server.transports and server.last.requests("tools/call"))
    return server.last.requests("tools/call")[-1]


async def test_exec_refuses_what_can_not_be_called(dynamic: Dynamic) -> None:
    await dynamic.start()
    client = await dynamic.rig.client()
    assert "Did you mean ping?" in await refused(client, "mcp-exec", name="pin")
    assert "Call it directly" in await refused(client, "mcp-exec", name="mcp-find")
    for arguments in ("[1]", "nonsense", [1], 5):
        assert "neither an object" in await refused(client, "mcp-exec", name="ping", arguments=arguments)


async def test_the_persons_choice_of_tools_stays_in_force(dynamic: Dynamic) -> None:
    await dynamic.start(FakeServer("extra", "one", "two"))
    await dynamic.rig.enable("base", tools={"extra": frozenset({"one"}), "base": frozenset()})
    client = await dynamic.rig.client()
    answer = await done(client, "mcp-add", name="extra")
    assert (answer["added"], answer["not_offered"]) == (1, "1 of its tools are turned off by the person")
    for tool in ("two", "ping"):
        assert "There is no tool" in await refused(client, "mcp-exec", name=tool)


async def test_a_pause_stops_added_servers_and_the_end_of_it_brings_them_back(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one")
    await dynamic.start(extra)
    client = await dynamic.rig.client()
    await done(client, "mcp-add", name="extra")
    await dynamic.rig.fleet.pause(True)
    dynamic.rig.gateway.configuration_changed()
    assert await client.tools() == OWN
    await eventually(lambda: not extra.live)
    assert "are paused" in await refused(await dynamic.rig.client(), "mcp-add", name="extra")
    await dynamic.rig.fleet.pause(False)
    dynamic.rig.gateway.configuration_changed()
    assert (await client.call("one").result())["isError"] is False


async def test_arguments_that_are_none_are_told_to_the_model(dynamic: Dynamic) -> None:
    await dynamic.start()
    client = await dynamic.rig.client()
    for tool in OWN:
        assert "The arguments of" in await refused(client, tool, nonsense=1)
    assert "limit" in await refused(client, "mcp-find", query="x", limit="many")


async def test_what_an_added_server_tells_and_asks_reaches_its_session(dynamic: Dynamic) -> None:
    extra = FakeServer("extra", "one", resources=[{"uri": "x://r", "name": "r"}])
    await dynamic.start(extra)
    client = await dynamic.rig.client(elicitation={})
    await done(client, "mcp-add", name="extra")
    await client.ask("resources/read", {"uri": "x://r"}).result()
    await client.ask("resources/subscribe", {"uri": "x://r"}).result()
    extra.last.tell("notifications/resources/updated", {"uri": "x://r"})
    await client.wait_for("notifications/resources/updated")
    extra.tools.append({"name": "late", "inputSchema": {}})
    extra.last.tell("notifications/tools/list_changed")
    await client.wait_for("notifications/tools/list_changed", 2)
    assert "late" in await client.tools()


class Ended:
    """Keeps the names of ended calls."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def begun(self, call: Call, message: Envelope) -> None: ...

    def ended(self, call: Call, answer: bytes | None) -> None:
        self.names.append(call.subject)


async def test_own_tools_are_logged_like_others(dynamic: Dynamic) -> None:
    log = Ended()
    await dynamic.start(gateway={"call_log": log})
    client = await dynamic.rig.client()
    await done(client, "mcp-find", query="x")
    await used(client, "mcp-exec", name="ping")
    assert log.names == ["mcp-find", "ping"]


class Watching:
    """Runs interceptors: keeps what they are told, and stops calls to the tool ``two``."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    async def run(self, interceptor: Interceptor, payload: bytes) -> bytes:
        told = json.loads(payload)
        tool = told["params"]["name"] if "params" in told else told["tool"]
        self.seen.append((interceptor.when, tool))
        return b'{"content": [{"type": "text", "text": "not this one"}]}' if tool == "two" and "params" in told else b""


async def test_interceptors_see_the_tool_that_exec_calls_and_may_stop_it(dynamic: Dynamic) -> None:
    watching = Watching()
    both = [Interceptor(when=when, kind="exec", argument="") for when in ("before", "after")]
    guard = CallGuard(interceptors=both, runner=cast("InterceptorRunner", watching))
    extra = FakeServer("extra", "one", "two")
    await dynamic.start(extra, on=("extra",), gateway={"guard": guard})
    client = await dynamic.rig.client()
    assert await used(client, "mcp-exec", name="one") == ("extra:one", False)
    assert watching.seen == [("before", "mcp-exec"), ("before", "one"), ("after", "one")]
    assert await client.call("mcp-exec", arguments={"name": "two"}).result() == {
        "content": [{"type": "text", "text": "not this one"}]
    }
    assert [call["params"]["name"] for call in extra.last.requests("tools/call")] == ["one"]


async def test_exec_can_be_cancelled_while_the_tool_works(dynamic: Dynamic) -> None:
    worker = FakeServer("worker", "one")
    worker.held.add("tools/call")
    await dynamic.start(worker, on=("worker",))
    client = await dynamic.rig.client()
    asked = client.call("mcp-exec", arguments={"name": "one"})
    await eventually_call(worker)
    client.tell("notifications/cancelled", {"requestId": asked.id})
    await worker.last.wait_for("notifications/cancelled")
    assert asked.abandoned
