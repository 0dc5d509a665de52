"""The community registry's API, spoken with a registry on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.catalog import registry_client
from desktop.catalog.registry_client import fetch_document, fetch_servers, registry_base
from desktop.catalog.source import ConfigurationSource, Selection
from desktop.errors import CatalogError
from desktop.state.paths import Paths
from tests.helpers.registry import Registry, registry


@pytest.fixture
def web() -> Iterator[Registry]:
    with registry() as state:
        yield state


def document(name: str, **more: Any) -> dict[str, Any]:
    package = {"registryType": "oci", "identifier": "example/it", "version": "1", "transport": {"type": "stdio"}}
    return {"name": name, "version": "1.0.0", "packages": [package], **more}


async def test_a_whole_registry_is_read_page_by_page(web: Registry) -> None:
    web.servers = [document(f"io.test/server{number}") for number in range(7)]
    web.page = 3
    counts: list[int] = []
    found = await fetch_servers(web.base, progress=counts.append)
    assert list(found.entries) == [f"io-test-server{number}" for number in range(7)]
    assert counts == [3, 6, 7]
    assert web.asked[0] == "/v0/servers?version=latest&limit=100"
    assert web.asked[1:] == [f"/v0/servers?cursor={n}&version=latest&limit=100" for n in (3, 6)]
    url = found.entries["io-test-server0"]["metadata"]["registryUrl"]
    assert url == f"{web.base}/v0/servers/io.test%2Fserver0/versions/1.0.0"


async def test_a_registry_that_has_only_the_newer_paths_is_read_too(web: Registry) -> None:
    web.version = "v0.1"
    web.servers = [document("io.test/it")]
    assert list((await fetch_servers(f"{web.base}/")).entries) == ["io-test-it"]


async def test_a_search_in_the_address_is_kept(web: Registry) -> None:
    web.servers = [document("io.test/it")]
    await fetch_servers(f"{web.base}/v0/servers?search=it&limit=5")
    assert web.asked == ["/v0/servers?version=latest&limit=5&search=it"]


async def test_one_server_is_read_by_its_address(web: Registry) -> None:
    web.servers = [document("io.test/one"), document("io.test/two")]
    assert list((await fetch_servers(web.url_of("io.test/two"))).entries) == ["io-test-two"]
    data, base = await fetch_document(web.url_of("io.test/one"))
    assert (data["server"]["name"], base) == ("io.test/one", web.base)


async def test_what_cannot_run_is_named_and_what_was_deleted_is_not(web: Registry) -> None:
    nuget = {"registryType": "nuget", "identifier": "It", "transport": {"type": "stdio"}}
    web.servers = [
        document("io.test/good"),
        document("io.test/dotnet", packages=[nuget]),
        document("io.test/gone", status="deleted"),
        document("io/test_good"),
        document("io/test.good"),
        document("github"),
        document("/github"),
    ]
    found = await fetch_servers(web.base)
    assert list(found.entries) == ["io-test-good", "io-test_good"]
    assert found.skipped == [
        "The server io.test/dotnet is incompatible: it has nuget with stdio",
        "The server io/test.good is passed over: another is called io-test-good as well",
        "The server 'github' is incompatible: its name has no namespace in front",
        "The server '/github' is incompatible: its name has no namespace in front",
    ]


async def test_a_registry_without_end_is_an_error(web: Registry) -> None:
    web.answers["/v0/servers"] = (200, b'{"servers": [], "metadata": {"nextCursor": "again"}}')
    with pytest.raises(CatalogError, match="pages without end"):
        await fetch_servers(web.base)
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"{}", "it answered 500 Internal Server Error"),
        (200, b"<html>", "its answer is not JSON"),
        (200, b"[" * 5000, "its answer is not JSON"),
        (200, b'"' + b"x" * 200 + b'"', "larger than 0 MiB"),
    ],
)
async def test_an_answer_that_is_none_is_one_sentence(
    web: Registry, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, reason: str
) -> None:
    if "larger" in reason:
        monkeypatch.setattr(registry_client, "LARGEST_ANSWER", 100)
    web.answers["/v0/servers"] = (status, body)
    with pytest.raises(CatalogError) as caught:
        await fetch_servers(web.base)
    assert caught.value.message.startswith(f"The registry {web.base}/v0/servers can't be read (")
    assert reason in caught.value.message


async def test_a_busy_registry_is_asked_again_when_it_says_so(web: Registry) -> None:
    web.servers = [document("io.test/it")]
    web.busy = 3
    assert list((await fetch_servers(web.base)).entries) == ["io-test-it"]
    web.busy = 4
    with pytest.raises(CatalogError, match="it is busy and answered 429 Too Many Requests"):
        await fetch_servers(web.base)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"server": 1}', b'{"name": ""}', b'"text"', b"null"])
async def test_json_that_is_no_document_is_refused(web: Registry, body: bytes) -> None:
    web.answers["/it.json"] = (200, body)
    with pytest.raises(CatalogError, match="names no server"):
        await fetch_servers(f"{web.base}/it.json")


async def test_a_list_is_not_taken_for_one_server(web: Registry) -> None:
    for path in ("", "/", "/v0/servers"):
        with pytest.raises(CatalogError, match="is a whole registry, one of its servers is wanted"):
            await fetch_document(web.base + path)


async def test_a_key_in_the_address_is_not_repeated_in_errors(web: Registry) -> None:
    url = web.base.replace("//", "//me:hidden@") + "/v0/servers/nothing?key=hidden"
    with pytest.raises(CatalogError) as caught:
        await fetch_servers(url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["registry", "https://", "https://[", "file:///etc/passwd"])
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CatalogError, match="is not the address of a registry"):
        await fetch_servers(url)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://r.example/v0/servers", "https://r.example"),
        ("https://r.example/a/v0.1/servers/x%2Fy/versions/1?q=1", "https://r.example/a"),
        ("https://r.example/server.json", ""),
        ("https://r.example", ""),
    ],
)
def test_the_base_is_what_stands_before_the_api(url: str, base: str) -> None:
    assert registry_base(url) == base


async def test_a_server_of_a_registry_is_on_besides_the_others(web: Registry, tmp_path: Path) -> None:
    paths = Paths.of_user({"HOME": str(tmp_path)}, "linux")
    paths.docker_mcp.mkdir(parents=True)
    paths.registry.write_text("registry: {time: {ref: ''}}\n", "utf-8")
    web.servers = [document("io.test/it")]
    selection = Selection(registry_documents=(web.url_of("io.test/it"),))
    configuration = await asyncio.to_thread(ConfigurationSource(paths, selection).load)
    assert configuration.enabled == ("io-test-it", "time")
    assert configuration.servers["io-test-it"].image == "example/it:1"
    web.servers = []  # the next run starts with the copy, and says why
    again = await asyncio.to_thread(ConfigurationSource(paths, selection).load)
    assert again.servers["io-test-it"] == configuration.servers["io-test-it"]
    assert "can't be read (it answered 404 Not Found)" in again.problems[0]
