"""``docker-mcp tools enable`` and ``disable``: tools.yaml, and which server a name means."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import Raw

from desktop.catalog.source import ConfigurationSource
from desktop.servers.listing import Listing, ListingCache, configuration_hash
from desktop.state.paths import Paths
from tests.cli.conftest import Run, refusal
from tests.helpers import reference_reader as reference

CATALOG = """\
name: docker-mcp
registry:
  one: {image: i, tools: [{name: search}, {name: get}, {name: put}]}
  two: {image: i, tools: [{name: search}, {name: list__all}]}
  far: {image: i, tools: [{name: only_here}, {name: both}]}
  further: {image: i, tools: [{name: both}]}
  silent: {image: i}
"""


@pytest.fixture
def tools(typed: Run, docker_mcp: Path) -> Path:
    """tools.yaml; the servers ``one`` and ``silent`` are enabled."""
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(CATALOG, "utf-8")
    assert typed("server", "enable", "one", "silent").returncode == 0
    return docker_mcp / "tools.yaml"


def allowed(tools: Path) -> dict[str, list[str]]:
    return reference.tools(tools.read_text("utf-8"))


def test_disabling_lists_the_others_and_enabling_the_last_takes_the_limit_away(typed: Run, tools: Path) -> None:
    tools.write_text("# mine\nunknown: [x]  # kept\n", "utf-8")
    result = typed("tools", "disable", "get")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert allowed(tools) == {"unknown": ["x"], "one": ["search", "put"]}
    typed("tools", "disable", "put", "search")
    assert allowed(tools) == {"unknown": ["x"], "one": []}
    typed("tools", "enable", "put")
    assert allowed(tools)["one"] == ["put"]
    typed("tools", "enable", "get", "search")
    assert tools.read_text("utf-8") == "# mine\nunknown: [x]  # kept\n"


def test_enabled_servers_are_meant_first_then_all(typed: Run, tools: Path) -> None:
    assert typed("tools", "disable", "search", "only_here").returncode == 0  # search of `two` is not meant
    assert allowed(tools) == {"one": ["get", "put"], "far": ["both"]}


def test_a_tool_may_be_named_as_it_is_offered(typed: Run, tools: Path) -> None:
    assert typed("tools", "disable", "one__search", "two__list__all").returncode == 0
    assert allowed(tools) == {"one": ["get", "put"], "two": ["search"]}


def test_what_a_server_listed_counts_more_than_its_entry(typed: Run, tools: Path, environment: dict[str, str]) -> None:
    paths = Paths.of_user(environment)
    server = ConfigurationSource(paths).load().servers["one"]
    listing = Listing(tools=[Raw(b'{"name":"new"}'), Raw(b'{"name":"search"}')])
    asyncio.run(ListingCache(paths.listings).store("one", configuration_hash(server, {}), listing))
    assert typed("tools", "disable", "search").returncode == 0
    assert allowed(tools) == {"one": ["new"]}


def test_flags_of_the_group_are_passed_over(typed: Run, tools: Path) -> None:
    assert typed("tools", "--format", "json", "--version", "2", "disable", "get", "--verbose").returncode == 0
    assert allowed(tools) == {"one": ["search", "put"]}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["disable", "both"], 2, "the tool both is in several servers: far, further. Say which, such as --server far."),
        (["disable", "serch"], 1, "tool serch not found. Did you mean search?"),
        (["enable", "xyzzy"], 1, "tool xyzzy not found. Say which server it is of with --server."),
        (["disable", "get", "--server", "tow"], 1, "server tow not found in catalog. Did you mean two?"),
        (["disable", "gte", "--server", "one"], 1, "tool gte not found in server one. Did you mean get?"),
        (["enable", "zzz", "--server", "one"], 1, "tool zzz not found in server one. It has search, get, put."),
        (["disable", "x", "--server", "silent"], 1, "{tools}: the tools of 'silent' aren't known yet"),
        (["disable"], 2, "the following arguments are required: TOOL."),
        (["disabel", "x"], 2, 'unknown command "tools disabel". Did you mean disable?'),
    ],
)
def test_mistakes_are_one_sentence_and_change_nothing(
    typed: Run, tools: Path, arguments: list[str], code: int, sentence: str
) -> None:
    result = typed("tools", *arguments)
    assert result.returncode == code
    assert refusal(result).startswith(sentence.replace("{tools}", str(tools)))
    assert not tools.exists()


def test_a_broken_file_is_named_and_left_alone(typed: Run, tools: Path) -> None:
    tools.write_text("one: x\n", "utf-8")
    result = typed("tools", "disable", "get")
    assert refusal(result).startswith(f"{tools}, line 1, column 6: the tools of 'one' should be a list of names")
    assert tools.read_text("utf-8") == "one: x\n"
