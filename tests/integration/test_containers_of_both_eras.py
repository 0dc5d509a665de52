"""A server in a container that speaks both eras, with clients of each in front of it at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import Raw

from desktop.app import Application, GatewayOptions, running
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import EVERYTHING, GatewayClient
from tests.helpers.home import Home

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}
ASKS = "test_input_required_result_elicitation"


@pytest.fixture
async def application(home: Home) -> AsyncIterator[Application]:
    home.catalog({"both": home.container("conformance")})
    home.enable("both")
    async with running(GatewayOptions(), home.paths) as found:
        assert await found.settled(60)
        yield found


def text(result: Any) -> str:
    found: str = result["content"][0]["text"]
    return found


async def test_each_client_is_served_in_its_own_era_by_the_same_image(application: Application) -> None:
    old = GatewayClient(application.gateway, EVERYTHING)
    await old.initialize()
    new = GatewayClient(application.gateway)
    new.session.modern = True
    new.session.introduce({"capabilities": Raw(b'{"elicitation":{"form":{}}}')})

    asked = old.call("test_elicitation", arguments={"message": "Who?"})
    await eventually(lambda: asked.before, seconds=20)
    assert asked.before[0]["method"] == "elicitation/create"
    old.answer(asked.before[0]["id"], {"action": "accept", "content": {"username": "u", "email": "e"}})
    assert text(await asked.result()).startswith("User response: ")

    first = new.call(ASKS, arguments={}, _meta=ENVELOPE)
    await eventually(lambda: first.done, seconds=20)
    wish = await first.result()
    assert wish["resultType"] == "input_required"
    answers = {"user_name": {"action": "accept", "content": {"name": "Ada"}}}
    assert text(await new.call(ASKS, arguments={}, inputResponses=answers, _meta=ENVELOPE).result()) == "Hello, Ada!"

    server = application.gateway._fleet.servers["both"]
    eras = [upstream.modern for upstream in map(server.ready, (old.session, new.session)) if upstream is not None]
    assert eras == [False, True]
