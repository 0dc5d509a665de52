"""Entries put into TOML texts and taken out again."""

from __future__ import annotations

import tomllib

import pytest

from desktop.clients.document import Format, Item, plan_put, put, remove
from desktop.errors import ClientFileError

PATH = ("mcp_servers", "mcp-gateway")
ENTRY = {"url": "http://127.0.0.1:8811/mcp", "http_headers": {"Authorization": "Bearer t"}}
BLOCK = '[mcp_servers.mcp-gateway]\nurl = "http://127.0.0.1:8811/mcp"\nhttp_headers = { Authorization = "Bearer t" }'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{BLOCK}\n"),
        ("a = 1", f"a = 1\n\n{BLOCK}"),
        ("a = 1 # one\r\n", "a = 1 # one\r\n\r\n" + f"{BLOCK}\n".replace("\n", "\r\n")),
        ("[mcp_servers.a]\nx = 1\n# end\n", f"[mcp_servers.a]\nx = 1\n# end\n\n{BLOCK}\n"),
        ("mcp_servers.a.x = 1\n", f"mcp_servers.a.x = 1\n\n{BLOCK}\n"),
        (
            "mcp_servers = { a = { x = 1 } } # c\n",
            'mcp_servers = { a = { x = 1 }, mcp-gateway = { url = "http://127.0.0.1:8811/mcp", '
            'http_headers = { Authorization = "Bearer t" } } } # c\n',
        ),
    ],
)
def test_an_entry_becomes_a_table_at_the_end_or_joins_an_inline_one(before: str, after: str) -> None:
    data = put(before.encode(), Format.TOML, PATH, ENTRY)

    assert data.decode() == after
    assert remove(data, Format.TOML, PATH) == before.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '[mcp_servers.mcp-gateway]\nurl = "old" # ours\n\n[z]\n',
            '[mcp_servers.mcp-gateway]\nurl = "new" # ours\n\n[z]\n',
        ),
        ('mcp_servers.mcp-gateway.url = "old"\n', 'mcp_servers.mcp-gateway.url = "new"\n'),
        ('[mcp_servers]\nmcp-gateway = {url = "old"}\n', '[mcp_servers]\nmcp-gateway = {url = "new"}\n'),
        ("[mcp_servers.\"mcp-gateway\"]\n\"url\" = '''old'''", '[mcp_servers."mcp-gateway"]\n"url" = "new"'),
    ],
)
def test_a_changed_value_is_replaced_where_it_is_written(before: str, after: str) -> None:
    assert put(before.encode(), Format.TOML, PATH, {"url": "new"}).decode() == after


def test_every_part_of_an_entry_goes_wherever_it_is_written() -> None:
    text = (
        "[mcp_servers.a]\nx = 1\n\n[mcp_servers.mcp-gateway] # ours\nurl = '''\n[b]\n'''\n\n"
        '[b]\ny = 2\n\n[mcp_servers.mcp-gateway.http_headers]\nX = "1"\n\n[projects."/home"]\ntrust = true\n'
    )

    left = remove(text.encode(), Format.TOML, PATH)

    assert left.decode() == '[mcp_servers.a]\nx = 1\n\n[b]\ny = 2\n\n[projects."/home"]\ntrust = true\n'


def test_what_a_client_appends_later_stays_when_the_entry_goes() -> None:
    change = plan_put(b'model = "o"\n', Format.TOML, PATH, ENTRY)
    later = change.after + b'\n[projects."/home/p"]\ntrust_level = "trusted"\n'

    left = remove(later, Format.TOML, PATH, origin=change.origin)

    assert left == b'model = "o"\n\n[projects."/home/p"]\ntrust_level = "trusted"\n'


def test_an_entry_can_be_one_of_an_array_of_tables() -> None:
    path = ("mcp_servers", Item("mcp-gateway"))
    before = b'[[mcp_servers]]\nname = "a"\n'

    after = put(before, Format.TOML, path, {"name": "mcp-gateway", "url": "u"})

    assert tomllib.loads(after.decode())["mcp_servers"] == [{"name": "a"}, {"name": "mcp-gateway", "url": "u"}]
    assert after.startswith(before)
    assert remove(after, Format.TOML, path) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('s = [{ name = "gw" }]\n', "s = []\n"),
        ('s = [ # none\n  { name = "gw" }\n]\n', "s = [ # none\n  \n]\n"),
        ('s = [{ name = "a" }, { name = "gw", x = [1, 2] }]', 's = [{ name = "a" }]'),
        ('s = [{ name = "gw" }, { name = "a" },]', 's = [{ name = "a" },]'),
        ('s = [\n  { name = "a" }, # a, b\n  { name = "gw" } # gw\n]', 's = [\n  { name = "a" } # a, b\n   # gw\n]'),
        ('s = [\n  { name = "gw" }, # gw\n  { name = "a" }\n]', 's = [\n   # gw\n  { name = "a" }\n]'),
        ('[[s]]\nname = "gw"\n\n[s.env]\nx = 1\n\n[[s]]\nname = "a"\n', '[[s]]\nname = "a"\n'),
    ],
)
def test_an_entry_of_an_array_goes_and_leaves_the_others(before: str, after: str) -> None:
    assert remove(before.encode(), Format.TOML, ("s", Item("gw"))).decode().lstrip("\n") == after


@pytest.mark.parametrize(
    "before", ["s = []\n", "s = [ # none\n]\n", 's = [{ name = "a" },]', "s = [ ]", "[t]\nx = 1\n"]
)
def test_an_entry_put_into_an_array_goes_out_again(before: str) -> None:
    path = ("s", Item("gw"))

    change = plan_put(before.encode(), Format.TOML, path, {"name": "gw", "x": {"y": 1}})

    assert tomllib.loads(change.after.decode())["s"][-1] == {"name": "gw", "x": {"y": 1}}
    assert remove(change.after, Format.TOML, path, origin=change.origin) == before.encode()


def test_the_only_member_of_an_inline_table_goes_without_a_memory_of_what_was_there() -> None:
    assert remove(b"mcp_servers = { mcp-gateway = { a = 1 } }", Format.TOML, PATH) == b"mcp_servers = {}"


@pytest.mark.parametrize(
    "before", ["", "[a.b]\nx = 1\n", "[a.b.c]\nx = 1", "[a]\ny = 1\n\n[z]\n", "a.b.x = 1\n", "# c\n"]
)
@pytest.mark.parametrize("path", [("a", "k"), ("a", "b", "k"), ("a", "new", "er", "k"), ("k",)])
def test_a_single_value_goes_in_and_out_again(before: str, path: tuple[str, ...]) -> None:
    change = plan_put(before.encode(), Format.TOML, path, [1])

    found = tomllib.loads(change.after.decode())
    for step in path:
        found = found[step]
    assert found == [1]
    assert remove(change.after, Format.TOML, path, origin=change.origin) == before.encode()


def test_the_place_of_a_wrong_value_is_found_inside_of_another() -> None:
    with pytest.raises(ClientFileError, match=r"line 2, column 5: the value of 'a\.b' should be a map"):
        put(b"x = 1\na = { b = 2 }\n", Format.TOML, ("a", "b", "c"), {}, "config.toml")


def test_texts_are_quoted_so_that_any_character_comes_back() -> None:
    value = {"command": 'C:\\a "b"\t\x7f\x01\n😀', "args": ["'", ""], "on": True, "n": [1, 2.5], "empty": {}}

    after = put(b"", Format.TOML, PATH, value)

    assert tomllib.loads(after.decode())["mcp_servers"]["mcp-gateway"] == value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a = 1\nb =", 2, 4, "not valid TOML"),
        ("a = 1\na = 2\n", 2, 6, "not valid TOML"),
        ("x = [1,\n", 2, 1, "not valid TOML"),
        ("\nmcp_servers = 1\n", 2, 1, "the value of 'mcp_servers' should be a map"),
        ("[[mcp_servers]]\n", 1, 1, "the value of 'mcp_servers' should be a map"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ClientFileError, match=words) as caught:
        put(text.encode(), Format.TOML, PATH, ENTRY, "config.toml")

    assert (caught.value.path, caught.value.line, caught.value.column) == ("config.toml", line, column)
