"""Which era a connection is opened in, and what is learned by it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from desktop.errors import ServerStartError
from desktop.gateway.session import Session
from desktop.servers.connecting import Eras
from desktop.servers.managed_server import ManagedServer, Timing
from desktop.sharing import Sharing
from desktop.state.server_choices import ServerChoice
from tests.helpers.fake_mcp import FakeServer, FakeTransport, Refusal, eventually, modern
from tests.servers.conftest import Rig, client, used
from tests.servers.test_upstream import Sink

QUICK = Timing(probe=0.05, start=2.0)


def new_client(**capabilities: Any) -> Session:
    session = client(**capabilities)
    session.modern = True
    return session


async def running(rig: Rig, server: FakeServer, **more: Any) -> ManagedServer:
    return (await rig.started(server, timing=QUICK, **more)).servers[server.name]


def methods(transport: FakeTransport) -> list[str]:
    return [message["method"] for message in transport.got if "id" in message and "method" in message]


async def test_a_handshake_session_gets_its_handshake_without_a_probe(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"), alone=False)
    found = await running(rig, server)
    upstream = await used(found, client())
    assert (upstream.modern, len(server.transports)) == (False, 1)
    assert methods(server.last)[0] == "initialize"
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=None)


async def test_each_session_is_served_in_its_era_where_the_server_speaks_both(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"), alone=False)
    found = await running(rig, server)
    old, new, newer = client(), new_client(), new_client()
    assert [(await found.acquire(session)).modern for session in (old, new, newer)] == [False, True, True]
    assert found.ready(new) is found.ready(newer) is found.known(new)
    assert found.ready(old) is found.known(old) is not found.ready(new)
    assert methods(server.transports[1])[0] == "server/discover"
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=True)


async def test_a_server_that_refuses_the_handshake_is_greeted_anew_on_the_same_connection(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    server.instructions = "Be careful"
    found = await running(rig, server)
    assert (found.failure, len(server.transports)) == (None, 1)
    assert methods(server.last)[:2] == ["initialize", "server/discover"]
    assert found.listing is not None
    assert (found.listing.eras, found.listing.instructions) == (Eras(handshake=False, modern=True), "Be careful")
    upstream = await used(found, client())
    assert (upstream.modern, len(server.transports)) == (True, 1)


@pytest.mark.parametrize("refusal", [Refusal(-32601, "Method not found"), Refusal(-32602, "no initialize yet"), None])
async def test_a_server_that_does_not_know_discover_is_greeted_with_initialize_on_the_same_connection(
    rig: Rig, refusal: Refusal | None
) -> None:
    server = FakeServer("s", "t")
    found = await running(rig, server)

    def refuse(*_: Any) -> Any:
        raise refusal  # type: ignore[misc]

    if refusal is None:
        server.held.add("server/discover")  # it ignores what it does not know
    else:
        server.handlers["server/discover"] = refuse
    await found.restart()
    before = len(server.transports)
    upstream = await found.acquire(new_client(elicitation={}))
    assert not upstream.modern
    tried = server.transports[before]
    assert methods(tried)[:2] == ["server/discover", "initialize"]
    assert "notifications/cancelled" not in [message.get("method") for message in tried.got]
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=False)
    await found.acquire(new_client())
    assert len(server.transports) == before + 1


async def test_the_connection_of_a_probe_that_found_a_handshake_server_gives_way_to_the_shared_one(rig: Rig) -> None:
    server = FakeServer("s", "t")
    found = await running(rig, server)
    shared = await used(found, client())
    upstream = await found.acquire(new_client())
    assert upstream is shared
    await eventually(lambda: len(server.live) == 1)
    assert len(server.transports) == 2


async def test_a_server_that_ends_over_an_unknown_first_message_is_started_again(rig: Rig) -> None:
    server = FakeServer("s", "t")
    found = await running(rig, server)

    def leave(transport: FakeTransport, _: Any) -> Any:
        transport.break_off("s ended with exit code 1: expected initialize")

    server.handlers["server/discover"] = leave
    await found.restart()
    upstream = await found.acquire(new_client())
    assert (upstream.alive, upstream.modern, found.failure) == (True, False, None)
    assert [methods(transport)[0] for transport in server.transports[-2:]] == ["server/discover", "initialize"]


async def test_a_slow_server_that_became_modern_over_the_probe_is_taken_as_modern(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"), alone=False)
    found = await running(rig, server)
    slow = FakeServer("s", "t")

    def initialize(transport: FakeTransport, _: Any) -> Any:
        if "server/discover" not in methods(transport):
            return slow.answer_to(transport, {"method": "initialize"})
        server.held.discard("server/discover")  # it has come up by now, with the first message it read
        transport.reply(1_000_000, {"late": True})
        raise Refusal(-32022, "Unsupported protocol version")

    server.held.add("server/discover")
    server.handlers["initialize"] = initialize
    upstream = await found.acquire(new_client())
    assert upstream.modern
    assert methods(server.last)[:3] == ["server/discover", "initialize", "server/discover"]
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True, modern=True)


async def test_a_server_of_neither_era_says_so_in_one_sentence(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"), supportedVersions=["2031-01-01"])
    found = await running(rig, server)
    assert found.failure is not None
    assert found.failure.message == "s answered initialize with: Unsupported protocol version"
    assert server.live == []


@pytest.mark.parametrize("answer", [{}, [], {"supportedVersions": "2026-07-28"}, {"supportedVersions": []}])
async def test_an_answer_to_discover_that_is_not_mcp_means_the_other_era(rig: Rig, answer: Any) -> None:
    server = FakeServer("s", "t")
    server.handlers["server/discover"] = lambda *_: answer
    found = await running(rig, server)
    await found.restart()
    assert not (await found.acquire(new_client())).modern
    assert found.listing is not None
    assert found.listing.eras.modern is False


async def test_what_is_known_is_kept_with_the_listing_and_a_wrong_memory_is_corrected(rig: Rig) -> None:
    server = FakeServer("s", "t")
    await running(rig, server)
    await rig.fleets.pop().close()
    modern(server)  # a newer version of the same image
    found = await running(rig, server)
    assert found.listing is not None
    assert found.listing.eras == Eras(handshake=True)
    upstream = await found.acquire(client())
    assert upstream.modern
    assert found.listing.eras == Eras(handshake=False, modern=True)
    await eventually(lambda: len(server.live) == 1)
    await rig.fleets.pop().close()
    count = len(server.transports)
    found = await running(rig, server)
    await found.acquire(client())
    assert methods(server.last)[0] == "server/discover"
    assert len(server.transports) == count + 1


async def test_a_restart_by_hand_forgets_which_eras_a_server_speaks(rig: Rig) -> None:
    server = FakeServer("s", "t")
    found = await running(rig, server)
    await found.acquire(new_client())
    assert found._offering.eras == Eras(handshake=True, modern=False)
    modern(server, alone=False)
    await found.restart()
    assert (await found.acquire(new_client())).modern


async def test_a_modern_server_that_is_silent_is_given_the_whole_time_and_no_handshake(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    await running(rig, server)
    await rig.fleets.pop().close()
    server.held.add("server/discover")
    fleet = rig.fleet(server, timing=Timing(start=0.1))
    await fleet.apply(rig.launcher.configuration())
    with pytest.raises(ServerStartError, match="s did not answer within 0 s"):
        await fleet.servers["s"].acquire(client())
    assert methods(server.last) == ["server/discover"]


async def test_servers_that_keep_state_for_a_session_have_a_modern_connection_for_each(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    found = await running(rig, server, long_lived=True)
    sessions = [client(), new_client()]
    upstreams = [await found.acquire(session) for session in sessions]
    assert [upstream.owner for upstream in upstreams] == sessions
    await found.release(sessions[0])
    assert [upstream.alive for upstream in upstreams] == [False, True]


async def test_questions_of_a_handshake_server_to_a_modern_session_come_over_its_own_connection(rig: Rig) -> None:
    server = FakeServer("s", "t")
    server.held.add("tools/call")
    found = await running(rig, server)
    session = new_client(elicitation={})
    sink = Sink(session)
    upstream = await used(found, session, sink)
    assert upstream.owner is None
    server.transports[0].ask(1, "elicitation/create", {"message": "?"})
    assert (upstream.owner, found.known(session)) == (session, upstream)
    assert found.ready(session) is None  # while the question is open another call gets a connection of its own
    assert rig.listener.asked == [session]
    other = new_client(elicitation={})
    assert (await used(found, other)).owner is other


async def test_an_idle_modern_connection_is_stopped_although_it_listens(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    server.capabilities["tools"] = {"listChanged": True}
    fleet = rig.fleet(server, timing=Timing(idle=0.05))
    await fleet.apply(rig.launcher.configuration())
    assert await fleet.settled(5)
    await server.last.wait_for("subscriptions/listen")
    await asyncio.sleep(0.1)
    await fleet.servers["s"].stop_idle()
    assert server.live == []


async def test_every_request_has_the_envelope_of_whoever_asks(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    found = await running(rig, server)
    listed = server.last.requests("tools/list")[0]["params"]["_meta"]
    assert listed["io.modelcontextprotocol/clientInfo"]["name"] == "mcp-gateway-desktop"
    assert set(listed["io.modelcontextprotocol/clientCapabilities"]) == {"roots", "sampling", "elicitation"}
    session = client(sampling={})
    session.level = "warning"
    await used(found, session)
    sent = server.last.requests("tools/call")[0]["params"]
    assert sent["name"] == "t"
    assert sent["_meta"] == {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": listed["io.modelcontextprotocol/clientInfo"],
        "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
        "io.modelcontextprotocol/logLevel": "warning",
    }
    assert json.loads(json.dumps(sent)) == sent


async def test_a_modern_server_may_run_once_for_each_call_and_all_rounds_of_it(rig: Rig) -> None:
    server = modern(FakeServer("s", "t"))
    server.held.add("tools/call")
    choice = {"s": ServerChoice(sharing=Sharing.PER_CALL)}
    fleet = rig.fleet(server, timing=QUICK)
    await fleet.apply(rig.launcher.configuration(choices=choice))
    assert await fleet.settled(5)
    found, session = fleet.servers["s"], client(elicitation={})
    sink = Sink(session)
    upstream = await used(found, session, sink)
    mine = next(transport for transport in server.transports if transport.requests("tools/call"))
    ask = {"method": "elicitation/create", "params": {}}
    wish = {"resultType": "input_required", "inputRequests": {"a": ask}}
    mine.reply(mine.requests("tools/call")[0]["id"], wish)
    assert rig.listener.asked == [session]
    assert (sink.finished, upstream.alive) == ([], True)
    upstream.answer(b'{"jsonrpc":"2.0","id":"input-1","result":{}}')
    mine.reply((await mine.wait_for("tools/call", 2))["id"])
    assert len(sink.finished) == 1
    await eventually(lambda: mine.closed)
    assert (await used(found, session)) is not upstream
