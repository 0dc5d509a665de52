"""The offer: lists of many servers merged into one, and where each name and URI leads."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from desktop.catalog.model import CatalogServer
from desktop.gateway.naming import Route
from desktop.gateway.offer import Offer, build_offer
from desktop.gateway.tool_filter import ToolFilter, tool_filter
from desktop.servers.listing import Listing

EVERYTHING: ToolFilter = tool_filter((), {})


def raws(entries: Any) -> list[Raw]:
    return [Raw(entry if isinstance(entry, bytes) else json.dumps(entry).encode()) for entry in entries]


def listed(name: str, *, instructions: str = "", **lists: Any) -> tuple[CatalogServer, Listing]:
    listing = Listing(**{key: raws(entries) for key, entries in lists.items()}, instructions=instructions)
    return CatalogServer(name=name, title=name.title()), listing


def offer(*servers: tuple[CatalogServer, Listing], allowed: ToolFilter = EVERYTHING) -> Offer:
    return build_offer(servers, allowed)


def names(data: bytes, member: str, key: str) -> list[str]:
    return [entry[key] for entry in json.loads(data)[member]]


def test_entries_pass_with_every_byte_when_their_name_stays() -> None:
    entry = b'{"name":"t","inputSchema":{"maximum":1e400},"x-vendor":{"v":1.0},"annotations":{"a":"\\u00e9"}}'
    assert offer(listed("a", tools=[entry])).tools == b'{"tools":[' + entry + b"]}"


def test_all_four_lists_are_merged_in_the_order_of_the_servers() -> None:
    merged = offer(
        listed("b", tools=[{"name": "tb"}], prompts=[{"name": "pb"}], resources=[{"uri": "x://b"}]),
        listed("a", tools=[{"name": "ta"}], prompts=[{"name": "pa"}], templates=[{"uriTemplate": "x://{a}"}]),
    )
    assert names(merged.tools, "tools", "name") == ["ta", "tb"]
    assert names(merged.prompts, "prompts", "name") == ["pa", "pb"]
    assert names(merged.resources, "resources", "uri") == ["x://b"]
    assert names(merged.templates, "resourceTemplates", "uriTemplate") == ["x://{a}"]
    assert merged.tool_routes == {"ta": Route("a", "ta"), "tb": Route("b", "tb")}
    assert merged.prompt_routes["pa"] == Route("a", "pa")


def test_nothing_listed_gives_empty_lists() -> None:
    empty = offer()
    assert [json.loads(data) for data in (empty.tools, empty.prompts, empty.resources, empty.templates)] == [
        {"tools": []},
        {"prompts": []},
        {"resources": []},
        {"resourceTemplates": []},
    ]


def test_a_renamed_tool_keeps_everything_else_and_says_which_names_to_choose_from() -> None:
    entry = b'{"name":"t","x-vendor":1e400}'
    merged = offer(listed("a", tools=[entry]), listed("b", tools=[{"name": "t"}]))
    assert b'"x-vendor":1e400' in merged.tools
    assert merged.tool_routes == {"a__t": Route("a", "t"), "b__t": Route("b", "t")}
    assert merged.ambiguous == {"t": ("a__t", "b__t")}


def test_ambiguous_prompts_and_ambiguous_tools_are_kept_apart() -> None:
    merged = offer(listed("a", prompts=[{"name": "p"}], tools=[{"name": "t"}]), listed("b", prompts=[{"name": "p"}]))
    assert (merged.ambiguous, merged.ambiguous_prompts) == ({}, {"p": ("a__p", "b__p")})


def test_a_server_that_lists_a_name_twice_means_the_first() -> None:
    merged = offer(listed("a", tools=[{"name": "t", "title": "1"}, {"name": "t", "title": "2"}]))
    assert [entry["title"] for entry in json.loads(merged.tools)["tools"]] == ["1"]


def test_colliding_uris_lead_to_their_own_servers() -> None:
    merged = offer(*(listed(name, resources=[{"uri": "file:///x", "from": name}]) for name in ("a", "b.c", "b c")))
    found = {entry["uri"]: entry["from"] for entry in json.loads(merged.resources)["resources"]}
    assert sorted(found.values()) == ["a", "b c", "b.c"]
    for uri, server in found.items():
        assert merged.resource_route(uri) == Route(server, "file:///x")


def test_servers_whose_names_look_alike_in_a_uri_lose_no_resource() -> None:
    merged = offer(*(listed(name, resources=[{"uri": "x://1"}]) for name in ("a", "b c", "b_c", "B-C")))
    routes = {uri: merged.resource_route(uri) for uri in names(merged.resources, "resources", "uri")}
    assert {route.server for route in routes.values() if route} == {"a", "b c", "b_c", "B-C"}


def test_a_prefixed_uri_begins_with_a_letter_as_a_scheme_must() -> None:
    merged = offer(listed("0ne", resources=[{"uri": "x://1"}]), listed("1password", resources=[{"uri": "x://1"}]))
    assert all(uri[0].isalpha() for uri in names(merged.resources, "resources", "uri"))


@pytest.mark.parametrize(
    ("template", "uri", "matches"),
    [
        ("file:///{path}", "file:///a/b", True),
        ("file:///{path}", "file:///", True),
        ("file:///{path}", "file:///a b", False),
        ("x://{a}/y/{b}", "x://1/y/2", True),
        ("x://{a}/y/{b}", "x://1/z/2", False),
        ("x://{a}/y/{b}/z", "x://1/y/y/2/z", True),
        ("x://{a}y{b}y{c}", "x://yyy", True),
        ("x://{a}yy", "x://y", False),
        ("x://list{?q,page}", "x://list?q=1", True),
        ("x://fixed", "x://fixed", True),
        ("x://fixed", "x://fixed2", False),
        ("x://a.c/{n}", "x://abc/1", False),
    ],
)
def test_a_template_matches(template: str, uri: str, matches: bool) -> None:
    route = offer(listed("a", templates=[{"uriTemplate": template}])).resource_route(uri)
    assert (route == Route("a", uri)) is matches


def test_a_resource_that_is_listed_goes_before_a_template_that_matches_it() -> None:
    merged = offer(listed("a", templates=[{"uriTemplate": "x://{n}"}]), listed("b", resources=[{"uri": "x://1"}]))
    assert merged.resource_route("x://1") == Route("b", "x://1")
    assert merged.resource_route("x://2") == Route("a", "x://2")


def test_a_colliding_template_leads_to_its_own_server_under_the_uri_that_server_knows() -> None:
    merged = offer(*(listed(name, templates=[{"uriTemplate": "x://{n}"}]) for name in ("a", "b")))
    assert names(merged.templates, "resourceTemplates", "uriTemplate") == ["x://{n}", "b+x://{n}"]
    assert merged.resource_route("x://1") == Route("a", "x://1")
    assert merged.resource_route("b+x://1") == Route("b", "x://1")
    assert merged.template_names["b+x://{n}"] == Route("b", "x://{n}")


def test_no_template_of_a_server_can_make_matching_slow() -> None:
    template = "x://" + "".join(f"{{a{n}}}a" for n in range(30)) + "!"
    merged = offer(listed("a", templates=[{"uriTemplate": template}]))
    start = time.process_time()
    assert merged.resource_route("x://" + "a" * 20_000) is None
    assert time.process_time() - start < 1


def test_instructions_stand_under_their_servers_names_and_have_a_limit() -> None:
    merged = offer(listed("a", instructions=" use me "), listed("b"), listed("c", instructions="x" * 10_000))
    assert merged.instructions.startswith("## A\nuse me\n\n## C\nxxx")
    assert len(merged.instructions) < 5000


def server(name: str = "s", image: str = "mcp/img:1") -> CatalogServer:
    return CatalogServer(name=name, image=image)


@pytest.mark.parametrize(
    ("patterns", "tool", "allowed"),
    [
        (("*",), "any", True),
        (("read",), "READ", True),
        (("READ",), "read", True),
        (("read",), "reader", False),
        (("s:read",), "read", True),
        (("s:*",), "anything", True),
        (("other:*",), "read", False),
        (("mcp/img:1:read",), "read", True),
        (("MCP/IMG:1:*",), "read", True),
        (("mcp/img:*",), "read", False),
        (("nothing", " read "), "read", True),
    ],
)
def test_a_pattern_of_the_command_line_lets_a_tool_pass(patterns: tuple[str, ...], tool: str, allowed: bool) -> None:
    assert tool_filter(patterns, {})(server(), tool) is allowed


def test_without_patterns_the_file_decides_and_a_server_it_does_not_name_has_all_its_tools() -> None:
    by_file = tool_filter((), {"s": frozenset({"read"}), "none": frozenset()})
    assert (by_file(server(), "read"), by_file(server(), "write"), by_file(server("none"), "x")) == (True, False, False)
    assert by_file(server("other"), "x")


def test_with_patterns_the_file_is_not_consulted() -> None:
    assert tool_filter(("*",), {"s": frozenset()})(server(), "read")


def test_an_image_pattern_means_nothing_to_a_server_without_an_image() -> None:
    assert not tool_filter((":*",), {})(server(image=""), "read")


def test_the_filter_sees_original_names_and_filtered_tools_collide_with_nothing() -> None:
    merged = offer(
        listed("a", tools=[{"name": "t"}]), listed("b", tools=[{"name": "t"}]), allowed=tool_filter(("a:t",), {})
    )
    assert merged.tool_routes == {"t": Route("a", "t")}


def test_every_tool_can_have_its_servers_name_in_front() -> None:
    prefixed = msgspec.structs.replace(server("b"), prefix="own")
    servers = [
        listed("a", tools=[{"name": "t"}], prompts=[{"name": "p"}]),
        (prefixed, listed("b", tools=[{"name": "t"}])[1]),
    ]
    found = build_offer(servers, EVERYTHING, with_server_names=True)
    assert names(found.tools, "tools", "name") == ["a__t", "own__t"]
    assert names(found.prompts, "prompts", "name") == ["p"]
    assert found.tool_routes["a__t"] == Route("a", "t")
