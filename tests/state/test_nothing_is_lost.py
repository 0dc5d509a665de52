"""Files as people write them, in every style, changed at random: nothing but the change is seen by the reference."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import StateFileError
from desktop.state import yaml_text
from desktop.state.config_file import ConfigFile
from desktop.state.registry_file import RegistryFile
from desktop.state.yaml_edit import REMOVED, Change, edit
from tests.helpers import reference_reader as reference

# One entry each, {0} is its name; every line of them has to survive while the entry isn't changed.
STYLES = [
    "{0}:\n  key: 1  # of {0}\n  other: [1, 2]\n",
    "# above {0}\n{0}: {{key: 1, other: 'two'}}   # behind {0}\n",
    "{0}: {{key: 1,\n    # within {0}\n    other: two}}\n",
    '"{0}":\n    key: "one"\n\n    # deep in {0}\n    other:\n        inner: |\n          text # no comment\n'
    "           more\n        x: y\n",
    "{0}:\n  key: >-\n    folded\n    text\n  # the end of {0}\n",
    "{0}:\n- not\n- {{a: map}}\n",
    "{0}:   # nothing in {0}\n",
    "{0}: {{}}\n\n\n",
    "{0}:\n  when: 2024-01-01\n  octal: 0o17\n  old: 017\n  big: 12345678901234567890\n  e: 1e3\n  n: ~\n  yes: no\n",
    "{0}: &{0} {{key: 1}}\n",
    "{0}:\n  ? key\n  : 1\n  other: !!str 5\n",
    "{0}: !own\n  key: 1\n",
    "{0}:\n  key:\n  - 1  # first of {0}\n  -   two\n  k2: 'it''s'\n",
]
MAPS = [style for style in STYLES if "- not" not in style]


def document(chance: random.Random, styles: list[str]) -> tuple[list[str], list[str]]:
    """The names of some entries, and their texts."""
    chosen = [chance.choice(styles) for _ in range(chance.randint(1, 6))]
    names = [f"s{number}" if chance.random() < 0.8 else f"{number}" for number in range(len(chosen))]
    return names, [style.format(name) for name, style in zip(names, chosen, strict=True)]


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def assert_kept(text: str, entries: list[str], changed: int | None) -> None:
    """Every line of the entries that weren't changed is there, in order."""
    for number, entry in enumerate(entries):
        if number != changed and not (changed is not None and f"&s{changed} " in entry):
            wanted, rest = lines_of(entry), iter(lines_of(text))
            assert all(line in rest for line in wanted), f"{entry!r} is not in {text!r}"


VALUES: list[Any] = [
    "v",
    "yes",
    "0017",
    "",
    "a: b",
    "# x",
    "two\nlines\n",
    5,
    1.5,
    True,
    None,
    ["x", "y"],
    {"a": {"b": 1}},
]


@pytest.mark.parametrize("seed", range(120))
def test_a_value_that_is_set_or_taken_away_changes_its_entry_alone(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    names, entries = document(chance, MAPS)
    head, tail = chance.choice(["", "# head\n", "---\n"]), chance.choice(["", "# tail\n", "# tail"])
    text = head + "".join(entries) + tail
    file = tmp_path / "config.yaml"
    file.write_text(text.replace("\n", "\r\n") if seed % 5 == 0 else text, "utf-8", newline="")
    config = ConfigFile(file, tmp_path / "lock")
    before = reference.config(text)
    number = chance.randrange(-1, len(names))
    name = "brand-new" if number < 0 else names[number]
    path = chance.choice([["key"], ["other"], ["unheard"], ["deep", "er"]])
    value = chance.choice([*VALUES, REMOVED])
    expected = {known: dict(values) for known, values in before.items()}
    here = expected.setdefault(name, {})
    if len(path) == 2 and value is not REMOVED:
        here["deep"] = {"er": value}
    elif value is not REMOVED:
        here[path[0]] = value
    else:
        here.pop(path[-1] if len(path) == 1 else "none", None)
    config.set_value([name], path, value)
    after = file.read_bytes().decode()
    if not here:
        expected.pop(name)
        assert reference.config(after).get(name, {}) == {}
    seen = reference.config(after)
    assert {known: values for known, values in seen.items() if values or known in expected} == {
        known: values for known, values in expected.items() if values or known in seen
    }
    assert_kept(after, entries, None if number < 0 else number)
    assert after.startswith(head.strip())
    assert after.rstrip().endswith(tail.strip())
    if seed % 5 == 0 and after != text:
        assert after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("seed", range(60))
def test_servers_that_are_enabled_and_disabled_leave_the_others_as_they_are(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kinds = ["{0}:\n  ref: ''  # of {0}\n", '# above {0}\n"{0}": {{ref: ""}}\n', "{0}:\n", "{0}: {{}}  # {0}\n",
             "{0}:\n  ref: x\n  config: {{a: [1, 'two']}}\n  own: kept\n"]  # fmt: skip
    names, entries = document(chance, kinds)
    indented = [("  " + entry.replace("\n", "\n  ")).removesuffix("  ") for entry in entries]
    text = f"# head\nown: {{a: 1}}\nregistry:  # servers\n{''.join(indented)}# tail\nlast: [1]\n"
    file = tmp_path / "registry.yaml"
    file.write_text(text, "utf-8")
    registry = RegistryFile(file, tmp_path / "lock")
    enabled, untouched = set(names), set(names)
    for _ in range(6):
        name = chance.choice([*names, "new-one", "new.two", "yes"])
        change: Callable[[list[str]], None] = chance.choice([registry.add, registry.remove])
        change([name])
        enabled = enabled | {name} if change == registry.add else enabled - {name}
        untouched &= enabled
        after = file.read_text("utf-8")
        assert reference.registry(after) == enabled
        assert after.startswith("# head\nown: {a: 1}\nregistry:")
        assert after.endswith("# tail\nlast: [1]\n")
        for entry in (entry for name, entry in zip(names, indented, strict=True) if name in untouched):
            assert set(lines_of(entry)) <= set(lines_of(after))


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("base: &b {a: 1}\nx: *b\n", Change(("x", "a"), 2), "base: &b {a: 1}\nx:\n  a: 2\n"),
        ("base: &b\n  a: 1\nx: *b\n", Change(("base", "a"), 2), None),
        ("base: &b\n  a: 1\nx: *b\n", Change(("base",), REMOVED), None),
        ("base: &b\n  a: 1\nx:\n  <<: *b\n  c: 1  # c\n", Change(("x", "a"), 2), None),
        ("base: &b\n  a: 1\nx:\n  <<: *b\n  c: 1\n", Change(("x", "a"), REMOVED), None),
        ("1: {y: 1}\ntrue: {y: 2}\n", Change(("1", "y"), 3), "1: {y: 3}\ntrue: {y: 2}\n"),
        ("1: {y: 1} # c\n", Change(("1", "z"), 3), "1: {y: 1, z: 3} # c\n"),
        ("x: {y: 1,\n  # c\n  z: 2}\n", Change(("x", "z"), REMOVED), "x: {y: 1}\n"),
        ("x: {y: 1, # c\n  z: 2}\n", Change(("x", "w"), {"v": [1]}), "x: {y: 1, # c\n  z: 2, w: {v: [1]}}\n"),
        ("x: {a: {b: {c: 1}}} # c\n", Change(("x", "a", "b", "c"), "d"), "x: {a: {b: {c: d}}} # c\n"),
        ("x: {a: 1}\n", Change(("x", "a"), REMOVED), "x: {}\n"),
        ("{x: {a: 1}}\n", Change(("y",), ""), '{x: {a: 1}, y: ""}\n'),
        ("x: {a, b}\n", Change(("x", "a"), 1), None),
        ("# c\n---\n...\n", Change(("x",), 1), "# c\n---\nx: 1\n...\n"),
        ("x: {a: 'é', ключ: 1}\n", Change(("x", "ключ"), "ü"), "x: {a: 'é', ключ: ü}\n"),
    ],
)
def test_shared_parts_odd_keys_and_flow_style(text: str, change: Change, expected: str | None) -> None:
    wanted = reference.decode(text) or {}
    here = wanted
    for key in change.path[:-1]:
        here = here[key]
    if change.value is REMOVED:
        here.pop(change.path[-1])
    else:
        here[change.path[-1]] = change.value
    edited = edit(text, [change], "f")
    assert reference.decode(edited) == wanted
    if expected is not None:
        assert edited == expected


def test_tags_nobody_knows_are_passed_over() -> None:
    text = "a: !own {b: !x [1, !y two]}\nc: !!timestamp soon\nd: !!python/name:os.system x\n"
    assert yaml_text.parse(text, "f") == {"a": {"b": [1, "two"]}, "c": "soon", "d": "x"}


@pytest.mark.parametrize(
    "text",
    ["a: &a {b: *a}\n", "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(
        f"{chr(99 + n)}: &{chr(99 + n)} [{', '.join([f'*{chr(98 + n)}'] * 9)}]\n" for n in range(9))],
    ids=["itself", "a billion"],
)  # fmt: skip
def test_aliases_without_end_are_refused(text: str) -> None:
    with pytest.raises(StateFileError, match="f"):
        yaml_text.parse(text, "f")


SCALARS = [
    "1", "+1", "-1", "1_000", "0o17", "017", "0x1F", "0b101", "1.5", "1.", ".5", "-.5", "1e3", "1E+3", "1.5e-3", ".inf",
    "-.Inf", "+.inf", "true", "True", "TRUE", "False", "yes", "No", "on", "off", "y", "~", "null", "Null", "", "'1'", '"true"',
    "22:22", "1:30:15", "2024-01-01", "2024-01-01T10:00:00Z", "1.2.3", "v1.10", "-", "--", "+", ".", "..", "0", "-0", "00",
    "0.10", "1__0", "_1", "0x", "1e", "e1", "<<", "=", "a: b", "12345678901234567890", "9" * 30, "1_000.5", "- x", "[a, b]",
    "{a: 1}", "|\n    t\n    u", ">-\n    t\n    u", "!!str 5", "'it''s'", '"\\u00e9\\n"', "é", "@x", "%x", "`x",
]  # fmt: skip


# A number such as 08 is 8 to the reference, since it is none in base 8; to us it is the text a person has typed.
@pytest.mark.parametrize("scalar", SCALARS)
def test_a_value_means_the_same_to_us_as_to_the_reference(scalar: str) -> None:
    text = f"server:\n  key: {scalar}\n"
    try:
        seen = reference.decode(text)["server"]["key"]
    except reference.NotReadable:
        with pytest.raises(StateFileError):
            yaml_text.parse(text, "f")
        return
    value = yaml_text.parse(text, "f")["server"]["key"]
    if scalar == "!!str 5":  # the reader of these tests doesn't see that tag
        seen = "5"
    assert (type(value), value) == (str if isinstance(seen, str) else type(seen), seen)


PIECES = [
    "a: {b: 1}\n", "registry:\n  x:\n    ref: ''\n", "a: &x [1,2]\nb: *x\n", "? k\n: v\n", "x: |\n  t\n", "- a\n", "# c\n",
    "{a: [b, {c: d}]}\n", "a: !t b\n", "'q': \"w\\n\"\n", "---\n...\n", "a:\n  - b: c\n    d: e\n", "<<: {a: b}\n",
    "1: 2\n", "x: ~\n",
]  # fmt: skip


def scribbled(chance: random.Random) -> str:
    """Something like a YAML file, with slips of the hand in it."""
    text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
    for _ in range(chance.choice([0, 0, 1, 2])):
        place = chance.randrange(len(text) + 1)
        slip = chance.choice("{}[]:,#&*!|>'\"%@`-?\t\n \r\0\x85\u2028é\ufeff~<")
        text = chance.choice([text[:place] + slip + text[place:], text[:place] + text[place + 1 :]])
    return text


@pytest.mark.parametrize("seed", range(8))
def test_of_files_with_slips_in_them_nothing_is_lost_or_they_are_left_alone(tmp_path: Path, seed: int) -> None:
    chance, file = random.Random(seed), tmp_path / "file.yaml"
    config, registry = ConfigFile(file, tmp_path / "lock"), RegistryFile(file, tmp_path / "lock")
    changes: dict[str, Callable[[], None]] = {
        "a": lambda: config.set_value(["a"], ["b"], chance.choice([1, "x\ny", REMOVED, {"q": [1]}])),
        "registry": lambda: registry.add(["x", "y"]),
    }
    edited = 0
    for _ in range(50):
        text = scribbled(chance)
        for key, change in changes.items():
            file.write_bytes(text.encode())
            try:
                change()
            except StateFileError:
                assert file.read_bytes() == text.encode()
                continue
            after = file.read_bytes().decode()
            try:
                before = reference.decode(text) or {}
            except reference.NotReadable:
                continue  # we bear more than the reference, such as a key that comes twice
            edited += 1
            seen = reference.decode(after) or {}
            assert [(name, value) for name, value in seen.items() if name != key] == [
                (name, value) for name, value in before.items() if name != key
            ], (text, after)
            assert after.count("# c") >= text.count("# c"), (text, after)
    assert edited > 10
