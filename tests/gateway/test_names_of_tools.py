"""Exposed names: a tool keeps its own name unless two servers use it, or clients would refuse it."""

from __future__ import annotations

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.gateway.naming import LONGEST, Route, exposed_names

quick = settings(max_examples=60, deadline=None, database=None, derandomize=True)
LEGAL = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST}}}")
# Few letters, so that names collide often, and always some that nobody would expect.
words = st.one_of(
    st.sampled_from(
        ["t", "t.", "t_", "a__t", "b__t", "mcp-find", "x" * 45, "x" * 70, "x" * 69 + "y", "日本", "read file"]
    ),
    st.text(alphabet="ab_.-/ü ", min_size=1, max_size=60),
    st.text(min_size=1, max_size=80),
)
servers = st.sampled_from(["a", "b", "a.b", "a_b", "server-" + "long-" * 12, "p", "日"])
prefixes = st.sampled_from(["", "", "", "p", "prefix " * 12])
offers = st.dictionaries(st.builds(Route, servers, words), prefixes, max_size=20).map(lambda found: list(found.items()))
reserved_names = st.frozensets(st.sampled_from(["mcp-find", "t", "a__t"]))


def test_a_name_one_server_uses_stays_as_it_is() -> None:
    assert exposed_names([(Route("a", "read_file"), "")]) == {Route("a", "read_file"): "read_file"}


def test_characters_clients_refuse_become_underscores() -> None:
    assert exposed_names([(Route("a", "repo/search.code"), "")]) == {Route("a", "repo/search.code"): "repo_search_code"}


def test_a_name_too_long_for_clients_is_cut_and_ends_in_a_hash_that_stays_the_same() -> None:
    long = "x" * 80
    (name,) = exposed_names([(Route("a", long), "")]).values()
    assert name == "x" * (LONGEST - 9) + "_" + name[-8:]
    assert exposed_names([(Route("b", long), ""), (Route("b", "other"), "")])[Route("b", long)] == name
    assert len("mcp__mcp-gateway-2__" + name) == 64


def test_a_name_of_which_nothing_readable_is_left_becomes_a_hash() -> None:
    (name,) = exposed_names([(Route("a", "日本"), "")]).values()
    assert re.fullmatch(r"tool_[0-9a-f]{8}", name)


def test_a_name_several_servers_use_gets_the_server_in_front_for_each() -> None:
    names = exposed_names([(Route("a", "t"), ""), (Route("b", "t"), ""), (Route("b", "u"), "")])
    assert names == {Route("a", "t"): "a__t", Route("b", "t"): "b__t", Route("b", "u"): "u"}


def test_a_name_of_the_gateways_own_gets_the_server_in_front() -> None:
    assert exposed_names([(Route("a", "mcp-find"), "")], {"mcp-find"}) == {Route("a", "mcp-find"): "a__mcp-find"}


def test_a_prefix_of_the_catalog_is_always_there() -> None:
    assert exposed_names([(Route("a", "t"), "my")]) == {Route("a", "t"): "my__t"}


def test_a_tool_that_is_called_like_a_prefixed_one_keeps_its_name() -> None:
    names = exposed_names([(Route("a", "t"), ""), (Route("b", "t"), ""), (Route("c", "a__t"), "")])
    assert names[Route("c", "a__t")] == "a__t"
    assert len(set(names.values())) == 3


def test_nobody_can_take_the_name_another_tool_falls_back_to() -> None:
    offered = [(Route("a", "t"), ""), (Route("b", "t"), "")]
    squatted: set[str] = set()
    for number in range(20):
        names = exposed_names([*offered, *((Route("evil", name), "") for name in squatted)])
        assert len(set(names.values())) == len(names), number
        squatted |= {names[Route("a", "t")], names[Route("b", "t")]}


@quick
@given(offers, reserved_names)
def test_every_route_gets_a_legal_name_of_its_own(offered: list[tuple[Route, str]], reserved: frozenset[str]) -> None:
    names = exposed_names(offered, reserved)
    assert set(names) == {route for route, _ in offered}
    assert len(set(names.values())) == len(names)
    assert not reserved & set(names.values())
    assert all(LEGAL.fullmatch(name) for name in names.values())


@quick
@given(offers, reserved_names, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order(
    offered: list[tuple[Route, str]], reserved: frozenset[str], rnd: random.Random
) -> None:
    names = exposed_names(offered, reserved)
    shuffled = list(offered)
    rnd.shuffle(shuffled)
    assert exposed_names(shuffled, reserved) == names


@quick
@given(offers, reserved_names)
def test_another_name_changes_none_that_was_there(offered: list[tuple[Route, str]], reserved: frozenset[str]) -> None:
    names = exposed_names(offered, reserved)
    more = exposed_names([*offered, (Route("own", "only-here"), "")], reserved)
    assert more == {**names, Route("own", "only-here"): "only-here"}
