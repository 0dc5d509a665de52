"""What a person does to connect a client by hand, ready to be copied; for some clients there is no other way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from desktop.clients.config_file import user_file
from desktop.clients.description import Client
from desktop.clients.document import put
from desktop.clients.gateway_entry import NAME, GatewayEntry, Way
from desktop.clients.links import install_link
from desktop.clients.machine import Machine

__all__ = ["MANUAL_CLIENTS", "ManualClient", "instructions", "manual_client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualClient:
    """A client that keeps its servers where nobody else can write.

    Attributes:
        id: What commands call it.
        name: What people call it.
        aliases: Other ids.
        steps: What to do, up to the place where the text is pasted.
        hint: What else helps.
        takes_entry: Whether there is a text to paste.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    steps: str
    hint: str = ""
    takes_entry: bool = True


MANUAL_CLIENTS: Final = (
    ManualClient(
        id="warp",
        name="Warp",
        steps="In Warp open Settings, Agents, MCP servers, choose Add, and paste this:",
        hint="Warp also reads the files of Claude Code and Codex when File-based MCP servers is on there: connect one of those.",
    ),
    ManualClient(
        id="jetbrains",
        name="JetBrains AI Assistant",
        aliases=("jetbrains-ai", "intellij", "ai-assistant"),
        steps="In the IDE open Settings, Tools, AI Assistant, Model Context Protocol (MCP), choose Add, As JSON, and paste this:",
        hint="Junie has a file of its own: docker-mcp client connect junie --global.",
    ),
    ManualClient(
        id="gordon",
        name="Gordon",
        steps=(
            "Gordon is part of Docker Desktop and takes its tools from the plugin behind docker mcp alone. Install ours with\n"
            "docker-mcp plugin install, then let Gordon use it:\n\n"
            '  docker ai config set-feature "MCP Catalog" true'
        ),
        takes_entry=False,
    ),
)


def manual_client(id: str) -> ManualClient | None:
    """The client with this id or alias among those that can be connected by hand only."""
    return next((client for client in MANUAL_CLIENTS if id.lower() in (client.id, *client.aliases)), None)


def instructions(client: Client | ManualClient, command: Sequence[str], machine: Machine | None = None) -> str:
    """The text for a client; it holds no token.

    Args:
        client: The client.
        command: The program of the shim with its arguments.
        machine: The computer it is on.
    """
    entry = GatewayEntry(name=NAME, command=tuple(command))
    if isinstance(client, ManualClient):
        if not client.takes_entry:
            return client.steps
        value = {"command": entry.command[0], "args": list(entry.command[1:])}
        text = json.dumps({"mcpServers": {NAME: value}}, indent=2)
        return f"{client.steps}\n\n{text}" + (f"\n\n{client.hint}" if client.hint else "")
    file = user_file(client, machine if machine is not None else Machine())
    lines = []
    if file is not None:
        value = file.value(entry, Way.STDIO, {})
        written = put(b"", file.format, file.entry_path(NAME, {}), value, str(file.path)).decode("utf-8").strip()
        lines = [f"Put this into {file.path}, beside what is there:", "", written]
        if link := install_link(client, NAME, value):
            lines += ["", f"Or open this link, and agree in {client.name}:", "", link]
    if client.takes_bundle:
        lines += [
            "",
            f"Or make a bundle and open it, which {client.name} keeps even when it rewrites its file:",
            "",
            f"  docker-mcp client manual-instructions {client.id} --bundle {NAME}.mcpb",
        ]
    lines += ["", f"By itself: docker-mcp client connect {client.id} --global"]
    if client.restart:
        lines.append(f"{client.restart}.")
    return "\n".join(lines).strip()
