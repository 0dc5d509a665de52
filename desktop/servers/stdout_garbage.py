"""Text on standard output that is not MCP: noticed once, kept in the log, told in the reason when nothing else comes."""

from __future__ import annotations

from desktop.servers.stderr_log import StderrLog

__all__ = ["StdoutGarbage"]


class StdoutGarbage:
    """Collects what a server prints where only JSON-RPC belongs."""

    def __init__(self, log: StderrLog) -> None:
        self._log = log
        self.first = ""

    def is_message(self, line: bytes) -> bool:
        """Whether a line can be a JSON-RPC message; other text is kept in the log, blank lines are dropped."""
        if line[:1] in (b"{", b"["):
            return True
        stripped = line.strip()
        if stripped[:1] in (b"{", b"["):
            return True
        if stripped:
            text = stripped.decode("utf-8", "replace")
            self._log.add(b"(stdout) " + stripped)
            if not self.first:
                self.first = text[:120]
        return False
