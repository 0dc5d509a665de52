"""The tray program with made-up servers, to look at: ``python -m tests.tray.demo --servers 300 --dark``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from desktop.facets.server import ServerImage, ServerUse
from desktop.host import SecretNeed
from desktop.state.app_settings import AppSettings
from desktop.tray.application import run
from desktop.tray.theme import Look
from tests.helpers.fake_activity import some_calls
from tests.helpers.fake_facets import some_permissions, some_tools
from tests.helpers.fake_host import NO_DOCKER, FakeHost, call_question, long_names, many_servers, question
from tests.helpers.fake_secrets import kept, many_secrets, some_lines, some_sign_ins

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Show it; the exit code."""
    parser = argparse.ArgumentParser(description="The tray program with made-up servers")
    parser.add_argument("--servers", type=int, default=7)
    parser.add_argument("--long", action="store_true", help="servers with very long names")
    parser.add_argument("--no-engine", action="store_true", help="no container engine")
    parser.add_argument("--problems", action="store_true", help="broken configuration files")
    parser.add_argument("--question", action="store_true", help="a client wants to add a server")
    parser.add_argument("--call", action="store_true", help="a client wants to call a tool the policy asks about")
    parser.add_argument("--calls", type=int, default=120, help="calls of the last hour")
    parser.add_argument("--welcome", action="store_true", help="the first start")
    parser.add_argument("--lines", type=int, default=0, help="lines the first server wrote besides")
    parser.add_argument("--tools", type=int, default=38, help="tools of the first server")
    parser.add_argument("--place", default="servers", help="the place to open")
    parser.add_argument("--language", default="", help="the language's code")
    parser.add_argument("--secrets", type=int, default=7, help="secrets that are known")
    parser.add_argument(
        "--kept", default="keychain", help="how secrets are kept: keychain, passphrase, locked, session"
    )
    parser.add_argument("--slow", type=float, default=0.0, help="seconds each request takes")
    looks = parser.add_mutually_exclusive_group()
    looks.add_argument("--dark", action="store_const", const=Look.DARK, dest="look", default=Look.LIGHT)
    looks.add_argument("--system", action="store_const", const=Look.SYSTEM, dest="look")
    chosen, rest = parser.parse_known_args(arguments)
    servers = long_names() if chosen.long else many_servers(chosen.servers)
    host = FakeHost(servers, engine=NO_DOCKER) if chosen.no_engine else FakeHost(servers)
    host.delay = chosen.slow
    host.secrets["slack"] = (
        SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN", about="From Slack's page of your app"),
        SecretNeed(name="slack.team", variable="SLACK_TEAM_ID", is_required=False, is_set=True),
    )
    host.settings_desk.schemas["slack"] = {
        "type": "object",
        "required": ["channel_ids"],
        "properties": {
            "channel_ids": {"type": "array", "items": {"type": "string"}, "description": "Channels it may see"},
            "level": {"type": "string", "enum": ["read", "write"], "default": "read"},
            "limit": {"type": "integer", "default": 100, "description": "Messages it reads at once"},
            "threads": {"type": "boolean", "default": True, "description": "Look into threads as well"},
            "proxy": {"type": "object", "properties": {"url": {"type": "string"}, "port": {"type": "integer"}}},
        },
    }
    if chosen.secrets:
        host.secret_desk.show(*many_secrets(chosen.secrets))
        host.set_sign_ins(*some_sign_ins())
    host.secret_desk.lines = some_lines()
    host.secrets_kept = kept(chosen.kept)
    host.activity.records = some_calls(chosen.calls)
    host.write(
        "github-official",
        "GitHub MCP Server running on stdio",
        'time=10:41:07 level=INFO msg="server session connected"',
        'time=10:41:07 level=INFO msg="38 tools registered" toolsets=default',
        'time=10:43:31 level=INFO msg="tool called" tool=search_issues duration=412ms',
    )
    if chosen.welcome:
        host.preferences.current = AppSettings()
    host.write("github-official", *(f"line {number}: {'x' * (number % 120)}" for number in range(chosen.lines)))
    host.server_tools.offers["github-official"] = some_tools(chosen.tools)
    host.server_permissions.found["github-official"] = some_permissions()
    host.server_resources.uses["github-official"] = ServerUse(containers=1, memory=84_200_000, processors=0.031)
    host.server_resources.images["github-official"] = ServerImage(
        name="ghcr.io/github/github-mcp-server:v0.19.1", digest="sha256:" + "94c1b0ad27f1" * 5 + "94c1"
    )
    if chosen.question:
        host.set_questions(question(seconds=120.0))
    if chosen.call:
        host.set_questions(call_question(seconds=120.0))
    if chosen.problems:
        host.set_problems(
            "~/.docker/mcp/registry.yaml, line 12, column 5: a mapping value is not allowed here",
            "~/.docker/mcp/config.yaml, line 3: a list is expected, not a text",
        )
    code = run(host.running, rest, look=chosen.look, place=chosen.place, language=chosen.language)
    for call in host.calls:
        print("asked", *call)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
