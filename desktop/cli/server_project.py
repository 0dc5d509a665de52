"""``docker-mcp server init``: the files of a new MCP server."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from desktop.cli import output
from desktop.cli.parser import Parser
from desktop.errors import UsageError
from desktop.state.atomic_file import write_text

__all__ = ["FILES", "init", "init_arguments"]

_SERVER: Final = '''\
"""An MCP server: each function under @server.tool() is a tool; its types and its docstring are what a model sees."""

from mcp.server import MCPServer

server = MCPServer("NAME", version="0.1.0")


@server.tool()
def greet(name: str) -> str:
    """Greet somebody by name."""
    return f"Hello, {name}!"


@server.tool()
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    server.run()  # speaks MCP on standard input and output; print() only to standard error
'''
_REQUIREMENTS: Final = "mcp>=2.3\n"
_DOCKERFILE: Final = """\
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY server.py .
USER nobody
ENTRYPOINT ["python", "-u", "server.py"]
"""
_IGNORE: Final = ".git\n__pycache__\n*.md\n"
_COMPOSE: Final = """\
# docker compose build  builds the image that catalog.yaml names; the gateway starts containers of it.
services:
  NAME:
    build: .
    image: NAME:latest
    stdin_open: true
"""
_CATALOG: Final = """\
# docker-mcp catalog import ./catalog.yaml  makes the server known to the gateway.
name: NAME-catalog
displayName: TITLE
registry:
  NAME:
    title: TITLE
    description: Greets people and adds numbers.
    type: server
    image: NAME:latest
    # It needs no network; take this line away when it does.
    disableNetwork: true
    tools:
      - name: greet
      - name: add
"""
_README: Final = """\
# TITLE

An MCP server, to be run in a container by the gateway.

    docker compose build
    docker-mcp catalog import ./catalog.yaml
    docker-mcp server enable NAME
    docker-mcp tools call greet name=Ada

- `server.py` has the tools.
- `catalog.yaml` tells the gateway of the server. Secrets and settings it needs are declared there;
  `docker-mcp catalog bootstrap example.yaml` writes one that shows how.
"""

FILES: Final = {
    "server.py": _SERVER,
    "requirements.txt": _REQUIREMENTS,
    "Dockerfile": _DOCKERFILE,
    ".dockerignore": _IGNORE,
    "compose.yaml": _COMPOSE,
    "catalog.yaml": _CATALOG,
    "README.md": _README,
}


def init_arguments(parser: Parser) -> None:
    """A folder."""
    parser.add_argument("folder", metavar="FOLDER", help="a folder that is empty or not there yet")
    parser.option("--template", choices=["basic"], default="basic", help="basic, the only one there is")
    parser.option("--language", choices=["python"], default="python", help="python, the only one there is")


def init(arguments: argparse.Namespace) -> int:
    """Write the files; a folder in which something is stays as it is."""
    folder = Path(arguments.folder).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not an empty folder", "Name another one")
    name = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-") or "my-server"
    title = name.replace("-", " ").capitalize()
    for file, text in FILES.items():
        write_text(folder / file, text.replace("NAME", name).replace("TITLE", title))
    print(f"created {folder} with {', '.join(FILES)}")
    output.tip(f"Its README.md says how to build, enable and call the server {name}.")
    return 0
