"""The last lines a server wrote to standard error."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable

__all__ = ["StderrLog"]


class StderrLog:
    """Keeps the newest lines, redacted before they are kept.

    Args:
        clean: Removes secrets from a line.
        limit: Number of lines kept.
        echo: Called with each kept line, for ``--verbose``.
    """

    def __init__(
        self, clean: Callable[[str], str], limit: int = 1000, echo: Callable[[str], None] | None = None
    ) -> None:
        self._lines: deque[str] = deque(maxlen=limit)
        self._count = 0
        self._clean = clean
        self._echo = echo

    def add(self, line: bytes) -> None:
        """Keep one line; bytes that are not UTF-8 are replaced."""
        text = self._clean(line.decode("utf-8", "replace").rstrip())
        self._lines.append(text)
        self._count += 1
        if self._echo is not None:
            self._echo(text)

    def note(self, text: str) -> None:
        """Keep a remark of our own, marked so that it is not taken for the server's."""
        self.add(f"[gateway] {text}".encode())

    def lines(self) -> tuple[str, ...]:
        """All kept lines, oldest first."""
        return tuple(self._lines)

    @property
    def mark(self) -> int:
        """A place in the log, for `last`."""
        return self._count

    def last(self, since: int = 0) -> str:
        """The newest line with text that the server wrote since a mark, or empty.

        It explains an end to every client, so it is never what is left of a message, which may be another client's.
        """
        for line in itertools.islice(reversed(self._lines), self._count - since):
            is_scrap = line.startswith("(stdout) ") and ("{" in line or "}" in line)
            if line.strip() and not is_scrap and not line.startswith("[gateway]"):
                return line.strip()
        return ""
