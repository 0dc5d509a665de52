"""``docker-mcp registry convert`` and ``catalog import --mcp-registry``, with a registry on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.state import yaml_text
from tests.cli.conftest import Run, refusal
from tests.helpers.registry import Registry, registry


@pytest.fixture
def web() -> Iterator[Registry]:
    with registry() as state:
        state.servers = [document("io.test/one"), document("io.test/two"), document("io.test/other", kind="nuget")]
        yield state


def document(name: str, kind: str = "oci") -> dict[str, Any]:
    package = {"registryType": kind, "identifier": "example/it", "version": "1", "transport": {"type": "stdio"}}
    return {"name": name, "version": "1.0.0", "packages": [package]}


def test_a_document_is_converted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(json.dumps(document("io.test/one")), "utf-8")
    shown = run("registry", "convert", "--file", "server.json")
    assert json.loads(shown.stdout)["image"] == "example/it:1"
    assert "registryUrl" not in json.loads(shown.stdout)["metadata"]
    as_yaml = run("registry", "convert", "--file", "-", "--format", "yaml", given=json.dumps(document("io.test/one")))
    assert yaml_text.parse(as_yaml.stdout, "") == json.loads(shown.stdout)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "server.json: this is not valid JSON (input data was truncated)"),
        ("{}", "This is no server.json of a registry, it names no server. "),
        (json.dumps(document("io.test/x", "nuget")), "The server io.test/x is incompatible: it has nuget with stdio. "),
    ],
)
def test_what_can_not_be_converted_is_one_sentence(run: Run, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "server.json").write_text(text, "utf-8")
    assert refusal(run("registry", "convert", "--file", "server.json")).startswith(sentence)


def test_the_group_is_hidden_from_help(run: Run) -> None:
    assert "registry" not in run("--help").stdout
    assert "registry" in run("--help", more={"DOCKER_MCP_SHOW_HIDDEN": "1"}).stdout


def test_a_registry_becomes_a_catalog(run: Run, web: Registry, docker_mcp: Path) -> None:
    dry = run("catalog", "import", "mine", "--mcp-registry", web.base, "--dry-run")
    assert sorted(yaml_text.parse(dry.stdout, "")["registry"]) == ["io-test-one", "io-test-two"]
    assert 'would be imported into the catalog "mine", 1 can\'t be run from here' in dry.stderr
    assert not (docker_mcp / "catalogs" / "mine.yaml").exists()
    done = run("catalog", "import", "mine", "--mcp-registry", web.base)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "docker-mcp: The server io.test/other is incompatible: it has nuget with stdio.",
        'Imported 2 servers into the catalog "mine", 1 can\'t be run from here.',
    ]
    assert run("server", "enable", "io-test-one").returncode == 0


def test_one_server_is_added_to_a_catalog_and_its_comments_stay(run: Run, web: Registry, docker_mcp: Path) -> None:
    run("catalog", "create", "mine")
    file = docker_mcp / "catalogs" / "mine.yaml"
    file.write_text(file.read_text("utf-8") + "# a comment\nregistry:\n  a: {image: b}  # another\n", "utf-8")
    assert run("catalog", "import", "mine", "--mcp-registry", web.url_of("io.test/two")).returncode == 0
    text = file.read_text("utf-8")
    assert list(yaml_text.parse(text, "")["registry"]) == ["a", "io-test-two"]
    assert "# a comment" in text
    assert "# another" in text


def test_without_a_name_the_catalog_is_called_after_the_host(run: Run, web: Registry, docker_mcp: Path) -> None:
    run("catalog", "import", "--mcp-registry", web.base)
    assert yaml_text.parse((docker_mcp / "catalogs" / "127.0.0.1.yaml").read_text("utf-8"), "")["name"] == "127.0.0.1"


def test_imports_that_can_not_be_are_refused(run: Run, web: Registry, docker_mcp: Path) -> None:
    assert refusal(run("catalog", "import")).startswith("which catalog is to be imported?")
    told = refusal(run("catalog", "import", "docker-mcp", "--mcp-registry", web.base))
    assert told.startswith('catalog "docker-mcp" is managed by Docker')
    web.servers = []
    assert "has no server that can be run" in refusal(run("catalog", "import", "x", "--mcp-registry", web.base))
    web.answers["/v0/servers"] = (503, b"")
    assert "it answered 503 Service Unavailable" in refusal(run("catalog", "import", "x", "--mcp-registry", web.base))


def test_a_gateway_runs_a_server_of_a_registry(run: Run, web: Registry, docker_mcp: Path) -> None:
    told = run("gateway", "run", "--dry-run", "--mcp-registry", web.url_of("io.test/one")).stderr
    assert "- Those servers are enabled: io-test-one\n" in told
