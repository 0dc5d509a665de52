"""policy.txt: the person's policy, beside the files shared with the reference."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from desktop.errors import StateFileError
from desktop.policy.rules import NO_POLICY, Policy, PolicySyntaxError, parse_policy
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock
from desktop.state.yaml_document import decode

__all__ = ["PolicyFile"]

_RULES: Final = "See docker-mcp policy set --help for the rules"


class PolicyFile:
    """The policy in its file. Reading is cheap as long as nothing has changed.

    Args:
        path: policy.txt.
        lock_path: The lock file that guards its changes.
    """

    def __init__(self, path: Path, lock_path: Path) -> None:
        self._path = path
        self._lock_path = lock_path
        self._backup = path.with_name(path.name + ".bak")
        self._lock = threading.Lock()
        self._seen: tuple[bytes | None, Policy] = (None, Policy(broken=f"{path} was not read yet"))

    @property
    def current(self) -> Policy:
        """The rules as they were read last; before the first `load` everything is refused."""
        return self._seen[1]

    def text(self) -> str:
        """The file as it is; empty when there is none.

        Raises:
            StateFileError: It can't be read.
        """
        return decode(read_bytes(self._path), self._path)

    def replace(self, text: str) -> None:
        """Make ``text`` the policy, as it is; the former one is kept in policy.txt.bak.

        Raises:
            StateFileError: ``text`` is no policy, and nothing was written; or the file can't be written.
        """
        self._parsed(text)
        with file_lock(self._lock_path):
            before = read_bytes(self._path)
            if before == text.encode("utf-8"):
                return
            if before:
                write_text(self._backup, decode(before, self._path))
            write_text(self._path, text)

    def load(self) -> Policy:
        """The rules in force; the same object as before when nothing has changed.

        A file that can't be understood gives no rules to go by, so its policy refuses everything (`Policy.broken`).
        """
        with self._lock:
            try:
                data = read_bytes(self._path)
                if data != self._seen[0]:
                    self._seen = (data, self._parsed(decode(data, self._path)) if data else NO_POLICY)
            except StateFileError as error:
                if self._seen[1].broken != error.message:
                    self._seen = (None, Policy(broken=error.message))
            return self._seen[1]

    def _parsed(self, text: str) -> Policy:
        try:
            return parse_policy(text)
        except PolicySyntaxError as error:
            raise StateFileError(str(self._path), error.reason, line=error.line, hint=_RULES) from error
