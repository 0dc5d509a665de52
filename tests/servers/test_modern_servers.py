"""Real servers of each era, over HTTP and as child processes, with clients of each era in front of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.configuration import Configuration
from desktop.catalog.model import CatalogServer, RemoteEndpoint
from desktop.gateway.gateway import Gateway
from desktop.servers.connecting import Eras
from desktop.servers.fleet import Fleet
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import ManagedServer, Timing
from desktop.servers.process import ProcessTransport
from desktop.servers.remote import RemoteTransport, transport_type
from desktop.servers.stderr_log import StderrLog
from desktop.servers.transport import Transport
from tests.helpers import gateway_client
from tests.helpers.era_server import era_server, stdio_command
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import EVERYTHING, Asked, GatewayClient
from tests.helpers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "new client", "version": "9", "title": "New"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}


class Launcher:
    """Starts the program for ``stdio`` and ``uvx``-like entries, goes to the URL of remote ones.

    Attributes:
        starts: How many ways were made.
    """

    def __init__(self) -> None:
        self.starts = 0

    async def transport(self, server: CatalogServer, values: Mapping[str, Any], log: StderrLog) -> Transport:
        self.starts += 1
        if server.remote is not None and server.remote.url:
            return RemoteTransport(server.name, server.remote.url, {}, transport_type(server.remote.transport_type))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return ProcessTransport(server.name, server.command, environment, log, None)

    def reveals_secrets(self, server: CatalogServer) -> bool:
        return False

    def image_id(self, server: CatalogServer) -> str:
        return ""


class House:
    """A gateway with one server."""

    def __init__(self, entry: CatalogServer, folder: Path) -> None:
        self.entry = entry
        self.launcher = Launcher()
        self.fleet = Fleet(launcher=self.launcher, cache=ListingCache(folder), timing=Timing(), clean=lambda text: text)
        self.gateway = Gateway(self.fleet)

    @property
    def server(self) -> ManagedServer:
        return self.fleet.servers["era"]

    async def start(self) -> None:
        await self.fleet.apply(Configuration(enabled=("era",), servers={"era": self.entry}))
        assert await self.gateway.settled(30)
        assert self.server.failure is None

    async def client(self, **capabilities: Any) -> GatewayClient:
        client = GatewayClient(self.gateway, capabilities)
        await client.initialize()
        return client

    def modern_client(self) -> GatewayClient:
        client = GatewayClient(self.gateway)
        client.session.modern = True
        client.session.introduce({"capabilities": Raw(b'{"elicitation":{"form":{}}}')})
        return client

    async def close(self) -> None:
        await self.gateway.close()
        await self.fleet.close()


Open = Callable[[str], Any]


@pytest.fixture(scope="module")
def url_of() -> Iterator[Callable[[str], str]]:
    """Gives the URL of the server of an era; each is started once."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda era: stack.enter_context(era_server(era, free_port())))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process of a busy machine takes its time."""
    monkeypatch.setattr(gateway_client, "LIMIT", 30.0)


@pytest.fixture(params=["http", "stdio"])
async def way(request: pytest.FixtureRequest, tmp_path: Path, url_of: Callable[[str], str]) -> AsyncIterator[Open]:
    """Opens a gateway in front of a server of an era."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(era: str) -> House:
            if request.param == "http":
                remote = RemoteEndpoint(url=url_of(era), transport_type="http")
                entry = CatalogServer(name="era", type="remote", remote=remote)
            else:
                entry = CatalogServer(name="era", type="server", command=list(stdio_command(era)))
            house = House(entry, tmp_path)
            stack.push_async_callback(house.close)
            await house.start()
            return house

        yield opened


def text(result: Json) -> str:
    found: str = result["content"][0]["text"]
    return found


def enveloped(client: GatewayClient, name: str, **more: Any) -> Asked:
    return client.call(name, _meta={**ENVELOPE, **more.pop("meta", {})}, **more)


# Which era is spoken.


@pytest.mark.parametrize("era", ["modern", "handshake", "both"])
async def test_clients_of_either_era_reach_servers_of_any(way: Open, era: str) -> None:
    house = await way(era)
    old, new = await house.client(), house.modern_client()
    seen_of_old = json.loads(text(await old.call("who").result()))
    seen_of_new = json.loads(text(await enveloped(new, "who").result()))
    assert ("protocolVersion" in seen_of_old) == (era == "modern")
    assert ("protocolVersion" in seen_of_new) == (era != "handshake")
    upstreams = [house.server.ready(client.session) for client in (old, new)]
    assert [upstream.modern for upstream in upstreams] == [era == "modern", era != "handshake"]
    assert house.gateway.offer.instructions.endswith("Instructions of a real server")


async def test_what_was_learned_is_not_asked_again_after_a_restart_of_the_gateway(way: Open, tmp_path: Path) -> None:
    house = await way("handshake")
    await enveloped(house.modern_client(), "who").result()
    assert house.server.listing.eras == Eras(handshake=True, modern=False)
    await house.close()
    again = House(house.entry, tmp_path)
    await again.start()
    try:
        assert again.server.listing is not None
        assert again.server.listing.eras == Eras(handshake=True, modern=False)
        await enveloped(again.modern_client(), "who").result()
        assert again.launcher.starts == 1
        assert again.server.ready(again.modern_client().session) is not None or again.server.kind.value == "remote"
    finally:
        await again.close()


async def test_all_clients_share_the_one_connection_to_a_modern_server(way: Open) -> None:
    house = await way("modern")
    clients = [await house.client(), await house.client(**EVERYTHING), house.modern_client()]
    assert len({id(await house.server.acquire(client.session)) for client in clients}) == 1
    assert house.server.listing.eras == Eras(handshake=False, modern=True)
    assert (await house.server.acquire(None)).owner is None


# A handshake client in front of a modern server.


async def test_a_server_sees_the_real_client_with_every_request(way: Open) -> None:
    house = await way("modern")
    client = await house.client(roots={"listChanged": True})
    seen = json.loads(text(await client.call("who").result()))
    assert seen["clientInfo"]["name"] == "test"
    assert seen["clientCapabilities"] == {"roots": {"listChanged": True}}
    assert "logLevel" not in seen


async def test_an_elicitation_within_a_result_reaches_the_client_as_a_question(way: Open) -> None:
    house = await way("modern")
    client = await house.client(**EVERYTHING)
    call = client.call("greet")
    await eventually(lambda: call.before, seconds=30)
    assert call.before[0]["method"] == "elicitation/create"
    client.answer(call.before[0]["id"], {"action": "accept", "content": {"name": "Ada"}})
    assert text(await call.result()) == "Hello, Ada (greeting)"


async def test_the_log_level_of_a_session_goes_with_each_of_its_calls(way: Open) -> None:
    house = await way("modern")
    silent, curious = await house.client(), await house.client()
    await curious.ask("logging/setLevel", {"level": "info"}).result()
    calls = []
    for client in (silent, curious):
        calls.append(client.call("log"))
        await calls[-1].result()
    assert [[message["params"]["data"] for message in call.before] for call in calls] == [[], ["a line"]]


async def test_progress_and_pings_work(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    call = client.call("count", _meta={"progressToken": "p"})
    await call.result()
    assert [message["params"]["progressToken"] for message in call.before] == ["p", "p"]
    assert await client.ask("ping").result() == {}


async def test_a_cancelled_call_is_stopped_at_the_server(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    call = client.call("slow", arguments={"mark": "this one"})
    await asyncio.sleep(0.3)
    client.tell("notifications/cancelled", {"requestId": call.id})
    assert call.abandoned

    async def noticed() -> list[str]:
        found: list[str] = json.loads(text(await client.call("log").result()))
        return found

    async with asyncio.timeout(5):
        while await noticed() != ["this one"]:
            await asyncio.sleep(0.02)


async def test_a_subscribed_resource_is_told_of_through_the_listen_stream(way: Open) -> None:
    house = await way("modern")
    client, other = await house.client(), await house.client()
    await client.ask("resources/subscribe", {"uri": "x://1"}).result()
    await client.call("touch").result()
    told = await client.wait_for("notifications/resources/updated")
    assert told["params"] == {"uri": "x://1"}
    assert other.inbox == []
    await client.ask("resources/unsubscribe", {"uri": "x://1"}).result()
    await client.call("touch").result()
    await client.ask("ping").result()
    assert len(client.told("notifications/resources/updated")) == 1


async def test_a_changed_list_of_a_modern_server_is_read_again_and_told(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    await eventually(lambda: house.server.ready(None)._subscriptions._streams)  # type: ignore[union-attr]
    stream = next(iter(house.server.ready(None)._subscriptions._streams.values()))  # type: ignore[union-attr]
    await eventually(lambda: stream.agreed is not None)
    await client.call("grow").result()
    await client.wait_for("notifications/tools/list_changed")
    assert "grown" in await client.tools()


async def test_errors_of_a_modern_server_pass_as_they_are(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    missing = await client.ask("resources/read", {"uri": "x://2"}).error()
    assert (missing["code"], missing["data"]) == (jsonrpc.INVALID_PARAMS, {"uri": "x://2"})
    need = await client.call("need").error()
    assert (need["code"], need["data"]) == (-32021, {"requiredCapabilities": {"sampling": {}}})


async def test_arguments_that_headers_repeat_arrive_whatever_is_in_them(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    for region in ("eu-west", " spaced ", "Österreich", "=?base64?x?=", ""):
        assert text(await client.call("routed", arguments={"region": region}).result()) == region
    assert text(await client.call("routed", arguments={}).result()) == "null"


async def test_a_tool_with_a_forbidden_annotation_is_left_out_over_http_alone(way: Open) -> None:
    house = await way("modern")
    client = await house.client()
    assert ("forbidden" in await client.tools()) == (house.entry.remote is None or not house.entry.remote.url)


# A modern client in front of a modern server.


async def test_a_modern_clients_envelope_and_results_pass_untouched(way: Open) -> None:
    house = await way("both")
    client = house.modern_client()
    seen = json.loads(text(await enveloped(client, "who", meta={"other": 1}).result()))
    del seen["process"]
    assert seen == {**{key.rpartition("/")[2]: value for key, value in ENVELOPE.items()}, "other": 1}
    asked = enveloped(client, "greet")
    wish = await asked.result()
    assert wish["resultType"] == "input_required"
    assert asked.before == []
    answers = {"user": {"action": "accept", "content": {"name": "Grace"}}}
    done = enveloped(client, "greet", inputResponses=answers, requestState=wish["requestState"])
    assert text(await done.result()) == "Hello, Grace (greeting)"


async def test_a_modern_clients_progress_keeps_its_token(way: Open) -> None:
    house = await way("modern")
    call = enveloped(house.modern_client(), "count", meta={"progressToken": 7})
    await call.result()
    assert [message["params"]["progressToken"] for message in call.before] == [7, 7]


# A modern client in front of a handshake server.


async def test_nothing_of_the_envelope_reaches_a_handshake_server(way: Open) -> None:
    house = await way("handshake")
    seen = json.loads(text(await enveloped(house.modern_client(), "who", meta={"other": 1}).result()))
    del seen["process"]
    assert seen == {"other": 1}
