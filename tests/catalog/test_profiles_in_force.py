"""What a profile makes of the configuration, and what becomes of it when its file changes or breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.profile_editing import new_document, profile_id
from desktop.catalog.selection import Selection
from desktop.catalog.source import ConfigurationSource
from desktop.state.paths import Paths
from desktop.state.profiles import Profiles, profiles_of


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths.of_user({"HOME": str(tmp_path)}, "linux")
    found.catalogs.mkdir(parents=True)
    (found.catalogs / "docker-mcp.yaml").write_text(
        "registry: {a: {image: new/a}, my.b: {image: b}, c: {image: c}}", "utf-8"
    )
    found.registry.write_text("registry: {c: {}}", "utf-8")
    found.config.write_text("a: {k: file}\nmy_b: {k: file}\nc: {k: file}\n", "utf-8")
    found.tools.write_text("a: [x]\nc: [y]\n", "utf-8")
    return found


@pytest.fixture
def profiles(paths: Paths) -> Profiles:
    return profiles_of(paths)


def record(name: str, image: str, **more: Any) -> dict[str, Any]:
    return {"type": "image", "image": image, "snapshot": {"server": {"name": name, "image": image}}, **more}


def test_a_profile_is_in_force_in_place_of_the_files(paths: Paths, profiles: Profiles) -> None:
    records = [record("a", "old/a", config={"k": "profile"}), record("my.b", "b", tools=["t"])]
    profiles.create("p", new_document("p", "P", records))
    loaded = ConfigurationSource(paths, Selection(profile="p")).load()
    assert loaded.enabled == ("a", "my.b")
    assert loaded.servers["a"].image == "old/a"  # as it was when it was chosen
    assert loaded.servers["c"].image == "c"  # there for a model to find
    assert {name: dict(loaded.values_of(loaded.servers[name])) for name in ("a", "my.b", "c")} == {
        "a": {"k": "profile"},
        "my.b": {},
        "c": {"k": "file"},
    }
    assert loaded.tools == {"my.b": frozenset({"t"}), "c": frozenset({"y"})}
    assert loaded.problems == ()


def test_a_broken_profile_keeps_its_last_good_state_and_says_so(paths: Paths, profiles: Profiles) -> None:
    profiles.create("p", new_document("p", "P", [record("a", "a")]))
    source = ConfigurationSource(paths, Selection(profile="p"))
    assert source.load().enabled == ("a",)
    profiles.file_of("p").write_text("servers: [", "utf-8")
    loaded = source.load()
    assert loaded.enabled == ("a",)
    assert "what it said before stays in force" in loaded.problems[0]
    profiles.file_of("p").write_text("id: p\nservers: [{type: image, image: d}, {type: odd}]", "utf-8")
    loaded = source.load()
    assert loaded.enabled == ("d",)
    assert loaded.problems == (
        "The server number 2 of the profile p can't be understood (its type is odd and not one of image, remote, registry)",
    )
    profiles.file_of("p").unlink()
    loaded = source.load()
    assert (loaded.enabled, loaded.problems) == ((), ("profile p not found",))


def test_all_profiles_are_there_only_when_they_are_wanted(paths: Paths, profiles: Profiles) -> None:
    for id in ("p", "q"):
        profiles.create(id, new_document(id, id, [record(id, "x")]))
    assert ConfigurationSource(paths).load().profiles == {}
    source = ConfigurationSource(paths, Selection(all_profiles=True))
    loaded = source.load()
    assert {id: list(profile.servers) for id, profile in loaded.profiles.items()} == {"p": ["p"], "q": ["q"]}
    assert loaded.enabled == ("c",)
    assert source.load() is loaded
    assert paths.profiles in source.watched_directories()
    profiles.remove("q")
    assert list(source.load().profiles) == ["p"]


def test_a_file_renamed_by_hand_is_found_by_its_name(profiles: Profiles) -> None:
    profiles.create("old", new_document("old", "Old", []))
    profiles.file_of("old").rename(profiles.file_of("new"))
    assert list(profiles.all()) == ["new"]
    assert profiles.find("old") is None


@pytest.mark.parametrize(
    ("name", "id"),
    [("My Profile", "my_profile"), ("a--b", "a_b"), ("Ünï", "_n_"), ("X", "x"), ("2024 (old)", "2024_old_")],
)
def test_a_name_makes_an_id(name: str, id: str) -> None:
    assert profile_id(name) == id
