"""Making and forgetting duplicates of servers, in every file they touch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from desktop.catalog.configuration import Configuration
from desktop.catalog.duplicates import duplicate
from desktop.catalog.model import CatalogServer
from desktop.errors import ServerNotFoundError, UsageError
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.server_choices import ServerChoicesFile
from desktop.state.tools_file import ToolsFile

__all__ = ["Duplicates"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Duplicates:
    """The person's duplicates. Blocks on the disk.

    Args:
        paths: Where the files are.
    """

    def __init__(self, paths: Paths) -> None:
        lock_for = paths.lock_for
        self._choices = ServerChoicesFile(paths.server_choices, lock_for(paths.server_choices))
        self._config = ConfigFile(paths.config, lock_for(paths.config))
        self._tools = ToolsFile(paths.tools, lock_for(paths.tools))
        self._registry = RegistryFile(paths.registry, lock_for(paths.registry))

    def add(self, known: Configuration, of: str, name: str, secrets: Mapping[str, str]) -> CatalogServer:
        """Have a server a second time, with the values and the choice of tools it has now, and enable it.

        Args:
            known: What is in force.
            of: The server; a duplicate of a duplicate is one of the same original.
            name: What it is called the second time.
            secrets: Name of a secret of the original -> name of the one to use instead; the others get names of their own.

        Raises:
            ServerNotFoundError: No catalog has the server.
            UsageError: The name can't be one, or is taken.
            StateFileError: A file can't be read or written.
        """
        if of not in known.servers:
            raise ServerNotFoundError(f"server {of} not found in catalog")
        if _NAME.fullmatch(name) is None:
            raise UsageError(
                f"{name} can't be the name of a server", "Use letters, digits, dots, dashes and underscores"
            )
        if name in known.servers:
            raise UsageError(f"there is a server called {name} already", "Choose another name")
        original = known.servers.get(known.choice_of(of).duplicate_of or of, known.servers[of])
        self._choices.add_duplicate(name, original.name, secrets)
        if values := known.values_of(known.servers[of]):
            self._config.set_values(name, dict(values))
        if of in known.tools:
            self._tools.allow_only(name, sorted(known.tools[of]))
        self._registry.add([name])
        return duplicate(original, name, secrets)

    def drop(self, name: str) -> None:
        """Take a duplicate out of every file; its secrets stay, since others may use them.

        Raises:
            UsageError: It isn't a duplicate.
            StateFileError: A file can't be read or written.
        """
        chosen = self._choices.choices().get(name)
        if chosen is None or not chosen.duplicate_of:
            raise UsageError(f"{name} is not a duplicate", "docker-mcp server disable turns a server off")
        self._registry.remove([name])
        self._choices.remove(name)
        self._config.set_values(name, {})
        self._tools.forget(name)
