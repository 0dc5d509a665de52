"""The server that a command line starts or adds, the way READMEs write it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from desktop.clients.configured import ConfiguredServer, Transport
from desktop.errors import GatewayError

__all__ = ["command_server", "of_address"]

_PROMPT: Final = re.compile(r"^\s*(?:\$|>|%|#(?=\s*(?:sudo|docker|npx|uvx))|PS [^>]*>)\s+")
_CONTINUED: Final = re.compile(r"[ \t]*[\\^`][ \t]*\r?\n[ \t]*")
_ASSIGNMENT: Final = re.compile(r"(?:export\s+|set\s+|\$env:)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_WINDOWS: Final = re.compile(r"(?:^|[\s\"'=])[A-Za-z]:\\")
_RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "docker", "podman"})
_PROGRAMS: Final = frozenset(
    {
        "python",
        "python3",
        "node",
        "deno",
        "uv",
        "bun",
        "go",
        "java",
        "cargo",
        "dotnet",
        "ruby",
        "php",
        "sh",
        "bash",
        "npm",
    }
)
_CLIENT: Final = frozenset({"claude", "codex", "gemini", "qwen", "copilot", "amp", "droid", "kiro-cli", "q"})
_BRIDGES: Final = frozenset({"mcp-remote", "@geelen/mcp-remote"})
_FLAGS_ALONE: Final = frozenset({"--trust", "--allow-http", "--debug", "--force", "--yes", "-y"})


def command_server(text: str) -> ConfiguredServer:
    """Read a command line, or some lines of a shell of which one starts a server.

    Args:
        text: Perhaps with a prompt, ``export`` lines, variables before the command, and lines continued with a backslash.

    Raises:
        GatewayError: It can't be read; a sentence that says why.
    """
    env: dict[str, str] = {}
    found: list[ConfiguredServer] = []
    for line in _CONTINUED.sub(" ", text).splitlines():
        bare = _PROMPT.sub("", line).strip()
        if not bare or bare.startswith("#"):
            continue
        words = _words(bare)
        if words[:1] == ["export"] or words[:1] == ["set"]:
            words = words[1:]
        while words and (assigned := _ASSIGNMENT.fullmatch(words[0])):
            env[assigned[1]] = assigned[2]
            words = words[1:]
        if words:
            found.append(_server(words, env))
    if not found:
        raise GatewayError("There is no command in it that starts a server")
    best = next((server for server in found if server.url or _program(server.command) in _RUNNERS), found[0])
    program = _program(best.command)
    if not best.url and program not in _RUNNERS | _PROGRAMS and not re.search(r"[/\\]", best.command):
        raise GatewayError(
            "This is neither an address, nor a command such as docker run, npx or uvx, nor a client's configuration"
        )
    return replace(best, env={**env, **best.env}) if not best.url else best


def of_address(url: str, *, name: str = "", sse: bool | None = None) -> ConfiguredServer:
    """The remote server at an address; one that ends in ``/sse`` speaks the older transport."""
    if sse is None:
        try:
            sse = urlsplit(url).path.rstrip("/").endswith("/sse")
        except ValueError as error:
            raise GatewayError("This is no address of the web") from error
    return ConfiguredServer(name=name, transport=Transport.SSE if sse else Transport.HTTP, url=url)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if _WINDOWS.search(line):
        lexer.escape = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise GatewayError("A quotation mark in the command is not closed") from error


def _server(words: list[str], env: dict[str, str]) -> ConfiguredServer:
    """The server of one command, whatever starts it on its way."""
    program, rest = _program(words[0]), words[1:]
    match (program, *rest[:2]):
        case ("sudo" | "env" | "exec", _, *_):
            return _server(rest, env)
        case ("cmd", "/c" | "/C", *_) if rest[1:]:
            return _server(rest[1:], env)
        case ("pipx", "run", *_):
            return _stdio("uvx", _as_uvx(rest[1:]))
        case ("uv", "tool", "run"):
            return _stdio("uvx", rest[2:])
        case ("pnpm" | "yarn", "dlx", *_) | ("npm", "exec" | "x", *_) | ("bun", "x", *_):
            return _stdio("npx", [word for word in rest[1:] if word != "--"])
        case ("pnpx", *_):
            return _stdio("npx", rest)
        case ("docker" | "podman", "container", "run"):
            return _stdio(program, rest[1:])
        case (client, "mcp", "add") if client in _CLIENT:
            return _added(rest[2:], env)
        case ("npx" | "bunx", *_):
            return _bridged(rest, env) or _stdio(words[0], rest)
    return _stdio(words[0], rest)


def _stdio(command: str, args: list[str]) -> ConfiguredServer:
    return ConfiguredServer(name="", transport=Transport.STDIO, command=command, args=tuple(args))


def _program(command: str) -> str:
    return PurePosixPath(command.replace("\\", "/")).name.lower().removesuffix(".exe").removesuffix(".cmd")


def _as_uvx(args: list[str]) -> list[str]:
    """``pipx run`` as ``uvx`` says it."""
    if args[:1] == ["--spec"]:
        return ["--from", *args[1:]]
    if args and "==" in args[0]:
        return ["--from", args[0], args[0].partition("==")[0], *args[1:]]
    return args


def _bridged(args: list[str], env: dict[str, str]) -> ConfiguredServer | None:
    """The server that ``mcp-remote`` would bridge to, which we reach without it."""
    rest = [word for word in args if word not in ("-y", "--yes")]
    if not rest or re.sub(r"(?<=.)@[^@/]*$", "", rest[0]) not in _BRIDGES:
        return None
    server, headers = None, {}
    words = iter(rest[1:])
    for word in words:
        if word.startswith(("http://", "https://")) and server is None:
            server = of_address(word)
        elif word == "--header":
            name, value = _header(next(words, ""), env)
            headers[name] = value
        elif word == "--transport":
            sse = next(words, "").startswith("sse")
            server = replace(server, transport=Transport.SSE) if sse and server is not None else server
    return replace(server, headers=headers) if server is not None else None


def _header(text: str, env: dict[str, str]) -> tuple[str, str]:
    name, _, value = text.partition(":")
    for variable, given in env.items():
        value = value.replace(f"${{{variable}}}", given)
    return name.strip(), value.strip()


def _added(words: list[str], env: dict[str, str]) -> ConfiguredServer:
    """The server that ``CLIENT mcp add`` would add."""
    name, url, sse = "", "", False
    headers: dict[str, str] = {}
    variables: dict[str, str] = {}
    rest: list[str] = []
    stream: Iterator[str] = iter(words)
    for word in stream:
        option, equals, value = word.partition("=")
        if word == "--":
            rest += stream
        elif rest or not word.startswith("-"):
            if not name:
                name = word
            elif not url and not rest and word.startswith(("http://", "https://")):
                url = word
            else:
                rest += [word, *stream] if name else []
        elif word not in _FLAGS_ALONE:
            value = value if equals else next(stream, "")
            match option:
                case "-e" | "--env":
                    variable, _, text = value.partition("=")
                    variables[variable] = text
                case "-H" | "--header":
                    header, text = _header(value, env)
                    headers[header] = text
                case "-t" | "--transport":
                    sse = value == "sse"
                case "--url":
                    url = value
    if url:
        return replace(of_address(url, name=name, sse=sse or None), headers=headers)
    if not rest:
        raise GatewayError("The command adds a server, but does not say what it starts")
    started = _server(rest, {**env, **variables})
    return replace(started, name=name) if started.url else replace(started, name=name, env=variables)
