"""Template expressions keep the reference's rules for whatever stands in a catalog entry and in a call (spec 1.8)."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.servers.templates import evaluate, evaluate_list, expand_variables, to_text

quick = settings(max_examples=40, deadline=None, database=None, derandomize=True)
keys = st.text(alphabet="abkÄ_-1", min_size=1, max_size=4)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
values = st.dictionaries(
    st.one_of(keys, st.integers(0, 3)),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.one_of(keys, st.integers()), inner),
        max_leaves=6,
    ),
    max_size=4,
)
texts = st.lists(st.text(max_size=8), max_size=3)
pieces = st.sampled_from(
    [
        "{{",
        "}}",
        "{",
        "}",
        "|",
        ":",
        ".",
        " ",
        "a",
        "k",
        "volume",
        "into",
        "first",
        "last",
        "or:[x, y]",
        "or:",
        "mount_as:/m:ro",
        "$A",
    ]
)
templates = st.one_of(st.lists(pieces, max_size=12).map("".join), st.text(max_size=20))
FILTERS = {"volume", "volume-target", "into", "first", "last", "or", "mount_as"}


@quick
@given(templates, values)
def test_no_text_and_no_value_makes_an_evaluation_fail(template: str, root: dict[Any, Any]) -> None:
    evaluate(template, root)
    items = evaluate_list([template, root.get("a")], root)
    assert all(isinstance(item, str) for item in items)
    assert "" not in evaluate_list([template], root, drop_empty=True)


@quick
@given(
    st.text(alphabet=st.characters(), max_size=30).filter(lambda text: not re.search(r"\{\{.*?\}\}", text, re.DOTALL)),
    values,
)
def test_text_without_an_expression_stays_as_it_is_lone_braces_too(text: str, root: dict[Any, Any]) -> None:
    assert evaluate(text, root) == text


@quick
@given(keys, st.one_of(scalars, st.lists(scalars, max_size=3)).filter(lambda value: value is not None))
def test_an_expression_alone_gives_the_value_with_its_type(key: str, value: Any) -> None:
    found = evaluate(f"{{{{ {key} }}}}", {key: value})
    assert type(found) is type(value)
    assert found == value or value != value


@quick
@given(keys, scalars, st.text(alphabet="xyz :/", min_size=1, max_size=5), st.text(alphabet="xyz}", max_size=5))
def test_an_expression_in_a_text_becomes_text(key: str, value: Any, before: str, after: str) -> None:
    assert evaluate(f"{before}{{{{{key}}}}}{after}", {key: value}) == before + to_text(value) + after


@quick
@given(values, st.lists(keys.map(lambda key: f"missing{key}"), min_size=1, max_size=4))
def test_a_path_that_leads_nowhere_is_empty(root: dict[Any, Any], path: list[str]) -> None:
    assert evaluate("{{" + ".".join(path) + "}}", root) == ""


@quick
@given(
    keys,
    st.one_of(scalars, texts).filter(lambda value: value is not None),
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
)
def test_a_filter_nobody_knows_changes_nothing(key: str, value: Any, name: str) -> None:
    if name not in FILTERS:
        assert to_text(evaluate(f"{{{{{key}|{name}:x|{name}}}}}", {key: value})) == to_text(value)


@quick
@given(texts)
def test_a_list_is_spliced_into_the_arguments(items: list[str]) -> None:
    assert evaluate_list(["first", "{{k}}", "{{k|into}}"], {"k": items}) == ["first", *items, *items]
    kept = [item for item in items if item]
    assert evaluate_list(["{{k}}"], {"k": items}, drop_empty=True) == kept


@quick
@given(scalars, texts)
def test_into_makes_a_list_and_first_and_last_take_from_it(scalar: Any, items: list[str]) -> None:
    assert evaluate("{{k|into}}", {"k": scalar}) == [to_text(scalar)]
    assert evaluate("{{k|first}}", {"k": items}) == (items[0] if items else "")
    assert evaluate("{{k|last}}", {"k": items}) == (items[-1] if items else "")
    assert evaluate("{{k|first|into}}", {"k": items}) == [items[0] if items else ""]
    assert evaluate("{{k|into|into}}", {"k": items}) == items


@quick
@given(st.text(alphabet="/abC:\\ ", max_size=10), texts)
def test_volume_is_the_path_and_its_target(path: str, paths: list[str]) -> None:
    target = evaluate("{{k|volume-target}}", {"k": path})
    assert evaluate("{{k|volume}}", {"k": path}) == (f"{path}:{target}" if path else "")
    if not re.match(r"[A-Za-z]:[\\/]", path):
        assert target == path
    assert len(evaluate("{{k|volume|into}}", {"k": paths})) == len(paths)


@quick
@given(st.one_of(scalars, texts), st.from_regex(r"[a-z0-9/]{1,6}", fullmatch=True))
def test_or_replaces_only_what_is_empty(value: Any, default: str) -> None:
    found = evaluate(f"{{{{k|or: {default} }}}}", {"k": value})
    if value in (None, "", []):
        assert found == default
    else:
        assert to_text(found) == to_text(value)
    listed = evaluate(f"{{{{k|or:[{default}, {default}]}}}}", {"k": []})
    assert listed == [default, default]


@quick
@given(st.one_of(scalars, texts), st.sampled_from(["", ":ro"]))
def test_mount_as_mounts_the_first_value_or_nothing(value: Any, mode: str) -> None:
    first = (value[0] if value else "") if isinstance(value, list) else value
    expected = f"{to_text(first)}:/data{mode}" if to_text(first) else ""
    assert evaluate(f"{{{{k|mount_as: /data {mode}}}}}", {"k": value}) == expected


@quick
@given(st.text(alphabet="$A{}B ", max_size=20), st.dictionaries(st.sampled_from(["A", "B", "AB"]), st.text(max_size=5)))
def test_variables_are_replaced_once_and_from_the_map_alone(text: str, variables: dict[str, str]) -> None:
    expanded = expand_variables(text, variables)
    if "$" not in text:
        assert expanded == text
    assert expand_variables("${A}|$NOBODY_HAS_THIS", variables) == f"{variables.get('A', '')}|"
