"""Which server and which tool of it stands behind each name clients see, for the window and the command line."""

from __future__ import annotations

import dataclasses
import math

from desktop import jsonrpc
from desktop.gateway.offered_tools import offered_tools
from desktop.servers.status import OfferedTool
from tests.gateway.conftest import Rig
from tests.helpers.fake_mcp import FakeServer


async def test_a_servers_tools_are_shown_with_the_names_clients_see(rig: Rig) -> None:
    one, two = FakeServer("one", "same", "own", "hidden"), FakeServer("two", "same")
    one.tools[1] |= {"title": "Own tool", "description": "Does it."}
    await rig.start(one, two)
    await rig.enable("one", "two", tools={"one": frozenset({"same", "own"})})
    await rig.gateway.settled(5)
    listing = rig.fleet.servers["one"].listing
    assert listing is not None
    shown = offered_tools(listing, "one", rig.gateway.offer)
    for sent, told in zip(one.tools, shown, strict=True):
        letters = len(jsonrpc.encode({**sent, "name": told.exposed or told.name}))  # without the blanks that were sent
        assert math.isclose(told.tokens, letters / 4, rel_tol=0.15)
    assert tuple(dataclasses.replace(tool, tokens=0) for tool in shown) == (
        OfferedTool(name="same", exposed="one__same"),
        OfferedTool(name="own", exposed="own", title="Own tool", description="Does it."),
        OfferedTool(name="hidden"),
    )


async def test_the_command_line_can_ask_what_a_name_means(rig: Rig) -> None:
    await rig.start(FakeServer("one", "same", "a.b"), FakeServer("two", "same"))
    client = await rig.client()
    names = await client.ask("mcp-gateway/names").result()
    assert names == {"tools": {"one__same": ["one", "same"], "a_b": ["one", "a.b"], "two__same": ["two", "same"]}}
    assert (await client.call("a_b").result())["content"][0]["text"] == "one:a.b"
    assert (await client.call("a.b").error())["message"] == "The tool a.b has another name here; use a_b"


async def test_a_tool_is_marked_as_it_says_of_itself(rig: Rig) -> None:
    one = FakeServer("one", "look", "wipe", "odd")
    one.tools[0] |= {"annotations": {"readOnlyHint": True}}
    one.tools[1] |= {"annotations": {"destructiveHint": True, "title": "Wipe it"}}
    one.tools[2] |= {"annotations": "nonsense"}
    await rig.start(one)
    await rig.enable("one")
    await rig.gateway.settled(5)
    listing = rig.fleet.servers["one"].listing
    assert listing is not None
    shown = offered_tools(listing, "one", rig.gateway.offer)
    assert [(tool.read_only, tool.destructive) for tool in shown] == [(True, False), (False, True), (False, False)]
    assert shown[1].title == "Wipe it"
