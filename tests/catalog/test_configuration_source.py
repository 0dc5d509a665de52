"""The configuration is read from all files at once; what is broken keeps its last good state."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from desktop.catalog.loading import load_catalog
from desktop.catalog.selection import catalog_place, file_place
from desktop.catalog.source import ConfigurationSource, Selection
from desktop.catalog.starter import load_starter
from desktop.state.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(docker_mcp=tmp_path / "mcp", own=tmp_path / "own", cache=tmp_path / "cache")


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_file_the_starter_catalog_serves_and_nothing_is_enabled(paths: Paths) -> None:
    configuration = ConfigurationSource(paths).load()
    assert configuration.enabled == ()
    assert configuration.servers == load_starter(None).servers
    assert configuration.problems == ()
    assert not paths.docker_mcp.exists()


def test_all_files_are_read_as_one_configuration(paths: Paths) -> None:
    put(paths.registry, "registry: {time: {ref: ''}, gone: {ref: ''}}")
    put(paths.config, "time: {zone: UTC}")
    put(paths.tools, "time: [now]")
    configuration = ConfigurationSource(paths).load()
    assert configuration.enabled == ("gone", "time")
    assert configuration.values == {"time": {"zone": "UTC"}}
    assert configuration.tools == {"time": frozenset({"now"})}


def test_later_catalogs_win_over_the_official_one_and_that_over_the_starter(paths: Paths) -> None:
    put(paths.catalogs / "docker-mcp.yaml", "registry: {time: {image: official}, a: {image: official}}")
    put(paths.catalogs / "mine.yaml", "registry: {a: {image: mine}, b: {image: mine}}")
    put(paths.catalog_index, json.dumps({"catalogs": {"mine": {"displayName": "M"}, "docker-mcp": {}}}))
    extra = put(paths.own / "extra.yaml", "registry: {b: {image: extra}}")
    servers = ConfigurationSource(paths, Selection(additional_catalogs=(str(extra),))).load().servers
    assert [servers[name].image for name in ("time", "a", "b")] == ["official", "mine", "extra"]
    assert "fetch" in servers


def test_chosen_catalogs_stand_alone(paths: Paths, tmp_path: Path) -> None:
    put(tmp_path / "here" / "c.yaml", "registry: {x: {image: i}}")
    selection = Selection(catalogs=("./c.yaml",), enable_all=True)
    configuration = ConfigurationSource(paths, selection, cwd=tmp_path / "here").load()
    assert (configuration.enabled, list(configuration.servers)) == (("x",), ["x"])


def test_servers_of_the_command_line_replace_the_registry(paths: Paths) -> None:
    put(paths.registry, "registry: {time: {ref: ''}}")
    assert ConfigurationSource(paths, Selection(servers=("fetch", "git"))).load().enabled == ("fetch", "git")
    assert ConfigurationSource(paths, Selection(servers=())).load().enabled == ()


def test_several_registries_add_up_and_later_values_replace_a_server_s_entry(paths: Paths) -> None:
    put(paths.docker_mcp / "r1.yaml", "registry: {a: {ref: ''}}")
    put(paths.docker_mcp / "r2.yaml", "registry: {b: {ref: ''}}")
    put(paths.docker_mcp / "c1.yaml", "a: {x: 1, y: 1}\nb: {z: 1}")
    put(paths.docker_mcp / "c2.yaml", "a: {x: 2}")
    selection = Selection(registries=("r1.yaml", "r2.yaml"), configs=("c1.yaml", "c2.yaml"), tools_configs=("no.yaml",))
    configuration = ConfigurationSource(paths, selection).load()
    assert configuration.enabled == ("a", "b")
    assert configuration.values == {"a": {"x": 2}, "b": {"z": 1}}
    assert configuration.problems == (f"{paths.docker_mcp / 'no.yaml'}: there is no such file",)


@pytest.mark.parametrize("name", ["registry", "config", "tools", "catalog_index"])
def test_a_broken_file_is_a_sentence_and_its_last_good_state_stays(paths: Paths, name: str) -> None:
    path: Path = getattr(paths, name)
    put(paths.catalogs / "mine.yaml", "registry: {a: {image: mine}}")
    good = {
        "registry": "registry: {time: {ref: ''}}",
        "config": "time: {zone: UTC}",
        "tools": "time: [now]",
        "catalog_index": '{"catalogs": {"mine": {}}}',
    }[name]
    put(path, good)
    source = ConfigurationSource(paths)
    before = source.load()
    put(path, "{\n [")
    broken = source.load()
    assert (broken.enabled, broken.values, broken.tools, broken.servers) == (
        before.enabled,
        before.values,
        before.tools,
        before.servers,
    )
    (problem,) = broken.problems
    assert str(path) in problem
    assert ", line " in problem
    assert problem.endswith("what it said before stays in force")
    put(path, good)
    assert source.load() == before
    path.unlink()
    assert source.load().problems == ()


def test_a_broken_catalog_keeps_its_last_good_servers_and_a_bad_entry_is_told(paths: Paths) -> None:
    path = put(paths.catalogs / "docker-mcp.yaml", "registry: {a: {image: i}, b: 5}")
    source = ConfigurationSource(paths)
    first = source.load()
    assert "the entry 'b'" in first.problems[0]
    put(path, "registry: [")
    second = source.load()
    assert second.servers["a"].image == "i"
    assert "line 2" in second.problems[0]


def test_nothing_is_parsed_again_when_nothing_has_changed(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    put(paths.catalogs / "docker-mcp.yaml", "registry: {a: {image: i}}")
    put(paths.registry, "registry: {a: {ref: ''}}")
    reads: list[Path] = []

    def counting(path: Path, cache_dir: Path | None) -> object:
        reads.append(path)
        return load_catalog(path, cache_dir)

    monkeypatch.setattr("desktop.catalog.source.load_catalog", counting)
    source = ConfigurationSource(paths)
    first = source.load()
    assert source.load() is first
    assert reads == [paths.catalogs / "docker-mcp.yaml"]
    put(paths.registry, "registry: {}")
    assert source.load().enabled == ()
    assert reads == [paths.catalogs / "docker-mcp.yaml"]


def test_the_folders_of_all_files_are_watched_and_those_of_links(paths: Paths, tmp_path: Path) -> None:
    put(tmp_path / "dotfiles" / "config.yaml", "")
    paths.docker_mcp.mkdir()
    if os.name == "posix":
        paths.config.symlink_to(tmp_path / "dotfiles" / "config.yaml")
    selection = Selection(registries=("./r.yaml",), additional_catalogs=("https://x/c.yaml", "/far/c.yaml"))
    watched = ConfigurationSource(paths, selection, cwd=tmp_path / "here").watched_directories()
    expected = {paths.docker_mcp, paths.server_choices.parent, paths.catalogs, tmp_path / "here", Path("/far")}
    assert set(watched) == expected | ({tmp_path / "dotfiles"} if os.name == "posix" else set())


def test_arguments_point_where_the_reference_looks(paths: Paths, tmp_path: Path) -> None:
    assert file_place("r.yaml", paths, tmp_path) == paths.docker_mcp / "r.yaml"
    assert file_place("./r.yaml", paths, tmp_path) == tmp_path / "r.yaml"
    assert file_place(str(tmp_path / "r.yaml"), Paths.of_user(), Path()) == tmp_path / "r.yaml"
    assert catalog_place("https://x/y.yaml", paths, tmp_path) == "https://x/y.yaml"
    assert catalog_place("mine", paths, tmp_path) == paths.catalogs / "mine.yaml"
    assert catalog_place("sub/mine.yaml", paths, tmp_path) == paths.catalogs / "sub" / "mine.yaml"
