"""Secrets that are found again wherever they got to: each has a value of its own, looked for in every form it could take."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from desktop.secrets.redaction import Redactor

__all__ = ["Canaries", "command_lines", "environment_of", "family_of"]


class Canaries:
    """Values by name of secret.

    Args:
        names: The secrets.
    """

    def __init__(self, *names: str) -> None:
        self.values = {name: f"canary-{secrets.token_hex(12)}/+={secrets.token_hex(4)}" for name in names}
        self._forms: dict[str, list[bytes]] = {}
        for name, value in self.values.items():
            redactor = Redactor()
            redactor.add(value)
            self._forms[name] = [form.encode() for form in redactor.forms]

    def in_text(self, text: str | bytes) -> set[str]:
        """The secrets that stand in a text, whichever way they are written."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        return {name for name, forms in self._forms.items() if any(form in data for form in forms)}

    def in_files(self, *folders: Path) -> dict[str, set[str]]:
        """By path, the secrets in every file below the folders; pipes, sockets and what has just gone are passed over."""
        found = {str(path): self.in_text(_content(path)) for folder in folders for path in _files(folder)}
        return {path: names for path, names in found.items() if names}

    def in_texts(self, texts: Iterable[tuple[str, str | bytes]]) -> dict[str, set[str]]:
        """By what it is called, the secrets in each text."""
        found = {name: self.in_text(text) for name, text in texts}
        return {name: names for name, names in found.items() if names}


def command_lines() -> Iterator[tuple[str, bytes]]:
    """The command line of every process of this machine."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            yield f"{process}/cmdline", _content(process / "cmdline")


def environment_of(pid: int) -> tuple[str, bytes]:
    """A process's variables."""
    return f"/proc/{pid}/environ", _content(Path(f"/proc/{pid}/environ"))


def family_of(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and (text := _content(process / "stat")):
            children.setdefault(int(text.rpartition(b")")[2].split()[1]), []).append(int(process.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            if path.is_file():
                yield path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
