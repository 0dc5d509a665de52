"""Entries put into JSON and JSONC texts and taken out again."""

from __future__ import annotations

import json

import pytest

from desktop.clients.document import Format, Item, plan_put, put, read, remove
from desktop.errors import ClientFileError

PATH = ("mcpServers", "mcp-gateway")
ENTRY = {"command": "/opt/gateway/stdio-bridge", "args": ["--client", "cursor"]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "mcpServers": {\n    "mcp-gateway": {\n      "url": "u"\n    }\n  }\n}\n'),
        ('{"mcpServers":{}}', '{"mcpServers":{"mcp-gateway":{"url":"u"}}}'),
        ('{"a": 1}', '{"a": 1, "mcpServers": {"mcp-gateway": {"url": "u"}}}'),
        (
            '{\n\t"mcpServers": {\n\t\t"a": {}, // mine\n\t\t// old\n\t},\n}',
            '{\n\t"mcpServers": {\n\t\t"a": {}, // mine\n\t\t// old\n'
            '\t\t"mcp-gateway": {\n\t\t\t"url": "u"\n\t\t},\n\t},\n}',
        ),
        (
            '{\r\n    "mcpServers": {\r\n        "a": 1 // one\r\n    }\r\n}\r\n',
            '{\r\n    "mcpServers": {\r\n        "a": 1, // one\r\n'
            '        "mcp-gateway": {\r\n            "url": "u"\r\n        }\r\n    }\r\n}\r\n',
        ),
    ],
)
def test_an_entry_is_written_in_the_manner_of_the_file(before: str, after: str) -> None:
    assert put(before.encode(), Format.JSONC, PATH, {"url": "u"}).decode() == after


def test_an_entry_that_is_there_already_changes_no_byte() -> None:
    data = put(b'{"mcpServers": {}}', Format.JSON, PATH, ENTRY)

    assert put(data, Format.JSON, PATH, ENTRY) is data


def test_a_changed_value_is_replaced_inside_of_the_entry_alone() -> None:
    before = b'{"mcpServers": {"mcp-gateway": {"url": "old", /* kept */ "headers": {}}}}'

    after = put(before, Format.JSONC, PATH, {"url": "new", "headers": {}})

    assert after == before.replace(b"old", b"new")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "mcpServers": {\n    "mcp-gateway": 1\n  }\n}', '{\n  "mcpServers": {}\n}'),
        ('{"mcpServers": { "mcp-gateway": 1 }}', '{"mcpServers": { }}'),
        ('{"mcpServers": {\n  // c\n  "mcp-gateway": 1\n}}', '{"mcpServers": {\n  // c\n}}'),
        ('{"mcpServers": {"mcp-gateway": 1,}}', '{"mcpServers": {}}'),
        ('{"mcpServers": {"mcp-gateway": 1, "a": 2, "mcp-gateway": 3}}', '{"mcpServers": {"a": 2}}'),
        ('{"mcpServers": {"a": 1, /* b */ "mcp-gateway": 2 // c\n}}', '{"mcpServers": {"a": 1 /* b */ // c\n}}'),
    ],
)
def test_an_entry_without_a_memory_of_what_was_there_leaves_an_empty_container(before: str, after: str) -> None:
    assert remove(before.encode(), Format.JSONC, PATH).decode() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "mcpServers": {\n    "mcp-gateway": {"a": {}}\n  }\n}', '{"a": {"x": 1}}'),
        ('{\n  "mcpServers": {\n    "mcp-gateway": {"a": [2, 3]}\n  }\n}', '{"a": {"x": 1}}'),
        ('{\n  "mcpServers": {\n    "mcp-gateway": {"b": 1, "b": 2}\n  }\n}', '{"a": {"x": 1}}'),
    ],
)
def test_what_is_on_one_line_stays_on_it(before: str, after: str) -> None:
    got = put(before.encode(), Format.JSON, PATH, {"a": {"x": 1}}).decode()

    assert got == f'{{\n  "mcpServers": {{\n    "mcp-gateway": {after}\n  }}\n}}'


def test_the_last_of_several_containers_is_the_one_that_counts() -> None:
    before = b'{"mcpServers": {"a": 1}, "mcpServers": {"b": 2}}'

    assert put(before, Format.JSON, PATH, 3) == b'{"mcpServers": {"a": 1}, "mcpServers": {"b": 2, "mcp-gateway": 3}}'


def test_an_entry_of_a_list_is_found_by_its_name() -> None:
    path = ("servers", Item("mcp-gateway"))
    before = b'{"servers": [{"name": "a"}]}'

    after = put(before, Format.JSON, path, {"name": "mcp-gateway", "url": "u"})

    assert json.loads(after)["servers"] == [{"name": "a"}, {"name": "mcp-gateway", "url": "u"}]
    assert remove(after, Format.JSON, path) == before


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{\n  "a": 1,\n}', 2, 9, "a comma too many"),
        ("{\n  // why\n}", 2, 3, "comments are not allowed here"),
        ('{"a": 1', 1, 8, "not valid JSON"),
        ('{"mcpServers":\n []}', 2, 2, "the value of 'mcpServers' should be a map"),
        ("[]", 1, 1, "its content should be a map"),
        ('{"a":\n NaN}', 2, 2, "NaN is not a value"),
        ('{"a": "\0"}', 1, 8, "a zero byte"),
        ("[" * 100_000, 1, 1, "nested too deeply"),
        ('{"a":' * 700 + "1" + "}" * 700, 1, 1, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ClientFileError, match=words) as caught:
        put(text.encode(), Format.JSON, PATH, ENTRY, "settings.json")

    assert (caught.value.path, caught.value.line, caught.value.column) == ("settings.json", line, column)


@pytest.mark.parametrize(
    ("data", "words"),
    [('{"a": 1}'.encode("utf-16"), "UTF-16"), ('{\n"ä": 1}'.encode("latin-1"), "line 2, column 2: it is not UTF-8")],
)
def test_other_encodings_are_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(ClientFileError, match=words):
        put(data, Format.JSON, PATH, ENTRY)


def test_a_number_of_any_length_is_no_hindrance() -> None:
    before = b'{"a": ' + b"9" * 5000 + b"}"

    assert put(before, Format.JSON, ("b",), 1) == before[:-1] + b', "b": 1}'
    assert read(before, Format.JSON)["a"] > 10**300


def test_taking_an_entry_out_brings_back_what_was_there_before_it() -> None:
    for before in (b"", b"\n", b"{ }", b"{\n}", b"null", b"// c", b'{"mcpServers": {\n }}', b'{ // c\n "a": [1,], }'):
        change = plan_put(before, Format.JSONC, PATH, ENTRY)

        assert read(change.after, Format.JSONC)["mcpServers"]["mcp-gateway"] == ENTRY
        assert remove(change.after, Format.JSONC, PATH, origin=change.origin) == before


def test_a_container_made_for_the_entry_stays_when_others_have_moved_in() -> None:
    change = plan_put(b'{"a": 1}', Format.JSON, PATH, ENTRY)
    after = put(change.after, Format.JSON, ("mcpServers", "other"), 1)

    assert remove(after, Format.JSON, PATH, origin=change.origin) == b'{"a": 1, "mcpServers": {"other": 1}}'


def test_an_entry_of_several_with_one_name_in_a_list_is_the_last() -> None:
    before = b'{"servers": [{"name": "a", "n": 1}, {"name": "a", "n": 2}]}'

    assert put(before, Format.JSON, ("servers", Item("a")), {"name": "a", "n": 3}) == before.replace(b"2", b"3")
    assert remove(before, Format.JSON, ("servers", Item("a"))) == b'{"servers": [{"name": "a", "n": 1}]}'


def test_the_difference_shows_the_lines_around_and_no_secret() -> None:
    change = plan_put(b'{\n  "a": 1\n}\n', Format.JSON, ("b",), "s3cret")

    assert change.diff("x.json", hide=["s3cret"]).splitlines() == [
        *("--- x.json", "+++ x.json", "@@ -1,3 +1,4 @@"),
        *(" {", '-  "a": 1', '+  "a": 1,', '+  "b": "***"', " }"),
    ]
    assert plan_put(change.after, Format.JSON, ("b",), "s3cret").diff("x.json") == ""
    assert change.splice() == (10, b"", b',\n  "b": "s3cret"')
