"""``docker-mcp tools``: list, count, inspect and call the tools that are offered."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser, closest, complain
from desktop.cli.tool_arguments import tool_arguments
from desktop.cli.tool_gateway import Ask, Work, ask_gateway
from desktop.errors import GatewayError, UsageError

__all__ = ["GROUP", "summary"]

Tool = dict[str, Any]
_HEADINGS: Final = ("Error Responses:", "Returns:")


def _shared_arguments(parser: Parser) -> None:
    parser.option("--format", choices=["list", "json"], default="list", help="list (default) or json")
    parser.option(
        "--gateway-arg",
        "--gatewayArg",
        dest="gateway_arguments",
        action="append",
        default=[],
        metavar="FLAG",
        help="a flag of gateway run; starts a gateway for this command",
    )
    parser.option("--version", help=argparse.SUPPRESS)
    parser.switch("verbose", "show what servers write to standard error")


def _list(arguments: argparse.Namespace) -> int:
    async def work(ask: Ask) -> int:
        tools = await _tools(ask)
        if arguments.format == "json":
            output.print_json(_with_origins(tools, await _origins(ask)))
            return 0
        print(f"{len(tools)} tools:")
        for tool in tools:
            print(output.printable(f" - {tool['name']} - {summary(tool)}"))
        return 0

    return _ask(work, arguments)


def _count(arguments: argparse.Namespace) -> int:
    async def work(ask: Ask) -> int:
        number = len(await _tools(ask))
        if arguments.format == "json":
            output.print_json({"count": number})
        else:
            print(f"{number} tools")
        return 0

    return _ask(work, arguments)


def _inspect_arguments(parser: Parser) -> None:
    _shared_arguments(parser)
    parser.add_argument("tool", metavar="TOOL", help="its name")


def _inspect(arguments: argparse.Namespace) -> int:
    async def work(ask: Ask) -> int:
        tool = _find(arguments.tool, await _tools(ask))
        origins = await _origins(ask)
        if arguments.format == "json":
            output.print_json(*_with_origins([tool], origins))
            return 0
        print(output.printable(f"Name: {tool['name']}\nDescription: {tool.get('description') or ''}"))
        if tool["name"] in origins:
            server, name = origins[tool["name"]]
            print(
                output.printable(f"Server: {server}" + (f", where it is called {name}" if name != tool["name"] else ""))
            )
        for name, schema in _properties(tool).items():
            kind = schema.get("type") or "string"
            shown = " or ".join(map(str, kind)) if isinstance(kind, list) else kind
            print(output.printable(f" - {name} ({shown}): {schema.get('description') or schema.get('title') or ''}"))
        return 0

    return _ask(work, arguments)


def _call_arguments(parser: Parser) -> None:
    _shared_arguments(parser)
    parser.option("--json", metavar="OBJECT", help="the arguments as a JSON object")
    parser.add_argument("tool", metavar="TOOL", nargs="?", help="its name")
    parser.add_argument("words", metavar="KEY=VALUE", nargs="*", help="an argument; repeat a key to make a list")


def _call(arguments: argparse.Namespace) -> int:
    if not arguments.tool:
        raise UsageError("no tool name provided", "See docker-mcp tools ls")

    async def work(ask: Ask) -> int:
        tool = _find(arguments.tool, await _tools(ask))
        values = tool_arguments(arguments.words, tool.get("inputSchema") or {}, arguments.json)
        begun = time.monotonic()
        try:
            result = await ask("tools/call", {"name": tool["name"], "arguments": values})
        except GatewayError as error:
            raise GatewayError(f"error calling tool {tool['name']}: {error.message}", error.hint) from error
        output.remark(f"Tool call took: {output.duration(time.monotonic() - begun)}")
        return _print_result(tool["name"], result, as_json=arguments.format == "json")

    return _ask(work, arguments)


def _print_result(name: str, result: dict[str, Any], *, as_json: bool) -> int:
    content = result.get("content") or []
    texts = [str(item.get("text", "")) for item in content if item.get("type") == "text"]
    failed = bool(result.get("isError"))
    if failed:
        complain(f"error calling tool: {name}" + "".join(f"\n{output.printable(text)}" for text in texts))
    if as_json:
        output.print_json(result)
        return int(failed)
    for item in content:
        if item.get("type") != "text":
            output.print_json(item)
        elif not failed:
            print(output.printable(str(item.get("text", ""))))
    if not content and "structuredContent" in result:
        output.print_json(result["structuredContent"])
    return int(failed)


def _ask(work: Work, arguments: argparse.Namespace) -> int:
    return ask_gateway(work, arguments.gateway_arguments, is_verbose=arguments.verbose)


async def _tools(ask: Ask) -> list[Tool]:
    result = await ask("tools/list", {})
    return [tool for tool in result.get("tools") or [] if isinstance(tool, dict)]


async def _origins(ask: Ask) -> dict[str, tuple[str, str]]:
    """Name -> server and name there; the gateway's own tools have none."""
    result = await ask("mcp-gateway/names", {})
    return {name: (str(server), str(tool)) for name, (server, tool) in result["tools"].items()}


def _with_origins(tools: Iterable[Tool], origins: Mapping[str, tuple[str, str]]) -> list[Tool]:
    """The tools with where each comes from, under a key of ours in ``_meta``."""
    found = []
    for tool in tools:
        if tool["name"] in origins:
            server, name = origins[tool["name"]]
            tool = {**tool, "_meta": {**(tool.get("_meta") or {}), "mcp-gateway": {"server": server, "name": name}}}
        found.append(tool)
    return found


def _find(name: str, tools: Iterable[Tool]) -> Tool:
    by_name = {tool["name"]: tool for tool in tools}
    if name in by_name:
        return by_name[name]
    # A name that several servers use is offered once for each of them, as server__name.
    same = sorted(known for known in by_name if known.endswith(f"__{name}"))
    meant = " or ".join(same) or closest(name, by_name)
    raise GatewayError(f"tool {name} not found", f"Did you mean {meant}?" if meant else "See docker-mcp tools ls")


def _properties(tool: Tool) -> dict[str, dict[str, Any]]:
    properties = (tool.get("inputSchema") or {}).get("properties") or {}
    return {name: schema if isinstance(schema, dict) else {} for name, schema in properties.items()}


def summary(tool: Tool) -> str:
    """The tool's title, else the first sentence of its description."""
    annotations = tool.get("annotations") or {}
    title = annotations.get("title") or tool.get("title")
    return str(title) if title else _first_sentence(str(tool.get("description") or ""))


def _first_sentence(text: str) -> str:
    sentence = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line in _HEADINGS:
            break
        if not line:
            continue
        sentence = f"{sentence} {line}".lstrip()
        before, stop, _ = sentence.partition(". ")
        if stop:
            return f"{before}."
        if sentence.endswith("."):
            break
    return sentence


def _choice_arguments(parser: Parser) -> None:
    parser.add_argument(
        "tools", metavar="TOOL", nargs="+", help="their names, as tools ls or the server itself has them"
    )
    parser.option("--server", metavar="SERVER", help="the server they are of; needed where several have such a tool")
    for name in ("--format", "--gateway-arg", "--gatewayArg", "--version"):  # the group's, which mean nothing here
        parser.option(name, help=argparse.SUPPRESS)
    parser.switch("verbose", None)


def _enable(arguments: argparse.Namespace) -> int:
    from desktop.cli.tool_choice import enable  # here, because asking the gateway needs no catalogs

    return enable(arguments)


def _disable(arguments: argparse.Namespace) -> int:
    from desktop.cli.tool_choice import disable

    return disable(arguments)


GROUP: Final = Group(
    "tools",
    "Tools of the enabled servers. The running gateway is asked; when none runs, one is started for the command.",
    (
        Command(("ls", "list"), "List the tools.", "--format json", _list, _shared_arguments),
        Command(("count",), "Count the tools.", "", _count, _shared_arguments),
        Command(("inspect",), "Show a tool and its arguments.", "search", _inspect, _inspect_arguments),
        Command(("call",), "Call a tool.", "search query='model context protocol'", _call, _call_arguments),
        Command(
            ("enable",),
            "Let tools be used again that were disabled.",
            "create_issue --server github-official",
            _enable,
            _choice_arguments,
        ),
        Command(
            ("disable",),
            "Let no client use these tools; the server's other ones stay.",
            "create_issue --server github-official",
            _disable,
            _choice_arguments,
        ),
    ),
    leading=frozenset({"--format", "--gateway-arg", "--gatewayArg", "--version"}),
)
