"""AI clients that are used in a terminal."""

from __future__ import annotations

from typing import Final

from desktop.clients.description import Client, ProjectFile, Shape
from desktop.clients.document import Format
from desktop.clients.machine import Places

__all__ = ["TERMINALS"]

_COMMAND: Final[Shape] = {"command": "{command}", "args": "{args}", "env": "{env}"}
_TYPED_COMMAND: Final[Shape] = {"type": "stdio", **_COMMAND}
_URL: Final[Shape] = {"url": "{url}", "headers": "{headers}"}
_TYPED_URL: Final[Shape] = {"type": "http", **_URL}

TERMINALS: Final = (
    Client(
        id="claude-code",
        name="Claude Code",
        aliases=("claude",),
        places=Places(everywhere=("$CLAUDE_CONFIG_DIR/.claude.json", "~/.claude.json")),
        format=Format.JSON,
        container=("mcpServers",),
        stdio=_TYPED_COMMAND,
        http=_TYPED_URL,
        project=ProjectFile(path=".mcp.json"),
        programs=("claude",),
        apps=Places(everywhere=("~/.claude/local/claude", "~/.local/bin/claude")),
        traces=Places(everywhere=("$CLAUDE_CONFIG_DIR", "~/.claude")),
        processes=("claude",),
        introduces=("claude-code", "claude code"),
        restart="Start a new session of Claude Code, or type /mcp in a running one",
        longest_name=64,
    ),
    Client(
        id="gemini",
        name="Gemini CLI",
        aliases=("gemini-cli",),
        places=Places(everywhere=("$GEMINI_CLI_HOME/.gemini/settings.json", "~/.gemini/settings.json")),
        format=Format.JSONC,
        container=("mcpServers",),
        stdio=_COMMAND,
        http={"httpUrl": "{url}", "headers": "{headers}"},
        project=ProjectFile(path=".gemini/settings.json"),
        programs=("gemini",),
        traces=Places(everywhere=("$GEMINI_CLI_HOME/.gemini", "~/.gemini/settings.json")),
        processes=("gemini",),
        introduces=("gemini-cli",),
        restart="Type /mcp reload in Gemini CLI, or restart it",
        longest_name=63,
    ),
    Client(
        id="codex",
        name="Codex",
        places=Places(everywhere=("$CODEX_HOME/config.toml", "~/.codex/config.toml")),
        format=Format.TOML,
        container=("mcp_servers",),
        stdio=_COMMAND,
        http={"url": "{url}", "http_headers": "{headers}"},
        programs=("codex",),
        traces=Places(everywhere=("$CODEX_HOME", "~/.codex")),
        processes=("codex",),
        introduces=("codex",),
        restart="Restart Codex",
        longest_name=64,
    ),
    Client(
        id="opencode",
        name="opencode",
        places=Places(
            everywhere=(
                "$OPENCODE_CONFIG",
                "$OPENCODE_CONFIG_DIR/opencode.json",
                "{config}/opencode/opencode.json",
                "{config}/opencode/opencode.jsonc",
            )
        ),
        format=Format.JSONC,
        container=("mcp",),
        stdio={"type": "local", "command": "{argv}", "environment": "{env}", "enabled": True},
        http={"type": "remote", **_URL, "oauth": False, "enabled": True},
        project=ProjectFile(path="opencode.json"),
        programs=("opencode",),
        apps=Places(everywhere=("~/.opencode/bin/opencode",)),
        traces=Places(everywhere=("{config}/opencode",)),
        processes=("opencode",),
        introduces=("opencode",),
        restart="Restart opencode",
    ),
    Client(
        id="crush",
        name="Crush",
        places=Places(everywhere=("$CRUSH_GLOBAL_CONFIG/crush.json", "{config}/crush/crush.json")),
        format=Format.JSON,
        container=("mcp",),
        stdio=_TYPED_COMMAND,
        http=_TYPED_URL,
        project=ProjectFile(path=".crush.json"),
        programs=("crush",),
        traces=Places(everywhere=("{config}/crush", "{data}/crush")),
        processes=("crush",),
        introduces=("crush",),
        restart="Restart Crush",
    ),
    Client(
        id="copilot-cli",
        name="Copilot CLI",
        aliases=("copilot",),
        places=Places(everywhere=("$COPILOT_HOME/mcp-config.json", "~/.copilot/mcp-config.json")),
        format=Format.JSON,
        container=("mcpServers",),
        stdio={"type": "local", "command": "{command}", "args": "{args}", "env": "{env}", "tools": ["*"]},
        http={**_TYPED_URL, "tools": ["*"]},
        programs=("copilot",),
        traces=Places(everywhere=("$COPILOT_HOME", "~/.copilot")),
        processes=("copilot",),
        introduces=("github-copilot", "copilot"),
        restart="Type /mcp reload in Copilot CLI, or restart it",
    ),
    Client(
        id="goose",
        name="Goose",
        places=Places(
            linux=("$GOOSE_PATH_ROOT/config/config.yaml", "{config}/goose/config.yaml"),
            macos=("$GOOSE_PATH_ROOT/config/config.yaml", "{config}/goose/config.yaml"),
            windows=("$GOOSE_PATH_ROOT/config/config.yaml", "{roaming}/Block/goose/config/config.yaml"),
        ),
        format=Format.YAML,
        container=("extensions",),
        stdio={
            "type": "stdio",
            "name": "{name}",
            "description": "MCP servers behind one gateway",
            "enabled": True,
            "cmd": "{command}",
            "args": "{args}",
            "envs": "{env}",
            "timeout": 300,
        },
        http={
            "type": "streamable_http",
            "name": "{name}",
            "description": "MCP servers behind one gateway",
            "enabled": True,
            "uri": "{url}",
            "headers": "{headers}",
            "timeout": 300,
        },
        programs=("goose",),
        apps=Places(macos=("/Applications/Goose.app",)),
        traces=Places(
            linux=("{config}/goose",),
            macos=("{config}/goose",),
            windows=("{roaming}/Block/goose",),
        ),
        processes=("goose", "goosed"),
        introduces=("goose",),
        restart="Start a new session of Goose",
    ),
)
