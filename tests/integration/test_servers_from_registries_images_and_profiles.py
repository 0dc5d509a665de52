"""Servers that no catalog has run for real: converted from a registry, described by their images, kept in profiles."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import docker
import msgspec
import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.catalog.loading import read_entry
from desktop.catalog.profile_editing import new_document
from desktop.catalog.registry_conversion import converted_server
from desktop.catalog.registry_document import read_document
from desktop.catalog.selection import Selection
from desktop.catalog.server_references import References
from desktop.errors import CatalogError
from desktop.servers.described_image import image_describer
from desktop.state import yaml_text
from desktop.state.profiles import profiles_of
from desktop.state.yaml_edit import REMOVED, Change
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home
from tests.helpers.mcp_clients import connected
from tests.helpers.ports import free_port
from tests.helpers.registry import Registry, registry
from tests.helpers.remote_server import remote_server
from tests.helpers.small_image import small_image

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("docker_engine")]
LIMIT = 60.0
STDIO = {"type": "stdio"}


@pytest.fixture
def web() -> Iterator[Registry]:
    with registry() as state:
        yield state


@contextlib.asynccontextmanager
async def served(home: Home, **selection: Any) -> AsyncIterator[tuple[Application, GatewayClient]]:
    """The application with a choice of servers, all of them listed, and a client of it."""
    secrets = home.root / "secrets.env"
    secrets.touch()
    options = GatewayOptions(selection=Selection(**selection), secrets=str(secrets))
    async with running(options, home.paths) as application:
        assert await application.settled(LIMIT)
        client = GatewayClient(application.gateway)
        await client.initialize()
        yield application, client


async def used(client: GatewayClient, tool: str, **arguments: Any) -> str:
    asked = client.ask("tools/call", {"name": tool, "arguments": arguments})
    await eventually(lambda: asked.done, seconds=LIMIT)
    result = await asked.result()
    assert not result.get("isError"), result
    return str(result["content"][0]["text"])


async def test_an_image_of_a_registry_runs_with_its_arguments_mounts_and_settings(home: Home, web: Registry) -> None:
    folder = home.root / "notes"
    folder.mkdir()
    (folder / "hello.txt").write_text("read by the server", encoding="utf-8")
    mount = {"type": "named", "name": "-v", "value": "{notes}:/notes", "variables": {"notes": {"isRequired": True}}}
    package = {
        "registryType": "oci",
        "identifier": "mcp-gateway-test/filesystem",
        "transport": STDIO,
        "runtimeArguments": [mount],
        "packageArguments": [{"type": "positional", "valueHint": "root", "isRequired": True}],
    }
    web.servers = [{"name": "io.test/files", "version": "1.0.0", "packages": [package]}]
    home.paths.config.write_text(f"io-test-files: {{notes: {folder}, root: /notes}}\n", encoding="utf-8")
    async with served(home, servers=(), registry_documents=(web.url_of("io.test/files"),)) as (_, client):
        assert "read by the server" in await used(client, "read_text_file", path="/notes/hello.txt")


async def test_a_package_of_a_registry_is_run_by_its_runner(home: Home, docker_engine: docker.DockerClient) -> None:
    """The plain image with uvx is not here, so one stands in for it whose uvx finds the package on its own disk."""
    document = {
        "name": "io.test/time",
        "packages": [
            {
                "registryType": "pypi",
                "identifier": "mcp-server-time",
                "version": "1.2.3",
                "transport": STDIO,
                "environmentVariables": [
                    {"name": "ZONE", "value": "{zone}", "variables": {"zone": {"default": "UTC"}}}
                ],
                "packageArguments": [{"type": "named", "name": "--local-timezone", "value": "Europe/Berlin"}],
            }
        ],
    }
    runner = (
        '#!/bin/sh\n[ "$1 $2 $3" = "--from mcp-server-time==1.2.3 mcp-server-time" ] || exit 3\n[ "$ZONE" = UTC ] || exit 4\n'
        '[ -d /root/.cache/uv ] || exit 5\nshift 3\nexec python3 -m mcp_server_time "$@"\n'
    )
    programs = {"/usr/local/bin/uvx": runner}
    server = converted_server(read_document(document))
    try:
        with small_image(docker_engine, "mcp-gateway-test/python-servers", programs=programs, labels={}) as image:
            standing_in = msgspec.structs.replace(server, image=image)
            async with served(home, servers=(), further=(standing_in,)) as (_, client):
                answer = json.loads(await used(client, "get_current_time", timezone="Europe/Berlin"))
                assert answer["timezone"] == "Europe/Berlin"
    finally:
        docker_engine.volumes.get("docker-mcp-uv-cache-io-test-time").remove(force=True)


async def test_an_address_of_a_registry_gets_its_secret_in_a_header(home: Home, web: Registry) -> None:
    port = free_port()
    header = {
        "name": "Authorization",
        "value": "Bearer {key}",
        "isRequired": True,
        "variables": {"key": {"isSecret": True}},
    }
    remote = {"type": "streamable-http", "url": f"http://127.0.0.1:{port}/mcp", "headers": [header]}
    web.servers = [{"name": "io.test/remote", "version": "1.0.0", "remotes": [remote]}]
    (home.root / "secrets.env").write_text("io-test-remote.key=of-the-test\n", encoding="utf-8")
    async with (
        remote_server("streaming", port, "of-the-test"),
        served(home, servers=(), registry_documents=(web.url_of("io.test/remote"),)) as (_, client),
    ):
        assert await used(client, "header", name="authorization") == "Bearer of-the-test"


DESCRIPTION = """
name: described
title: Described
type: server
image: some/other
description: Says it itself.
command: [/bin/sh]
volumes: ["/:/host"]
user: root
secrets: [{name: github.personal_access_token, env: TOKEN}]
env: [{name: MODE, value: evil}]
extraHosts: ["example.com:127.0.0.1"]
tools: [{name: echo, description: Echoes., container: {image: x}}]
"""


async def test_an_image_that_describes_itself_runs_without_the_rights_it_asks_for(
    home: Home, docker_engine: docker.DockerClient
) -> None:
    labels = {"io.docker.server.metadata": DESCRIPTION}
    with small_image(docker_engine, "mcp-gateway-test/echo", labels=labels) as image:
        async with served(home, described_images=(image,)) as (application, client):
            assert "said" in await used(client, "echo", text="said")
            server = application.configuration.current.servers["described"]
            assert (server.image, server.title) == (image, "Described")
            assert [server.command, server.volumes, server.user, server.secrets, server.extraHosts] == [
                [],
                [],
                "",
                [],
                [],
            ]
            assert [(item.name, item.value) for item in server.env] == [("MODE", "")]
            assert server.tools[0].container is None


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({}, "has no label io.docker.server.metadata"),
        ({"io.docker.server.metadata": "[1]"}, "a map is expected"),
        ({"io.docker.server.metadata": "a: [&x 1, *x]"}, "refers to parts of itself"),
        ({"io.docker.server.metadata": "name: {a: 1}\ntools: [{description: 1}]"}, "can't be understood"),
    ],
)
async def test_an_image_that_does_not_describe_itself_is_one_sentence(
    home: Home, docker_engine: docker.DockerClient, labels: dict[str, str], reason: str
) -> None:
    with (
        small_image(docker_engine, "mcp-gateway-test/echo", labels=labels) as image,
        pytest.raises(CatalogError, match=reason),
    ):
        async with served(home, described_images=(image,)):
            pytest.fail("it runs")


async def test_a_profile_runs_and_its_changes_are_followed(home: Home, docker_engine: docker.DockerClient) -> None:
    labels = {"io.docker.server.metadata": DESCRIPTION}
    with small_image(docker_engine, "mcp-gateway-test/echo", labels=labels) as image:
        home.catalog({"time": home.container("time"), "memory": home.container("memory")})
        home.enable("memory")
        profiles = profiles_of(home.paths)
        async with image_describer() as describe:
            catalog = {"time": read_entry("time", home.container("time"))}
            finder = References(servers=catalog, paths=home.paths, describe=describe)
            records = [*await finder.resolve(f"docker://{image}"), *await finder.resolve("time")]
        records[1]["tools"] = ["get_current_time"]
        profiles.create("work", new_document("work", "Work", records))
        async with served(home, profile="work") as (application, client):
            assert application.configuration.current.enabled == ("described", "time")

            def offered() -> set[str]:
                return set(application.gateway.offer.tool_routes)

            assert {"echo", "get_current_time"} <= offered()
            assert "convert_time" not in offered()
            assert "said" in await used(client, "echo", text="said")
            await asyncio.to_thread(
                profiles.change,
                "work",
                lambda document: [Change(("servers", 1, "tools"), REMOVED), Change(("servers", 0), REMOVED)],
            )
            await eventually(lambda: "convert_time" in offered() and "echo" not in offered(), seconds=LIMIT)
            text = yaml_text.parse((home.paths.profiles / "work.yaml").read_text("utf-8"), "")
            assert len(text["servers"]) == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])  # 2026-07-28 where it is spoken, and the handshake era
async def test_a_client_reaches_a_profile_at_its_own_path(home: Home, mode: str) -> None:
    home.catalog({"memory": home.container("memory")})
    home.enable("memory")
    record = {
        "type": "image",
        "image": "mcp-gateway-test/time",
        "tools": ["get_current_time"],
        "snapshot": {"server": {"name": "time", **home.container("time")}},
    }
    profiles_of(home.paths).create("work", new_document("work", "Work", [record]))
    options = GatewayOptions(selection=Selection(all_profiles=True), dynamic_tools=False)
    async with running(options, home.paths) as application:
        assert await application.settled(LIMIT)
        url = await application.listen("127.0.0.1", 0, token="of-the-test")
        async with connected("streaming", url=f"{url}/work", token="of-the-test", mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["get_current_time"]
            result = await client.call_tool("get_current_time", {"timezone": "UTC"})
            assert not result.is_error
        async with connected("streaming", url=url, token="of-the-test", mode=mode) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert "read_graph" in names
            assert "get_current_time" not in names
