"""The reference's features, turned on and off in the Docker command line's config.json (spec 2.9)."""

from __future__ import annotations

import json
import logging
from pathlib import Path

__all__ = ["feature"]

log = logging.getLogger(__name__)


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
