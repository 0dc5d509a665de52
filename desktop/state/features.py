"""The reference's features, turned on and off in the Docker command line's config.json (spec 2.9)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["KNOWN", "Feature", "feature"]

log = logging.getLogger(__name__)


class Feature(NamedTuple):
    """A feature the reference knows: whether it is on when nothing is said, and what it does in this program."""

    default: bool
    summary: str


KNOWN: Final = {
    "dynamic-tools": Feature(True, "A model may find servers and, when you agree, add them to its session"),
    "mcp-oauth-dcr": Feature(True, "No effect here: signing in always registers this program by itself"),
    "oauth-interceptor": Feature(False, "No effect here: the gateway itself asks for a new sign-in"),
    "profiles": Feature(True, "No effect here: there are always profiles"),
    "tool-name-prefix": Feature(
        False, "The server's name stands before each of its tools, not only where names collide"
    ),
    "use-embeddings": Feature(False, "No effect here: nothing that is searched for goes to another company"),
}


def feature(config: Path, name: str, *, default: bool) -> bool:
    """Whether a feature is on.

    Args:
        config: config.json of the Docker command line.
        name: The feature.
        default: What holds when nothing is said, or nothing that can be understood.
    """
    try:
        features = json.loads(config.read_text(encoding="utf-8-sig")).get("features") or {}
        said = str(features.get(name, "")).lower()
    except FileNotFoundError:
        return default
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        log.warning("%s can't be read, so features are as usual: %s", config, type(error).__name__)
        return default
    return {"enabled": True, "true": True, "disabled": False, "false": False}.get(said, default)
