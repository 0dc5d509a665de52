"""Entries put into YAML texts and taken out again."""

from __future__ import annotations

import pytest
import yaml
from ruamel.yaml import YAML

from desktop.clients.document import Format, Item, plan_put, put, remove
from desktop.errors import ClientFileError

PATH = ("extensions", "gw")
ENTRY = {"type": "stdio", "args": ["-c", "x y"], "enabled": True}
LINES = 'gw:\n    type: stdio\n    args:\n      - "-c"\n      - "x y"\n    enabled: true\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"extensions:\n  {LINES}"),
        ("# c\n", f"# c\nextensions:\n  {LINES}"),
        ("a: 1", f"a: 1\nextensions:\n  {LINES}".rstrip("\n")),
        ("extensions: {} # none\nb: 1\n", f"extensions: # none\n  {LINES}b: 1\n"),
        ("extensions:\nb: 1\n", f"extensions:\n  {LINES}b: 1\n"),
        ("extensions:\n  a: |\n    t\n\n# c\nb: 1\n", f"extensions:\n  a: |\n    t\n\n  {LINES}# c\nb: 1\n"),
        ("extensions:\r\n  a: 1 # c\r\n", f"extensions:\n  a: 1 # c\n  {LINES}".replace("\n", "\r\n")),
        ("x: &x 1\nextensions:\n  a: *x\n", f"x: &x 1\nextensions:\n  a: *x\n  {LINES}"),
        (
            "extensions: {a: 1, }\n",
            'extensions: {a: 1, gw: {type: stdio, args: ["-c", "x y"], enabled: true}, }\n',
        ),
        (
            '{"extensions": {"a": 1}}',
            '{"extensions": {"a": 1, "gw": {"type": "stdio", "args": ["-c", "x y"], "enabled": true}}}',
        ),
    ],
)
def test_an_entry_is_written_in_the_manner_of_the_file(before: str, after: str) -> None:
    change = plan_put(before.encode(), Format.YAML, PATH, ENTRY)

    assert change.after.decode() == after
    assert remove(change.after, Format.YAML, PATH, origin=change.origin) == before.encode()


def test_values_are_changed_inside_of_the_entry_and_comments_stay() -> None:
    before = b"extensions:\n  gw: # ours\n    type: stdio # keep\n    old: 1\n    args: [a]\n  b: 2\n"

    after = put(before, Format.YAML, PATH, {"type": "streamable_http", "args": ["a"], "uri": "u"})

    assert after == (
        b"extensions:\n  gw: # ours\n    type: streamable_http # keep\n    args: [a]\n    uri: u\n  b: 2\n"
    )


def test_a_key_that_looks_like_a_number_is_a_key_like_any_other() -> None:
    before = b"extensions:\n  gw:\n    7: a\n    true: b\n"

    assert put(before, Format.YAML, PATH, {"7": "c", "k": 1}) == b"extensions:\n  gw:\n    7: c\n    k: 1\n"


def test_an_entry_of_a_list_is_found_by_its_name() -> None:
    path = ("mcpServers", Item("gw"))
    before = b"name: mine\nmcpServers:\n- uses: a/b\n- name: other\n  command: c\n"

    after = put(before, Format.YAML, path, {"name": "gw", "command": "/x"})

    assert after == before + b"- name: gw\n  command: /x\n"
    assert put(after, Format.YAML, path, {"name": "gw", "command": "/y"}) == after.replace(b"/x", b"/y")
    assert remove(after, Format.YAML, path) == before


@pytest.mark.parametrize(
    "text", ["yes", "0x10", "1_0", "~", "1:30", "- a", "a: b", "#", "\x85\u2028\ufeff", "😀 ü", ""]
)
def test_texts_are_quoted_so_that_every_yaml_reads_the_same(text: str) -> None:
    after = put(b"", Format.YAML, PATH, {"text": text, text: 1}).decode()

    for read in (yaml.safe_load, YAML(typ="safe", pure=True).load):
        assert read(after)["extensions"]["gw"] == {"text": text, text: 1}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: [1\n", 3, 1, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, 1, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, 1, "another document"),
        ("b: 1\nextensions: []\n", 2, 13, "the value of 'extensions' should be a map"),
        ("- a\n", 1, 1, "its content should be a map"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ClientFileError, match=words) as caught:
        put(text.encode(), Format.YAML, PATH, ENTRY, "config.yaml")

    assert (caught.value.path, caught.value.line, caught.value.column) == ("config.yaml", line, column)


def test_a_container_that_stands_elsewhere_is_refused() -> None:
    with pytest.raises(ClientFileError, match="can't be edited without losing something"):
        put(b"x: &x {a: 1}\nextensions: *x\n", Format.YAML, PATH, ENTRY)
