"""The policy's text decides which server gets a secret and what happens to a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.policy.rules import NO_POLICY, Action, PolicySyntaxError, parse_policy, rules_about


def action(text: str, server: str, tool: str, *, read_only: bool = False, destructive: bool = False) -> Action:
    return parse_policy(text).on_tool(server, tool, read_only=read_only, destructive=destructive)


def test_without_rules_declared_secrets_are_given_and_every_tool_is_allowed() -> None:
    assert NO_POLICY == parse_policy("") == parse_policy("\n# nothing yet\n   \n")
    assert NO_POLICY.may_have("any.secret", "server", "")
    assert NO_POLICY.on_tool("server", "tool", read_only=False, destructive=True) is Action.ALLOW
    assert not NO_POLICY.decides_on_tools


@pytest.mark.parametrize(
    ("target", "server", "image", "given_away"),
    [
        ("postgres", "postgres", "mcp/postgres@sha256:ab", True),
        ("POSTGRES", "postgres", "", True),
        ("postgres", "postgres2", "mcp/pg", False),
        ("mcp/postgres", "pg", "mcp/postgres@sha256:ab", True),
        ("mcp/postgres", "pg", "mcp/postgres:1.2", True),
        ("mcp/postgres", "pg", "mcp/postgres:1.2@sha256:ab", True),
        ("mcp/postgres:1.2", "pg", "mcp/postgres:1.2@sha256:ab", True),
        ("mcp/postgres:1.3", "pg", "mcp/postgres:1.2", False),
        ("registry.example:5000/pg", "pg", "registry.example:5000/pg", True),
        ("mcp/*", "pg", "mcp/postgres", True),
        ("*", "anything", "", True),
        ("post?res", "postgres", "", True),
        ("postgres.x", "postgres-x", "", False),
    ],
)
def test_a_secret_named_by_a_rule_goes_only_to_the_servers_and_images_it_names(
    target: str, server: str, image: str, given_away: bool
) -> None:
    policy = parse_policy(f"pg.password allows {target}")
    assert policy.may_have("pg.password", server, image) is given_away
    assert policy.may_have("other.secret", "whoever", "")


def test_several_rules_for_a_secret_add_up_and_stars_name_all_secrets() -> None:
    policy = parse_policy("k allows a\nk allows b\n* allows c # the rest\n")
    assert [policy.may_have("k", server, "") for server in "abcd"] == [True, True, True, False]
    assert [policy.may_have("other", server, "") for server in "abcd"] == [False, False, True, False]


def test_of_the_rules_for_tools_the_first_that_fits_decides() -> None:
    text = "allow tool github:list_*\ndeny tool github:*\nask tool delete_*\ndefault tool allow\n"
    assert action(text, "github", "list_issues") is Action.ALLOW
    assert action(text, "GitHub", "delete_repo") is Action.DENY
    assert action(text, "files", "Delete_File") is Action.ASK
    assert action(text, "files", "read") is Action.ALLOW


@pytest.mark.parametrize(
    ("default", "read_only", "destructive", "expected"),
    [
        ("hints", True, False, Action.ALLOW),
        ("hints", False, True, Action.ASK),
        ("hints", True, True, Action.ALLOW),
        ("hints", False, False, Action.ALLOW),
        ("ask", True, False, Action.ASK),
        ("deny", True, False, Action.DENY),
        ("allow", False, True, Action.ALLOW),
    ],
)
def test_what_no_rule_fits_goes_by_the_default(
    default: str, read_only: bool, destructive: bool, expected: Action
) -> None:
    text = f"allow tool known\ndefault tool {default}"
    assert action(text, "s", "t", read_only=read_only, destructive=destructive) is expected
    assert action(text, "s", "known", destructive=True) is Action.ALLOW


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("k allows", 1, "a rule is"),
        ("# fine\n\nk permits s", 3, "a rule is"),
        ("deny github:*", 1, "after 'deny' stands 'tool'"),
        ("allow tool a b", 1, "after 'allow' stands 'tool'"),
        ("default tool maybe", 1, "after 'default tool' stands"),
        ("x" * 1_000_001, 1, "longer than"),
    ],
)
def test_a_line_that_is_no_rule_is_named(text: str, line: int, reason: str) -> None:
    with pytest.raises(PolicySyntaxError) as caught:
        parse_policy(text)
    assert caught.value.line == line
    assert reason in caught.value.reason


def test_matching_a_pattern_of_many_stars_takes_no_exponential_time() -> None:
    policy = parse_policy("deny tool " + "*a" * 200 + "b")
    assert policy.on_tool("s", "a" * 5000, read_only=False, destructive=False) is Action.ALLOW


@given(
    name=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=20)
    .map(lambda text: text.replace("#", "").replace(":", "").replace("*", "").replace("?", ""))
    .filter(bool)
)
def test_a_name_without_stars_fits_itself_alone(name: str) -> None:
    policy = parse_policy(f"deny tool {name}")
    assert policy.on_tool("s", name, read_only=False, destructive=False) is Action.DENY
    assert policy.on_tool("s", f"{name}x", read_only=False, destructive=False) is Action.ALLOW
    assert policy.on_tool("s", f"x{name}", read_only=False, destructive=False) is Action.ALLOW


def test_the_rules_about_a_server_are_those_that_may_decide_on_it() -> None:
    text = (
        "# mine\ngithub.token  allows github # c\nslack.* allows slack\n"
        "deny tool *:delete_*\nask tool slack:*\ndefault tool hints\n"
    )
    about = rules_about(text, server="github", secrets=["github.token"], tools=["delete_repo"])
    assert about == ("github.token allows github", "deny tool *:delete_*", "default tool hints")
    assert rules_about(text, server="time", secrets=[], tools=["now"]) == ("default tool hints",)
    assert "deny tool *:delete_*" in rules_about(text, server="time", secrets=[], tools=[])
