"""``docker-mcp catalog``: importing, exporting, copying, adding, removing, and what it says about mistakes."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.official import OFFICIAL_URL, fetch_official
from desktop.cli import catalog_fetching
from tests.cli.conftest import TINY_CATALOG, Run, refusal
from tests.helpers import reference_reader as reference


def known(docker_mcp: Path) -> dict[str, dict[str, str]]:
    return reference.catalog_index((docker_mcp / "catalog.json").read_text("utf-8"))


def body(docker_mcp: Path, name: str) -> str:
    return reference.catalog_file(docker_mcp / "catalogs", name).read_text("utf-8")


@pytest.fixture
def official(served: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The official catalog is the one of a server on this machine."""
    monkeypatch.setattr(catalog_fetching, "fetch_official", functools.partial(fetch_official, url=served))
    return served


def test_a_catalog_of_ones_own_from_nothing(typed: Run, docker_mcp: Path) -> None:
    created = typed("catalog", "create", "work")
    assert (created.returncode, created.stdout, created.stderr) == (0, "created empty catalog work\n", "")
    added = typed("catalog", "add", "work", "docker-mcp/tiny")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == 'copied server "tiny" from catalog "docker-mcp" to "work"\n'
    assert reference.catalog(body(docker_mcp, "work"))["tiny"] == reference.catalog(TINY_CATALOG)["tiny"]
    again = typed("catalogs", "add", "work", "docker-mcp/tiny")
    assert refusal(again) == 'server "tiny" already exists in catalog "work" (use --force to overwrite)'
    assert typed("catalog", "add", "--force", "work", "docker-mcp/tiny").returncode == 0
    assert typed("server", "inspect", "tiny").returncode == 0
    removed = typed("catalog", "rm", "work")
    assert (removed.stdout, known(docker_mcp)) == ('removed catalog "work"\n', {})
    assert [path.name for path in (docker_mcp / "catalogs").iterdir()] == ["docker-mcp.yaml"]


def test_a_server_is_copied_out_of_a_file(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text("registry:\n  theirs: {image: example/theirs, x-own: kept}\n", "utf-8")
    typed("catalog", "create", "work")
    copied = typed("catalog", "add", "work", "theirs", "theirs.yaml")
    assert copied.stdout == 'copied server "theirs" from file "theirs.yaml" to "work"\n'
    assert reference.decode(body(docker_mcp, "work"))["registry"] == {
        "theirs": {"image": "example/theirs", "x-own": "kept"}
    }


def test_names_of_servers_may_have_slashes(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a/b\nregistry: {io.github.me/x: {image: i}}\n", "utf-8")
    assert typed("catalog", "import", "a.yaml").returncode == 0
    typed("catalog", "create", "work")
    assert typed("catalog", "add", "work", "a/b/io.github.me/x").returncode == 0
    assert set(reference.catalog(body(docker_mcp, "work"))) == {"io.github.me/x"}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["add", "work", "tiny"], 2, "'tiny' is not of the form CATALOG/SERVER."),
        (["add", "work", "work/tiny"], 2, "a server can't be copied from a catalog to itself."),
        (
            ["add", "work", "docker-mcp/tinny"],
            1,
            'server "tinny" not found in catalog "docker-mcp". Did you mean tiny?',
        ),
        (["add", "wrok", "docker-mcp/tiny"], 1, 'catalog "wrok" not found. Did you mean work?'),
        (["add", "work", "docker-mpc/tiny"], 1, 'catalog "docker-mpc" not found. Did you mean docker-mcp?'),
        (["add", "docker-mcp", "work/x"], 1, 'catalog "docker-mcp" is managed by Docker and can\'t be added to.'),
        (["add", "work", "x", "missing.yaml"], 1, "missing.yaml: there is no such file"),
        (["create", "docker-mcp"], 1, 'the name "docker-mcp" is reserved for the official catalog.'),
        (["create", "work"], 1, 'catalog "work" already exists.'),
        (["fork", "docker-mcp", "work"], 1, 'catalog "work" already exists.'),
        (["fork", "nope", "new"], 1, 'catalog "nope" not found.'),
        (["fork", "work", "docker-mcp"], 1, 'the name "docker-mcp" is reserved for the official catalog.'),
        (["rm", "docker-mcp"], 1, 'catalog "docker-mcp" is managed by Docker and can\'t be removed.'),
        (["rm", "wrk"], 1, 'catalog "wrk" not found. Did you mean work?'),
        (["export", "docker-mcp", "x"], 1, 'catalog "docker-mcp" is managed by Docker and can\'t be exported.'),
        (["export", "nope", "x"], 1, 'catalog "nope" not found.'),
        (["export", "work", "notes.txt"], 1, "notes.txt is there already and is not a catalog."),
        (["export", "work", "."], 1, ". is a folder."),
        (["update", "work"], 1, 'catalog "work" is from nowhere else, so there is nothing to update it from'),
        (["update", "wrk"], 1, 'unknown catalog "wrk". Did you mean work?'),
        (["import", "missing.yaml"], 1, "{home}/missing.yaml: there is no such file"),
        (["import", "notes.txt"], 1, "{home}/notes.txt, line 1, column 1: a catalog is expected"),
        (["import", "http://127.0.0.1:9/c.yaml"], 1, "The catalog http://127.0.0.1:9/c.yaml can't be fetched ("),
        (["import", "https://[::1"], 1, "The catalog of the given address can't be fetched (it is not a valid"),
        (["bootstrap", "notes.txt"], 1, "notes.txt is there already."),
        (["import"], 2, "which catalog is to be imported? Name docker-mcp, an address or a file."),
        (["imprt", "x"], 2, 'unknown command "catalog imprt". Did you mean import?'),
        (["add", "work", "docker-mcp/tiny", "--forse"], 2, "unknown option --forse. Did you mean --force?"),
    ],
)
def test_mistakes_are_one_sentence_and_change_nothing(
    typed: Run, docker_mcp: Path, tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    typed("catalog", "create", "work")
    (tmp_path / "notes.txt").write_text("buy milk\n", "utf-8")
    before = {path: path.read_bytes() for path in docker_mcp.rglob("*") if path.is_file()}
    result = typed("catalog", *arguments)
    assert result.returncode == code
    assert refusal(result).startswith(sentence.replace("{home}", str(tmp_path)))
    assert {path: path.read_bytes() for path in docker_mcp.rglob("*") if path.is_file()} == before
    assert (tmp_path / "notes.txt").read_text("utf-8") == "buy milk\n"


def test_a_file_is_imported_as_it_is_and_taken_again_by_update(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = "# mine\nname: mine\nregistry: {a: {image: i}}  # one line\n"
    file.write_text(text, "utf-8")
    dry = typed("catalog", "import", "mine.yaml", "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "")
    assert dry.stderr == 'Catalog "mine" with 1 server would be imported; nothing was changed.\n'
    assert not (docker_mcp / "catalog.json").exists()
    imported = typed("catalog", "import", "mine.yaml")
    assert (imported.returncode, imported.stdout, imported.stderr) == (0, "", "")
    assert known(docker_mcp) == {"mine": {"displayName": "mine", "url": str(file)}}
    assert body(docker_mcp, "mine") == text
    assert typed("catalog", "update", "mine").stdout == "unchanged: mine\n"
    file.write_text(text + "# more\n", "utf-8")
    assert typed("catalog", "update", "mine").stdout == "updated: mine\n"
    assert body(docker_mcp, "mine") == text + "# more\n"
    last_update = datetime.fromisoformat(known(docker_mcp)["mine"]["lastUpdate"])
    assert datetime.now(UTC) - last_update < timedelta(minutes=5)


def test_one_failed_update_does_not_keep_the_others_from_it(
    typed: Run, docker_mcp: Path, tmp_path: Path, official: str
) -> None:
    for name in ("gone", "here"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\n", "utf-8")
        typed("catalog", "import", f"{name}.yaml")
    (tmp_path / "gone.yaml").unlink()
    result = typed("catalog", "update")
    assert (result.returncode, result.stdout) == (1, "updated: docker-mcp\nunchanged: here\n")
    assert result.stderr == f"docker-mcp: {tmp_path / 'gone.yaml'}: there is no such file\n"
    assert body(docker_mcp, "gone") == "name: gone\n"


def test_a_catalog_without_a_name_is_asked_for_one(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("registry: {a: {image: i}}\n", "utf-8")
    nameless = typed("catalog", "import", "c.yaml")
    assert (nameless.returncode, nameless.stdout) == (1, "")
    assert nameless.stderr.splitlines()[1].startswith(f"docker-mcp: the catalog {tmp_path / 'c.yaml'} has no name.")
    given = typed("catalog", "import", "c.yaml", given="Given\n")
    assert (given.returncode, given.stdout, given.stderr) == (0, "", "Please provide a name for the catalog: \n")
    assert reference.decode(body(docker_mcp, "Given")) == {
        "registry": {"a": {"image": "i"}}, "name": "Given", "displayName": "Given",
    }  # fmt: skip


def test_a_catalog_is_imported_from_an_address(typed: Run, docker_mcp: Path, served: str, tmp_path: Path) -> None:
    (tmp_path / "web" / "catalog.yaml").write_text("name: web\ndisplayName: Of the Web\n", "utf-8")
    assert typed("catalog", "import", served).returncode == 0
    assert known(docker_mcp) == {"web": {"displayName": "Of the Web", "url": served}}
    reference.catalog_file(docker_mcp / "catalogs", "web").unlink()
    assert typed("catalog", "show", "web").stdout == "Of the Web (0 servers)\n"
    refused = typed("catalog", "add", "web", "docker-mcp/tiny")
    assert refusal(refused).startswith('"web" is a remote catalog')


def test_a_body_that_is_imported_is_registered_where_it_lies(typed: Run, docker_mcp: Path) -> None:
    (docker_mcp / "catalogs" / "mine.yaml").write_text("name: mine\n", "utf-8")
    assert typed("catalog", "import", str(docker_mcp / "catalogs" / "mine.yaml")).returncode == 0
    assert known(docker_mcp) == {"mine": {"displayName": "mine"}}
    assert typed("catalog", "add", "mine", "docker-mcp/tiny").returncode == 0


def test_what_cannot_be_understood_in_an_import_is_said_and_kept(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("name: c\nregistry: {a: {image: i}, b: 7}\n", "utf-8")
    result = typed("catalog", "import", "c.yaml")
    assert result.returncode == 0
    assert "the entry 'b' of the catalog 'c' can't be understood" in result.stderr
    assert body(docker_mcp, "c") == "name: c\nregistry: {a: {image: i}, b: 7}\n"


def test_export_and_bootstrap_write_what_import_reads(typed: Run, docker_mcp: Path, tmp_path: Path) -> None:
    assert typed("catalog", "bootstrap", "new.yaml").returncode == 0
    assert typed("catalog", "import", "new.yaml").returncode == 0
    for _ in range(2):  # over its own former export, too
        exported = typed("catalog", "export", "my-catalog", "out.yaml")
        assert (exported.returncode, exported.stdout, exported.stderr) == (0, "", "")
    assert (tmp_path / "out.yaml").read_bytes() == (tmp_path / "new.yaml").read_bytes()
    assert set(reference.catalog((tmp_path / "out.yaml").read_text("utf-8"))) == {"my-server", "greeting"}


def test_reset_leaves_the_official_catalog_alone_in_the_list(typed: Run, docker_mcp: Path, official: str) -> None:
    typed("catalog", "create", "work")
    (docker_mcp / "catalogs" / "unregistered.yaml").write_text("name: unregistered\n", "utf-8")
    assert typed("catalog", "empty").returncode == 0
    assert set(known(docker_mcp)) == {"docker-mcp"}
    assert {path.name for path in (docker_mcp / "catalogs").iterdir()} == {"docker-mcp.yaml", "unregistered.yaml"}


def test_an_official_catalog_that_is_half_a_day_old_is_fetched_before_it_is_shown(
    typed: Run, docker_mcp: Path, official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown_when(last_update: str | None) -> str:
        entry = {"displayName": "Mine to keep", "url": OFFICIAL_URL} | (
            {"lastUpdate": last_update} if last_update else {}
        )
        (docker_mcp / "catalog.json").write_text(json.dumps({"catalogs": {"docker-mcp": entry}}), "utf-8")
        (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text("name: docker-mcp\ndisplayName: Old\n", "utf-8")
        return typed("catalog", "show").stdout.splitlines()[0]

    now = datetime.now(UTC)
    assert shown_when((now - timedelta(hours=11)).isoformat()) == "Old (0 servers)"
    for stale in ((now - timedelta(hours=13)).isoformat(), "last week", None):
        assert shown_when(stale) == "Docker MCP Catalog (3 servers)"
    assert known(docker_mcp)["docker-mcp"]["displayName"] == "Mine to keep"


def test_looking_registers_the_official_catalog_and_serves_without_a_network(
    typed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str
) -> None:
    offline = typed("catalog", "ls")
    assert (offline.returncode, offline.stdout) == (0, "No catalogs configured.\n")
    assert "can't be fetched" in offline.stderr
    monkeypatch.setattr(catalog_fetching, "fetch_official", functools.partial(fetch_official, url=served))
    assert typed("catalog", "ls").stdout == "docker-mcp: Docker MCP Catalog\n"
    index: dict[str, Any] = json.loads(typed("catalog", "ls", "--json").stdout)
    assert set(index["catalogs"]["docker-mcp"]) == {"displayName", "url", "lastUpdate"}
