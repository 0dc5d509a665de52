"""Text on standard output that is not MCP is kept in the log, and told in the reason when nothing else comes."""

from __future__ import annotations

from desktop.servers.stderr_log import StderrLog

__all__ = ["StdoutGarbage"]


class StdoutGarbage:
    """Sorts what a server prints where only JSON-RPC belongs."""

    def __init__(self, log: StderrLog) -> None:
        self._log = log

    def is_message(self, line: bytes) -> bool:
        """Whether a line can be a JSON-RPC message; other text is kept in the log, blank lines are dropped."""
        if line[:1] in (b"{", b"["):
            return True
        stripped = line.strip()
        if stripped[:1] in (b"{", b"["):
            return True
        if stripped:
            self._log.add(b"(stdout) " + stripped)
        return False
