"""A bundle for Claude Desktop (MCPB manifest 0.3): opened once by the person, it survives when the program rewrites its file."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from desktop import __version__
from desktop.clients.gateway_entry import NAME
from desktop.errors import GatewayError
from desktop.state.atomic_file import write_bytes

__all__ = ["bundle", "write_bundle"]

_LONG_AGO: Final = (2026, 1, 1, 0, 0, 0)
_ENTRY_POINT: Final = "program.txt"


def bundle(command: Sequence[str], env: Mapping[str, str], platform: str = sys.platform) -> bytes:
    """The bundle's bytes; it holds no program, only where ours is.

    Args:
        command: The program of the shim with its arguments.
        env: Variables it needs.
        platform: The system it is for, as in `sys.platform`.
    """
    start: dict[str, Any] = {"command": command[0], "args": list(command[1:]), "env": dict(env)}
    manifest = {
        "manifest_version": "0.3",
        "name": NAME,
        "display_name": "MCP Gateway",
        "version": __version__,
        "description": "Many MCP servers, set up once, behind one endpoint",
        "author": {"name": "MCP Gateway Desktop"},
        "license": "MIT",
        "server": {"type": "binary", "entry_point": _ENTRY_POINT, "mcp_config": start},
        "tools_generated": True,
        "compatibility": {"platforms": [platform if platform in ("darwin", "win32") else "linux"]},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("manifest.json", json.dumps(manifest, indent=2) + "\n"),
            (_ENTRY_POINT, f"The program is {command[0]}; this bundle only tells where.\n"),
        ):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), text)
    return content.getvalue()


def write_bundle(file: Path, command: Sequence[str], env: Mapping[str, str], platform: str = sys.platform) -> None:
    """Write a bundle to a file of the person's.

    Raises:
        GatewayError: There is something else in its place, or it can't be written.
    """
    if file.is_dir() or (file.exists() and not _is_bundle(file)):
        raise GatewayError(f"{file} is there already and is not a bundle", "Choose another file")
    write_bytes(file, bundle(command, env, platform))


def _is_bundle(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return "manifest.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
