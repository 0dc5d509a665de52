"""Everything a person has set, dumped and restored."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from desktop.dump import decoded, dumped, encoded, restored, restored_secrets, with_secrets
from desktop.errors import StateFileError
from desktop.state.catalog_index import catalog_file_name
from desktop.state.paths import Paths
from tests.helpers import reference_reader as reference
from tests.helpers.secret_store import MemoryStore

REGISTRY = '# mine\nregistry:\n  time:\n    ref: ""\n    config: {a: 1}  # kept\n'
CONFIG = "files: {paths: [/a]}  # no line end"
TOOLS = "time: [now]\r\n"
POLICY = "github.* allows github-official\n"
CATALOG = "name: Work/Tools\nregistry: {a: {image: i, x-own: 1}}  # mine\n"
INDEX = {"catalogs": {"Work/Tools": {"displayName": "Work", "x-own": [1]}, "gone": {"displayName": "No file"}}}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths.of_user({"HOME": str(tmp_path)}, "linux")
    found.catalogs.mkdir(parents=True)
    return found


def fill(paths: Paths) -> None:
    texts = {paths.registry: REGISTRY, paths.config: CONFIG, paths.tools: TOOLS, paths.policy: POLICY}
    texts[paths.catalog_index] = json.dumps(INDEX)
    texts[paths.catalogs / catalog_file_name("Work/Tools")] = CATALOG
    for path, text in texts.items():
        path.write_bytes(text.encode())


def files(paths: Paths) -> dict[str, bytes]:
    found = (path for path in paths.docker_mcp.rglob("*") if path.is_file() and not path.name.endswith(".bak"))
    return {path.name: path.read_bytes() for path in found}


def test_a_dump_is_compact_json_with_the_keys_of_the_reference(paths: Paths) -> None:
    fill(paths)
    data = encoded(dumped(paths))
    assert b"\n" not in data
    assert json.loads(data) == {
        "config": CONFIG,
        "registry": REGISTRY,
        "catalog": json.dumps(INDEX),
        "catalogFiles": {"Work/Tools": CATALOG},
        "tools": TOOLS,
        "policy": POLICY,
    }


def test_what_was_dumped_comes_back_byte_for_byte(paths: Paths) -> None:
    fill(paths)
    before, dump = files(paths), encoded(dumped(paths))
    for path in (paths.registry, paths.config, paths.tools, paths.policy):
        path.unlink()
    (paths.catalogs / catalog_file_name("later")).write_text("name: later\n", "utf-8")
    paths.catalog_index.write_text('{"catalogs": {"later": {"displayName": "Later"}}}', "utf-8")
    done = restored(decoded(dump, "d"), paths, "d")
    assert files(paths) == before
    assert stat.S_IMODE(done.former.stat().st_mode) == 0o600
    restored(decoded(done.former.read_bytes(), "former"), paths, "former")
    assert reference.catalog_index(paths.catalog_index.read_text("utf-8")) == {"later": {"displayName": "Later"}}
    assert files(paths)["later.yaml"] == b"name: later\n"
    assert paths.registry.read_bytes() == b""


def test_nothing_is_dumped_from_an_empty_home_and_restoring_it_is_read_by_the_reference(paths: Paths) -> None:
    dump = encoded(dumped(paths))
    fill(paths)
    restored(decoded(dump, "d"), paths, "d")
    assert reference.registry(paths.registry.read_text("utf-8")) == set()
    assert reference.catalog_index(paths.catalog_index.read_text("utf-8")) == {}
    assert list(paths.catalogs.iterdir()) == []


def test_parts_that_a_dump_lacks_are_left_alone(paths: Paths) -> None:
    fill(paths)
    before = files(paths)
    dump: dict[str, Any] = {"config": "a: {b: 1}", "tools": None, "catalogFiles": None, "secrets": None, "later": 1}
    restored(decoded(json.dumps(dump).encode(), "d"), paths, "d")
    assert files(paths) == before | {"config.yaml": b"a: {b: 1}"}


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("config", "- a", "d, config, line 1, column 1: a map of names is expected here"),
        ("config", "a: {x: 1, x: 2}", "d, config, line 1, column 11: the key 'x' comes twice"),
        ("registry", "registry: [a]", "d, registry, line 1, column 11: 'registry' should be a map of server names"),
        ("tools", "a: b", "d, tools, line 1, column 4: the tools of 'a' should be a list of names"),
        ("catalog", "{", "d, catalog, line 1, column 2: this is not valid JSON"),
        ("policy", "nonsense", "d, policy, line 1: a rule is"),
        ("catalogFiles", {"x": "- a"}, "d, catalogFiles, x, line 1, column 1: a catalog is expected"),
        ("tools", 5, "d: this is not what config dump prints (expected `str | null`, got `int` - at `$.tools`)"),
    ],
)
def test_of_a_dump_with_a_broken_part_nothing_is_restored(paths: Paths, part: str, text: object, message: str) -> None:
    fill(paths)
    before = files(paths)
    dump = {"config": "new: {}", "registry": "registry: {}", part: text}
    with pytest.raises(StateFileError) as caught:
        restored(decoded(json.dumps(dump).encode(), "d"), paths, "d")
    assert caught.value.message.startswith(message)
    assert files(paths) == before


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"config": "\xff"}', b"[" * 100_000])
def test_what_is_no_dump_is_one_sentence(data: bytes) -> None:
    with pytest.raises(StateFileError, match=r"^d: this is not what config dump prints \("):
        decoded(data, "d")


def test_names_of_catalogs_in_a_dump_lead_nowhere_else(paths: Paths, tmp_path: Path) -> None:
    dump = {"catalogFiles": {"../../escaped": "name: x\n", "/etc/x": "name: y\n"}, "catalog": '{"catalogs": {}}'}
    restored(decoded(json.dumps(dump).encode(), "d"), paths, "d")
    assert set(files(paths)) == {".._.._escaped.yaml", "_etc_x.yaml", "catalog.json"}


async def test_secrets_come_back_and_others_go_but_never_those_of_sign_ins(paths: Paths) -> None:
    store = MemoryStore({"a.key": "1", "b.key": "2", "oauth/x": "token"})
    await store.set("c.key", "", provider="oauth/c")
    dump = await with_secrets(dumped(paths), store)
    assert json.loads(encoded(dump))["secrets"] == [
        {"name": "a.key", "provider": "", "value": "1"},
        {"name": "b.key", "provider": "", "value": "2"},
        {"name": "c.key", "provider": "oauth/c", "value": ""},
    ]
    other = MemoryStore({"a.key": "old", "z.key": "26", "oauth/y": "kept"})
    await restored_secrets(decoded(encoded(dump), "d"), other)
    assert await other.names() == ("a.key", "b.key", "c.key", "oauth/y")
    assert await asyncio.gather(other.get("a.key"), other.get("b.key")) == ["1", "2"]
    assert [entry.provider for entry in await other.entries()][2] == "oauth/c"
