"""How much of what happened is kept."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Retention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much is kept: whether anything is, whether with arguments and results, for how many days, how many calls."""

    on: bool = True
    details: bool = True
    days: int = 7
    calls: int = 50_000
