"""``docker-mcp catalog``: what is known, what is in it, and fetching the official one."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from desktop.catalog.official import fetch_official
from desktop.cli import catalog_fetching
from desktop.cli.main import main
from desktop.state import yaml_text
from tests.cli.conftest import TINY_CATALOG, Run, refusal


def test_no_catalog_is_known_at_first(run: Run) -> None:
    assert run("catalog", "ls").stdout == "No catalogs configured.\n"
    assert run("catalogs", "ls", "--json").stdout == '{"catalogs":{}}\n'


def test_the_list_is_sorted_and_its_json_is_one_line(run: Run, docker_mcp: Path) -> None:
    known = {
        "work": {"displayName": "Work", "url": "https://example.com/c.yaml", "lastUpdate": "2025-06-25T10:00:00+02:00"},
        "docker-mcp": {"displayName": "Docker MCP Catalog"},
    }
    (docker_mcp / "catalog.json").write_text(json.dumps({"catalogs": known}), "utf-8")
    assert run("catalog", "ls").stdout == "docker-mcp: Docker MCP Catalog\nwork: Work\n"
    shown = run("catalog", "ls", "--format", "json").stdout
    assert json.loads(shown) == {"catalogs": known}
    assert shown.count("\n") == 1


def test_the_official_catalog_is_shown_by_default(run: Run, docker_mcp: Path) -> None:
    result = run("catalog", "show")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:4] == [
        "Docker MCP Catalog (3 servers)", "", "  boxed", "    Needs a container, a secret and a value.",
    ]  # fmt: skip


def test_the_starter_catalog_stands_in_and_says_so(run: Run) -> None:
    result = run("catalog", "show")
    assert result.stdout.startswith("Starter (")
    assert "starter catalog" in result.stderr


def test_a_whole_catalog_as_json_and_yaml(run: Run, docker_mcp: Path) -> None:
    assert run("catalog", "show", "docker-mcp", "--format", "yaml").stdout == TINY_CATALOG
    shown = json.loads(run("catalog", "show", "--format=json").stdout)
    assert shown == yaml_text.parse(TINY_CATALOG, "")


def test_an_unknown_catalog_is_named(run: Run, docker_mcp: Path) -> None:
    result = run("catalog", "show", "docker-mpc")
    assert result.returncode == 1
    assert refusal(result) == 'catalog "docker-mpc" not found. Did you mean docker-mcp?'


def test_a_broken_index_is_named_with_its_place(run: Run, docker_mcp: Path) -> None:
    (docker_mcp / "catalog.json").write_text('{"catalogs": {', "utf-8")
    assert refusal(run("catalog", "ls")).startswith(f"{docker_mcp / 'catalog.json'}, line 1, column 15: ")


def test_without_a_network_the_reason_is_one_sentence(run: Run, docker_mcp: Path) -> None:
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    result = run("catalog", "update", more=proxy)
    assert result.returncode == 1
    assert refusal(result).startswith("The catalog https://desktop.docker.com/mcp/catalog/v3/catalog.yaml can't be")
    assert (docker_mcp / "catalogs" / "docker-mcp.yaml").read_text("utf-8") == TINY_CATALOG


def test_fetching_puts_the_official_catalog_in_place(
    served: str,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(catalog_fetching, "fetch_official", functools.partial(fetch_official, url=served))
    assert main(["catalog", "init"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "The official catalog is here, with 3 servers.\n")
    assert (tmp_path / ".docker/mcp/catalogs/docker-mcp.yaml").read_text("utf-8") == TINY_CATALOG
    assert main(["catalog", "update", "docker-mcp"]) == 0
    assert capsys.readouterr().out in ("updated: docker-mcp\n", "unchanged: docker-mcp\n")
    assert main(["catalog", "ls"]) == 0
    assert capsys.readouterr().out == "docker-mcp: Docker MCP Catalog\n"


def test_search_finds_servers_in_all_catalogs_best_first_typing_errors_forgiven(run: Run, docker_mcp: Path) -> None:
    found = json.loads(run("catalog", "search", "adds", "numbers", "--format", "json").stdout)
    assert found == [{"name": "tiny", "title": "Tiny", "description": "Adds numbers."}]
    assert run("catalog", "search", "nmubers").stdout == "  tiny\n    Adds numbers.\n"
    assert run("catalog", "search", "numbers of qqqqqq").stdout.startswith("  tiny\n")
    assert run("catalog", "search", "qqqqqq").stdout == "No server fits.\n"
    many = run("catalog", "search", "a", "--limit", "1")
    assert "more; see them with --limit" in many.stderr
    assert refusal(run("catalog", "search", "a", "--limit", "0")).startswith("--limit: '0' is not a number from 1")
