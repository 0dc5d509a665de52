"""What a face may see of the calls that were made."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Span
from desktop.activity.retention import Retention

__all__ = ["Activity"]


class Activity(Protocol):
    """The calls that were made."""

    @property
    def retention(self) -> Retention:
        """How much is kept."""

    @property
    def not_kept(self) -> int:
        """Calls since the start that came too fast to be kept one by one."""

    async def calls(self, wanted: CallFilter, *, limit: int = 500, before: int | None = None) -> tuple[CallRecord, ...]:
        """Calls, newest first; ``before`` is the smallest id of the page before."""

    async def details(self, id: int) -> CallDetails | None:
        """What one call was made with and what came back; None when it is not kept any more."""

    async def spans(self, *, seconds: float, count: int) -> tuple[Span, ...]:
        """The last ``seconds`` in ``count`` equal pieces, oldest first."""

    async def clear(self) -> None:
        """Forget every call."""

    async def export(self, path: Path, wanted: CallFilter) -> int:
        """Write calls with their details to a file of JSON lines; returns how many."""

    async def set_retention(self, retention: Retention) -> None:
        """Keep more or less from now on (written to our settings)."""
