"""``docker-mcp policy``: the policy as a text, and the consents given."""

from __future__ import annotations

import json
from collections.abc import Mapping

from desktop.policy.consent import ConsentStore
from desktop.state.paths import Paths
from tests.cli.conftest import Run

RULES = "my-secret allows postgres\n# mine\ndeny tool *:delete_*"


def test_set_and_dump_round_trip_from_an_argument_and_from_standard_input(run: Run) -> None:
    assert run("policy", "dump").stdout == ""
    assert run("policy", "set", RULES).returncode == 0
    dumped = run("policy", "dump").stdout
    assert dumped == RULES
    assert run("policies", "set", given=dumped + "\n").returncode == 0
    assert run("policy", "dump").stdout == RULES + "\n"


def test_a_policy_that_cannot_be_understood_is_refused_with_its_line(run: Run) -> None:
    run("policy", "set", RULES)
    refused = run("policy", "set", "my-secret allows postgres\nmy-secret for postgres")
    assert refused.returncode == 1
    assert "policy.txt, line 2: a rule is" in refused.stderr
    assert run("policy", "dump").stdout == RULES


def test_consents_are_listed_and_taken_back_by_their_number(run: Run, environment: Mapping[str, str]) -> None:
    store = ConsentStore(Paths.of_user(environment).consents)
    assert "nothing yet" in run("policy", "consents").stdout
    store.grant("run-without-container", "time")
    store.grant("mount", "files: read the folder /data")
    listed = json.loads(run("policy", "consents", "--json").stdout)
    assert [item["subject"] for item in listed] == ["time", "files: read the folder /data"]
    assert run("policy", "revoke", "3").returncode == 1
    assert run("policy", "revoke").returncode == 2
    assert run("policy", "revoke", "1").returncode == 0
    assert [item.kind for item in store.all()] == ["mount"]
    assert run("policy", "revoke", "--all").returncode == 0
    assert store.all() == ()
