"""What a face may see of the settings of servers and of the program itself, and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from desktop.facets.secrets import SecretNeed
from desktop.state.app_settings import AppSettings

__all__ = ["Preferences", "ServerSettings", "SettingsDesk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a server can be told.

    Attributes:
        name, title: The server.
        schemas: JSON schemas of its settings, as its catalog entry has them (spec 1.7.3).
        values: What is set, by the schemas' properties.
        secrets: Its secrets, without values.
    """

    name: str
    title: str
    schemas: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[SecretNeed, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything the server can't do without is set."""
        missing = any(
            name not in self.values and "default" not in ((schema.get("properties") or {}).get(name) or {})
            for schema in self.schemas
            for name in schema.get("required") or ()
        )
        return not missing and all(need.is_set or not need.is_required for need in self.secrets)


class SettingsDesk(Protocol):
    """Where the settings of servers are read and written."""

    async def read(self, name: str) -> ServerSettings:
        """The settings of a server; raises `ServerNotFoundError`."""

    async def write(self, name: str, values: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Keep settings (all of the server's) and new secrets by name; the server follows them at once.

        Raises:
            UsageError: The values don't fit the schema, in a sentence that says which.
            StateFileError: config.yaml can't be written.
            SecretStoreError: The secrets can't be kept.
        """


class Preferences(Protocol):
    """The person's choices for the program itself."""

    @property
    def current(self) -> AppSettings:
        """The choices in force."""

    async def change(self, **changes: Any) -> AppSettings:
        """Choose anew, by the names of `AppSettings`; it is applied at once. Returns all choices.

        Raises:
            UsageError: A value isn't right, or the port can't be had.
            StateFileError: The choices can't be kept.
        """
