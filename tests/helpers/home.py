"""A home folder of its own for one run: catalogs of test servers, and the environment that leads there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from desktop.state.paths import Paths

__all__ = ["Home"]


class Home:
    """A person's files.

    Args:
        root: An empty folder, with a short path, since a socket lies below it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = Paths.of_user({"HOME": str(root)}, "linux")
        self.paths.catalogs.mkdir(parents=True)
        self.catalog({})

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a child process that lives here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "MCP_"))}
        return {**kept, "HOME": str(self.root)}

    def catalog(self, servers: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the catalog ``docker-mcp`` with these servers."""
        text = yaml.safe_dump({"name": "docker-mcp", "displayName": "Test", "registry": dict(servers)})
        self.paths.catalogs.joinpath("docker-mcp.yaml").write_text(text, encoding="utf-8")
        index = {"catalogs": {"docker-mcp": {"displayName": "Test"}}}
        self.paths.catalog_index.write_text(json.dumps(index), encoding="utf-8")

    def container(self, image: str, **more: Any) -> dict[str, Any]:
        """A catalog entry for one of the test images."""
        return {"type": "server", "title": image.title(), "image": f"mcp-gateway-test/{image}", **more}

    def enable(self, *names: str) -> None:
        """Write registry.yaml."""
        registry = {"registry": {name: {"ref": ""} for name in names}}
        self.paths.registry.write_text(yaml.safe_dump(registry), encoding="utf-8")
