"""Labels that say whose a container is; the reference's are set as well, so that its tools see our containers."""

from __future__ import annotations

from typing import Final

__all__ = ["INSTANCE", "OWNER", "OWNER_VALUE", "SERVER", "container_labels"]

OWNER: Final = "io.mcp-gateway-desktop.owner"
OWNER_VALUE: Final = "mcp-gateway-desktop"
INSTANCE: Final = "io.mcp-gateway-desktop.instance"
SERVER: Final = "io.mcp-gateway-desktop.server"


def container_labels(*, instance: str, server: str) -> dict[str, str]:
    """Labels of a container that ``instance`` (one run of this program) starts for ``server``."""
    return {
        OWNER: OWNER_VALUE,
        INSTANCE: instance,
        SERVER: server,
        "docker-mcp": "true",
        "docker-mcp-tool-type": "mcp",
        "docker-mcp-name": server,
        "docker-mcp-transport": "stdio",
    }
