"""The person's catalogs: what is written is what the reference reads, and nothing of a file is lost on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from desktop.catalog.collection import CatalogCollection, named
from desktop.catalog.loading import parse_catalog
from desktop.catalog.sample import SAMPLE
from desktop.errors import CatalogError, StateFileError
from desktop.state import yaml_text
from desktop.state.catalog_index import CatalogRecord
from desktop.state.paths import Paths
from tests.helpers import reference_reader as reference

WHOLE = Path(__file__).parents[3] / "shared" / "catalogs" / "docker-mcp.yaml"
ODD = """\
# our catalog
version: 3   # of the format
name: ours
displayName: Ours
owner-team: [platform, tools]   # no program knows this key
registry:
  # the first one
  plain:
    title: Plain
    image: example/plain:1.10   # not the number 1.1
    description: >-
      folded
      text
    x-own: {keep: 'me', when: 2024-01-01}
    longLived: yes
  "quoted name":
    image: 'example/q'
    env: [{name: DEBUG, value: 0017}, {name: PORT, value: 8080}]
    user: 1000

  flow: {image: example/flow, tools: [{name: a}, {name: "b"}]}
# the end
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of_user({"HOME": str(tmp_path)}, "linux")


@pytest.fixture
def collection(paths: Paths) -> CatalogCollection:
    return CatalogCollection(paths)


def put(collection: CatalogCollection, name: str, text: str, url: str = "") -> None:
    collection.put(name, text, CatalogRecord(name, url))


@pytest.mark.parametrize(
    "name", ["work", "My Catalog", "a/b:c", "Ünï", "x" * 200, "docker mcp?", "..x", 'q"<>|*'], ids=lambda name: name[:9]
)
def test_the_reference_finds_what_is_created_under_any_name(
    collection: CatalogCollection, paths: Paths, name: str
) -> None:
    collection.create(name)
    assert set(reference.catalog_index(paths.catalog_index.read_text("utf-8"))) == {name}
    text = reference.catalog_file(paths.catalogs, name).read_text("utf-8")
    assert reference.decode(text) == {"name": name, "displayName": name}
    collection.add(name, "tiny", {"image": "example/tiny"}, is_forced=False)
    assert reference.catalog(collection.text(name)) == {"tiny": {"image": "example/tiny"}}
    collection.remove(name)
    assert list(paths.catalogs.iterdir()) == []
    assert collection.records() == {}


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a\nb", "a\0", "x" * 201, "\x1b[1m"])
def test_what_cannot_be_a_name_is_refused(collection: CatalogCollection, paths: Paths, name: str) -> None:
    with pytest.raises(CatalogError, match="can't be the name of a catalog"):
        collection.create(name)
    assert not paths.docker_mcp.exists() or list(paths.docker_mcp.iterdir()) == []


def test_names_that_would_share_a_file_are_told_apart(collection: CatalogCollection, paths: Paths) -> None:
    collection.create("work")
    with pytest.raises(CatalogError, match='catalog "work" already exists'):
        collection.create("Work ")
    with pytest.raises(CatalogError, match='would use the same file as catalog "work"'):
        put(collection, "WORK", ODD)
    assert reference.decode(collection.text("work"))["name"] == "work"


def test_a_file_that_nobody_registered_is_not_overwritten(collection: CatalogCollection, paths: Paths) -> None:
    paths.catalogs.mkdir(parents=True)
    (paths.catalogs / "mine.yaml").write_text(ODD, "utf-8")
    for attempt in (lambda: collection.create("mine"), lambda: collection.fork("mine", "other")):
        with pytest.raises(CatalogError, match=r"already exists|not found"):
            attempt()
    assert (paths.catalogs / "mine.yaml").read_text("utf-8") == ODD


def test_importing_keeps_every_byte_and_a_catalog_of_ones_own_that_is_replaced(
    collection: CatalogCollection, paths: Paths
) -> None:
    text = ODD.replace("\n", "\r\n")
    put(collection, "ours", text)
    assert collection.body("ours").read_bytes() == text.encode()
    put(collection, "ours", SAMPLE, "https://example.com/c.yaml")
    assert (paths.catalogs / "ours.yaml.bak").read_bytes() == text.encode()
    put(collection, "ours", ODD, "https://example.com/c.yaml")
    assert (paths.catalogs / "ours.yaml.bak").read_bytes() == text.encode()  # what comes from elsewhere is there again


def test_a_server_that_is_added_changes_nothing_else_in_the_file(collection: CatalogCollection) -> None:
    put(collection, "ours", ODD)
    entry = {"image": "example/new", "env": [{"name": "A", "value": "0017"}], "x": "2024-01-01", "user": "1000"}
    collection.add("ours", "new", entry, is_forced=False)
    text = collection.text("ours")
    assert text.startswith(ODD.removesuffix("# the end\n"))
    assert text.endswith("# the end\n")
    assert reference.decode(text)["registry"]["new"] == entry
    before, after = reference.catalog(ODD), reference.catalog(text)
    assert {name: after[name] for name in before} == before
    collection.add("ours", "plain", {"image": "example/other"}, is_forced=True)
    assert "owner-team: [platform, tools]   # no program knows this key" in collection.text("ours")
    assert reference.catalog(collection.text("ours"))["plain"] == {"image": "example/other"}
    assert reference.catalog(collection.text("ours"))["flow"] == before["flow"]


def test_a_copied_server_means_the_same_to_the_reference(collection: CatalogCollection) -> None:
    collection.create("copy")
    for name in ("plain", "quoted name", "flow"):
        collection.add("copy", name, collection.entry(ODD, name, "ours"), is_forced=False)
    assert reference.catalog(collection.text("copy")) == reference.catalog(ODD)
    assert yaml_text.parse(collection.text("copy"), "")["registry"]["plain"]["x-own"]["keep"] == "me"


def test_adding_is_refused_where_it_would_be_lost_or_would_overwrite(collection: CatalogCollection) -> None:
    put(collection, "far", ODD, "https://example.com/c.yaml")
    put(collection, "ours", ODD)
    for name, server, words in [
        ("far", "new", "is a remote catalog"),
        ("docker-mcp", "new", "is managed by Docker"),
        ("nope", "new", 'catalog "nope" not found'),
        ("ours", "plain", r'server "plain" already exists in catalog "ours" \(use --force to overwrite\)'),
    ]:
        with pytest.raises(CatalogError, match=words):
            collection.add(name, server, {"image": "x"}, is_forced=False)
    assert (collection.text("far"), collection.text("ours")) == (ODD, ODD)


def test_a_server_that_is_not_in_a_catalog_is_named(collection: CatalogCollection) -> None:
    with pytest.raises(CatalogError, match='server "plan" not found in ours') as caught:
        collection.entry(ODD, "plan", "ours")
    assert caught.value.hint == "Did you mean plain?"
    with pytest.raises(CatalogError, match="should be a map"):
        collection.entry("registry: {a: 1}", "a", "ours")
    with pytest.raises(CatalogError, match="not found"):
        collection.entry("- a list", "a", "ours")


def test_a_fork_changes_two_lines(collection: CatalogCollection) -> None:
    put(collection, "ours", ODD, "https://example.com/c.yaml")
    collection.fork("ours", "mine")
    expected = ODD.replace("name: ours", "name: mine").replace(
        "displayName: Ours", "displayName: mine (forked from ours)"
    )
    assert collection.text("mine") == expected
    assert collection.records()["mine"] == CatalogRecord("mine (forked from ours)")
    assert reference.catalog(collection.text("mine")) == reference.catalog(ODD)
    with pytest.raises(CatalogError, match='"mine" already exists'):
        collection.fork("ours", "mine")
    with pytest.raises(CatalogError, match="reserved for the official catalog"):
        collection.fork("ours", "Docker-MCP")


def test_how_the_official_catalog_is_had_is_said(collection: CatalogCollection) -> None:
    with pytest.raises(CatalogError, match='catalog "docker-mcp" not found') as caught:
        collection.fork("docker-mcp", "mine")
    assert caught.value.hint == "docker-mcp catalog init fetches it"


def test_a_catalog_without_a_name_gets_one_and_keeps_the_rest() -> None:
    text, catalog = named("# mine\nregistry:\n  a: {image: x}  # a\n", "given", "f.yaml")
    assert text == "# mine\nregistry:\n  a: {image: x}  # a\nname: given\ndisplayName: given\n"
    assert (catalog.name, catalog.display_name, set(catalog.servers)) == ("given", "given", {"a"})
    titled, _ = named("displayName: Title\n", "given", "f.yaml")
    assert reference.decode(titled) == {"displayName": "Title", "name": "given"}
    with pytest.raises(StateFileError, match="a catalog is expected"):
        named("- a\n", "given", "f.yaml")


def test_the_sample_is_read_by_the_reference_and_by_us() -> None:
    assert set(reference.catalog(SAMPLE)) == set(named(SAMPLE, "", "s")[1].servers) == {"my-server", "greeting"}
    assert named(SAMPLE, "", "s")[1].problems == ()


def test_the_whole_official_catalog_survives_a_copy_an_addition_and_a_fork(
    collection: CatalogCollection, paths: Paths
) -> None:
    if not WHOLE.is_file():  # kept beside the source only where it is developed
        pytest.skip("the official catalog is not beside this checkout")
    text = WHOLE.read_text("utf-8")
    before = reference.catalog(text)
    put(collection, "docker-mcp", text, "https://desktop.docker.com/mcp/catalog/v3/catalog.yaml")
    collection.fork("docker-mcp", "mine")
    collection.add("mine", "new", collection.entry(text, "github-official", "official"), is_forced=False)
    after = reference.catalog(collection.text("mine"))
    assert after.pop("new") == before["github-official"]
    assert after == before
    kept = set(text.splitlines()) - set(collection.text("mine").splitlines())
    assert kept == {"name: docker-mcp", "displayName: Docker MCP Catalog"}


def test_we_see_in_the_official_catalog_what_the_reference_sees() -> None:
    if not WHOLE.is_file():  # as above
        pytest.skip("the official catalog is not beside this checkout")
    text = WHOLE.read_text("utf-8")
    theirs, ours = reference.catalog(text), parse_catalog(text, where="f")
    assert ours.problems == ()
    assert list(ours.servers) == list(theirs)
    for name, seen in theirs.items():
        server = msgspec.to_builtins(ours.servers[name])
        for key in (
            "type",
            "image",
            "title",
            "description",
            "command",
            "volumes",
            "user",
            "allowHosts",
            "disableNetwork",
        ):
            assert server.get(key, seen.get(key)) == seen.get(key, server.get(key)), (name, key)
        assert [tool["name"] for tool in server.get("tools", [])] == [tool["name"] for tool in seen.get("tools", [])]
        assert [(item["name"], item["env"]) for item in server.get("secrets", [])] == [
            (item["name"], item["env"]) for item in seen.get("secrets", [])
        ]


CHURN = """
import sys
from desktop.catalog.collection import CatalogCollection
from desktop.state.paths import Paths
collection, own = CatalogCollection(Paths.of_user({"HOME": sys.argv[1]}, "linux")), sys.argv[2]
for number in range(12):
    collection.add("ours", f"{own}-{number}", {"image": own}, is_forced=False)
    collection.create(f"{own} {number}")
    if number % 2:
        collection.remove(f"{own} {number}")
"""


def test_two_processes_that_change_catalogs_at_once_lose_nothing(
    collection: CatalogCollection, paths: Paths, tmp_path: Path
) -> None:
    put(collection, "ours", ODD)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", CHURN, str(tmp_path), own], env=environment)
        for own in ("left", "right")
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    added = {f"{own}-{number}" for own in ("left", "right") for number in range(12)}
    assert set(reference.catalog(collection.text("ours"))) == added | {"plain", "quoted name", "flow"}
    made = {f"{own} {number}" for own in ("left", "right") for number in range(0, 12, 2)}
    assert set(reference.catalog_index(paths.catalog_index.read_text("utf-8"))) == made | {"ours"}
