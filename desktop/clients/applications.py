"""AI clients that are applications of their own."""

from __future__ import annotations

from typing import Final

from desktop.clients.description import Client, Shape
from desktop.clients.document import Format
from desktop.clients.machine import Places

__all__ = ["APPLICATIONS"]

_COMMAND: Final[Shape] = {"command": "{command}", "args": "{args}", "env": "{env}"}
_CLAUDE: Final = "claude_desktop_config.json"

APPLICATIONS: Final = (
    Client(
        id="claude-desktop",
        name="Claude Desktop",
        homepage="https://claude.ai/download",
        places=Places(
            linux=(f"{{config}}/Claude/{_CLAUDE}", f"{{config}}/claude/{_CLAUDE}"),
            macos=(f"{{support}}/Claude/{_CLAUDE}",),
            # Since 2026 it comes as a Store package, whose own AppData lies here.
            windows=(
                f"{{local}}/Packages/Claude_*/LocalCache/Roaming/Claude/{_CLAUDE}",
                f"{{roaming}}/Claude/{_CLAUDE}",
            ),
        ),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        programs=("claude-desktop",),
        apps=Places(
            macos=("/Applications/Claude.app", "~/Applications/Claude.app"),
            windows=("{local}/Packages/Claude_*", "{local}/AnthropicClaude"),
        ),
        traces=Places(
            linux=("{config}/Claude", "{config}/claude"),
            macos=("{support}/Claude",),
            windows=("{roaming}/Claude",),
        ),
        processes=("claude-desktop",),
        # The name of its process is that of Claude Code too.
        lock=Places(
            linux=("{config}/Claude/SingletonLock", "{config}/claude/SingletonLock"),
            macos=("{support}/Claude/SingletonLock",),
            windows=("{local}/Packages/Claude_*/LocalCache/Roaming/Claude/lockfile", "{roaming}/Claude/lockfile"),
        ),
        introduces=("claude-ai", "claude desktop"),
        restart="Quit Claude Desktop fully, its icon in the tray or menu bar too, and start it again",
        longest_name=64,
        quit_first=True,
        takes_bundle=True,
        remarks=("Claude Desktop sometimes drops entries from its file when it starts or signs in",),
    ),
    Client(
        id="lmstudio",
        name="LM Studio",
        homepage="https://lmstudio.ai/",
        aliases=("lm-studio",),
        places=Places(everywhere=("~/.lmstudio/mcp.json", "~/.cache/lm-studio/mcp.json")),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"url": "{url}", "headers": "{headers}"},
        programs=("lms", "lm-studio"),
        apps=Places(
            macos=("/Applications/LM Studio.app",),
            windows=("{local}/Programs/LM Studio",),
            everywhere=("~/.lmstudio/bin/lms",),
        ),
        traces=Places(everywhere=("~/.lmstudio", "~/.cache/lm-studio")),
        processes=("lm-studio", "LM Studio"),
        introduces=("lm studio", "lmstudio", "lm-studio"),
        remarks=("Small local models cope with few tools only",),
    ),
    Client(
        id="sema4",
        name="Sema4.ai Studio",
        homepage="https://sema4.ai/",
        aliases=("sema4ai",),
        places=Places(
            linux=("~/.sema4ai/sema4ai-studio/mcp_servers.json",),
            macos=("~/.sema4ai/sema4ai-studio/mcp_servers.json",),
            windows=("{local}/sema4ai/sema4ai-studio/mcp_servers.json",),
        ),
        format=Format.JSON,
        container=("mcpServers",),
        stdio={"transport": "stdio", **_COMMAND},
        apps=Places(macos=("/Applications/Sema4.ai Studio.app",)),
        traces=Places(
            linux=("~/.sema4ai/sema4ai-studio",),
            macos=("~/.sema4ai/sema4ai-studio",),
            windows=("{local}/sema4ai/sema4ai-studio",),
        ),
        introduces=("sema4",),
        restart="Restart Sema4.ai Studio",
    ),
)
