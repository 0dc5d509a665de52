"""The settings a server has, by the names a person types: ``SERVER.KEY``, ``SERVER.KEY.KEY`` (spec 1.7.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop.catalog.config_schema import complaints
from desktop.catalog.model import CatalogServer
from desktop.errors import UsageError

__all__ = ["Setting", "setting_of", "settings_of"]

Schema = Mapping[str, Any]
_DEEPEST: Final = 8
_PLAIN: Final = frozenset(
    {"type", "name", "title", "description", "default", "examples", "example", "placeholder", "items"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a server.

    Attributes:
        path: The keys that lead to its value.
        schema: What its value has to be like.
    """

    path: tuple[str, ...]
    schema: Schema

    @property
    def name(self) -> str:
        """Its name as it is typed."""
        return ".".join(self.path)

    @property
    def is_plain(self) -> bool:
        """Whether its schema asks for nothing but a type."""
        items = self.schema.get("items") or {}
        return not ({*self.schema, *(items if isinstance(items, dict) else {"?"})} - _PLAIN)

    def faults(self, value: Any) -> list[str]:
        """What is wrong with a value, a phrase for each fault."""
        alone = {"type": "object", "properties": {self.name: dict(self.schema)}}
        return complaints(CatalogServer(name="x", config=[alone]), {self.name: value})


def settings_of(server: CatalogServer) -> tuple[Setting, ...]:
    """All settings the server's entry declares, those inside of others too."""
    found = {setting.path: setting for schema in server.config for setting in _inside(schema, ())}
    return tuple(found.values())


def setting_of(server: CatalogServer, name: str) -> Setting:
    """The setting of this name. A server whose entry declares none may be given any.

    Raises:
        UsageError: The server has no such setting; says which it has.
    """
    if not all(name.split(".")):
        raise UsageError(f"{server.name}.{name} has an empty part", f"See docker-mcp config get {server.name}")
    known = settings_of(server)
    by_name = {setting.name: setting for setting in known}
    if name in by_name:
        return by_name[name]
    for setting in known:  # a map that declares nothing of what is in it
        if name.startswith(f"{setting.name}.") and not setting.schema.get("properties") and _is_map(setting.schema):
            return Setting(path=(*setting.path, *name[len(setting.name) + 1 :].split(".")), schema={})
    if not known:
        return Setting(path=tuple(name.split(".")), schema={})
    import difflib  # here: only the error needs it

    meant = difflib.get_close_matches(name, by_name, n=1)
    hint = f"Did you mean {meant[0]}?" if meant else f"It has {', '.join(sorted(by_name))}"
    raise UsageError(f"server {server.name} has no setting {name}", hint)


def _inside(schema: Any, path: tuple[str, ...]) -> Iterator[Setting]:
    if not isinstance(schema, dict) or len(path) > _DEEPEST:
        return
    properties = schema.get("properties")
    for key, inner in (properties if isinstance(properties, dict) else {}).items():
        below = (*path, str(key))
        yield Setting(path=below, schema=inner if isinstance(inner, dict) else {})
        yield from _inside(inner, below)
    for word in ("allOf", "anyOf", "oneOf"):
        for choice in schema.get(word) or ():
            yield from _inside(choice, path)


def _is_map(schema: Schema) -> bool:
    return "object" in (schema.get("type") or "object")
