"""Everything the gateway offers at one moment: the lists as ready-made bytes, and where each name leads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.catalog.model import CatalogServer
from desktop.gateway.naming import Route, exposed_names
from desktop.gateway.own_tools import OwnTools
from desktop.gateway.tool_filter import ToolFilter
from desktop.policy.rules import NO_POLICY, Action, Policy
from desktop.servers.listing import Listing

__all__ = ["Offer", "build_offer", "renamed"]

_INSTRUCTIONS_LIMIT: Final = 4000
_URI_EXPRESSION: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The merged lists.

    Attributes:
        tools, prompts, resources, templates: Complete results of the four list methods, as JSON.
        tool_routes, prompt_routes, resource_routes: Exposed name or URI -> where it leads.
        template_routes: Patterns of resource templates, in order, each with the prefix we gave it and its server.
        template_names: Exposed URI template -> where it leads, for completion.
        ambiguous, ambiguous_prompts: A name several servers use -> the exposed names to choose from.
        asked: The tools the person is to be asked about before each call: exposed name -> where it leads.
        instructions: What servers say about themselves, each under its name.
    """

    tools: bytes = b'{"tools":[]}'
    prompts: bytes = b'{"prompts":[]}'
    resources: bytes = b'{"resources":[]}'
    templates: bytes = b'{"resourceTemplates":[]}'
    tool_routes: Mapping[str, Route] = field(default_factory=dict)
    prompt_routes: Mapping[str, Route] = field(default_factory=dict)
    resource_routes: Mapping[str, Route] = field(default_factory=dict)
    template_routes: Sequence[tuple[re.Pattern[str], str, str]] = ()
    template_names: Mapping[str, Route] = field(default_factory=dict)
    ambiguous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ambiguous_prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: Mapping[str, Route] = field(default_factory=dict)
    instructions: str = ""

    def differences(self, other: Offer) -> list[str]:
        """Which lists differ from another offer's, by the names MCP gives their notifications."""
        if self is other:
            return []
        pairs = {
            "tools": (self.tools, other.tools),
            "prompts": (self.prompts, other.prompts),
            "resources": ((self.resources, self.templates), (other.resources, other.templates)),
        }
        return [name for name, (mine, theirs) in pairs.items() if mine != theirs]

    def resource_route(self, uri: str) -> Route | None:
        """The server of a resource: listed under this URI, else the first template that matches it."""
        route = self.resource_routes.get(uri)
        if route is not None:
            return route
        for pattern, prefix, server in self.template_routes:
            if pattern.fullmatch(uri):
                return Route(server, uri.removeprefix(prefix))
        return None


def build_offer(
    servers: Iterable[tuple[CatalogServer, Listing]],
    allowed: ToolFilter,
    *,
    policy: Policy = NO_POLICY,
    own: OwnTools | None = None,
    hidden: Collection[str] = (),
    with_server_names: bool = False,
) -> Offer:
    """Merge listings. Deterministic: servers in the order of their names, entries in the order of their server.

    Args:
        servers: Each with what it offers.
        allowed: The person's choice of tools.
        policy: Their policy; tools it denies are left out.
        own: The gateway's own tools and prompts, listed first.
        hidden: Names of servers whose tools and prompts can be called but are in no list.
        with_server_names: Put the server's name before each of its tools, not only where names collide (spec 3.4).
    """
    own = own or OwnTools()
    ordered = sorted(servers, key=lambda pair: pair[0].name)
    tools = [
        (Route(server.name, name), server.prefix or (server.name if with_server_names else ""), entry)
        for server, listing in ordered
        for name, entry in _named(listing.tools, "name")
        if allowed(server, name)
    ]
    actions = _actions(policy, tools)
    tools = [tool for tool in tools if actions.get(tool[0]) is not Action.DENY]
    prompts = [
        (Route(server.name, name), "", entry)
        for server, listing in ordered
        for name, entry in _named(listing.prompts, "name")
    ]
    tool_names = exposed_names(((route, prefix) for route, prefix, _ in tools), own.reserved)
    prompt_names = exposed_names(((route, prefix) for route, prefix, _ in prompts), own.reserved)
    resources = _merged_uris(ordered, lambda listing: listing.resources, "uri")
    templates = _merged_uris(ordered, lambda listing: listing.templates, "uriTemplate")

    def shown(entries: Iterable[tuple[Route, str, Raw]], names: Mapping[Route, str]) -> list[Raw]:
        return [
            renamed(entry, "name", route.name, names[route])
            for route, _, entry in entries
            if route.server not in hidden
        ]

    def shown_uris(entries: Mapping[str, tuple[Route, Raw]], key: str) -> list[Raw]:
        return [
            renamed(entry, key, route.name, uri)
            for uri, (route, entry) in entries.items()
            if route.server not in hidden
        ]

    return Offer(
        tools=_list("tools", [*own.listed_tools, *shown(tools, tool_names)]),
        prompts=_list("prompts", [*own.listed_prompts, *shown(prompts, prompt_names)]),
        resources=_list("resources", shown_uris(resources, "uri")),
        templates=_list("resourceTemplates", shown_uris(templates, "uriTemplate")),
        tool_routes={name: route for route, name in tool_names.items()},
        prompt_routes={name: route for route, name in prompt_names.items()},
        resource_routes={uri: route for uri, (route, _) in resources.items()},
        template_routes=[
            (_pattern(uri), uri.removesuffix(route.name), route.server) for uri, (route, _) in templates.items()
        ],
        template_names={uri: route for uri, (route, _) in templates.items()},
        ambiguous=_ambiguous(tool_names),
        asked={name: route for route, name in tool_names.items() if actions.get(route) is Action.ASK},
        ambiguous_prompts=_ambiguous(prompt_names),
        instructions=_instructions(ordered),
    )


class _Hints(msgspec.Struct):
    readOnlyHint: Any = None
    destructiveHint: Any = None


class _Annotated(msgspec.Struct):
    annotations: _Hints | None = None


_annotated = msgspec.json.Decoder(_Annotated)


def _actions(policy: Policy, tools: Iterable[tuple[Route, str, Raw]]) -> dict[Route, Action]:
    """What the policy says of each tool; empty when it says nothing of tools."""
    if not policy.decides_on_tools:
        return {}
    actions = {}
    for route, _, entry in tools:
        try:
            hints = _annotated.decode(entry).annotations or _Hints()
        except msgspec.MsgspecError:  # a server may call anything its annotations
            hints = _Hints()
        actions[route] = policy.on_tool(
            route.server,
            route.name,
            read_only=hints.readOnlyHint is True,
            destructive=hints.destructiveHint is True,
        )
    return actions


def _named(entries: Iterable[Raw], key: str) -> Iterable[tuple[str, Raw]]:
    seen: set[str] = set()
    for entry in entries:
        name = jsonrpc.decode(jsonrpc.fields(entry)[key])
        if name not in seen:  # a server that lists a name twice means the first
            seen.add(name)
            yield name, entry


def _merged_uris(
    ordered: Sequence[tuple[CatalogServer, Listing]], entries_of: Callable[[Listing], list[Raw]], key: str
) -> dict[str, tuple[Route, Raw]]:
    """URIs over all servers; where two servers have the same, the later one's gets its server's name as scheme prefix."""
    merged: dict[str, tuple[Route, Raw]] = {}
    for server, listing in ordered:
        for uri, entry in _named(entries_of(listing), key):
            exposed = uri
            while exposed in merged:
                exposed = f"{_scheme(server.name)}+{exposed}"
            merged[exposed] = (Route(server.name, uri), entry)
    return merged


def _scheme(server: str) -> str:
    """A server's name with what a URI scheme may hold (RFC 3986, section 3.1); it begins with a letter."""
    name = re.sub(r"[^a-z0-9.-]", "-", server.lower())
    return name if name[:1].isalpha() else f"s{name}"


def renamed(entry: Raw, key: str, old: str, new: str) -> Raw:
    """A definition under another name; every other byte stays."""
    if old == new:
        return entry
    members = jsonrpc.fields(entry)
    members[key] = Raw(jsonrpc.encode(new))
    return Raw(jsonrpc.encode(members))


def _list(member: str, entries: Sequence[Raw]) -> bytes:
    return b'{"%b":[%b]}' % (member.encode(), b",".join(bytes(entry) for entry in entries))


def _pattern(template: str) -> re.Pattern[str]:
    """A URI template (RFC 6570) as a pattern: every expression stands for any text without white space.

    The groups are atomic, so that matching takes no more than linear time per expression whatever a server has written.
    """
    first, *rest = [re.escape(part) for part in _URI_EXPRESSION.split(template)]
    if not rest:
        return re.compile(first)
    return re.compile(first + "".join(rf"(?>\S*?{part})" for part in rest[:-1]) + rf"\S*{rest[-1]}")


def _ambiguous(names: Mapping[Route, str]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for route, exposed in names.items():
        if exposed != route.name:
            groups[route.name].append(exposed)
    taken = set(names.values())
    return {name: tuple(sorted(group)) for name, group in groups.items() if name not in taken}


def _instructions(ordered: Sequence[tuple[CatalogServer, Listing]]) -> str:
    parts = [
        f"## {server.title or server.name}\n{listing.instructions.strip()[:_INSTRUCTIONS_LIMIT]}"
        for server, listing in ordered
        if listing.instructions.strip()
    ]
    return "\n\n".join(parts)
