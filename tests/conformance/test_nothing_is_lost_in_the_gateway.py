"""The official conformance suite through the gateway, for a remote server and for a container.

With a server of both eras everything passes that passes directly. With a server of one era behind clients of the other, what
does not pass is written down here, with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.app import Application, GatewayOptions, running
from tests.conformance.run_suite import Outcome, lost, run_suite
from tests.helpers.home import Home
from tests.helpers.ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.usefixtures("docker_engine"), pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]

# The fixture offers no tasks, an extension that counts for nothing in the suite; these fail directly as well.
TASKS = {
    "tasks-capability-negotiation",
    "tasks-dispatch-and-envelope",
    "tasks-lifecycle",
    "tasks-mrtr-composition",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-request-state-removal",
    "tasks-required-task-error",
    "tasks-wire-fields",
}
# Server's era, clients' revision: what fails, and why the protocol leaves no way.
FAILING = {
    ("handshake", "2026-07-28"): {
        "input-required-result-basic-elicitation": "It wants a question under the name user_name, but questions of a handshake "
        "server have no names; the gateway's numbers stand in for them.",
    },
    ("modern", "2025-11-25"): {},
}
# One scenario calls a tool with half a second's patience, for which another container has to start when the one that runs waits
# for an answer; and it expects of a shared container, before that has ever asked, that it knows what one client can't do.
MAY_FAIL_IN_A_CONTAINER = {("handshake", "2026-07-28"): {"server-stateless"}}
# What a revision only recommends and does not happen, and why.
WARNED = {
    ("handshake", "2026-07-28"): {
        "input-required-result-ignore-extra-params": "It answers, without a requestState, a question that was not asked yet; a "
        "handshake server has nothing that such an answer could belong to, so it asks.",
    },
    ("modern", "2025-11-25"): {},
}


@contextlib.asynccontextmanager
async def fixture_server(*options: str) -> AsyncIterator[str]:
    """The fixture server on loopback; gives its URL."""
    port = free_port()
    command = [sys.executable, "-m", "tests.conformance.fixture_server", "--port", str(port), *options]
    server = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    break
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.terminate()
        await server.wait()


@pytest.fixture
async def fixture_url() -> AsyncIterator[str]:
    """The fixture server of both eras."""
    async with fixture_server() as url:
        yield url


@contextlib.asynccontextmanager
async def gateway_for(home: Home, entry: dict[str, object]) -> AsyncIterator[tuple[Application, str]]:
    """The gateway with the fixture behind it, and its URL."""
    home.catalog({"fixture": entry})
    home.enable("fixture")
    async with running(GatewayOptions(), home.paths) as application:
        url = await application.listen("127.0.0.1", 0, token=None)
        assert await application.settled(60)
        yield application, url


def remote(url: str) -> dict[str, object]:
    return {"type": "remote", "remote": {"url": url, "transport_type": "streamable-http"}}


@pytest.mark.parametrize("kind", ["remote", "container"])
@pytest.mark.parametrize(("revision", "most"), [("2025-11-25", 33), ("2026-07-28", 41)])
async def test_every_scenario_that_passes_directly_passes_through_the_gateway(
    home: Home, fixture_url: str, revision: str, most: int, kind: str
) -> None:
    direct = await asyncio.to_thread(run_suite, fixture_url, revision)
    entry = remote(fixture_url) if kind == "remote" else home.container("conformance")
    async with gateway_for(home, entry) as (_, url):
        gateway = await asyncio.to_thread(run_suite, url, revision)
    assert {name: gateway[name].problems for name in lost(direct, gateway)} == {}
    assert warnings(gateway).keys() <= warnings(direct).keys(), warnings(gateway)
    passed = [name for name, outcome in gateway.items() if outcome.passed]
    print(f"\n{revision}, {kind}: {len(passed)} of {len(gateway)} scenarios pass")
    assert len(passed) >= most


@pytest.mark.parametrize("kind", ["remote", "container"])
@pytest.mark.parametrize(("era", "revision"), list(FAILING))
async def test_a_server_of_one_era_serves_clients_of_the_other_as_far_as_the_protocol_has_words_for_it(
    home: Home, era: str, revision: str, kind: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        if kind == "remote":
            entry = remote(await stack.enter_async_context(fixture_server("--era", era)))
        else:
            entry = home.container("conformance", command=["--stdio", "--era", era])
        application, url = await stack.enter_async_context(gateway_for(home, entry))
        gateway = await asyncio.to_thread(run_suite, url, revision)
        eras = application.gateway._fleet.servers["fixture"]._offering.eras
        assert (eras.handshake, eras.modern) == (era == "handshake", era == "modern")
    failed = {name for name, outcome in gateway.items() if not outcome.passed}
    if kind == "container":
        failed -= MAY_FAIL_IN_A_CONTAINER.get((era, revision), set())
    print(
        f"\n{era} server, {revision}, {kind}: {sum(outcome.passed for outcome in gateway.values())} of {len(gateway)} pass"
    )
    assert failed - TASKS == FAILING[era, revision].keys(), {name: gateway[name].problems for name in failed - TASKS}
    assert failed & TASKS == TASKS & gateway.keys()
    assert warnings(gateway).keys() == WARNED[era, revision].keys(), warnings(gateway)


def warnings(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, ...]]:
    return {name: outcome.warnings for name, outcome in outcomes.items() if outcome.warnings and name not in TASKS}
