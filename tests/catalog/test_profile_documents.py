"""Profile documents nobody would write: understood, or refused with a sentence."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from desktop.catalog.kinds import kind_of
from desktop.catalog.profile import read_profile
from desktop.catalog.profile_editing import added, removed
from desktop.errors import ProfileError
from desktop.servers.listing import configuration_hash
from desktop.state import yaml_text
from desktop.state.yaml_edit import edit

words = st.text(st.sampled_from("ab/:@.{}1 "), max_size=6)
scalars = words | st.integers(-2, 2) | st.booleans() | st.none() | st.floats(allow_nan=False)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.integers(0, 2), inner, max_size=3),
    max_leaves=6,
)
servers = st.fixed_dictionaries(
    {},
    optional={
        "name": words | anything,
        "type": st.sampled_from(["server", "remote", "poci"]) | anything,
        "image": words | anything,
        **dict.fromkeys(("remote", "tools", "config", "secrets", "env", "command"), anything),
    },
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["image", "remote", "registry"]) | anything,
        "snapshot": st.fixed_dictionaries({"server": servers}) | anything,
        **dict.fromkeys(("image", "endpoint", "source", "config", "tools", "secrets"), words | anything),
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just(1) | anything,
        "id": anything,
        "name": anything,
        "servers": st.lists(entries | anything, max_size=3) | anything,
    },
)


@given(documents)
def test_a_document_is_understood_or_refused_with_a_sentence(document: dict[str, Any]) -> None:
    try:
        profile = read_profile(document, "x")
    except ProfileError:
        return
    for item in profile.servers.values():
        kind_of(item.server)
        configuration_hash(item.server, item.values)


@given(st.lists(entries, max_size=3))
def test_what_is_added_can_be_removed_and_nothing_else_changes(listed: list[Any]) -> None:
    text = yaml_text.dump({"version": 1, "servers": listed, "other": [1]})
    before = yaml_text.parse(text, "x")
    record = {"type": "image", "image": "i", "snapshot": {"server": {"name": "new one", "image": "i"}}}
    with_it = edit(text, added(before, "x", [record]), "x")
    after = yaml_text.parse(with_it, "x")
    assert after == {**before, "servers": [*before["servers"], record]}
    without = edit(with_it, removed(read_profile(after, "x"), ["new one"]), "x")
    assert yaml_text.parse(without, "x") == before
