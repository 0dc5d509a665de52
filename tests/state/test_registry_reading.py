"""A registry.yaml as we write it is read without a YAML parser, and means the same to both."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.state import registry_file
from desktop.state.registry_file import RegistryFile
from desktop.state.yaml_document import YamlDocument

NAMES = st.one_of(
    st.sampled_from(
        ["true", "No", "null", "NULL", "on", "y", "a.b", "a-b", "a_b", "e1", "é", "A", "x" * 200, "1e3", "~"]
    ),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "Pd", "Po"]), min_size=1, max_size=8),
)


def _by_parser(text: str) -> list[str]:
    data = YamlDocument(Path("registry.yaml"), Path("lock")).data_of(text)
    return sorted(map(str, data.get("registry") or {}))


@given(st.lists(NAMES, max_size=4, unique=True), st.sampled_from(['""', "''", '"x"']))
def test_both_ways_of_reading_find_the_same_names(names: list[str], ref: str) -> None:
    text = "registry:\n" + "".join(f"  {name}:\n    ref: {ref}\n" for name in names)
    if registry_file._AS_WE_WRITE_IT.fullmatch(text):
        assert sorted(set(registry_file._NAME.findall(text))) == _by_parser(text)


@pytest.mark.parametrize("names", [[], ["time"], ["a.b", "github-official", "x_1"]])
def test_what_we_write_is_read_the_quick_way(tmp_path: Path, names: list[str]) -> None:
    file = RegistryFile(tmp_path / "registry.yaml", tmp_path / "lock")
    file.add([*names, "last"])
    assert registry_file._AS_WE_WRITE_IT.fullmatch((tmp_path / "registry.yaml").read_text("utf-8"))
    assert file.names() == tuple(sorted([*names, "last"]))


@pytest.mark.parametrize(
    "text", ['# a\nregistry:\n  a:\n    ref: ""\n', "registry: {a: {ref: ''}}\n", "registry:\n  a:\n"]
)
def test_other_files_are_read_by_the_parser(tmp_path: Path, text: str) -> None:
    (tmp_path / "registry.yaml").write_text(text, "utf-8")
    assert not registry_file._AS_WE_WRITE_IT.fullmatch(text)
    assert RegistryFile(tmp_path / "registry.yaml", tmp_path / "lock").names() == ("a",)
