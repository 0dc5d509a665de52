"""AI clients that are editors, or live within one."""

from __future__ import annotations

from typing import Final

from desktop.clients.description import Client, OtherFile, ProjectFile, Shape
from desktop.clients.document import Format
from desktop.clients.machine import Places

__all__ = ["EDITORS"]

_CODE_NAMES: Final = {
    "Code": "com.visualstudio.code",
    "Code - Insiders": "com.visualstudio.code.insiders",
    "VSCodium": "com.vscodium.codium",
}
_COMMAND: Final[Shape] = {"command": "{command}", "args": "{args}", "env": "{env}"}
_TYPED_COMMAND: Final[Shape] = {"type": "stdio", **_COMMAND}
_URL: Final[Shape] = {"url": "{url}", "headers": "{headers}"}
_TYPED_URL: Final[Shape] = {"type": "http", **_URL}


def _below_code(name: str, rest: str) -> Places:
    """A file in the data folder of VS Code or one of its kin."""
    flatpak = _CODE_NAMES.get(name)
    sandboxed = (f"~/.var/app/{flatpak}/config/{name}/{rest}",) if flatpak else ()
    return Places(
        linux=(f"{{config}}/{name}/{rest}", *sandboxed),
        macos=(f"{{support}}/{name}/{rest}",),
        windows=(f"{{roaming}}/{name}/{rest}",),
    )


def _code(name: str, id: str, title: str, programs: tuple[str, ...], application: str, folder: str) -> Client:
    """VS Code itself, and what is built from the same source and keeps its files in the same way."""
    places = _below_code(name, "User/mcp.json")
    moved = (
        ("$VSCODE_PORTABLE/user-data/User/mcp.json", f"$VSCODE_APPDATA/{name}/User/mcp.json") if id == "vscode" else ()
    )
    return Client(
        id=id,
        name=title,
        homepage="https://vscodium.com/" if id == "vscodium" else "https://code.visualstudio.com/",
        places=Places(
            linux=moved + places.linux,
            macos=moved + places.macos,
            windows=moved + places.windows,
        ),
        format=Format.JSONC,
        container=("servers",),
        stdio=_TYPED_COMMAND,
        http=_TYPED_URL,
        project=ProjectFile(path=".vscode/mcp.json") if id == "vscode" else None,
        programs=programs,
        apps=Places(
            linux=(f"/usr/share/{programs[0]}", f"/opt/{application}"),
            macos=(f"/Applications/{application}.app", f"~/Applications/{application}.app"),
            windows=(f"{{local}}/Programs/{folder}",),
        ),
        traces=_below_code(name, "User"),
        lock=_below_code(name, "code.lock"),
        introduces=("visual studio code", "vscode", "visual-studio-code"),
        most_tools=128,
        longest_name=64,
        remarks=(f"{title} asks once whether you trust the server",),
    )


_CLINE: Final = "User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
_ROO: Final = "User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"


def _in_extensions(name: str) -> tuple[str, ...]:
    return (f"~/.vscode/extensions/{name}-*", f"~/.cursor/extensions/{name}-*", f"~/.vscode-oss/extensions/{name}-*")


EDITORS: Final = (
    _code("Code", "vscode", "VS Code", ("code",), "Visual Studio Code", "Microsoft VS Code"),
    _code(
        "Code - Insiders",
        "vscode-insiders",
        "VS Code Insiders",
        ("code-insiders",),
        "Visual Studio Code - Insiders",
        "Microsoft VS Code Insiders",
    ),
    _code("VSCodium", "vscodium", "VSCodium", ("codium",), "VSCodium", "VSCodium"),
    Client(
        id="cursor",
        name="Cursor",
        homepage="https://cursor.com/",
        places=Places(everywhere=("~/.cursor/mcp.json",)),
        format=Format.JSONC,
        container=("mcpServers",),
        stdio=_COMMAND,
        http=_URL,
        project=ProjectFile(path=".cursor/mcp.json"),
        programs=("cursor",),
        apps=Places(
            linux=("/opt/Cursor", "/usr/share/cursor"),
            macos=("/Applications/Cursor.app", "~/Applications/Cursor.app"),
            windows=("{local}/Programs/cursor",),
        ),
        traces=Places(everywhere=("~/.cursor",)),
        lock=_below_code("Cursor", "code.lock"),
        introduces=("cursor",),
        most_tools=40,
        longest_name=60,
        remarks=("Turn the server on in Settings, Tools & MCP, if Cursor does not do so by itself",),
    ),
    Client(
        id="windsurf",
        name="Windsurf",
        homepage="https://windsurf.com/",
        aliases=("devin",),
        places=Places(
            linux=("~/.codeium/windsurf/mcp_config.json", "{config}/devin/mcp_config.json"),
            macos=("~/.codeium/windsurf/mcp_config.json", "~/.config/devin/mcp_config.json"),
            windows=("~/.codeium/windsurf/mcp_config.json", "{roaming}/devin/mcp_config.json"),
        ),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"serverUrl": "{url}", "headers": "{headers}"},
        programs=("windsurf", "devin-desktop"),
        apps=Places(
            macos=("/Applications/Windsurf.app", "/Applications/Devin.app"),
            windows=("{local}/Programs/Windsurf", "{local}/Programs/Devin"),
        ),
        traces=Places(everywhere=("~/.codeium/windsurf",)),
        lock=_below_code("Windsurf", "code.lock"),
        introduces=("windsurf", "codeium", "devin"),
        restart="Press Refresh in Windsurf's MCP panel, or restart it",
        most_tools=100,
    ),
    Client(
        id="zed",
        name="Zed",
        homepage="https://zed.dev/",
        places=Places(
            linux=("{config}/zed/settings.json", "~/.var/app/dev.zed.Zed/config/zed/settings.json"),
            macos=("~/.config/zed/settings.json",),
            windows=("{roaming}/Zed/settings.json",),
        ),
        format=Format.JSONC,
        container=("context_servers",),
        stdio={"source": "custom", "enabled": True, **_COMMAND},
        http=_URL,
        project=ProjectFile(path=".zed/settings.json"),
        programs=("zeditor", "zedit"),  # zed itself may be the daemon of the ZFS file system
        apps=Places(
            linux=("~/.local/zed.app", "~/.local/bin/zed"),
            macos=("/Applications/Zed.app", "~/Applications/Zed.app"),
            windows=("{local}/Programs/Zed",),
        ),
        traces=Places(linux=("{config}/zed",), macos=("~/.config/zed",), windows=("{roaming}/Zed",)),
        processes=("zed", "zed-editor", "zeditor"),
        introduces=("zed",),
    ),
    Client(
        id="continue",
        name="Continue",
        homepage="https://www.continue.dev/",
        places=Places(
            everywhere=(
                "$CONTINUE_GLOBAL_DIR/mcpServers/mcp-gateway.json",
                "~/.continue/mcpServers/mcp-gateway.json",
            )
        ),
        format=Format.JSONC,
        container=("mcpServers",),
        stdio=_TYPED_COMMAND,
        http=_TYPED_URL,
        project=ProjectFile(path=".continue/mcpServers/mcp-gateway.json"),
        programs=("cn",),
        apps=Places(everywhere=_in_extensions("continue.continue")),
        traces=Places(everywhere=("~/.continue",)),
        introduces=("continue",),
        other=OtherFile(
            places=Places(everywhere=("$CONTINUE_GLOBAL_DIR/config.yaml", "~/.continue/config.yaml")),
            format=Format.YAML,
            container=("mcpServers",),
            stdio={"name": "{name}", **_COMMAND},
            http={
                "name": "{name}",
                "type": "streamable-http",
                "url": "{url}",
                "requestOptions": {"headers": "{headers}"},
            },
        ),
        remarks=("Continue uses tools in agent mode only, and its command line cn reads config.yaml alone",),
    ),
    Client(
        id="antigravity",
        name="Antigravity",
        homepage="https://antigravity.google/",
        places=Places(everywhere=("~/.gemini/config/mcp_config.json", "~/.gemini/antigravity/mcp_config.json")),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"serverUrl": "{url}", "headers": "{headers}"},
        programs=("agy", "antigravity"),
        apps=Places(
            macos=("/Applications/Antigravity.app",),
            windows=("{local}/Programs/Antigravity",),
        ),
        traces=Places(everywhere=("~/.gemini/config/mcp_config.json", "~/.gemini/antigravity")),
        lock=_below_code("Antigravity", "code.lock"),
        introduces=("antigravity", "agy"),
        restart="Press Refresh in Antigravity's list of MCP servers",
        most_tools=50,
    ),
    Client(
        id="kiro",
        name="Kiro",
        homepage="https://kiro.dev/",
        places=Places(everywhere=("~/.kiro/settings/mcp.json",)),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http=_URL,
        project=ProjectFile(path=".kiro/settings/mcp.json"),
        programs=("kiro", "kiro-cli"),
        apps=Places(macos=("/Applications/Kiro.app",), windows=("{local}/Programs/Kiro",)),
        traces=Places(everywhere=("~/.kiro",)),
        lock=_below_code("Kiro", "code.lock"),
        introduces=("kiro", "q-dev-cli"),
    ),
    Client(
        id="cline",
        name="Cline",
        homepage="https://cline.bot/",
        places=Places(
            linux=(
                "$CLINE_MCP_SETTINGS_PATH",
                "$CLINE_DATA_DIR/settings/cline_mcp_settings.json",
                "$CLINE_DIR/data/settings/cline_mcp_settings.json",
                "~/.cline/data/settings/cline_mcp_settings.json",
                f"{{config}}/Code/{_CLINE}",
                f"{{config}}/Cursor/{_CLINE}",
            ),
            macos=(
                "$CLINE_MCP_SETTINGS_PATH",
                "$CLINE_DATA_DIR/settings/cline_mcp_settings.json",
                "$CLINE_DIR/data/settings/cline_mcp_settings.json",
                "~/.cline/data/settings/cline_mcp_settings.json",
                f"{{support}}/Code/{_CLINE}",
                f"{{support}}/Cursor/{_CLINE}",
            ),
            windows=(
                "$CLINE_MCP_SETTINGS_PATH",
                "$CLINE_DATA_DIR/settings/cline_mcp_settings.json",
                "$CLINE_DIR/data/settings/cline_mcp_settings.json",
                "~/.cline/data/settings/cline_mcp_settings.json",
                f"{{roaming}}/Code/{_CLINE}",
                f"{{roaming}}/Cursor/{_CLINE}",
            ),
        ),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"type": "streamableHttp", **_URL},
        programs=("cline",),
        apps=Places(everywhere=_in_extensions("saoudrizwan.claude-dev")),
        traces=Places(everywhere=("~/.cline",)),
        introduces=("cline", "@cline/"),
    ),
    Client(
        id="roo-code",
        name="Roo Code",
        homepage="https://roocode.com/",
        aliases=("roo",),
        places=_below_code("Code", _ROO),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"type": "streamable-http", **_URL},
        project=ProjectFile(path=".roo/mcp.json"),
        apps=Places(everywhere=_in_extensions("rooveterinaryinc.roo-cline")),
        introduces=("roo code", "roo-code"),
        longest_name=64,
        remarks=("Roo Code is no longer developed since May 2026",),
    ),
    Client(
        id="junie",
        name="Junie",
        homepage="https://www.jetbrains.com/junie/",
        places=Places(everywhere=("~/.junie/mcp/mcp.json",)),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        project=ProjectFile(path=".junie/mcp/mcp.json"),
        programs=("junie",),
        traces=Places(everywhere=("~/.junie",)),
        introduces=("junie",),
        restart="Start a new task in Junie",
    ),
    Client(
        id="amazon-q",
        name="Amazon Q Developer",
        homepage="https://aws.amazon.com/q/developer/",
        aliases=("amazonq", "q"),
        places=Places(everywhere=("~/.aws/amazonq/mcp.json",)),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http=_URL,
        project=ProjectFile(path=".amazonq/mcp.json"),
        apps=Places(macos=("/Applications/Amazon Q.app",)),
        traces=Places(everywhere=("~/.aws/amazonq",)),
        introduces=("q-cli", "amazon q", "amazonq"),
        restart="Restart Amazon Q",
        longest_name=64,
    ),
)
