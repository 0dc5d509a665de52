"""The calls that were made, as faces look at them."""

from __future__ import annotations

from pathlib import Path

from desktop.activity.log import ActivityLog
from desktop.activity.record import CallDetails, CallFilter, CallRecord, Span
from desktop.activity.retention import Retention
from desktop.host import HostPart, Preferences

__all__ = ["ActivityView"]


class ActivityView(HostPart):
    """Implements `desktop.host.Activity`.

    Args:
        activity: The log.
        preferences: Where it is kept how much is kept.
    """

    def __init__(self, activity: ActivityLog, preferences: Preferences) -> None:
        self._activity = activity
        self._preferences = preferences

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return self._activity.retention

    @property
    def not_kept(self) -> int:
        """Calls that came too fast to be kept one by one."""
        return self._activity.not_kept

    async def calls(self, wanted: CallFilter, *, limit: int = 500, before: int | None = None) -> tuple[CallRecord, ...]:
        """Calls, newest first."""
        return await self._activity.find(wanted, limit=limit, before=before)

    async def details(self, id: int) -> CallDetails | None:
        """What one call was made with and what came back."""
        return await self._activity.details(id)

    async def spans(self, *, seconds: float, count: int) -> tuple[Span, ...]:
        """The last ``seconds`` in equal pieces, oldest first."""
        return await self._activity.spans(seconds=seconds, count=count)

    async def clear(self) -> None:
        """Forget every call."""
        await self._activity.clear()

    async def export(self, path: Path, wanted: CallFilter) -> int:
        """Write calls to a file; returns how many."""
        return await self._activity.export(path, wanted)

    async def set_retention(self, retention: Retention) -> None:
        """Keep more or less from now on."""
        await self._preferences.change(
            keep_calls=retention.on, keep_details=retention.details, keep_days=retention.days
        )
