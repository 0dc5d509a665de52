"""The last lines a server wrote to standard error."""

from __future__ import annotations

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
        self._clean = clean
        self._echo = echo

    def add(self, line: bytes) -> None:
        """Keep one line; bytes that are not UTF-8 are replaced."""
        text = self._clean(line.decode("utf-8", "replace").rstrip())
        self._lines.append(text)
        if self._echo is not None:
            self._echo(text)

    def note(self, text: str) -> None:
        """Keep a remark of our own, marked so that it is not taken for the server's."""
        self.add(f"[gateway] {text}".encode())

    def lines(self) -> tuple[str, ...]:
        """All kept lines, oldest first."""
        return tuple(self._lines)

    def last(self) -> str:
        """The newest line of the server with text, or empty."""
        for line in reversed(self._lines):
            if line.strip() and not line.startswith("[gateway]"):
                return line.strip()
        return ""
