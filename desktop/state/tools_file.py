"""tools.yaml: which tools of a server may be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from desktop.errors import StateFileError
from desktop.state.yaml_document import YamlDocument, fault_at
from desktop.state.yaml_edit import REMOVED, Change

__all__ = ["ToolsFile"]


class ToolsFile:
    """Server name -> its allowed tools by their original names; a server that isn't named has all of its tools.

    Args:
        path: tools.yaml.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._document = YamlDocument(path, lock_path)

    def allowed(self) -> dict[str, frozenset[str]]:
        """The servers whose tools are limited; an empty set means none is allowed."""
        text = self._document.text()
        data = self._document.data_of(text)
        return {server: frozenset(self._listed(data, server, text) or ()) for server in data}

    def enable(self, server: str, tools: Iterable[str], known: Sequence[str]) -> None:
        """Allow tools. Once all known tools are allowed the server's entry goes, so tools it gains later are allowed.

        Args:
            server: The server; without an entry it has all tools already, and nothing is written.
            tools: Original names of the tools to allow.
            known: All tools the server is known to have; may be empty.
        """
        wanted = tuple(tools)

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            listed = self._listed(data, server, text)
            if listed is None:
                return []
            allowed = _in_order({*listed, *wanted}, (*listed, *known, *wanted))
            if known and set(known) <= set(allowed):
                return [Change((server,), REMOVED)]
            return [Change((server,), allowed)] if allowed != listed else []

        self._document.change(decide)

    def allow_only(self, server: str, tools: Iterable[str]) -> None:
        """Limit a server to these tools, whatever was said of it before."""
        listed = list(dict.fromkeys(tools))
        self._document.change(
            lambda data, text: [Change((server,), listed)] if self._listed(data, server, text) != listed else []
        )

    def forget(self, server: str) -> None:
        """Take the server's entry away."""
        self._document.change(lambda data, _text: [Change((server,), REMOVED)] if server in data else [])

    def disable(self, server: str, tools: Iterable[str], known: Sequence[str]) -> None:
        """Forbid tools. A server without an entry gets one: every known tool but these.

        Raises:
            StateFileError: The server has no entry and its tools aren't known, so there is nothing to list.
        """
        unwanted = frozenset(tools)

        def decide(data: dict[str, Any], text: str) -> list[Change]:
            listed = self._listed(data, server, text)
            if listed is None and not known:
                raise StateFileError(
                    self._document.where,
                    f"the tools of '{server}' aren't known yet, so all but some can't be listed",
                    hint="Start the server once and try again.",
                )
            before = list(known) if listed is None else listed
            allowed = [tool for tool in before if tool not in unwanted]
            return [Change((server,), allowed)] if allowed != before or (listed is None and unwanted) else []

        self._document.change(decide)

    def check(self, text: str, where: str) -> None:
        """Raise `StateFileError` about ``where`` unless ``text`` is a map of lists of names."""
        data = self._document.data_of(text, where)
        for server in data:
            self._listed(data, server, text, where)

    def replace_text(self, text: str) -> None:
        """Make ``text`` the file's content, byte for byte; raises `StateFileError` when it is not what `check` wants."""
        self.check(text, self._document.where)
        self._document.replace(text)

    def _listed(self, data: dict[str, Any], server: str, text: str, where: str | None = None) -> list[str] | None:
        if server not in data:
            return None
        tools = data[server]
        if tools is None:
            return []
        if not isinstance(tools, list) or any(isinstance(tool, (list, dict)) for tool in tools):
            reason = f"the tools of '{server}' should be a list of names"
            raise fault_at(text, where or self._document.where, (server,), reason)
        return [str(tool) for tool in tools]


def _in_order(names: set[str], order: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(order) if name in names]
