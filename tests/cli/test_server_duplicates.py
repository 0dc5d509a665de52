"""``docker-mcp server duplicate``: a second account of a service, and its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run, refusal

CATALOG = """\
name: docker-mcp
registry:
  github-official:
    title: GitHub
    image: example/github
    secrets: [{name: github.token, env: TOKEN}]
    tools: [{name: search}, {name: delete}]
    config: [{name: github-official, type: object, properties: {host: {type: string}}, required: [host]}]
    env: [{name: HOST, value: "{{github-official.host}}"}]
"""


@pytest.fixture(autouse=True)
def catalog(docker_mcp: Path) -> None:
    (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(CATALOG, "utf-8")
    (docker_mcp / "config.yaml").write_text("github-official:\n  host: example.com\n", "utf-8")
    (docker_mcp / "tools.yaml").write_text("github-official: [search]\n", "utf-8")


def test_a_server_is_enabled_twice_with_the_settings_it_had(run: Run, docker_mcp: Path) -> None:
    run("server", "enable", "github-official")
    assert run("server", "duplicate", "github-official", "github-work").returncode == 0
    rows = {row["name"]: row for row in json.loads(run("server", "ls", "--json").stdout)}
    assert sorted(rows) == ["github-official", "github-work"]
    assert rows["github-work"]["secrets"] == "required"
    assert rows["github-work"]["config"] == "done"
    shown = json.loads(run("server", "inspect", "github-work").stdout)
    assert [item["name"] for item in shown["secrets"]] == ["github-work.token"]
    assert yaml.safe_load((docker_mcp / "config.yaml").read_text("utf-8"))["github-work"] == {"host": "example.com"}
    assert yaml.safe_load((docker_mcp / "tools.yaml").read_text("utf-8"))["github-work"] == ["search"]


def test_its_secret_is_set_and_exported_by_its_own_name(run: Run, environment: dict[str, str]) -> None:
    environment["MCP_GATEWAY_PASSPHRASE"] = "correct horse"
    run("server", "duplicate", "github-official", "github-work")
    run("secret", "set", "github.token=mine")
    run("secret", "set", "github-work.token=theirs")
    exported = run("secret", "export", "github-official", "github-work").stdout
    assert exported == "github-work.token=theirs\ngithub.token=mine\n"


def test_a_duplicate_may_share_the_secret_and_be_duplicated_again(run: Run) -> None:
    run("server", "duplicate", "github-official", "second", "--secret", "github.token=github.token")
    run("server", "duplicate", "second", "third")
    names = {
        name: json.loads(run("server", "inspect", name).stdout)["secrets"][0]["name"] for name in ("second", "third")
    }
    assert names == {"second": "github.token", "third": "third.token"}


def test_a_dropped_duplicate_leaves_nothing_behind(run: Run, docker_mcp: Path) -> None:
    before = {file.name: file.read_text("utf-8") for file in docker_mcp.glob("*.yaml")}
    run("server", "duplicate", "github-official", "github-work")
    assert run("server", "drop", "github-work").returncode == 0
    assert "github-work" not in run("server", "ls").stdout
    after = {file.name: file.read_text("utf-8") for file in docker_mcp.glob("*.yaml")}
    assert {name: yaml.safe_load(text) for name, text in after.items() if name in before} == {
        name: yaml.safe_load(text) for name, text in before.items()
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["duplicate", "none", "x"], "server none not found in catalog"),
        (["duplicate", "github-official", "github-official"], "there is a server called github-official already"),
        (["duplicate", "github-official", "a b"], "a b can't be the name of a server"),
        (["duplicate", "github-official", "x", "--secret", "ghp_hush"], "--secret names a secret the server doesn't"),
        (["drop", "github-official"], "github-official is not a duplicate"),
    ],
)
def test_what_can_not_be_is_refused(run: Run, arguments: list[str], words: str) -> None:
    said = refusal(run("server", *arguments))
    assert said.startswith(words)
    assert "hush" not in said
