"""How the dynamic tools describe themselves to a model (spec 3.7)."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ADD", "CONFIG_SET", "DISCOVER", "DISCOVER_RESULT", "EXEC", "FIND", "REMOVE"]


def _tool(
    name: str, title: str, description: str, properties: dict[str, Any], required: list[str], **hints: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required},
        "annotations": {"title": title, **hints},
    }


FIND: Final = _tool(
    "mcp-find",
    "Find MCP servers",
    "Search the catalogs for MCP servers that can do something no tool at hand can. Gives each server's name and description, "
    "the secrets it needs and the schema of its settings. Add one with mcp-add.",
    {
        "query": {"type": "string", "description": "What is needed, in a few words: a product, a task, a kind of data"},
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": 50,
            "default": 10,
            "description": "How many servers at most",
        },
    },
    ["query"],
    readOnlyHint=True,
    openWorldHint=False,
)
ADD: Final = _tool(
    "mcp-add",
    "Add an MCP server",
    "Add a server of the catalogs to this session and get its tools. It runs for you alone and ends with the session. The "
    "person may be asked for consent first, so this can take a while. Says which secret or setting is missing.",
    {
        "name": {"type": "string", "description": "The server's name, as mcp-find gives it"},
        "activate": {
            "type": "boolean",
            "default": True,
            "description": "false: do not list its tools; call them with mcp-exec",
        },
    },
    ["name"],
    readOnlyHint=False,
    destructiveHint=False,
    idempotentHint=True,
)
REMOVE: Final = _tool(
    "mcp-remove",
    "Remove an MCP server",
    "Remove a server and its tools from this session. Other sessions and the person's own choice of servers stay as they are.",
    {"name": {"type": "string", "description": "The server's name"}},
    ["name"],
    readOnlyHint=False,
    destructiveHint=False,
    idempotentHint=True,
)
CONFIG_SET: Final = _tool(
    "mcp-config-set",
    "Set up an MCP server",
    "Set the settings of a server for this session, all of them at once; see config_schema of mcp-find. They replace the "
    "settings it has, are checked against its schema, and end with the session. Secrets can't be set here: the person does that.",
    {
        "server": {"type": "string", "description": "The server's name"},
        "config": {"type": "object", "description": "Its settings, as its schema says"},
    },
    ["server", "config"],
    readOnlyHint=False,
    destructiveHint=False,
    idempotentHint=True,
)
EXEC: Final = _tool(
    "mcp-exec",
    "Call a tool by name",
    "Call any tool of the servers in this session, also one that is not listed: of a server added with activate false, or added "
    "since your list of tools was made.",
    {
        "name": {"type": "string", "description": "The tool's name, as mcp-add gives it"},
        "arguments": {
            "type": ["object", "string"],
            "description": "Its arguments: an object, or the same as JSON text",
        },
    },
    ["name"],
    openWorldHint=True,
)
DISCOVER: Final = {
    "name": "mcp-discover",
    "title": "Discover MCP servers",
    "description": "How to find servers for a task, add them to the session, and use their tools",
}
DISCOVER_RESULT: Final = {
    "description": DISCOVER["description"],
    "messages": [
        {
            "role": "user",
            "content": {
                "type": "text",
                "text": (
                    "This gateway has a catalog of MCP servers beside those whose tools you see. When no tool at hand fits the "
                    "task:\n"
                    "1. mcp-find with a few words of what is needed. Read the descriptions and choose one server.\n"
                    "2. If it has a config_schema with required settings, mcp-config-set with all of them.\n"
                    "3. mcp-add with its name. The person may be asked to allow it; if they refuse, do without. If a secret is "
                    "missing, tell them which: only they can set it.\n"
                    "4. Call its tools under the names mcp-add gives. If they are not in your list, use mcp-exec with the "
                    "name and the arguments.\n"
                    "5. mcp-remove when it is of no use any more.\n"
                    "All of this is for this session alone."
                ),
            },
        }
    ],
}
