"""registry.yaml, config.yaml and tools.yaml: read as the reference reads them, edited without losing anything."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.state.config_file import ConfigFile
from desktop.state.locks import file_lock
from desktop.state.registry_file import RegistryFile
from desktop.state.tools_file import ToolsFile
from desktop.state.yaml_edit import REMOVED

REGISTRY = """\
# my servers
registry:
  # the clock
  time:
    ref: ""
  # of a catalog long gone
  vanished:
    ref: ""
    config:
      key: 'kept'   # as it is

  duckduckgo: {ref: ""}
# the end
extra: [1, 2]
"""


def put(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def text_of(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.fixture
def registry(tmp_path: Path) -> RegistryFile:
    return RegistryFile(tmp_path / "registry.yaml", tmp_path / "locks" / "registry.lock")


@pytest.fixture
def config(tmp_path: Path) -> ConfigFile:
    return ConfigFile(tmp_path / "config.yaml", tmp_path / "locks" / "config.lock")


@pytest.fixture
def tools(tmp_path: Path) -> ToolsFile:
    return ToolsFile(tmp_path / "tools.yaml", tmp_path / "locks" / "tools.lock")


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "registry:\n", "registry: {}\n", "other: 1\n"])
def test_a_registry_without_servers_enables_none(registry: RegistryFile, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        put(tmp_path / "registry.yaml", text)
    assert registry.names() == ()


def test_a_new_registry_looks_as_the_reference_writes_it(registry: RegistryFile, tmp_path: Path) -> None:
    registry.add(["time"])
    assert text_of(tmp_path / "registry.yaml") == 'registry:\n  time:\n    ref: ""\n'


def test_adding_leaves_every_other_byte_alone(registry: RegistryFile, tmp_path: Path) -> None:
    path = put(tmp_path / "registry.yaml", REGISTRY)
    registry.add(["fetch", "time"])
    assert text_of(path) == REGISTRY.replace("# the end", '  fetch:\n    ref: ""\n# the end')
    assert registry.names() == ("duckduckgo", "fetch", "time", "vanished")


def test_removing_leaves_comments_unknown_servers_and_their_config_alone(
    registry: RegistryFile, tmp_path: Path
) -> None:
    path = put(tmp_path / "registry.yaml", REGISTRY)
    registry.remove(["time", "unheard-of"])
    assert text_of(path) == REGISTRY.replace('  time:\n    ref: ""\n', "")


def test_clearing_leaves_other_keys_and_comments(registry: RegistryFile, tmp_path: Path) -> None:
    path = put(tmp_path / "registry.yaml", REGISTRY)
    registry.clear()
    assert registry.names() == ()
    assert "# my servers\nregistry: {}\n" in text_of(path)
    assert text_of(path).endswith("# the end\nextra: [1, 2]\n")


def test_a_change_that_changes_nothing_does_not_touch_the_file(registry: RegistryFile, tmp_path: Path) -> None:
    path = put(tmp_path / "registry.yaml", REGISTRY)
    before = path.stat()
    registry.add(["time"])
    registry.remove(["unheard-of"])
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("registry: {}\n# tail\n", 'registry:\n  time:\n    ref: ""\n# tail\n'),
        ("registry:  # mine\n", 'registry:  # mine\n  time:\n    ref: ""\n'),
        ("registry:\r\n  a:\r\n    ref: ''", "registry:\r\n  a:\r\n    ref: ''\r\n  time:\r\n    ref: \"\"\r\n"),
        ("# only this\n", '# only this\nregistry:\n  time:\n    ref: ""\n'),
        ("registry: {a: {ref: ''}} # one line\n", "registry: {a: {ref: ''}, time: {ref: \"\"}} # one line\n"),
        ("registry:\n    a:\n        ref: ''\n", "registry:\n    a:\n        ref: ''\n    time:\n      ref: \"\"\n"),
    ],
)
def test_whatever_the_files_style_is_it_stays(registry: RegistryFile, tmp_path: Path, before: str, after: str) -> None:
    path = put(tmp_path / "registry.yaml", before)
    registry.add(["time"])
    assert text_of(path) == after


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("registry:\n  - a\n", 2, 3), ("registry:\n  a: [\n", 3, 1), ("- registry\n", 1, 1), ("\n\n\tx: 1\n", 3, 1)],
)
def test_a_broken_registry_is_named_with_line_and_column(
    registry: RegistryFile, tmp_path: Path, text: str, line: int, column: int
) -> None:
    path = put(tmp_path / "registry.yaml", text)
    for use in (registry.names, lambda: registry.add(["time"])):
        with pytest.raises(StateFileError) as caught:
            use()
        assert (caught.value.line, caught.value.column) == (line, column)
        assert str(path) in caught.value.message
    assert text_of(path) == text


def test_text_that_is_not_utf8_is_an_error_with_its_line(registry: RegistryFile, tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_bytes(b"registry:\n  caf\xe9:\n    ref: ''\n")
    with pytest.raises(StateFileError, match="line 2: this is not UTF-8 text"):
        registry.names()


def test_names_that_yaml_might_take_for_something_else_stay_names(registry: RegistryFile) -> None:
    names = ["yes", "1e3", "22:22", "null", "io.github.foo/bar", "a b", "ключ", "0o17", "#x", "2024-01-01", "-"]
    registry.add(names)
    assert set(registry.names()) == set(names)
    registry.remove(names[1:])
    assert registry.names() == ("yes",)


CHURN = """
import sys
from pathlib import Path
from desktop.state.registry_file import RegistryFile
folder, own = Path(sys.argv[1]), sys.argv[2]
registry = RegistryFile(folder / "registry.yaml", folder / "locks" / "registry.lock")
for number in range(25):
    registry.add([f"{own}-{number}"])
    if number % 2:
        registry.remove([f"{own}-{number}"])
"""


def test_two_processes_that_change_the_registry_at_once_lose_nothing(registry: RegistryFile, tmp_path: Path) -> None:
    put(tmp_path / "registry.yaml", REGISTRY)
    processes = [subprocess.Popen([sys.executable, "-c", CHURN, str(tmp_path), own]) for own in ("left", "right")]
    assert [process.wait(60) for process in processes] == [0, 0]
    kept = {f"{own}-{number}" for own in ("left", "right") for number in range(0, 25, 2)}
    assert set(registry.names()) == kept | {"time", "vanished", "duckduckgo"}
    assert "config:\n      key: 'kept'   # as it is\n" in text_of(tmp_path / "registry.yaml")


def test_a_lock_that_another_program_holds_is_named(tmp_path: Path) -> None:
    with (
        file_lock(tmp_path / "x.lock"),
        pytest.raises(StateFileError, match=r"x\.lock"),
        file_lock(tmp_path / "x.lock", timeout=0.05),
    ):
        pytest.fail("the lock was had twice")


CONFIG = """\
filesystem:
  paths:
    - /Users/me/Documents   # work
    - /Users/me/Pictures
# tickets
atlassian:
    jira:
        url: https://x.atlassian.net  # cloud
        username: me@x
    retries: 3
other.server: {key: no}
"""


def test_values_are_read_as_the_reference_reads_them(config: ConfigFile, tmp_path: Path) -> None:
    put(tmp_path / "config.yaml", CONFIG)
    assert config.values() == {
        "filesystem": {"paths": ["/Users/me/Documents", "/Users/me/Pictures"]},
        "atlassian": {"jira": {"url": "https://x.atlassian.net", "username": "me@x"}, "retries": 3},
        "other.server": {"key": "no"},
    }


def test_setting_values_touches_only_the_lines_that_differ(config: ConfigFile, tmp_path: Path) -> None:
    path = put(tmp_path / "config.yaml", CONFIG)
    jira = {"url": "https://y.atlassian.net", "username": "me@x", "ssl": True}
    config.set_values("atlassian", {"jira": jira, "retries": 3})
    changed = CONFIG.replace("x.atlassian.net", "y.atlassian.net")
    changed = changed.replace("username: me@x\n", "username: me@x\n        ssl: true\n")
    assert text_of(path) == changed
    config.set_values("atlassian", {"jira": jira, "retries": 3})
    assert text_of(path) == changed


def test_an_empty_map_takes_a_server_s_entry_away(config: ConfigFile, tmp_path: Path) -> None:
    put(tmp_path / "config.yaml", CONFIG)
    config.set_values("atlassian", {})
    config.set_values("filesystem", {})
    config.set_values("unheard-of", {})
    assert text_of(tmp_path / "config.yaml") == "# tickets\nother.server: {key: no}\n"
    config.set_values("other.server", {})
    assert config.values() == {}


@pytest.mark.parametrize(("text", "line"), [("a: 1\n", 1), ("a: {}\nb:\n  - x\n", 3), ("[]\n", 1)])
def test_a_config_that_is_not_a_map_of_maps_is_refused(
    config: ConfigFile, tmp_path: Path, text: str, line: int
) -> None:
    path = put(tmp_path / "config.yaml", "good: {}\n")
    with pytest.raises(StateFileError) as refused:
        config.replace_text(text)
    assert (refused.value.line, text_of(path)) == (line, "good: {}\n")
    put(path, text)
    with pytest.raises(StateFileError) as unread:
        config.values()
    assert unread.value.line == line


def test_replacing_the_text_keeps_it_verbatim_and_one_backup(config: ConfigFile, tmp_path: Path) -> None:
    config.replace_text("a: {x: 1}  # 1\r\n")
    config.replace_text("a: {x: 2}")
    config.replace_text("a: {x: 2}")
    assert config.text() == "a: {x: 2}"
    assert (tmp_path / "config.yaml.bak").read_bytes() == b"a: {x: 1}  # 1\r\n"
    config.replace_text("")
    assert config.values() == {}


def random_value(chance: random.Random, depth: int) -> object:
    texts = [
        "",
        "yes",
        "no",
        "22:22",
        "a: b",
        "# x",
        "line\nline\n",
        "é",
        " pad ",
        "0x1f",
        "1e3",
        "-",
        "null",
        "'",
        '"',
    ]
    kinds: list[object] = [chance.choice(texts), chance.randint(-5, 5), chance.random(), True, False, None, [], {}]
    if depth and chance.random() < 0.5:
        keys = chance.sample(["a", "b", "on", "x.y", "k k", "7"], chance.randint(1, 4))
        return {key: random_value(chance, depth - 1) for key in keys}
    if chance.random() < 0.2:
        return [random_value(chance, 0) for _ in range(chance.randint(1, 3))]
    return chance.choice(kinds)


@pytest.mark.parametrize("seed", range(40))
def test_any_values_that_are_set_are_read_back(config: ConfigFile, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    put(tmp_path / "config.yaml", CONFIG)
    expected = config.values()
    for _ in range(6):
        server = chance.choice(["filesystem", "atlassian", "other.server", "new"])
        values = {key: random_value(chance, 2) for key in chance.sample(["jira", "paths", "retries", "key"], 2)}
        config.set_values(server, values)
        expected[server] = values
        assert config.values() == expected
    assert "# tickets" in config.text()


def test_a_server_that_is_not_listed_has_all_its_tools(tools: ToolsFile, tmp_path: Path) -> None:
    put(tmp_path / "tools.yaml", "github: [search, get]\nslack: []\nnone:\n")
    assert tools.allowed() == {"github": frozenset({"search", "get"}), "slack": frozenset(), "none": frozenset()}


def test_disabling_one_tool_lists_all_the_others(tools: ToolsFile) -> None:
    tools.disable("time", ["convert"], ["now", "convert", "zones"])
    tools.disable("time", ["zones", "unheard-of"], ["now", "convert", "zones"])
    assert tools.allowed() == {"time": frozenset({"now"})}


def test_enabling_the_last_missing_tool_takes_the_limit_away(tools: ToolsFile, tmp_path: Path) -> None:
    put(tmp_path / "tools.yaml", "# mine\ntime: [now]\nslack: []\n")
    tools.enable("time", ["convert"], ["now", "convert", "zones"])
    assert tools.allowed()["time"] == {"now", "convert"}
    tools.enable("time", ["zones"], ["now", "convert", "zones"])
    tools.enable("time", ["zones"], ["now", "convert", "zones"])
    assert text_of(tmp_path / "tools.yaml") == "# mine\nslack: []\n"


def test_a_tool_can_be_enabled_when_the_others_are_not_known(tools: ToolsFile, tmp_path: Path) -> None:
    put(tmp_path / "tools.yaml", "slack: []\n")
    tools.enable("slack", ["post"], [])
    assert tools.allowed() == {"slack": frozenset({"post"})}


def test_disabling_a_tool_of_a_server_whose_tools_are_unknown_is_refused(tools: ToolsFile, tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="aren't known yet"):
        tools.disable("time", ["now"], [])
    assert not (tmp_path / "tools.yaml").exists()


def test_a_tool_list_that_is_not_a_list_is_an_error_with_its_place(tools: ToolsFile, tmp_path: Path) -> None:
    put(tmp_path / "tools.yaml", "a: [x]\nb: y\n")
    with pytest.raises(StateFileError, match="line 2, column 4: the tools of 'b' should be a list of names"):
        tools.allowed()


def test_one_value_is_set_and_taken_away_in_its_own_lines(config: ConfigFile, tmp_path: Path) -> None:
    path = put(tmp_path / "config.yaml", CONFIG)
    config.set_value(["atlassian"], ["jira", "token"], "x")
    assert text_of(path) == CONFIG.replace("username: me@x\n", "username: me@x\n        token: x\n")
    config.set_value(["atlassian"], ["jira", "token"], REMOVED)
    config.set_value(["atlassian"], ["jira", "unheard", "of"], REMOVED)
    config.set_value(["unheard-of"], ["key"], REMOVED)
    assert text_of(path) == CONFIG
    config.set_value(["new.one", "new_one"], ["key"], 1)
    config.set_value(["other.server", "other_server"], ["more"], 2)
    assert config.values()["new_one"] == {"key": 1}
    assert config.values()["other.server"] == {"key": "no", "more": 2}
    config.set_value(["new.one", "new_one"], ["key"], REMOVED)
    config.set_value(["atlassian"], ["jira", "url"], REMOVED)
    config.set_value(["atlassian"], ["jira", "username"], REMOVED)
    assert config.values()["atlassian"] == {"retries": 3}
    assert "new_one" not in config.values()
    with pytest.raises(StateFileError, match=r"'atlassian\.retries' should be a map"):
        config.set_value(["atlassian"], ["retries", "deep"], 1)


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "- " * 200_000, "x: " + "[" * 101 + "]" * 101])
def test_nesting_that_would_overflow_the_stack_is_refused(config: ConfigFile, tmp_path: Path, text: str) -> None:
    put(tmp_path / "config.yaml", text)
    with pytest.raises(StateFileError, match="nested too deeply"):
        config.values()
