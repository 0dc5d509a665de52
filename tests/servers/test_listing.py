"""Listings: every page is read, half-valid servers are taken as far as they go, and the cache is only a cache."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from desktop.catalog.model import CatalogServer, SecretReference
from desktop.errors import ServerGoneError
from desktop.servers.listing import Listing, ListingCache, configuration_hash, read_listing
from desktop.servers.stderr_log import StderrLog
from desktop.servers.upstream import Upstream
from tests.helpers.fake_mcp import LIMIT, FakeServer, FakeTransport, tool
from tests.servers.test_upstream import Listener


async def connected(server: FakeServer) -> tuple[Upstream, FakeTransport]:
    transport = FakeTransport(server, StderrLog(lambda text: text))
    upstream = Upstream(server.name, transport, Listener())
    await upstream.open(time_limit=LIMIT)
    return upstream, transport


async def listed(server: FakeServer, time_limit: float = LIMIT) -> Listing:
    upstream, _ = await connected(server)
    return await read_listing(upstream, time_limit=time_limit)


def names(entries: list[Raw], key: str = "name") -> list[str]:
    return [json.loads(bytes(entry))[key] for entry in entries]


async def test_every_page_of_every_list_is_read() -> None:
    server = FakeServer("s", prompts=[{"name": "p"}], resources=[{"uri": "x://1"}])

    def pages(_: Any, message: dict[str, Any]) -> Any:
        at = int((message.get("params") or {}).get("cursor", "0"))
        return {"tools": [tool(f"t{at}")], **({"nextCursor": str(at + 1)} if at < 4 else {})}

    server.handlers["tools/list"] = pages
    listing = await listed(server)
    assert names(listing.tools) == ["t0", "t1", "t2", "t3", "t4"]
    assert names(listing.prompts) == ["p"]
    assert names(listing.resources, "uri") == ["x://1"]


@pytest.mark.parametrize("end", [None, ""])
async def test_an_empty_cursor_is_the_end(end: Any) -> None:
    server = FakeServer("s")
    server.handlers["tools/list"] = lambda *_: {"tools": [tool("t")], "nextCursor": end}
    assert names((await listed(server)).tools) == ["t"]


@pytest.mark.parametrize("cursor", ["constant", "counting"])
async def test_pages_that_never_end_are_given_up_with_a_sentence(cursor: str) -> None:
    server = FakeServer("s")
    seen = iter(range(10_000))
    server.handlers["tools/list"] = lambda *_: {
        "tools": [],
        "nextCursor": "x" if cursor == "constant" else str(next(seen)),
    }
    with pytest.raises(ServerGoneError, match="s answers tools/list with pages that never end"):
        await listed(server)


async def test_malformed_entries_are_left_out_and_the_others_kept() -> None:
    server = FakeServer("s")
    server.handlers["tools/list"] = lambda *_: {
        "tools": [
            tool("good"),
            {"title": "no name"},
            {"name": 5},
            {"name": ""},
            {"name": None},
            "text",
            None,
            [1],
            tool("too"),
        ]
    }
    assert names((await listed(server)).tools) == ["good", "too"]


@pytest.mark.parametrize("tools", [None, {}, "text", 5])
async def test_a_list_of_tools_that_is_none_is_named(tools: Any) -> None:
    server = FakeServer("s")
    server.handlers["tools/list"] = lambda *_: {"tools": tools}
    with pytest.raises(ServerGoneError, match="s answered tools/list without a list"):
        await listed(server)


@pytest.mark.parametrize("broken", ["prompts/list", "resources/list", "resources/templates/list"])
@pytest.mark.parametrize("how", ["error", "hangs", "nonsense"])
async def test_what_a_server_only_claims_to_have_does_not_hide_its_tools(broken: str, how: str) -> None:
    server = FakeServer("s", "t", prompts=[{"name": "p"}], resources=[{"uri": "x://1"}])
    if how == "hangs":
        server.held.add(broken)
    else:

        def answer(*_: Any) -> Any:
            if how == "error":
                raise ValueError("Method not found")
            return []

        server.handlers[broken] = answer
    listing = await listed(server, time_limit=0.1)
    assert names(listing.tools) == ["t"]
    assert (names(listing.prompts) == ["p"]) is (broken != "prompts/list")
    assert (names(listing.resources, "uri") == ["x://1"]) is (broken != "resources/list")


async def test_only_what_the_server_declares_is_asked_for() -> None:
    server = FakeServer("s", "t")
    upstream, transport = await connected(server)
    await read_listing(upstream, time_limit=LIMIT)
    assert [message["method"] for message in transport.got][2:] == ["tools/list"]


async def test_entries_are_kept_byte_for_byte() -> None:
    server = FakeServer("s")
    server.held.add("tools/list")
    upstream, transport = await connected(server)
    reading = asyncio.create_task(read_listing(upstream, time_limit=LIMIT))
    number = (await transport.wait_for("tools/list"))["id"]
    entry = b'{"name":"t","inputSchema":{"maximum":1e400, "x":1.0},"vendor":"\\u00e9"}'
    transport.say(b'{"jsonrpc":"2.0","id":%d,"result":{"tools":[%b]}}' % (number, entry))
    assert [bytes(tool) for tool in (await reading).tools] == [entry]


def test_everything_but_secrets_changes_the_hash_of_a_configuration() -> None:
    base = CatalogServer(name="s", image="i", command=["a"], secrets=[SecretReference(name="k")])
    first = configuration_hash(base, {"x": 1})
    assert first == configuration_hash(
        CatalogServer(name="s", image="i", command=["a"], secrets=[SecretReference(name="k")]), {"x": 1}
    )
    others = {
        configuration_hash(base, {"x": 2}),
        configuration_hash(CatalogServer(name="s", image="j", command=["a"]), {"x": 1}),
        configuration_hash(CatalogServer(name="s", image="i", command=["b"]), {"x": 1}),
    }
    assert len(others | {first}) == 4
    assert configuration_hash(base, {"a": 1, "b": 2}) == configuration_hash(base, {"b": 2, "a": 1})


async def test_a_listing_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    cache = ListingCache(tmp_path / "made" / "later")
    kept = Listing(tools=[Raw(b'{"name":"t","n":1e400}')], instructions="hi", interactive=True)
    await cache.store("a/b: c", "hash", kept)
    cache = ListingCache(tmp_path / "made" / "later")
    found = cache.load("a/b: c", "hash")
    assert found is not None
    assert ([bytes(tool) for tool in found.tools], found.instructions, found.interactive) == (
        [b'{"name":"t","n":1e400}'],
        "hi",
        True,
    )
    assert cache.load("a/b: c", "other hash") is None
    assert cache.load("a/b_ c", "hash") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"format":99,"hash":"h","listing":{}}',
        b'{"format":2,"hash":"h","listing":{"tools":5}}',
        b'{"format":2,"hash":"h","listing":{"tools":%b}}' % (b"[" * 100_000),
    ],
    ids=["empty", "cut off", "a list", "not text", "newer", "other types", "deep"],
)
async def test_a_corrupt_cache_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    cache = ListingCache(tmp_path)
    await cache.store("s", "h", Listing())
    (file,) = tmp_path.glob("*.json")
    file.write_bytes(content)
    assert ListingCache(tmp_path).load("s", "h") is None


@pytest.mark.parametrize("entry", [b"5", b"null", b'{"title":"no name"}', b'{"name":5}', b'"text"'])
async def test_entries_of_a_cache_file_that_were_tampered_with_are_as_good_as_none(
    tmp_path: Path, entry: bytes
) -> None:
    cache = ListingCache(tmp_path)
    await cache.store("s", "h", Listing(tools=[Raw(entry)]))
    assert ListingCache(tmp_path).load("s", "h") is None


async def test_with_a_disk_that_refuses_the_listing_lasts_as_long_as_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache = ListingCache(tmp_path / "file")
    await cache.store("s", "h", kept := Listing())
    assert cache.load("s", "h") is kept
    assert cache.load("s", "other") is None
    assert ListingCache(tmp_path / "file").load("s", "h") is None
