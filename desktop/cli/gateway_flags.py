"""The flags of ``gateway run``: the reference's, under the same names (spec 2.12)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from desktop.cli.parser import Parser
from desktop.errors import UsageError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.app import GatewayOptions

__all__ = ["Serving", "add_flags", "chosen_options", "chosen_serving", "parse_flags"]

_TRANSPORTS: Final = {
    "stdio": "stdio",
    "sse": "sse",
    "streaming": "streaming",
    "http": "streaming",
    "streamable": "streaming",
    "streamable-http": "streaming",
}
_DEFAULT_PORT: Final = 8811
_HIGHEST_PORT: Final = 65535
# Flags of the reference that are understood and refused, each with why and what to do instead.
_REFUSED_SWITCHES: Final = {
    "keep": ("containers are always removed when they end", "Use --verbose to see what a server says before its end"),
    "central": ("there is one set of servers a gateway", "Run a gateway for each set, with --servers"),
}
_FILES: Final = (
    ("catalog", "catalogs", "catalog file, URL or name, in place of the usual catalogs"),
    ("additional-catalog", "additional_catalogs", "catalog on top of those"),
    ("registry", "registries", "file of enabled servers, in place of registry.yaml"),
    ("additional-registry", "additional_registries", "such a file on top"),
    ("config", "configs", "file of values, in place of config.yaml"),
    ("additional-config", "additional_configs", "such a file on top"),
    ("tools-config", "tools_configs", "file of allowed tools, in place of tools.yaml"),
    ("additional-tools-config", "additional_tools_configs", "such a file on top"),
)

_DEFAULT_PROFILE: Final = "default"
_BESIDE_A_PROFILE: Final = {
    **{flag: name for flag, name, _ in _FILES},
    "servers": "servers",
    "enable-all-servers": "enable_all_servers",
    "mcp-registry": "registry_documents",
    "oci-ref": "described_images",
}


class Serving(NamedTuple):
    """How clients are served: transport (stdio, sse, streaming), address, port, and whether without a token."""

    transport: str
    host: str
    port: int
    allow_unauthenticated: bool


def add_flags(parser: Parser) -> None:
    """Add every flag of ``gateway run``."""
    parser.option("--transport", type=_transport, default="stdio", metavar="NAME", help="stdio, sse or streaming")
    parser.option("--port", type=_port, metavar="N", help=f"TCP port (default {_DEFAULT_PORT}; 0: any free one)")
    parser.option("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default 127.0.0.1)")
    parser.switch("allow-unauthenticated", "ask clients for no bearer token")
    _list_option(parser, "servers", "servers", "NAME", "servers to run, in place of the enabled ones (a,b or repeated)")
    parser.option("--profile", default="", metavar="ID", help="profile whose servers, settings and tools are used")
    parser.switch("enable-all-servers", "run every server of the catalogs")
    _list_option(parser, "tools", "tools", "PATTERN", "tools to offer: tool, server:tool, server:* or *")
    for flag, name, help in _FILES:
        _list_option(parser, flag, name, "FILE", help)
    _list_option(
        parser, "oci-ref", "described_images", "IMAGE", "image that says what server is in it, run besides the others"
    )
    _list_option(
        parser,
        "mcp-registry",
        "registry_documents",
        "URL",
        "server.json of a community registry, run besides the others",
    )
    parser.option(
        "--secrets",
        default="docker-desktop",
        metavar="SOURCES",
        help="where secrets are, such as docker-desktop:./.env",
    )
    parser.switch("long-lived", "give every client containers of its own, kept until it leaves")
    parser.option(
        "--cpus", type=_at_least_zero, default=1.0, metavar="N", help="CPUs of a container (default 1, 0: all)"
    )
    parser.option("--memory", type=_memory, default="2Gb", metavar="SIZE", help="memory of a container (default 2Gb)")
    parser.option("--start-timeout", type=_seconds, default=60.0, metavar="SECONDS", help="time a server has to start")
    parser.switch("log-calls", "do not log tool calls", default=True)
    parser.option("--log", metavar="FILE", help=argparse.SUPPRESS)
    parser.choice(
        "block-secrets",
        ("block", "redact"),
        "let calls with secrets fail (default), or take the secrets out",
        default="block",
    )
    parser.choice(
        "block-network",
        ("listed", "all"),
        "let servers with allowHosts reach those hosts alone; all: every other container nothing",
        default="",
    )
    parser.switch("verify-signatures", "use Docker's own images only when their signatures fit")
    parser.switch("debug-dns", "log which hosts servers behind --block-network ask for")
    parser.option(
        "--interceptor",
        dest="interceptors",
        action="append",
        default=[],
        metavar="WHEN:TYPE:ARGUMENT",
        help="program that sees tool calls: before or after; exec, docker or http (repeatable)",
    )
    parser.option(
        "--interceptor-timeout",
        type=_interceptor_seconds,
        default=30.0,
        metavar="SECONDS",
        help="time an interceptor has (default 30)",
    )
    parser.switch("static", "connect to servers at mcp-NAME:4444 and start no container")
    parser.switch("verbose", "show what servers write to standard error")
    parser.switch("watch", "do not follow changes of the files", default=True)
    parser.switch("dry-run", "list the tools, then end")
    for name in _REFUSED_SWITCHES:
        parser.switch(name, None)


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """Understand flags given elsewhere (``tools --gateway-arg``)."""
    parser = Parser("docker-mcp gateway run", "", "")
    add_flags(parser)
    return parser.read(arguments)


def chosen_serving(arguments: argparse.Namespace) -> Serving:
    """How to serve; raises `UsageError` where flags contradict each other or ask for what isn't there."""
    _refuse_unavailable(arguments)
    transport, port = arguments.transport, arguments.port
    if transport == "stdio":
        if port:
            raise UsageError(
                "--port can't be used with the stdio transport", "Add --transport streaming or --transport sse"
            )
        port = 0
    return Serving(transport, arguments.host, _DEFAULT_PORT if port is None else port, arguments.allow_unauthenticated)


def chosen_options(arguments: argparse.Namespace, **reporting: Any) -> GatewayOptions:
    """What the gateway is made of.

    Args:
        arguments: The flags.
        reporting: Callbacks of `GatewayOptions`, and its call log.

    Raises:
        UsageError: Flags contradict each other.
    """
    from desktop.app import GatewayOptions  # here, because it takes long to import
    from desktop.catalog.selection import Selection
    from desktop.gateway.interceptors import parse_interceptor

    _refuse_unavailable(arguments)
    if arguments.servers and arguments.enable_all_servers:
        raise UsageError("--servers and --enable-all-servers can't be used together")
    usual = Paths.of_user()
    return GatewayOptions(
        selection=Selection(
            profile=_profile(arguments, usual),
            all_profiles=arguments.transport != "stdio",
            servers=tuple(arguments.servers) or None,
            enable_all=arguments.enable_all_servers,
            catalogs=tuple(arguments.catalogs),
            additional_catalogs=tuple(arguments.additional_catalogs),
            registries=_on_top(usual.registry, arguments.registries, arguments.additional_registries),
            configs=_on_top(usual.config, arguments.configs, arguments.additional_configs),
            tools_configs=_on_top(usual.tools, arguments.tools_configs, arguments.additional_tools_configs),
            registry_documents=tuple(arguments.registry_documents),
            described_images=tuple(arguments.described_images),
        ),
        tools=tuple(arguments.tools),
        secrets=arguments.secrets or "docker-desktop",
        long_lived=arguments.long_lived,
        cpus=arguments.cpus,
        memory=arguments.memory,
        watch=arguments.watch and not (arguments.dry_run or arguments.static),
        start_timeout=arguments.start_timeout,
        static=arguments.static,
        interceptors=tuple(parse_interceptor(text, number) for number, text in enumerate(arguments.interceptors, 1)),
        interceptor_timeout=arguments.interceptor_timeout,
        block_secrets=arguments.block_secrets,
        block_network=arguments.block_network,
        verify_signatures=arguments.verify_signatures,
        **reporting,
    )


def _profile(arguments: argparse.Namespace, paths: Paths) -> str:
    """The chosen profile, which must be there; ``default`` without one of that name means the usual files."""
    id = str(arguments.profile)
    if not id:
        return ""
    others = [flag for flag, name in _BESIDE_A_PROFILE.items() if getattr(arguments, name)]
    if others:
        raise UsageError(f"--profile and --{others[0]} can't be used together", "A profile says all of that")
    from desktop.cli.profile_lookup import stored_profile
    from desktop.state.profiles import profiles_of

    if id == _DEFAULT_PROFILE and profiles_of(paths).find(id) is None:
        return ""
    return stored_profile(id, paths).id


def _on_top(usual: Path, chosen: list[str], additional: list[str]) -> tuple[str, ...]:
    """The files in order; the usual one is named only where it is there and others come on top of it."""
    below = chosen or ([str(usual)] if additional and usual.is_file() else [])
    return (*below, *additional)


def _refuse_unavailable(arguments: argparse.Namespace) -> None:
    for name, (reason, hint) in _REFUSED_SWITCHES.items():
        if getattr(arguments, name.replace("-", "_")):
            raise UsageError(f"--{name} is not available: {reason}", hint)


class _Extend(argparse.Action):
    """Adds the values between commas; nothing between them adds nothing."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        found = [value.strip() for value in str(values).split(",") if value.strip()]
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), *found])


def _list_option(parser: Parser, flag: str, name: str, metavar: str, help: str) -> None:
    parser.option(f"--{flag}", dest=name, action=_Extend, default=[], metavar=metavar, help=help)


def _transport(text: str) -> str:
    if text not in _TRANSPORTS:
        raise UsageError(f"unknown transport \"{text}\", expected 'stdio', 'sse' or 'streaming'")
    return _TRANSPORTS[text]


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise UsageError(f"--port: {text!r} is not a port", f"Use a number from 0 to {_HIGHEST_PORT}")
    return int(text)


def _number(flag: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise UsageError(f"--{flag}: {text!r} is not a number from 0 upwards")
    return number


def _at_least_zero(text: str) -> float:
    return _number("cpus", text)


def _seconds(text: str) -> float:
    seconds = _number("start-timeout", text.removesuffix("s"))
    if not seconds:
        raise UsageError("--start-timeout: a server needs some time to start", "Give it some seconds")
    return seconds


def _interceptor_seconds(text: str) -> float:
    seconds = _number("interceptor-timeout", text.removesuffix("s"))
    if not seconds:
        raise UsageError("--interceptor-timeout: an interceptor needs some time", "Give it some seconds")
    return seconds


def _memory(text: str) -> int:
    from desktop.servers.launch import parse_memory  # here, because it takes long to import

    try:
        return parse_memory(text)
    except UsageError as error:
        raise UsageError(f"--memory: {error.message}", error.hint) from error
