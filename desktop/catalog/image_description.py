"""What an image says of the server in it, in a label; what only a person may grant is not taken from there (spec 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from desktop.catalog.loading import read_entry
from desktop.catalog.model import CatalogServer
from desktop.errors import CatalogError, StateFileError
from desktop.state import yaml_text

__all__ = ["LABEL", "described_entry"]

LABEL: Final = "io.docker.server.metadata"
_LONGEST: Final = 1024 * 1024
_TAKEN: Final = ("name", "title", "description", "icon", "readme", "config", "prefix", "metadata")
_TAKEN_OF_TOOLS: Final = ("name", "description", "arguments", "annotations", "parameters")


def described_entry(image: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The catalog entry an image describes itself by, without command, mounts, user, hosts, secrets and the like.

    Args:
        image: Its reference; the entry runs this image whatever the label says.
        labels: Its labels.

    Raises:
        CatalogError: It has no such label, or what is in it can't be understood.
    """
    text = labels.get(LABEL)
    if not text:
        raise CatalogError(
            f"The image {image} does not say what server is in it, it has no label {LABEL}",
            "Describe the server in a catalog file and use --catalog",
        )
    where = f"the label {LABEL} of {image}"
    try:
        if len(text) > _LONGEST or yaml_text.has_aliases(text, where):
            raise CatalogError(f"{where}: it is too long, or refers to parts of itself")
        data = yaml_text.parse(text, where)
        if not isinstance(data, dict):
            raise CatalogError(f"{where}: a map is expected")
        entry = _narrowed(data, image)
        _readable(entry)
    except StateFileError as error:
        raise CatalogError(error.message, error.hint) from error
    except ValueError as error:
        raise CatalogError(f"{where} can't be understood ({error})") from error
    return entry


def _readable(entry: Mapping[str, Any]) -> CatalogServer:
    return read_entry(str(entry["name"]), entry)


def _narrowed(data: Mapping[str, Any], image: str) -> dict[str, Any]:
    entry: dict[str, Any] = {key: data[key] for key in _TAKEN if data.get(key) is not None}
    entry["name"] = str(data.get("name") or _plain_name(image))
    entry |= {"type": "server", "image": image}
    env = [{"name": str(item["name"])} for item in _maps(data.get("env")) if item.get("name")]
    tools = [
        {key: item[key] for key in _TAKEN_OF_TOOLS if item.get(key) is not None} for item in _maps(data.get("tools"))
    ]
    return {**entry, **({"env": env} if env else {}), **({"tools": tools} if tools else {})}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _plain_name(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
