"""``docker-mcp profile`` and ``template``: named sets of servers, as a person makes, changes, runs and passes them on."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import main
from desktop.state import yaml_text
from desktop.state.paths import Paths
from tests.cli.conftest import Run, command, refusal

ENTRY = """\
name: written
type: server
title: Written
description: By hand.
image: example/written
secrets: [{name: written.key, env: KEY}]
config: [{name: written, type: object, properties: {port: {type: number}, paths: {type: array}}, required: [port]}]
tools: [{name: read}, {name: write}]
"""


@pytest.fixture
def here(environment: dict[str, str], docker_mcp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``~/.docker/mcp`` of this test, for commands run in this process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (docker_mcp / "catalogs" / "written.yaml").write_text(ENTRY, "utf-8")
    return docker_mcp


@pytest.fixture
def say(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs one command in this process, and gives its output; a refusal is given as code and sentence."""

    def run(*arguments: str) -> str:
        code = main(["profile", *arguments])
        shown = capsys.readouterr()
        return shown.out if code == 0 else f"{code} {shown.err}"

    return run


Say = Callable[..., str]


def document(here: Path, id: str) -> Any:
    return yaml_text.parse((here / "profiles" / f"{id}.yaml").read_text("utf-8"), id)


def test_a_profile_is_made_of_servers_of_catalogs(say: Say, here: Path) -> None:
    (here / "config.yaml").write_text("boxed: {url: https://mine}\n", "utf-8")
    (here / "tools.yaml").write_text("boxed: [b, a]\n", "utf-8")
    made = say("create", "--name", "My Profile!", "--server", "boxed", "--server", "hosted")
    assert made == "created profile my_profile_ with 2 servers\n"
    found = document(here, "my_profile_")
    assert {key: found[key] for key in ("version", "id", "name", "secrets")} == {
        "version": 1,
        "id": "my_profile_",
        "name": "My Profile!",
        "secrets": {"default": {"provider": "docker-desktop-store"}},
    }
    boxed, hosted = found["servers"]
    assert boxed["type"], boxed["image"] == ("image", "example/boxed")
    assert boxed["snapshot"]["server"]["secrets"] == [{"name": "boxed.key", "env": "BOXED_KEY"}]
    assert (boxed["config"], boxed["tools"]) == ({"url": "https://mine"}, ["a", "b"])  # nothing has to be typed again
    assert (hosted["type"], hosted["endpoint"]) == ("remote", "https://example.invalid/mcp")
    assert "tools" not in hosted


def test_a_second_profile_of_a_name_gets_another_id_and_a_chosen_id_must_be_free(say: Say) -> None:
    assert say("create", "--name", "Work").startswith("created profile work with 0 servers")
    assert say("create", "--name", "Work").startswith("created profile work_2 ")
    assert say("create", "--name", "Work", "--id", "work") == (
        "1 docker-mcp: There is a profile work already. Choose another id with --id.\n"
    )


@pytest.mark.parametrize("id", ["a/b", "..", ".hidden", "a b", "_", "x" * 101, "é"])
def test_an_id_is_a_word_of_letters_and_digits(say: Say, here: Path, id: str) -> None:
    assert say("create", "--name", "X", "--id", id).startswith(f"2 docker-mcp: {id!r} can't be an id. ")
    assert not (here / "profiles").exists()


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("boxxed", "1 docker-mcp: server boxxed not found in catalog. Did you mean boxed?\n"),
        ("file://../config.yaml", " is not in the folder of catalogs. Copy it to "),
        ("file:///etc/passwd", "/etc/passwd is not in the folder of catalogs. Copy it to "),
        ("file://none.yaml", "none.yaml: there is no such file. "),
        ("file://docker-mcp.yaml", "the entry of one server is expected, and it has no type\n"),
        (
            "catalog://other/boxed",
            '1 docker-mcp: catalog "other" not found. Import it with docker-mcp catalog import; ',
        ),
        ("catalog://docker-mcp/nothing*", "1 docker-mcp: server nothing* not found in the catalog docker-mcp. "),
        ("catalog://docker-mcp", "2 docker-mcp: 'catalog://docker-mcp' names no servers. "),
        ("ftp://x/y", "2 docker-mcp: 'ftp://x/y' is no reference to a server. "),
        ("docker://example/image", "1 docker-mcp: "),  # no engine answers here
    ],
)
def test_a_reference_that_leads_nowhere_is_one_sentence(say: Say, here: Path, reference: str, sentence: str) -> None:
    told = say("create", "--name", "x", "--server", reference)
    assert sentence in told
    assert told.count("\n") == 1
    assert not (here / "profiles").exists()


def test_a_link_out_of_the_folder_of_catalogs_leads_nowhere(say: Say, here: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(ENTRY, "utf-8")
    (here / "catalogs" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    assert "is not in the folder of catalogs" in say("create", "--name", "x", "--server", "file://link.yaml")


def test_servers_come_from_files_and_by_patterns_of_a_catalog(say: Say, here: Path) -> None:
    say("create", "--name", "x", "--server", "file://./written.yaml", "--server", "catalog://docker-mcp/t*+hosted")
    assert say("show", "x", "--format", "json") == json.dumps(document(here, "x"), indent=2, ensure_ascii=False) + "\n"
    names = [server["snapshot"]["server"]["name"] for server in document(here, "x")["servers"]]
    assert names == ["written", "tiny", "hosted"]
    say("create", "--name", "y", "--server", "catalog://mcp/docker-mcp-catalog:latest/*")
    assert len(document(here, "y")["servers"]) == 3


def test_one_name_twice_is_refused(say: Say) -> None:
    sentence = "1 docker-mcp: The server tiny is named twice, and a profile has each server once. Name it once.\n"
    assert say("create", "--name", "x", "--server", "tiny", "--server", "catalog://docker-mcp/tiny") == sentence
    say("create", "--name", "x")
    assert say("server", "add", "x", "--server", "tiny", "--server", "tiny") == sentence


def test_servers_are_added_brought_up_to_date_and_removed(say: Say, here: Path) -> None:
    say("create", "--name", "x", "--server", "boxed")
    assert (
        say("server", "add", "x", "--catalog", "docker-mcp", "--catalog-server", "tiny") == "added tiny to profile x\n"
    )
    say("config", "x", "--set", "boxed.url=https://mine")
    catalog = here / "catalogs" / "docker-mcp.yaml"
    catalog.write_text(catalog.read_text("utf-8").replace("example/boxed", "example/boxed:2"), "utf-8")
    assert say("server", "add", "x", "--server", "boxed") == "added boxed to profile x\n"
    boxed = document(here, "x")["servers"][0]
    assert (boxed["image"], boxed["config"]) == ("example/boxed:2", {"url": "https://mine"})
    assert say("server", "ls", "x", "--filter", "name=box").splitlines()[1].split()[:5] == [
        "x", "boxed", "image", "all", "example/boxed:2",
    ]  # fmt: skip
    assert say("server", "remove", "x", "--name", "boxed") == "removed boxed from profile x\n"
    assert [server["snapshot"]["server"]["name"] for server in document(here, "x")["servers"]] == ["tiny"]
    assert say("server", "remove", "x", "boxed") == "1 docker-mcp: The profile x has no server boxed. It has tiny.\n"
    assert say("server", "add", "x").startswith("2 docker-mcp: which server is to be added?")


def test_settings_are_set_read_and_taken_away(say: Say, here: Path) -> None:
    say("create", "--name", "x", "--server", "file://written.yaml")
    assert (
        say("config", "x", "--set", "written.port=80", "--set", 'written.paths=["/a b"]', "--set", "written.t.u=v")
        == ""
    )
    assert document(here, "x")["servers"][0]["config"] == {"port": 80, "paths": ["/a b"], "t": {"u": "v"}}
    assert say("config", "x", "--get", "written.port") == "written.port=80\n"
    assert say("config", "x", "--get-all") == 'written.port=80\nwritten.paths=["/a b"]\nwritten.t={"u": "v"}\n'
    assert json.loads(say("config", "x", "--get", "written.t.u", "--format", "json")) == {"written.t.u": "v"}
    assert say("config", "x", "--del", "written.t", "--get-all", "--format", "yaml") == (
        "written.port: 80\nwritten.paths:\n- /a b\n"
    )
    assert say("config", "x", "--set", "written.port=many") == (
        "1 docker-mcp: written.port can't be set: port should be of the type number. "
        "See docker-mcp server inspect for what it may be.\n"
    )
    assert say("config", "x", "--get", "written.none").startswith(
        "1 docker-mcp: written.none is not set in the profile x."
    )
    assert say("config", "x", "--set", "other.port=1").startswith("1 docker-mcp: The profile x has no server other.")
    assert say("config", "x").startswith("2 docker-mcp: nothing is to be done.")


def test_tools_are_chosen(say: Say, here: Path) -> None:
    say("create", "--name", "x", "--server", "file://written.yaml")

    def chosen() -> Any:
        return document(here, "x")["servers"][0].get("tools", "all")

    for arguments, expected in (
        (["--disable", "written.write"], ["read"]),
        (["--enable", "written.write"], "all"),
        (["--disable-all", "written"], []),
        (["--enable", "written.read"], ["read"]),
        (["--enable-all", "written"], "all"),
        (["--disable-all", "written", "--enable", "written.write"], ["write"]),
        (["--enable-all", "written", "--disable", "written.write"], ["read"]),
    ):
        assert say("tools", "x", *arguments) == ""
        assert chosen() == expected, arguments
    assert say("tools", "x") == "written: read\n"
    assert say("tools", "x", "--enable", "written.raed") == (
        "1 docker-mcp: written has no tool raed. Did you mean written.read?\n"
    )
    assert say("tools", "x", "--enable", "written.read", "--disable", "written.read").startswith(
        "2 docker-mcp: written.read"
    )


def test_comments_and_unknown_keys_survive_every_change(say: Say, here: Path) -> None:
    (here / "profiles").mkdir()
    text = """\
# mine
version: 1
id: x
name: X
later: {a: 1}  # unknown
servers:
  # the first
  - type: image
    image: example/one  # pinned later
    future: yes
    config:
      port: 1  # usual
  - type: image
    image: example/two
"""
    (here / "profiles" / "x.yaml").write_text(text, "utf-8")
    say("config", "x", "--set", "one.port=2", "--set", "two.mode=fast")
    say("tools", "x", "--disable-all", "two")
    say("server", "add", "x", "--server", "tiny")
    after = (here / "profiles" / "x.yaml").read_text("utf-8")
    for kept in ("# mine", "# unknown", "# the first", "# pinned later", "# usual", "future: yes", "later: {a: 1}"):
        assert kept in after, kept
    one, two, tiny = document(here, "x")["servers"]
    assert (one["config"], two["config"], two["tools"]) == ({"port": 2}, {"mode": "fast"}, [])
    assert tiny["snapshot"]["server"]["name"] == "tiny"


REFERENCE = {
    "id": "theirs",
    "name": "Theirs",
    "servers": [
        {
            "type": "image",
            "image": "mcp/x@sha256:00",
            "config": {"k": "v"},
            "secrets": "default",
            "tools": None,
            "catalogRef": "mcp/docker-mcp-catalog:latest",
            "snapshot": {
                "server": {"name": "x", "type": "server", "image": "mcp/x@sha256:00", "prompts": 3, "new": {}}
            },
        }
    ],
    "secrets": {"default": {"provider": "docker-desktop-store"}},
}


@pytest.fixture
def database(here: Path) -> Iterator[Path]:
    """The reference's database, with one profile, while the reference has it open."""
    connection = sqlite3.connect(here / "mcp-toolkit.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE working_set (id TEXT PRIMARY KEY, name TEXT, servers JSON, secrets JSON)")
    row = (REFERENCE["id"], REFERENCE["name"], json.dumps(REFERENCE["servers"]), json.dumps(REFERENCE["secrets"]))
    connection.execute("INSERT INTO working_set VALUES (?, ?, ?, ?)", row)
    connection.commit()
    yield here / "mcp-toolkit.db"
    connection.close()


def test_profiles_of_the_reference_are_there_and_are_taken_over_when_changed(
    say: Say, here: Path, database: Path
) -> None:
    assert say("ls").splitlines()[1].split() == ["theirs", "Theirs", "x"]
    assert json.loads(say("show", "theirs", "--format", "json")) == {"version": 1, **REFERENCE}
    assert say("remove", "theirs").startswith("1 docker-mcp: The profile theirs is kept in ")
    assert not (here / "profiles").exists()
    before = database.read_bytes()
    say("config", "theirs", "--set", "x.k=w")
    expected = {**REFERENCE["servers"][0], "config": {"k": "w"}}  # type: ignore[index]
    expected["catalog_ref"] = expected.pop("catalogRef")
    assert document(here, "theirs")["servers"] == [expected]
    assert database.read_bytes() == before
    assert say("remove", "theirs") == "removed profile theirs\n"
    assert '"v"' in say("show", "theirs")  # theirs is in use again


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_database_that_is_none_is_one_sentence(say: Say, here: Path, content: bytes) -> None:
    (here / "mcp-toolkit.db").write_bytes(content)
    assert say("show", "x") == (
        "1 docker-mcp: profile x not found. See docker-mcp profile ls.\n"
        if not content
        else f"1 docker-mcp: {here / 'mcp-toolkit.db'}: it can't be read (file is not a database)\n"
    )


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_document_of_the_reference_survives_import_and_export(say: Say, tmp_path: Path, suffix: str) -> None:
    given, taken = tmp_path / f"given.{suffix}", tmp_path / f"taken.{suffix}"
    whole = {"version": 1, **REFERENCE, "unknown": [1, {"a": None}]}
    if suffix == "json":
        given.write_text(json.dumps(whole), "utf-8")
    else:
        whole["servers"] = [
            {("catalog_ref" if k == "catalogRef" else k): v for k, v in REFERENCE["servers"][0].items()}
        ]  # type: ignore[index,attr-defined]
        given.write_text("# hello\n" + yaml_text.dump(whole), "utf-8")
    assert say("import", str(given)) == "imported profile theirs\n"
    say("export", "theirs", str(taken))
    back = json.loads(taken.read_text("utf-8")) if suffix == "json" else yaml_text.parse(taken.read_text("utf-8"), "")
    assert back == whole
    if suffix == "yaml":
        assert taken.read_bytes() == given.read_bytes()


def test_an_import_replaces_and_keeps_what_was_there(say: Say, here: Path, tmp_path: Path) -> None:
    say("create", "--name", "x", "--server", "tiny")
    before = (here / "profiles" / "x.yaml").read_text("utf-8")
    (tmp_path / "x.yaml").write_text("name: X\nservers: []\n", "utf-8")
    assert say("import", str(tmp_path / "x.yaml")) == "imported profile x\n"
    assert document(here, "x") == {"version": 1, "id": "x", "name": "X", "servers": []}
    assert (here / "profiles" / "x.yaml.bak").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "a profile is expected, a map with the key 'servers'"),
        ("name: [", "this is not valid YAML"),
        ("servers: []", "it has neither an id nor a name"),
        ("id: x\nversion: 2", "The profile x has the version 2, which is of a newer program"),
        ("id: x\nservers: 5", "In the profile x, 'servers' should be a list"),
        ("id: x\nservers: [{type: other}]", "its type is other and not one of image, remote, registry"),
        ("id: x\nservers: [{type: registry, source: y}]", "it has no snapshot"),
        ("id: x\nservers: [{type: image, image: a/b}, {type: image, image: c/b}]", "two servers b"),
    ],
)
def test_what_is_no_profile_is_not_imported(say: Say, here: Path, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    told = say("import", str(tmp_path / "x.yaml"))
    assert told.startswith("1 docker-mcp: ")
    assert sentence in told
    assert told.count("\n") == 1
    assert not (here / "profiles").exists()


def test_templates_make_profiles(say: Say, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "catalogs" / "docker-mcp.yaml").write_text(
        "registry: {context7: {image: a}, sequentialthinking: {image: b}}", "utf-8"
    )
    assert main(["template", "use", "ai-coding", "--name", "Code"]) == 0
    assert capsys.readouterr().out == "created profile code with 2 servers\n"
    assert say("create", "--from-template", "ai-coding") == "created profile ai_coding with 2 servers\n"
    assert say("template", "list").splitlines()[1].startswith("ai-coding ")
    assert say("create", "--from-template", "ai-codin") == (
        "1 docker-mcp: template ai-codin not found. Did you mean ai-coding?\n"
    )


def test_the_command_for_a_client_is_printed(say: Say) -> None:
    say("create", "--name", "x")
    command = json.loads(say("manual-instructions", "x", "--json"))
    assert command[-4:] == ["gateway", "run", "--profile", "x"]
    assert say("manual-instructions", "x") == f"{shlex.join(command)}\n"


def test_a_client_is_connected_with_its_profile(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".cursor").mkdir()
    assert say("create", "--name", "x", "--connect", "cursor") == "created profile x with 0 servers\n"
    assert '"--profile"' in (tmp_path / ".cursor" / "mcp.json").read_text("utf-8")
    say("create", "--name", "y")
    assert "had by cursor\n" in say("show", "x", "--clients")
    assert json.loads(say("show", "y", "--clients", "--format", "json"))["clients"] == []
    assert say("create", "--name", "z", "--connect", "curser") == (
        "1 docker-mcp: client curser not found. Did you mean cursor?\n"
    )
    assert main(["profile", "rm", "x"]) == 0
    assert capsys.readouterr().err.startswith("Still asking for it: cursor; ")
    assert say("show", "z").startswith("1 docker-mcp: profile z not found.")


def test_an_unknown_profile_is_named_with_the_one_probably_meant(say: Say) -> None:
    say("create", "--name", "work")
    assert say("show", "wrok") == "1 docker-mcp: profile wrok not found. Did you mean work?\n"
    assert say("show", "other") == "1 docker-mcp: profile other not found. See docker-mcp profile ls.\n"


def test_a_broken_profile_does_not_hide_the_others(say: Say, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say("create", "--name", "good")
    (here / "profiles" / "bad.yaml").write_text("servers: [", "utf-8")
    assert main(["profile", "ls"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1].split() == ["good", "good", "none"]
    assert shown.err.startswith(f"docker-mcp: {here / 'profiles' / 'bad.yaml'}, line 2, column ")


def test_two_processes_change_one_profile_without_losing_anything(
    run: Run, environment: dict[str, str], docker_mcp: Path
) -> None:

    assert run("profile", "create", "--name", "x", "--server", "boxed").returncode == 0
    jobs = [command("profile", "config", "x", "--set", f"boxed.k{number}={number}") for number in range(6)]
    processes = [subprocess.Popen(job, env=environment) for job in jobs]
    assert [process.wait(60) for process in processes] == [0] * len(jobs)
    assert document(docker_mcp, "x")["servers"][0]["config"] == {f"k{number}": number for number in range(6)}


def test_a_gateway_runs_a_profile_and_nothing_else(run: Run, docker_mcp: Path) -> None:
    (docker_mcp / "registry.yaml").write_text("registry: {boxed: {ref: ''}}\n", "utf-8")
    consent = run("server", "enable", "tiny", "--without-container")
    assert consent.returncode == 0
    run("profile", "create", "--name", "x", "--server", "tiny")
    assert refusal(run("gateway", "run", "--profile", "y")).startswith("profile y not found.")
    told = run("gateway", "run", "--profile", "x", "--dry-run").stderr
    assert "- Those servers are enabled: tiny\n" in told
    run("profile", "tools", "x", "--disable-all", "tiny")
    assert "> 0 tools listed" in run("gateway", "run", "--profile", "x", "--dry-run").stderr
    # Without a profile of this name, default means the files, as entries of the reference in clients expect.
    assert (
        "- Those servers are enabled: boxed, tiny\n"
        in run("gateway", "run", "--profile", "default", "--dry-run").stderr
    )


def test_paths_are_where_the_documentation_says(tmp_path: Path) -> None:
    paths = Paths.of_user({"HOME": str(tmp_path)}, "linux")
    assert paths.profiles == tmp_path / ".docker" / "mcp" / "profiles"
