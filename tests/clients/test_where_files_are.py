"""Where each client keeps its file on each system, worked out from an environment that is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.clients.description import Client
from desktop.clients.known import CLIENTS, find_client, introduced_as, similar_id
from desktop.clients.machine import Machine, Places

CLINE = "User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
ROO = "User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"
EXPECTED = {
    "amazon-q": ("~/.aws/amazonq/mcp.json",) * 3,
    "antigravity": ("~/.gemini/config/mcp_config.json",) * 3,
    "claude-code": ("~/.claude.json",) * 3,
    "claude-desktop": (
        "~/.config/Claude/claude_desktop_config.json",
        "~/Library/Application Support/Claude/claude_desktop_config.json",
        "~/AppData/Roaming/Claude/claude_desktop_config.json",
    ),
    "cline": ("~/.cline/data/settings/cline_mcp_settings.json",) * 3,
    "codex": ("~/.codex/config.toml",) * 3,
    "continue": ("~/.continue/mcpServers/mcp-gateway.json",) * 3,
    "copilot-cli": ("~/.copilot/mcp-config.json",) * 3,
    "crush": ("~/.config/crush/crush.json",) * 3,
    "cursor": ("~/.cursor/mcp.json",) * 3,
    "gemini": ("~/.gemini/settings.json",) * 3,
    "goose": (
        "~/.config/goose/config.yaml",
        "~/.config/goose/config.yaml",
        "~/AppData/Roaming/Block/goose/config/config.yaml",
    ),
    "junie": ("~/.junie/mcp/mcp.json",) * 3,
    "kiro": ("~/.kiro/settings/mcp.json",) * 3,
    "lmstudio": ("~/.lmstudio/mcp.json",) * 3,
    "opencode": ("~/.config/opencode/opencode.json",) * 3,
    "roo-code": (
        f"~/.config/Code/{ROO}",
        f"~/Library/Application Support/Code/{ROO}",
        f"~/AppData/Roaming/Code/{ROO}",
    ),
    "sema4": (
        "~/.sema4ai/sema4ai-studio/mcp_servers.json",
        "~/.sema4ai/sema4ai-studio/mcp_servers.json",
        "~/AppData/Local/sema4ai/sema4ai-studio/mcp_servers.json",
    ),
    "vscode": (
        "~/.config/Code/User/mcp.json",
        "~/Library/Application Support/Code/User/mcp.json",
        "~/AppData/Roaming/Code/User/mcp.json",
    ),
    "vscode-insiders": (
        "~/.config/Code - Insiders/User/mcp.json",
        "~/Library/Application Support/Code - Insiders/User/mcp.json",
        "~/AppData/Roaming/Code - Insiders/User/mcp.json",
    ),
    "vscodium": (
        "~/.config/VSCodium/User/mcp.json",
        "~/Library/Application Support/VSCodium/User/mcp.json",
        "~/AppData/Roaming/VSCodium/User/mcp.json",
    ),
    "windsurf": ("~/.codeium/windsurf/mcp_config.json",) * 3,
    "zed": (
        "~/.config/zed/settings.json",
        "~/.config/zed/settings.json",
        "~/AppData/Roaming/Zed/settings.json",
    ),
}
PLATFORMS = ("linux", "darwin", "win32")


def machine(home: Path, platform: str = "linux", **environ: str) -> Machine:
    name = "USERPROFILE" if platform == "win32" else "HOME"
    return Machine(environ={name: str(home), **environ}, platform=platform)


def known(id: str) -> Client:
    client = find_client(id)
    assert client is not None
    return client


def test_every_client_is_expected_here() -> None:
    assert [client.id for client in CLIENTS] == sorted(EXPECTED)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("id", sorted(EXPECTED))
def test_the_file_in_a_new_home(tmp_path: Path, id: str, platform: str) -> None:
    expected = EXPECTED[id][PLATFORMS.index(platform)]
    assert machine(tmp_path, platform).choose(known(id).places) == tmp_path / expected.removeprefix("~/")


@pytest.mark.parametrize(
    ("id", "platform", "variable", "value", "expected"),
    [
        ("claude-code", "linux", "CLAUDE_CONFIG_DIR", "/elsewhere", "/elsewhere/.claude.json"),
        ("codex", "linux", "CODEX_HOME", "/elsewhere", "/elsewhere/config.toml"),
        ("codex", "darwin", "CODEX_HOME", "/elsewhere", "/elsewhere/config.toml"),
        ("cline", "linux", "CLINE_MCP_SETTINGS_PATH", "/elsewhere/mcp.json", "/elsewhere/mcp.json"),
        ("cline", "linux", "CLINE_DIR", "/elsewhere", "/elsewhere/data/settings/cline_mcp_settings.json"),
        ("continue", "linux", "CONTINUE_GLOBAL_DIR", "/elsewhere", "/elsewhere/mcpServers/mcp-gateway.json"),
        ("copilot-cli", "linux", "COPILOT_HOME", "/elsewhere", "/elsewhere/mcp-config.json"),
        ("crush", "linux", "CRUSH_GLOBAL_CONFIG", "/elsewhere", "/elsewhere/crush.json"),
        ("gemini", "linux", "GEMINI_CLI_HOME", "/elsewhere", "/elsewhere/.gemini/settings.json"),
        ("goose", "linux", "GOOSE_PATH_ROOT", "/elsewhere", "/elsewhere/config/config.yaml"),
        ("goose", "linux", "XDG_CONFIG_HOME", "/xdg", "/xdg/goose/config.yaml"),
        ("opencode", "linux", "OPENCODE_CONFIG", "/elsewhere/o.jsonc", "/elsewhere/o.jsonc"),
        ("opencode", "linux", "XDG_CONFIG_HOME", "/xdg", "/xdg/opencode/opencode.json"),
        ("vscode", "linux", "XDG_CONFIG_HOME", "/xdg", "/xdg/Code/User/mcp.json"),
        ("vscode", "linux", "VSCODE_PORTABLE", "/usb", "/usb/user-data/User/mcp.json"),
        ("vscode", "linux", "VSCODE_APPDATA", "/data", "/data/Code/User/mcp.json"),
        ("vscode", "win32", "APPDATA", "/roaming", "/roaming/Code/User/mcp.json"),
        ("zed", "linux", "XDG_CONFIG_HOME", "/xdg", "/xdg/zed/settings.json"),
        ("zed", "darwin", "XDG_CONFIG_HOME", "/xdg", "~/.config/zed/settings.json"),
        ("codex", "linux", "CODEX_HOME", "", "~/.codex/config.toml"),
        ("codex", "linux", "CODEX_HOME", "relative", "~/.codex/config.toml"),
        ("goose", "linux", "XDG_CONFIG_HOME", "relative", "~/.config/goose/config.yaml"),
    ],
)
def test_variables_move_the_file(
    tmp_path: Path, id: str, platform: str, variable: str, value: str, expected: str
) -> None:
    found = machine(tmp_path, platform, **{variable: value}).choose(known(id).places)
    assert found == Path(expected.replace("~", str(tmp_path)))


def test_claude_from_the_windows_store_reads_the_file_of_its_package(tmp_path: Path) -> None:
    roaming, local = tmp_path / "Roaming", tmp_path / "Local"
    usual = roaming / "Claude" / "claude_desktop_config.json"
    usual.parent.mkdir(parents=True)
    usual.write_text("{}", "utf-8")
    windows = machine(tmp_path, "win32", APPDATA=str(roaming), LOCALAPPDATA=str(local))
    places = known("claude-desktop").places
    assert windows.choose(places) == usual
    package = local / "Packages" / "Claude_pzs8sxrjxfjjc"
    package.mkdir(parents=True)
    expected = package / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"
    assert windows.choose(places) == expected


def test_on_linux_claude_desktop_may_write_its_name_either_way(tmp_path: Path) -> None:
    small = tmp_path / ".config" / "claude" / "claude_desktop_config.json"
    small.parent.mkdir(parents=True)
    assert machine(tmp_path).choose(known("claude-desktop").places) == small
    small.write_text("{}", "utf-8")
    (tmp_path / ".config" / "Claude").mkdir()
    assert machine(tmp_path).choose(known("claude-desktop").places) == small


@pytest.mark.parametrize(
    ("id", "there"),
    [
        ("windsurf", ".config/devin/mcp_config.json"),
        ("lmstudio", ".cache/lm-studio/mcp.json"),
        ("opencode", ".config/opencode/opencode.jsonc"),
        ("antigravity", ".gemini/antigravity/mcp_config.json"),
        ("vscode", ".var/app/com.visualstudio.code/config/Code/User/mcp.json"),
        ("cline", f".config/Cursor/{CLINE}"),
        ("zed", ".var/app/dev.zed.Zed/config/zed/settings.json"),
    ],
)
def test_a_file_that_is_there_counts_rather_than_the_usual_place(tmp_path: Path, id: str, there: str) -> None:
    file = tmp_path / there
    file.parent.mkdir(parents=True)
    file.write_text("", "utf-8")
    assert machine(tmp_path).choose(known(id).places) == file


def test_ids_and_aliases_are_those_people_type() -> None:
    for typed, id in {
        "gemini-cli": "gemini",
        "gemini": "gemini",
        "lm-studio": "lmstudio",
        "LMStudio": "lmstudio",
        "claude-desktop": "claude-desktop",
        "copilot": "copilot-cli",
        "roo": "roo-code",
        "devin": "windsurf",
    }.items():
        assert known(typed).id == id
    assert find_client("nothing-like-it") is None
    assert similar_id("cursr") == "cursor"
    assert similar_id("claude desktop") == "claude-desktop"
    assert similar_id("xyzzy") == ""


def test_no_id_is_there_twice() -> None:
    ids = [id for client in CLIENTS for id in (client.id, *client.aliases)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("claude-ai", "claude-desktop"),
        ("claude-code", "claude-code"),
        ("cursor-vscode", "cursor"),
        ("Visual Studio Code", "vscode"),
        ("codex-mcp-client", "codex"),
        ("gemini-cli-mcp-client-mcp-gateway", "gemini"),
        ("opencode", "opencode"),
        ("Zed", "zed"),
    ],
)
def test_a_client_is_known_by_how_it_introduces_itself(name: str, id: str) -> None:
    client = introduced_as(name)
    assert client is not None
    assert client.id == id


def test_a_stranger_stays_a_stranger() -> None:
    assert introduced_as("something new") is None


def test_a_place_that_begins_with_nothing_we_know_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begins no place"):
        machine(tmp_path).expand("{nowhere}/file")


def test_a_client_without_a_place_on_this_system_has_no_file(tmp_path: Path) -> None:
    assert machine(tmp_path, "linux").choose(Places(macos=("~/x",))) is None
