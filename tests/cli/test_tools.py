"""``docker-mcp tools`` with a gateway of its own and with the one that runs already."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from desktop.app import GatewayOptions, running
from desktop.cli.tool_arguments import tool_arguments
from desktop.cli.tools import summary
from desktop.errors import UsageError
from desktop.state.paths import Paths
from tests.cli.conftest import Run, refusal
from tests.cli.tiny_server import ADD, FAIL

SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"Level": {"type": "integer"}},
    "properties": {
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "deep": {"type": "boolean"},
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "options": {"type": "object"},
        "nothing": {"type": "null"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "either": {"type": ["string", "null"]},
        "one_or_more": {"type": ["array", "string"], "items": {"type": "string"}},
        "level": {"$ref": "#/$defs/Level"},
        "any": {},
    },
}


def come_from_tiny(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as JSON output shows it, with where it comes from."""
    return {**tool, "_meta": {"mcp-gateway": {"server": "tiny", "name": tool["name"]}}}


@pytest.fixture
def enabled(docker_mcp: Path, run: Run) -> None:
    """The tiny server is enabled."""
    assert run("server", "enable", "tiny", "--without-container").returncode == 0


@pytest.mark.usefixtures("enabled")
def test_the_list(run: Run) -> None:
    result = run("tools", "ls")
    assert result.returncode == 0
    own = [
        "Find MCP servers",
        "Add an MCP server",
        "Remove an MCP server",
        "Set up an MCP server",
        "Call a tool by name",
    ]
    names = ["mcp-find", "mcp-add", "mcp-remove", "mcp-config-set", "mcp-exec"]
    lines = [f" - {name} - {title}" for name, title in zip(names, own, strict=True)]
    assert result.stdout.splitlines() == ["7 tools:", *lines, " - add - Adds two numbers.", " - fail - Fails"]
    listed = json.loads(run("tools", "--format", "json", "list").stdout)
    assert [tool["name"] for tool in listed[:5]] == names
    assert listed[5:] == [come_from_tiny(ADD), come_from_tiny(FAIL)]


@pytest.mark.usefixtures("enabled")
def test_the_count(run: Run) -> None:
    assert run("tools", "count").stdout == "7 tools\n"
    assert json.loads(run("tools", "count", "--format=json").stdout) == {"count": 7}


@pytest.mark.usefixtures("enabled")
def test_one_tool(run: Run) -> None:
    shown = run("tools", "inspect", "add").stdout.splitlines()
    assert shown[0] == "Name: add"
    assert shown[1] == "Description: Adds two numbers."
    assert "Server: tiny" in shown
    assert shown[-2:] == [" - a (integer): the first", " - b (number): "]
    assert json.loads(run("tools", "inspect", "--format", "json", "add").stdout) == come_from_tiny(ADD)
    assert refusal(run("tools", "inspect", "ad")) == "tool ad not found. Did you mean add?"


@pytest.mark.usefixtures("enabled")
def test_a_call_turns_words_into_what_the_tool_wants(run: Run) -> None:
    result = run("tools", "call", "add", "a=2", "b=0.5", "more=7")
    assert (result.returncode, result.stdout) == (0, '{"a": 2, "b": 0.5, "more": "7"}\n')
    assert result.stderr.startswith("Tool call took: ")
    assert run("tools", "call", "add", "--json", '{"a": 5, "b": 1}', "b=2").stdout == '{"a": 5, "b": 2}\n'
    whole = json.loads(run("tools", "call", "add", "a=1", "--format", "json").stdout)
    assert whole["content"] == [{"type": "text", "text": '{"a": 1}'}]


@pytest.mark.usefixtures("enabled")
def test_a_call_that_fails(run: Run) -> None:
    result = run("tools", "call", "fail", "q=1")
    assert (result.returncode, result.stdout) == (1, "")
    assert 'docker-mcp: error calling tool: fail\n{"q": "1"}\n' in result.stderr


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "no tool name provided."),
        (["ad"], 1, "tool ad not found. Did you mean add?"),
        (["add", "a=two"], 2, "the argument a must be an integer, not 'two'"),
        (["add", "--json", "[1]"], 2, "--json must be an object."),
        (["add", "--json", "{"], 2, "--json is not valid JSON"),
    ],
)
def test_a_wrong_call_is_refused(run: Run, arguments: list[str], code: int, sentence: str) -> None:
    result = run("tools", "call", *arguments)
    assert result.returncode == code
    assert refusal(result).startswith(sentence)


@pytest.mark.usefixtures("enabled")
def test_flags_of_the_gateway_are_passed_on(run: Run) -> None:
    result = run("tools", "count", "--gateway-arg", "--tools", "--gatewayArg=tiny:add", "--version", "2", "--verbose")
    assert result.stdout == "6 tools\n"
    wrong = run("tools", "count", "--gateway-arg=--nonsense")
    assert wrong.returncode == 2
    assert refusal(wrong).startswith("unknown option --nonsense.")
    assert refusal(run("tools", "ls", "--gateway-arg=--keep")).startswith("--keep is not available")


@pytest.mark.usefixtures("enabled")
async def test_the_running_gateway_is_asked_when_there_is_one(
    run: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with running(GatewayOptions(tools=("add",)), Paths.of_user(environment)) as application:
        await application.publish_locally()
        status = await asyncio.to_thread(run, "gateway", "status")
        assert status.returncode == 0
        assert status.stdout.startswith(("unix:", "127.0.0.1:"))
        assert (await asyncio.to_thread(run, "tools", "count")).stdout == "6 tools\n"
        assert (await asyncio.to_thread(run, "tools", "call", "add", "a=4")).stdout == '{"a": 4}\n'
        own = await asyncio.to_thread(run, "tools", "count", "--gateway-arg=--servers=tiny")
        assert own.stdout == "2 tools\n"
        refused = await asyncio.to_thread(run, "tools", "inspect", "fail")
        assert refusal(refused).startswith("tool fail not found")
        offered = await asyncio.to_thread(run, "__completeNoDesc", "tools", "call", "")
        assert {"add", "mcp-find"} <= set(offered.stdout.splitlines())
        assert "fail" not in offered.stdout.splitlines()
        words = await asyncio.to_thread(run, "__completeNoDesc", "tools", "call", "mcp-find", "")
        assert words.stdout.splitlines() == ["query=", "limit=", ":6"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["count=5", "share=0.5", "deep=true", "name=5"], {"count": 5, "share": 0.5, "deep": True, "name": "5"}),
        (["share=3"], {"share": 3}),
        (["tags=a"], {"tags": ["a"]}),
        (["tags=a", "tags=b"], {"tags": ["a", "b"]}),
        (["tags=a,b"], {"tags": ["a,b"]}),
        (["numbers=1", "numbers=2"], {"numbers": [1, 2]}),
        (["numbers=[1, 2]"], {"numbers": [1, 2]}),
        (['options={"a": [1]}'], {"options": {"a": [1]}}),
        (["nothing=null", "maybe=null", "either=null"], {"nothing": None, "maybe": None, "either": None}),
        (["maybe=7", "either=7"], {"maybe": 7, "either": "7"}),
        (["one_or_more=x"], {"one_or_more": "x"}),
        (["level=3", "any=3"], {"level": 3, "any": "3"}),
        (["name", "unknown=1", "name2=a=b"], {"name": None, "unknown": "1", "name2": "a=b"}),
        (["unknown=1", "unknown=2"], {"unknown": ["1", "2"]}),
        (["name="], {"name": ""}),
        ([], {}),
    ],
)
def test_words_become_what_the_schema_asks_for(words: list[str], wanted: dict[str, Any]) -> None:
    found = tool_arguments(words, SCHEMA)
    assert found == wanted
    assert [type(value) for value in found.values()] == [type(value) for value in wanted.values()]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("count=1.5", "the argument count must be an integer, not '1.5'"),
        ("share=inf", "the argument share must be a number, not 'inf'"),
        ("deep=yes", "the argument deep must be a boolean, not 'yes'"),
        ("options=[1]", "the argument options must be a JSON object, not '[1]'"),
        ("numbers=x", "the argument numbers must be an array of values of the type integer, not 'x'"),
        ("maybe=x", "the argument maybe must be null or an integer, not 'x'"),
        ("=x", "'=x' is not an argument"),
    ],
)
def test_words_that_do_not_fit_are_named(word: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        tool_arguments([word], SCHEMA)
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        ({"annotations": {"title": "A Title"}, "description": "x"}, "A Title"),
        ({"description": "One\n\n  two. Three"}, "One two."),
        ({"description": "One line\nends here.\nNot this"}, "One line ends here."),
        ({"description": "Version 1.2 of it\nReturns:\n a thing"}, "Version 1.2 of it"),
        ({}, ""),
    ],
)
def test_the_summary_of_a_tool(tool: dict[str, Any], wanted: str) -> None:
    assert summary(tool) == wanted


@pytest.mark.usefixtures("enabled")
def test_with_the_feature_tool_name_prefix_servers_names_stand_in_front(run: Run) -> None:
    run("feature", "enable", "tool-name-prefix")
    assert " - tiny__add - Adds two numbers." in run("tools", "ls").stdout.splitlines()
    assert run("tools", "call", "tiny__add", "a=4").stdout == '{"a": 4}\n'
    assert run("tools", "disable", "tiny__add").returncode == 0
    assert "tiny__add" not in run("tools", "ls").stdout
