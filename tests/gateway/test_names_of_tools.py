"""Exposed names: a tool keeps its own name unless two servers use it."""

from __future__ import annotations

import random
import re

import pytest

from desktop.gateway.naming import Route, exposed_names

LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


def test_a_name_one_server_uses_stays_as_it_is() -> None:
    odd = "über.tool/" + "x" * 80
    names = exposed_names([(Route("a", "one"), ""), (Route("b", odd), "")])
    assert names == {Route("a", "one"): "one", Route("b", odd): odd}


def test_a_name_several_servers_use_gets_the_server_in_front_for_each() -> None:
    names = exposed_names([(Route("a", "t"), ""), (Route("b", "t"), ""), (Route("b", "u"), "")])
    assert names == {Route("a", "t"): "a__t", Route("b", "t"): "b__t", Route("b", "u"): "u"}


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


@pytest.mark.parametrize("seed", range(60))
def test_names_are_distinct_legal_stable_and_do_not_depend_on_the_order(seed: int) -> None:
    rnd = random.Random(seed)
    words = ["t", "t.", "t_", "a__t", "b__t", "x" * 62, "x" * 70, "x" * 69 + "y", "p__t", "ü", "日本", "read file"]
    servers = ["a", "b", "a.b", "a_b", "server-" + "long-" * 12, "p", "日"]
    prefixes = ["", "", "", "p", "prefix " * 12]
    routes = {Route(rnd.choice(servers), rnd.choice(words)) for _ in range(rnd.randint(1, 40))}
    offered = [(route, rnd.choice(prefixes)) for route in sorted(routes)]
    names = exposed_names(offered)
    assert set(names) == routes
    assert len(set(names.values())) == len(routes)
    users: dict[str, int] = {}
    for route, prefix in offered:
        users[route.name] = users.get(route.name, 0) + (not prefix)
    for route, prefix in offered:
        if prefix or users[route.name] > 1:
            assert LEGAL.fullmatch(names[route]) or names[route] == route.name
        if prefix:
            assert LEGAL.fullmatch(names[route])
    for _ in range(3):
        rnd.shuffle(offered)
        assert exposed_names(offered) == names
