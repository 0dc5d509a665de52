"""Catalogs of the web, fetched from a server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desktop.catalog import official as official_module
from desktop.catalog.official import fetch_official, is_fresh, is_managed, keep_current
from desktop.catalog.source import ConfigurationSource, Selection
from desktop.errors import CatalogError
from desktop.state.catalog_index import CatalogIndex, CatalogRecord
from desktop.state.paths import Paths

GOOD = b"name: docker-mcp\nregistry:\n  a: {image: i}\n"


@dataclass
class Web:
    """What the server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = GOOD
    etag: str = '"1"'
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.headers.get("If-None-Match"))
            known = state.asked[-1] == state.etag
            self.send_response(304 if known else state.status)
            self.send_header("ETag", state.etag)
            self.send_header("Content-Length", "0" if known else str(len(state.body)))
            self.end_headers()
            if not known:
                self.wfile.write(state.body)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/catalog.yaml"
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(docker_mcp=tmp_path / "mcp", own=tmp_path / "own", cache=tmp_path / "cache")


def official(paths: Paths) -> Path:
    return paths.catalogs / "docker-mcp.yaml"


def index(paths: Paths) -> CatalogIndex:
    return CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index))


async def test_the_official_catalog_is_put_in_place_and_its_update_recorded(paths: Paths, web: Web) -> None:
    seen: list[tuple[int, int]] = []
    assert await fetch_official(paths, url=web.url, progress=lambda done, total: seen.append((done, total)))
    assert official(paths).read_bytes() == GOOD
    assert seen[-1] == (len(GOOD), len(GOOD))
    record = index(paths).records()["docker-mcp"]
    assert (record.display_name, record.url) == ("Docker MCP Catalog", web.url)
    assert datetime.now(UTC) - datetime.fromisoformat(record.last_update) < timedelta(minutes=1)


async def test_a_catalog_fetched_within_twelve_hours_is_not_asked_for_again(paths: Paths, web: Web) -> None:
    await fetch_official(paths, url=web.url)
    assert not await fetch_official(paths, url=web.url)
    assert len(web.asked) == 1
    old = (datetime.now(UTC) - timedelta(hours=13)).isoformat()
    index(paths).put("docker-mcp", CatalogRecord("Mine", web.url, old))
    assert not is_fresh(paths)
    assert not await fetch_official(paths, url=web.url)
    assert web.asked == [None, '"1"']
    assert is_fresh(paths)
    assert index(paths).records()["docker-mcp"].display_name == "Mine"


async def test_a_forced_update_takes_what_is_new(paths: Paths, web: Web) -> None:
    await fetch_official(paths, url=web.url)
    web.body, web.etag = GOOD + b"  b: {image: j}\n", '"2"'
    assert await fetch_official(paths, url=web.url, force=True)
    assert official(paths).read_bytes() == web.body


async def test_a_removed_file_is_fetched_whole_again(paths: Paths, web: Web) -> None:
    await fetch_official(paths, url=web.url)
    official(paths).unlink()
    assert await fetch_official(paths, url=web.url)
    assert web.asked == [None, None]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"oops", "answered 500"),
        (200, b"<html><p>sign in", "has no server|catalog is expected"),
        (200, b"registry:\n  a: [", "line 3"),
        (200, b"", "has no server"),
        (200, b"\xff\xfe", "not UTF-8|not valid YAML"),
    ],
)
async def test_whatever_goes_wrong_is_one_error_and_the_old_file_stays(
    paths: Paths, web: Web, status: int, body: bytes, message: str
) -> None:
    await fetch_official(paths, url=web.url)
    web.status, web.body, web.etag = status, body, '"2"'
    with pytest.raises(CatalogError, match=message):
        await fetch_official(paths, url=web.url, force=True)
    assert official(paths).read_bytes() == GOOD


async def test_a_server_that_is_not_there_is_one_sentence_without_a_password(paths: Paths) -> None:
    with pytest.raises(CatalogError) as caught:
        await fetch_official(paths, url="http://me:hush@127.0.0.1:9/c.yaml?key=hush")
    assert "127.0.0.1:9/c.yaml" in caught.value.message
    assert "hush" not in str(caught.value)


async def test_a_catalog_of_the_web_serves_and_its_copy_when_the_web_is_gone(paths: Paths, web: Web) -> None:
    selection = Selection(catalogs=(web.url,))
    source = ConfigurationSource(paths, selection)
    assert list((await asyncio.to_thread(source.load)).servers) == ["a"]
    await asyncio.to_thread(source.load)
    assert len(web.asked) == 1
    web.status = 503
    again = await asyncio.to_thread(ConfigurationSource(paths, selection).load)
    assert list(again.servers) == ["a"]
    assert "answered 503" in again.problems[0]


async def test_the_tray_fetches_the_catalog_by_itself_and_goes_on_when_the_web_is_gone(
    paths: Paths, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official_module, "FIRST_LOOK", 0.0)
    monkeypatch.setattr(official_module, "LOOK_AGAIN", 0.01)
    web.status = 500
    keeping = asyncio.create_task(keep_current(paths, url=web.url))
    async with asyncio.timeout(10):
        while len(web.asked) < 2:
            await asyncio.sleep(0.01)
        web.status = 200
        while not official(paths).exists():
            await asyncio.sleep(0.01)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert official(paths).read_bytes() == GOOD


def test_a_catalog_of_the_official_name_that_a_person_put_there_is_left_alone(paths: Paths) -> None:
    assert is_managed(paths)
    official(paths).parent.mkdir(parents=True)
    official(paths).write_bytes(GOOD)
    assert not is_managed(paths)
    index(paths).put("docker-mcp", CatalogRecord("Mine", "/home/me/catalog.yaml", ""))
    assert not is_managed(paths)
    index(paths).put("docker-mcp", CatalogRecord("Docker", official_module.OFFICIAL_URL, ""))
    assert is_managed(paths)
